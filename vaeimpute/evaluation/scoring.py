"""A score for imputers on incomplete matrices: hide some of what is known, and compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from vaeimpute.cohorts import Cohort
from vaeimpute.evaluation.errors import mean_absolute_error, root_mean_squared_error
from vaeimpute.missingness import Scenario, find_scenario, mcar
from vaeimpute.seeding import generator

_METRICS: dict[str, Callable[[ArrayLike, ArrayLike, ArrayLike], float]] = {
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
}


class MaskedScorer:
    """Score an imputer on rows by the error on entries that are hidden from it.

    It goes wherever scikit-learn takes a ``scoring``: `cross_val_score`, `GridSearchCV` and the
    like. Those give it a fitted estimator and the validation rows; it hides observed entries of
    these, has them imputed, and returns minus the error, so that more is better. What is missing
    anyhow stays so and does not count.

    Parameters
    ----------
    scenario : str, float or Scenario
        What is hidden: a key of `vaeimpute.missingness.SCENARIOS` that needs nothing but the matrix
        (``"mcar_10"``, ``"mnar_whole_genes"``, ``"mnar_low_values"``), such a scenario with other
        parameters, or a share of the observed entries of each row. Choose what resembles your own
        missing entries: which method is best depends on it.
    metric : {"mae", "rmse"} or callable
        The error, as ``metric(true, imputed, mask)``.
    standardize : bool
        Measure errors in standard deviations of the validation rows, so that features in large
        units do not decide alone. A feature that does not vary among them takes no part.
    random_state : int
        Decides what is hidden. The same is hidden from all candidates.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from vaeimpute.imputers import KNNImputer
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 30)) + rng.normal(size=(60, 30))
    >>> X[rng.random(X.shape) < 0.1] = np.nan
    >>> grid = {"n_neighbors": [1, 5, 10]}
    >>> search = GridSearchCV(KNNImputer(), grid, scoring=MaskedScorer(0.2), cv=3).fit(X)
    >>> search.best_params_
    {'n_neighbors': 10}
    """

    def __init__(
        self,
        scenario: str | float | Scenario = "mcar_10",
        *,
        metric: str | Callable[[ArrayLike, ArrayLike, ArrayLike], float] = "mae",
        standardize: bool = True,
        random_state: int = 0,
    ):
        self.scenario = _scenario(scenario)
        if isinstance(metric, str) and metric not in _METRICS:
            raise ValueError(f"Expected metric 'mae', 'rmse' or a function but got {metric!r}.")
        self.metric = metric
        self.standardize = standardize
        self.random_state = random_state

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        """Return minus the error of a fitted estimator on hidden entries of `X`.

        Parameters
        ----------
        estimator : estimator
            Its `transform` fills a matrix and returns one of the same shape: an imputer, or a
            pipeline with one that scales features before. Features that it leaves out, because they
            were empty at fit, take no part.
        X : array-like of shape (n_samples, n_features)
            NaN means missing.
        y : ignored

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If there is nothing to hide, or the estimator leaves something missing or changes the
            shape.
        """
        values = _numbers(X)
        hidden = self.mask(X)
        seen = X.mask(hidden) if isinstance(X, pd.DataFrame) else np.where(hidden, np.nan, values)
        imputed, returned = _filled(estimator, seen)
        values, hidden = values[:, returned], hidden[:, returned]
        if not hidden.any():
            raise ValueError(
                f"There is nothing to hide by {self.scenario.key!r} in {values.shape[0]} rows and "
                f"{values.shape[1]} features, of which {np.isnan(values).mean():.0%} is missing. "
                "Give it more rows (fewer folds), or another scenario."
            )
        kept = ~np.isnan(values) & ~hidden
        true = values
        if not np.array_equal(imputed[kept], values[kept]):
            # A pipeline that scales returns scaled values: so must be what they are compared with.
            true, _ = _filled(estimator, X)
        if self.standardize:
            features = hidden.any(axis=0)
            observed = np.where(np.isnan(values), np.nan, true)[:, features]
            spread = np.ones(values.shape[1])
            spread[features] = np.nanstd(observed, axis=0)
            true, imputed = true / spread, imputed / spread
        metric = _METRICS[self.metric] if isinstance(self.metric, str) else self.metric
        return -metric(true, imputed, hidden)

    def mask(self, X: Any) -> np.ndarray:
        """Return which entries of some rows are hidden.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.

        Returns
        -------
        boolean ndarray of shape (n_samples, n_features)
            True where an observed entry is hidden.
        """
        values = _numbers(X)
        low, high = np.fmin.reduce(values), np.fmax.reduce(values)
        takes_part = (low < high) if self.standardize else ~np.isnan(low)
        hidden = np.zeros(values.shape, dtype=bool)
        if takes_part.any():
            table, rows = pd.DataFrame(values[:, takes_part]), np.arange(len(values))
            kind = self.scenario.data_types[0]
            cohort = Cohort("rows to score", table, table[[]], units="", data_type=kind)
            # Low means low for the feature: in raw units, a few features would have all low values.
            rng = generator(self.random_state, "score")
            hidden[:, takes_part] = self.scenario.mask(cohort.standardize(rows), rows, rng)
        return hidden

    def __repr__(self) -> str:
        metric = self.metric if isinstance(self.metric, str) else self.metric.__name__
        return f"MaskedScorer({self.scenario.key!r}, metric={metric!r})"


def _scenario(scenario: str | float | Scenario) -> Scenario:
    if isinstance(scenario, str | Scenario):
        return find_scenario(scenario)
    if not 0 < scenario < 1:
        raise ValueError(f"Expected a share between 0 and 1 but got {scenario}.")
    return mcar(float(scenario))


def _numbers(X: Any) -> np.ndarray:
    if isinstance(X, pd.DataFrame):
        return X.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(X, dtype=np.float64)


def _filled(estimator: Any, X: Any) -> tuple[np.ndarray, list[int]]:
    """Return the features that an estimator returns, filled, and which they are."""
    filled, n_features = _numbers(estimator.transform(X)), np.shape(X)[1]
    if filled.shape == np.shape(X):
        return filled, list(range(n_features))
    # Without those that were empty at fit, or with indicators of what was missing.
    names = getattr(estimator, "feature_names_in_", [f"x{j}" for j in range(n_features)])
    number = {name: j for j, name in enumerate(names)}
    named: list[str] = list(getattr(estimator, "get_feature_names_out", list)())
    columns = [j for j, name in enumerate(named) if name in number]
    if not columns or filled.shape != (len(X), len(named)):
        raise ValueError(
            f"Expected a matrix of shape {np.shape(X)} from {type(estimator).__name__}.transform "
            f"but got {filled.shape}: to be scored, an estimator has to return every entry it is "
            "given, or to name the features that it returns (get_feature_names_out)."
        )
    return filled[:, columns], [number[named[j]] for j in columns]
