"""Feature means: the floor that every method has to beat."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from vaeimpute.imputers._base import BaseImputer


class MeanImputer(BaseImputer):
    """Fill each missing value with the mean of its feature over the training rows.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)

    Examples
    --------
    >>> MeanImputer().fit([[1.0, 2.0], [3.0, np.nan]]).transform([[np.nan, 5.0]])
    array([[2., 5.]])
    """

    _learnt = ("mean_",)
    _streams = True

    def _fit(self, X: np.ndarray) -> None:
        self.mean_ = np.nanmean(X, axis=0)

    def _fit_scans(self, mean: np.ndarray, scan: Callable[[], Iterator[np.ndarray]]) -> None:
        self.mean_ = mean

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.mean_, X.shape)
