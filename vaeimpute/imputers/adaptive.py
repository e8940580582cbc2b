"""The recommended imputer: a conditional Gaussian that adapts itself to a matrix, part by part."""

from __future__ import annotations

from copy import copy
from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from sklearn.utils._param_validation import StrOptions

from vaeimpute.imputers._base import COUNT, BaseImputer, Number, check_arguments
from vaeimpute.imputers._moments import Moments, Scaler
from vaeimpute.imputers._ranks import RankToNormal
from vaeimpute.imputers.gaussian import GaussianImputer
from vaeimpute.missingness import hide
from vaeimpute.seeding import integer

_MARGINALS = ("normal", "ranks")
_GAUSSIAN = "gaussian."  # prefix of its arrays in a saved file
_MOST_ROWS = 200  # to choose with: each has many values
# Of a normal distribution, for the mean of a square: exact for polynomials up to degree 17.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


class Predicted(NamedTuple):
    """The distribution of what is missing, normal on the scale that features are predicted on.

    Attributes
    ----------
    mean, std : ndarray of shape (n_rows, n_features)
        What they have where nothing is missing plays no part.
    """

    mean: np.ndarray
    std: np.ndarray


class AdaptiveImputer(BaseImputer):
    """Fill missing values by a conditional Gaussian, on the scale on which it errs least.

    Parameters
    ----------
    marginals : {"auto", "normal", "ranks"}
        The scale that features are predicted on: as they are, for features that are about normal,
        or as normal scores of their ranks. "auto" chooses on values held out from training rows.
    precision : {"float64", "float32"}
        Of the products.
    random_state : int, Generator or None
        For what is held out, and for `sample`.
    missing_values, add_indicator, keep_empty_features, min_value, max_value
        As in scikit-learn's imputers; see `BaseImputer`.

    Attributes
    ----------
    marginals_ : str
        Those used.
    errors_ : dict of str to float
        Of the scales that were compared: mean absolute errors, in standard deviations.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 1)) * [1.0, 2.0]  # the second feature is twice the first
    >>> AdaptiveImputer(random_state=0).fit(X).transform([[0.5, np.nan]]).round(1)
    array([[0.5, 1. ]])
    """

    standardize = True  # not a choice: what features share assumes it
    _parameter_constraints = BaseImputer._parameter_constraints | {
        "marginals": [StrOptions({"auto", *_MARGINALS})],
        "precision": [StrOptions({"float64", "float32"})],
    }
    _scaler: Scaler

    def __init__(
        self,
        *,
        marginals="auto",
        precision="float64",
        random_state=None,
        missing_values=np.nan,
        add_indicator=False,
        keep_empty_features=False,
        min_value=-np.inf,
        max_value=np.inf,
    ):
        super().__init__(
            missing_values=missing_values,
            add_indicator=add_indicator,
            keep_empty_features=keep_empty_features,
            min_value=min_value,
            max_value=max_value,
        )
        self.marginals = marginals
        self.precision = precision
        self.random_state = random_state

    @property
    def _dtype(self) -> type[np.floating]:
        return np.dtype(self.precision).type

    def _fit(self, X: np.ndarray) -> None:
        self.errors_ = self._held_out_errors(X) if self.marginals == "auto" else {}
        self.marginals_ = (
            min(self.errors_, key=self.errors_.__getitem__) if self.errors_ else self.marginals
        )
        self._learn(X)

    def _held_out_errors(self, X: np.ndarray) -> dict[str, float]:
        """Return how far each scale is off where a tenth of a fifth of the rows is hidden."""
        rng = self._generator("held-out values")
        order = rng.permutation(len(X))
        held_out, kept = np.split(order, [min(len(X) // 5, _MOST_ROWS)])
        true = X[held_out]
        hidden = hide(~np.isnan(true), 0.1, rng)
        known = ~np.isnan(X[kept]).all(axis=0)  # elsewhere there is nothing to learn from
        hidden &= known
        if not hidden.any():
            return {"normal": np.nan}
        errors = {}
        for marginals in _MARGINALS:
            trial = copy(self)
            trial.marginals_ = marginals
            trial._learn(X[kept][:, known])
            gaps = hidden | np.isnan(true)
            found = trial._impute(np.where(gaps, np.nan, true)[:, known], gaps[:, known])
            errors[marginals] = float(np.abs(found - true[:, known])[hidden[:, known]].mean())
        return errors

    def _learn(self, X: np.ndarray) -> None:
        """Learn from training rows, in standard deviations, on the scale chosen."""
        self._ranks = RankToNormal.of(X) if self.marginals_ == "ranks" else None
        self._gaussian = self._new_gaussian().fit(self._to_scale(X))

    def _new_gaussian(self) -> GaussianImputer:
        seed = integer(self.random_state, "Gaussian")
        return GaussianImputer(standardize=False, precision=self.precision, random_state=seed)

    def _to_scale(self, X: np.ndarray) -> np.ndarray:
        """Turn standard deviations into what features are predicted on."""
        return X if self._ranks is None else self._ranks.forward(X)

    def _from_scale(self, X: np.ndarray) -> np.ndarray:
        return X if self._ranks is None else self._ranks.backward(X)

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        # A median, since the scale is monotone.
        return self._from_scale(self._mean_on_scale(self._to_scale(np.where(missing, np.nan, X))))

    def _mean_on_scale(self, X: np.ndarray) -> np.ndarray:
        """Return rows with their missing entries predicted, on the scale."""
        return self._gaussian.transform(X)

    def _predict(self, X: np.ndarray) -> Predicted:
        """Return distributions of what is missing in rows in standard deviations."""
        scaled = self._to_scale(X)
        return Predicted(self._mean_on_scale(scaled), self._gaussian.predict_std(scaled))

    def predict_std(self, X):
        """Return the predictive standard deviation of every missing entry.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the units of `X`; 0 where a value is observed. A DataFrame where `transform` returns
            one.
        """
        scaled = self._scale(self._validate(X))
        predicted = self._predict(scaled)
        mean = square = 0.0
        for node, weight in zip(_NODES, _WEIGHTS / _WEIGHTS.sum(), strict=True):
            value = self._from_scale(predicted.mean + node * predicted.std)
            mean, square = mean + weight * value, square + weight * np.square(value)
        std = np.sqrt(np.maximum(square - np.square(mean), 0.0)) * self._scaler.scale_
        std[~np.isnan(scaled)] = 0.0
        return self._label(X, self._with_empty(std, np.nan))

    def predict_interval(self, X, level: float = 0.95) -> tuple:
        """Return the bounds between which a missing entry lies with a given probability.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.
        level : float
            That probability, below 1.

        Returns
        -------
        low, high : ndarray of shape (n_samples, n_features)
            In the units of `X`; the value itself where it is observed. DataFrames where `transform`
            returns one.
        """
        check_arguments(
            "predict_interval", {"level": [Number(Real, 0, 1, closed="neither")]}, level=level
        )
        values = self._validate(X)
        predicted = self._predict(self._scale(values))
        reach = ndtri((1 + level) / 2)
        bounds = []
        for sign in (-1, 1):
            bound = self._from_scale(predicted.mean + sign * reach * predicted.std)
            bound = self._bounded(self._scaler.inverse_transform(bound), slice(None))
            bound = np.where(np.isnan(values), bound, values)
            bounds.append(self._label(X, self._with_empty(bound, np.nan)))
        return tuple(bounds)

    def sample(self, X, n_draws: int = 10) -> np.ndarray:
        """Draw several fillings of a matrix, for multiple imputation.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.
        n_draws : int

        Returns
        -------
        ndarray of shape (n_draws, n_samples, n_features)
            In the units of `X`, features in the order of the fit; observed entries are the same in
            all draws. The same draws every time if `random_state` is an integer.
        """
        check_arguments("sample", {"n_draws": [COUNT]}, n_draws=n_draws)
        values = self._validate(X)
        draws = self._gaussian.sample(self._to_scale(self._scale(values)), n_draws)
        draws = self._bounded(self._scaler.inverse_transform(self._from_scale(draws)), slice(None))
        filled = np.where(np.isnan(values), draws, values)
        return self._with_empty(filled, np.nan_to_num(self._read(X)[:, self._empty]))

    def _to_arrays(self) -> tuple[dict[str, np.ndarray], dict]:
        learnt, _ = self._gaussian._to_arrays()
        arrays = {_GAUSSIAN + name: array for name, array in learnt.items()}
        if self._ranks is not None:
            arrays["ranks"] = self._ranks.values
        return arrays, {"marginals": self.marginals_, "errors": self.errors_}

    def _from_arrays(self, arrays: dict[str, np.ndarray], summary: dict) -> None:
        self.marginals_, self.errors_ = summary["marginals"], summary["errors"]
        ranks = self.marginals_ == "ranks"
        self._ranks = RankToNormal.from_sorted(arrays["ranks"]) if ranks else None
        self._gaussian = self._new_gaussian()
        self._gaussian.n_features_in_ = self._n_known
        nothing = np.zeros(self._n_known)
        self._gaussian._remember(Moments(nothing, nothing, nothing), nothing + 1, 1)
        self._gaussian._is_fitted = True
        learnt = {k.removeprefix(_GAUSSIAN): v for k, v in arrays.items() if k[0] == _GAUSSIAN[0]}
        self._gaussian._from_arrays(learnt, {})
