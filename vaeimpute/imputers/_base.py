"""What all imputers share: validation, standardisation, and touching missing entries only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from numbers import Integral
from operator import add
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval, validate_parameter_constraints
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.validation import check_is_fitted, validate_data

from vaeimpute.imputers._frames import as_numbers, check_names, match_columns, names_of
from vaeimpute.seeding import RandomState, generator

# Of a part that is worked on at once: 17 MB in float64. Larger arrays go back to the system, and
# asking for them anew, page by page, was found to cost more than the arithmetic.
BLOCK_ENTRIES = 2**21


class Number(Interval):
    """A range of numbers; Python counts True and False among the integers, but nobody means them.

    Examples
    --------
    >>> COUNT.is_satisfied_by(3), COUNT.is_satisfied_by(0), COUNT.is_satisfied_by(True)
    (True, False, False)
    """

    def is_satisfied_by(self, value: Any) -> bool:
        """Tell whether a value is in the range; NaN never is."""
        return not isinstance(value, bool) and super().is_satisfied_by(value)


COUNT = Number(Integral, 1, None, closed="left")


def check_arguments(who: str, constraints: dict[str, list], **arguments: Any) -> None:
    """Refuse arguments of a function as scikit-learn refuses parameters of an estimator."""
    validate_parameter_constraints(constraints, arguments, who)


class BaseImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Base of the imputers: NaN in, no NaN out, every observed entry returned bit for bit.

    The columns of a data frame are matched by name with those of the fit.

    A subclass stores its hyper-parameters in the constructor, declares which values they may have
    (`_parameter_constraints`, as in scikit-learn), and implements `_fit`, which sees the training
    matrix, and `_impute`, which predicts the entries of other rows. Both work in float64, or in
    what a parameter ``precision`` says, and, if the subclass has a parameter ``standardize`` that
    is true, in standard deviations of the training rows. `_learnt` names the attributes that a
    saved file has to hold, each with a letter per dimension; d is the number of features.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "standardize": ["boolean"],
        "random_state": [
            Number(Integral, 0, None, closed="left"), np.random.Generator, np.random.RandomState,
            None,
        ],
    }  # fmt: skip
    _learnt: ClassVar[dict[str, str]] = {}
    _scaler: Scaler | None
    random_state: RandomState  # of those that have it

    def fit(self, X, y=None):
        """Learn from a matrix, which may itself have missing values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing. Of a DataFrame, the names of the columns are remembered.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a parameter has no meaning, a feature has no value at all, `X` is not numeric or has
            infinite entries, or names of columns repeat or are no text.
        """
        self._is_fitted = False  # a fit that fails or is interrupted leaves nothing to be used
        self._check_parameters()
        X = self._validate(X, reset=True)
        self._check_rows(len(X))
        moments = reduce(add, (Moments.of(X[rows]) for rows in _blocks_of(X)))
        self._remember(moments, moments.count)
        self._fit(self._scale(X))
        self._is_fitted = True
        return self

    def transform(self, X):
        """Fill the missing entries of a matrix with the features of the training matrix.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing; not changed. A feature may be missing in every row.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the units of `X`; a DataFrame after ``set_output(transform="pandas")``, with the
            index of `X` and the columns of the fit.

        Raises
        ------
        ValueError
            If `X` is not numeric or has infinite entries, or a DataFrame has other columns than at
            fit.

        Warns
        -----
        FeatureOrderWarning
            If a DataFrame has the columns of the fit in another order. They are matched by name.
        """
        X = self._validate(X, copy=True)
        missing = np.isnan(X)
        rows = missing.any(axis=1)
        if rows.any():
            predicted = self._impute(self._scale(X[rows]), missing[rows])[missing[rows]]
            if self._scaler is not None:
                # Not in what `_impute` works in: float32 would round to the digits of an offset.
                predicted = predicted.astype(np.float64, copy=False)
                predicted = self._scaler.inverse_transform(predicted, np.nonzero(missing)[1])
            X[missing] = predicted
        return X

    def _check_parameters(self) -> None:
        """Refuse parameters without a meaning, before any work is done with them."""
        self._validate_params()

    def _check_rows(self, n_rows: int) -> None:
        """Refuse so few rows to learn from that nothing can be learnt."""

    def _validate(self, X, *, reset: bool = False, copy: bool = False) -> np.ndarray:
        """Return `X` as floats with the columns of the fit, or those of `X` if it is the fit."""
        who = type(self).__name__
        X = as_numbers(X, who)
        if reset:
            check_names(names_of(X), who)
        else:
            check_is_fitted(self)
            X = match_columns(X, getattr(self, "feature_names_in_", None), who)
        return validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
            reset=reset,
            copy=copy,
        )

    def _remember(self, moments: Moments, count: np.ndarray) -> None:
        """Take over means and standard deviations, and refuse features of which none is known.

        `count` says how many values of a feature there are to learn from.
        """
        empty = count == 0
        if empty.any():
            names = getattr(self, "feature_names_in_", np.arange(len(empty)))[empty]
            raise ValueError(
                f"{type(self).__name__} cannot learn features without any value: {empty.sum()} of "
                f"{len(empty)} are missing in every row that it learns from, the first of them "
                f"{', '.join(map(repr, names[:5].tolist()))}. Drop them, or learn from more rows."
            )
        standardized = getattr(self, "standardize", False)
        self._scaler = Scaler(moments.mean, moments.scale) if standardized else None

    def _label(self, X, values: np.ndarray):
        """Give an array the container that `transform` would return it in."""
        return _wrap_data_with_container("transform", values, X, self)

    def _scale(self, X: np.ndarray) -> np.ndarray:
        """Scale by the training rows' mean and standard deviation.

        `transform` scales back what was imputed (the paper, section "Variational autoencoder", last
        paragraph).
        """
        scaled = np.empty(X.shape, self._dtype)
        for rows in _blocks_of(X):
            part = X[rows].astype(np.float64)
            if self._scaler is not None:
                part -= self._scaler.mean_
                part /= self._scaler.scale_
            scaled[rows] = part
        return scaled

    @property
    def _dtype(self) -> type[np.floating]:
        """What `_fit` and `_impute` get."""
        return np.float64

    def _generator(self, what: str) -> np.random.Generator:
        """Return the random stream for something that the imputer does, which no other shares."""
        return generator(self.random_state, type(self).__name__, what)

    def _fit(self, X: np.ndarray) -> None:
        """Learn from the training matrix; set attributes that end in an underscore."""
        raise NotImplementedError

    # Whether `_fit_scans` can learn from blocks of rows that are not kept.
    _streams: bool | property = False

    def _fit_scans(self, mean: np.ndarray, scan: Callable[[], Iterator[np.ndarray]]) -> None:
        """Learn as `_fit` does from blocks of rows, which every call of `scan` yields again.

        `mean` is that of all these rows.
        """
        raise NotImplementedError

    def _bytes_to_fit(self, n_samples: int, n_features: int) -> int:
        """Estimate the memory that `vaeimpute.imputers.fit_blocks` needs with so many rows."""
        # The rows as read, and two copies: what is kept, and what is computed on the way.
        return n_samples * n_features * (8 + 2 * np.dtype(self._dtype).itemsize)

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Predict a matrix of the shape of `X`; only its entries at `missing` are used.

        `X` may be overwritten.
        """
        raise NotImplementedError

    def _to_arrays(self) -> tuple[dict[str, np.ndarray], dict]:
        """Return what was learnt as arrays, and a summary for the reader of a saved file."""
        return {name: np.asarray(getattr(self, name)) for name in self._learnt}, {}

    def _from_arrays(self, arrays: dict[str, np.ndarray], summary: dict) -> None:
        """Take over what `_to_arrays` returned; arrays that do not fit together are refused."""
        sizes = {"d": self.n_features_in_}
        for name, letters in self._learnt.items():
            array = arrays[name]
            expected = [sizes.setdefault(*pair) for pair in zip(letters, array.shape, strict=False)]
            if len(letters) != array.ndim or expected != list(array.shape):
                raise ValueError(f"{name} has the shape {array.shape}, which is not that of a fit")
            setattr(self, name, array if array.ndim else array.item())

    def __sklearn_is_fitted__(self) -> bool:
        return getattr(self, "_is_fitted", False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _blocks_of(X: np.ndarray) -> Iterator[slice]:
    return gen_batches(len(X), max(1, BLOCK_ENTRIES // X.shape[1]))


class Scaler(NamedTuple):
    """Means and standard deviations of the features, each of shape (n_features,)."""

    mean_: np.ndarray
    scale_: np.ndarray

    def inverse_transform(
        self, X: np.ndarray, features: np.ndarray | slice = slice(None)
    ) -> np.ndarray:
        """Return standard deviations from the mean in units of the features: of all, or of some."""
        return X * self.scale_[features] + self.mean_[features]


@dataclass(frozen=True)
class Moments:
    """Count, mean and sum of squared deviations of each feature, NaN left out.

    Those of blocks are merged as by Chan, Golub and LeVeque 1983, so offsets cost no digits.
    scikit-learn's ``StandardScaler.partial_fit`` (1.9) does the same, but a feature without any
    value in one of the blocks comes out as NaN.

    Attributes
    ----------
    count, mean, squares : ndarray of shape (n_features,)
        The mean is 0 where nothing is counted.
    """

    count: np.ndarray
    mean: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> Moments:
        """Compute those of a block of shape (n_rows, n_features)."""
        observed = ~np.isnan(X)
        count = observed.sum(axis=0)
        values = X.astype(np.float64)
        # From a value of the feature's own: the deviations of a constant are exactly 0.
        first = np.where(count > 0, values[observed.argmax(axis=0), np.arange(X.shape[1])], 0.0)
        values -= first
        values[~observed] = 0.0
        shift = values.sum(axis=0) / np.maximum(count, 1)
        values -= shift
        values[~observed] = 0.0
        return cls(count, first + shift, np.einsum("ij,ij->j", values, values))

    def __add__(self, other: Moments) -> Moments:
        """Return those of both together."""
        count = self.count + other.count
        share = other.count / np.maximum(count, 1)
        step = np.where(self.count > 0, other.mean - self.mean, other.mean)
        squares = self.squares + other.squares + step**2 * self.count * share
        mean = np.where(self.count > 0, self.mean + step * share, other.mean)
        return Moments(count, mean, squares)

    @property
    def scale(self) -> np.ndarray:
        """Standard deviations; 1 for a feature that is constant but for rounding."""
        variance = self.squares / np.maximum(self.count, 1)
        eps = np.finfo(np.float64).eps
        rounding = self.count * eps * variance + (self.count * self.mean * eps) ** 2
        return np.where(variance <= rounding, 1.0, np.sqrt(variance))
