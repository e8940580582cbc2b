"""What all imputers share: validation, standardisation, and touching missing entries only."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from copy import copy
from functools import reduce
from numbers import Integral, Real
from operator import add
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.impute import MissingIndicator
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import (
    Interval,
    MissingValues,
    validate_parameter_constraints,
)
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.validation import check_is_fitted, validate_data

from vaeimpute.exceptions import EmptyFeatureWarning, some
from vaeimpute.imputers._frames import as_numbers, check_names, in_kind, match_columns, names_of
from vaeimpute.imputers._moments import Moments, Scaler
from vaeimpute.seeding import RandomState, generator

# Of a part that is worked on at once: 17 MB in float64. Larger arrays go back to the system, and
# asking for them anew, page by page, was found to cost more than the arithmetic.
BLOCK_ENTRIES = 2**21
_PRODUCTS_A_SECOND, _OTHERS_A_SECOND = 5e10, 1e9  # of one processor, in float64


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

    Parameters
    ----------
    missing_values : float
        What stands for a missing value in place of NaN, which is not allowed then.
    add_indicator : bool
        Put columns behind the others that say what was missing, one for each feature that had
        missing values at fit (`sklearn.impute.MissingIndicator`).
    keep_empty_features : bool
        Keep features without any value at fit, and fill them with 0. Without it, they are left out
        of what `transform` returns.
    min_value, max_value : float or array-like of shape (n_features,)
        What is filled in is set to the nearest of these where it lies outside of them; so are
        draws, where an imputer has them. They are in the units of the input.

    Notes
    -----
    The parameters are those of scikit-learn's imputers.

    A subclass stores its hyper-parameters in the constructor, declares which values they may have
    (`_parameter_constraints`, as in scikit-learn), and implements `_fit`, which sees the training
    matrix, and `_impute`, which predicts the entries of other rows. Neither sees features that were
    empty at fit. Both work in float64, or in what a parameter ``precision`` says, and, if the
    subclass has a parameter ``standardize`` that is true, in standard deviations of the training
    rows. `_learnt` names the attributes that a saved file has to hold, each with a letter per
    dimension; d is the number of features that are not empty.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "missing_values": [MissingValues(numeric_only=True), None],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
        "min_value": [Interval(Real, None, None, closed="both"), "array-like"],
        "max_value": [Interval(Real, None, None, closed="both"), "array-like"],
        "standardize": ["boolean"],
        "random_state": [
            Number(Integral, 0, None, closed="left"), np.random.Generator, np.random.RandomState,
            None,
        ],
    }  # fmt: skip
    _learnt: ClassVar[dict[str, str]] = {}
    _scaler: Scaler | None
    random_state: RandomState  # of those that have it

    def __init__(
        self,
        *,
        missing_values=np.nan,
        add_indicator=False,
        keep_empty_features=False,
        min_value=-np.inf,
        max_value=np.inf,
    ):
        self.missing_values = missing_values
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.min_value = min_value
        self.max_value = max_value

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
            If a parameter has no meaning, no feature has any value, `X` is not numeric or has
            infinite entries, or names of columns repeat or are no text.

        Warns
        -----
        EmptyFeatureWarning
            If features have no value at all and are left out.
        """
        self._is_fitted = False  # a fit that fails or is interrupted leaves nothing to be used
        self._check_parameters()
        X = self._read(X, reset=True)
        self._bounds  # noqa: B018 - those that mean nothing are refused
        self._check_rows(len(X))
        moments = reduce(add, (Moments.of(X[rows]) for rows in _blocks_of(X)))
        self._remember(moments, moments.count, len(X))
        self._fit(self._scale(self._known(X)))
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
        ndarray of shape (n_samples, n_features_out)
            In the units of `X`; a DataFrame after ``set_output(transform="pandas")``, with the
            index of `X`, the columns of the fit, and nullable types where `X` has them.

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
        filled, missing = self._fill(X)
        if not self._shown.all():
            filled = filled[:, self._shown]
        if self.indicator_ is None:
            return self._label(X, filled)
        indicated = np.where(missing, np.nan, 0.0)
        return self._label(X, np.hstack([filled, self.indicator_.transform(indicated)]), True)

    def get_feature_names_out(self, input_features=None) -> np.ndarray:
        """Return the names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), optional
            Names for the features, if the fit knew none.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        names = super().get_feature_names_out(input_features)
        out = names[self._shown]
        if self.indicator_ is None:
            return out
        return np.concatenate([out, self.indicator_.get_feature_names_out(names)])

    def _fill(self, X) -> tuple[np.ndarray, np.ndarray]:
        """Return `X` with what is missing filled, and where it was, for all features of the fit.

        Of features that were empty at fit, missing entries become 0, or stay missing if these
        features are not to be kept.
        """
        X = self._read(X, copy=True)
        missing = np.isnan(X)
        known, gaps = self._known(X), self._known(missing)
        if gaps.any():
            rows = self._needed(gaps)
            predicted = self._impute(self._scale(known[rows]), gaps[rows])[gaps[rows]]
            if self._scaler is not None:
                # Not in what `_impute` works in: float32 would round to the digits of an offset.
                predicted = predicted.astype(np.float64, copy=False)
                predicted = self._scaler.inverse_transform(predicted, np.nonzero(gaps)[1])
            predicted = self._bounded(predicted, np.nonzero(gaps)[1])
            X[missing & ~self._empty if self._empty.any() else missing] = predicted
        if self.keep_empty_features:
            X[missing & self._empty] = 0.0
        return X, missing

    def _needed(self, gaps: np.ndarray) -> np.ndarray:
        """Return which rows `_impute` is to have: those with gaps."""
        return np.asarray(gaps.any(axis=1))

    def _bounded(self, values: np.ndarray, features: np.ndarray | slice = slice(None)):
        """Return values of some features, of those that are not empty, within their bounds."""
        low, high = (self._known(bound[None])[0, features] for bound in self._bounds)
        return np.clip(values, low, high) if np.isfinite([low, high]).any() else values

    @property
    def _bounds(self) -> list[np.ndarray]:
        """The least and the largest value of every feature that may be filled in."""
        shape, bounds = (self.n_features_in_,), []
        for name in ("min_value", "max_value"):
            given = np.asarray(getattr(self, name), dtype=np.float64)
            if given.shape not in ((), shape):
                raise ValueError(
                    f"Expected {name} as a number or of shape {shape} but got one of shape "
                    f"{given.shape}."
                )
            bounds.append(np.broadcast_to(given, shape))
        wrong = np.flatnonzero(~(bounds[0] < bounds[1]))
        if len(wrong):
            raise ValueError(
                f"Expected every min_value to be less than its max_value but for {len(wrong)} of "
                f"{shape[0]} features it is not, the first of them number {wrong[0]} with "
                f"{bounds[0][wrong[0]]:g} and {bounds[1][wrong[0]]:g}."
            )
        return bounds

    def _check_parameters(self) -> None:
        """Refuse parameters without a meaning, before any work is done with them."""
        self._validate_params()

    def _check_rows(self, n_rows: int) -> None:
        """Refuse so few rows to learn from that nothing can be learnt."""

    def _read(self, X, *, reset: bool = False, copy: bool = False) -> np.ndarray:
        """Return `X` as floats with the columns of the fit, or those of `X` if it is the fit."""
        who, marker = type(self).__name__, self.missing_values
        X = as_numbers(X, who, marker)
        if reset:
            check_names(names_of(X), who)
        else:
            check_is_fitted(self)
            X = match_columns(X, getattr(self, "feature_names_in_", None), who)
        marked = not pd.isna(marker)
        X = validate_data(
            self,
            X,
            dtype=[np.float64, np.float32],
            ensure_all_finite=True if marked else "allow-nan",
            reset=reset,
            copy=copy,
        )
        return np.where(marker == X, np.nan, X) if marked else X

    def _validate(self, X) -> np.ndarray:
        """Return `X` as floats, with the features that were not empty at fit."""
        return self._known(self._read(X))

    def _known(self, array: np.ndarray) -> np.ndarray:
        """Return the columns of features that were not empty at fit."""
        return array[:, ~self._empty] if self._empty.any() else array

    @property
    def _shown(self) -> np.ndarray:
        """Which features `transform` returns."""
        return ~self._empty | self.keep_empty_features

    @property
    def _n_known(self) -> int:
        return int((~self._empty).sum())

    def _remember(self, moments: Moments, count: np.ndarray, n_rows: int) -> None:
        """Take over means and standard deviations, and which features are empty or have gaps.

        `count` says how many values of a feature there are to learn from in `n_rows`.
        """
        self._empty = count == 0
        names = getattr(self, "feature_names_in_", np.arange(len(count)))[self._empty]
        words = f"{len(names)} of {len(count)} features have no value in the training rows"
        if self._empty.all():
            raise ValueError(f"{type(self).__name__} has nothing to learn from: {words}.")
        if len(names) and not self.keep_empty_features:
            warnings.warn(
                f"{type(self).__name__} leaves features out: {words}, {some(names.tolist())}. "
                "keep_empty_features=True fills them with 0.",
                EmptyFeatureWarning,
                stacklevel=3,  # of fit
            )
        self._indicate(count < n_rows)
        standardized = getattr(self, "standardize", False)
        self._scaler = None
        if standardized:
            self._scaler = Scaler(moments.mean[~self._empty], moments.scale[~self._empty])

    def _indicate(self, gappy: np.ndarray) -> None:
        """Set up the indicator of what is missing in features that have gaps."""
        indicator = MissingIndicator(error_on_new=False)
        example = np.where(gappy, np.nan, 0.0)[None]
        self.indicator_ = indicator.fit(example) if self.add_indicator else None

    def _label(self, X, values: np.ndarray, indicated: bool = False):
        """Give an array the container that `transform` would return it in."""
        estimator = self
        if self.indicator_ is not None and not indicated:
            estimator = copy(self)
            estimator.indicator_ = None
        labelled = _wrap_data_with_container("transform", values, X, estimator)
        return in_kind(labelled, X)

    def _with_empty(self, values: np.ndarray, empty: float | np.ndarray) -> np.ndarray:
        """Put columns of empty features among those of the others if they are to be kept."""
        if self._shown.sum() == self._n_known:
            return values
        whole = np.empty((*values.shape[:-1], len(self._empty)), values.dtype)
        whole[..., ~self._empty] = values
        whole[..., self._empty] = empty
        return whole

    def _given_to_empty(self, X) -> np.ndarray:
        """Return the values that `X` has of features that were empty at fit, if these are kept.

        NaN means missing.
        """
        if self._shown.sum() == self._n_known:  # not read once more for nothing
            return np.zeros(0)
        return self._read(X)[:, self._empty]

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

    def expected_seconds(self, n_samples: int, n_features: int) -> float:
        """Estimate how long it takes to fit to a matrix with gaps and to fill it.

        It is counted what is computed, not measured: the same on every computer, and about right on
        one processor. What goes wrong by orders of magnitude is seen beforehand.

        Parameters
        ----------
        n_samples, n_features : int

        Returns
        -------
        float
        """
        products, others = self._operations(n_samples, n_features)
        return products / _PRODUCTS_A_SECOND + others / _OTHERS_A_SECOND

    def _operations(self, n_samples: int, n_features: int) -> tuple[float, float]:
        """Count multiplications and additions in products of matrices, and all other steps."""
        return 0.0, 20.0 * n_samples * n_features

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
        sizes = {"d": self._n_known}
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
        tags.input_tags.allow_nan = bool(pd.isna(self.missing_values))
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _blocks_of(X: np.ndarray) -> Iterator[slice]:
    return gen_batches(len(X), max(1, BLOCK_ENTRIES // X.shape[1]))
