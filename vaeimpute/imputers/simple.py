"""The two baselines that look at one feature alone: its mean, and random values of it (Table 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np

from vaeimpute.imputers._base import BaseImputer
from vaeimpute.seeding import generator, integer


class MeanImputer(BaseImputer):
    """Fill each missing value with the mean of its feature over the training rows.

    Parameters
    ----------
    missing_values, add_indicator, keep_empty_features, min_value, max_value
        As in scikit-learn's imputers; see `BaseImputer`.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)

    Examples
    --------
    >>> MeanImputer().fit([[1.0, 2.0], [3.0, np.nan]]).transform([[np.nan, 5.0]])
    array([[2., 5.]])
    """

    _learnt: ClassVar[dict[str, str]] = {"mean_": "d"}
    _streams = True

    def _fit(self, X: np.ndarray) -> None:
        self.mean_ = np.nanmean(X, axis=0)

    def _fit_scans(self, mean: np.ndarray, scan: Callable[[], Iterator[np.ndarray]]) -> None:
        self.mean_ = mean

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.mean_, X.shape)


class RandomImputer(BaseImputer):
    """Fill each missing value with a random one of the values that its feature has in training.

    The paper compares clinical results with those from such draws (Table 2).

    Parameters
    ----------
    random_state : int, Generator or None
        Decides the draws. A fitted imputer always gives the same ones.
    missing_values, add_indicator, keep_empty_features, min_value, max_value
        As in scikit-learn's imputers; see `BaseImputer`.

    Attributes
    ----------
    values_ : ndarray of shape (n_train, n_features)
        The training values of each feature, in ascending order, NaN last. Its rows are no samples.
    seed_ : int
        Root of the draws.

    Notes
    -----
    A row has a random stream of its own, named after what is missing in it and after the ranks of
    its other values among the training rows'. Thus the draws do not depend on the rows around it or
    on units and rounding, and rows differ, unless they are alike in all this.

    Examples
    --------
    >>> imputer = RandomImputer(random_state=0).fit([[1.0, 2.0], [3.0, 2.0], [5.0, np.nan]])
    >>> imputer.transform([[np.nan, np.nan]])
    array([[3., 2.]])
    """

    _learnt: ClassVar[dict[str, str]] = {"values_": "nd", "seed_": "", "_n_observed": "d"}

    def __init__(
        self,
        *,
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
        self.random_state = random_state

    def _fit(self, X: np.ndarray) -> None:
        self.values_ = np.sort(X, axis=0)
        self._n_observed = np.count_nonzero(~np.isnan(X), axis=0)
        self.seed_ = integer(self.random_state, type(self).__name__, "draws")

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        columns = np.arange(X.shape[1])
        ranks = [
            np.searchsorted(values[:n], x)
            for values, n, x in zip(self.values_.T, self._n_observed, X.T, strict=True)
        ]
        keys = np.where(missing, -1, np.transpose(ranks)).astype("<i8")
        predicted = np.empty_like(X)
        for row, key in enumerate(keys):
            rng = generator(self.seed_, key.tobytes().hex())
            predicted[row] = self.values_[rng.integers(self._n_observed), columns]
        return predicted
