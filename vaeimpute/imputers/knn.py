"""K nearest neighbours, with the distances of all pairs of rows from three matrix products."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from vaeimpute.imputers._base import BaseImputer


class KNNImputer(BaseImputer):
    """Fill a missing value with the weighted mean of that feature in the most similar rows.

    Similar means a small Euclidean distance over the features that both rows have, scaled up for
    those that they have not. Neighbours are sought separately for each feature, among the training
    rows in which it is observed. A feature that no neighbour has gets its mean. With
    ``standardize=False`` the result is that of `sklearn.impute.KNNImputer`.

    Parameters
    ----------
    n_neighbors : int
        The paper takes 10.
    weights : {"distance", "uniform"}
        Weigh neighbours by the inverse of their distance, or all alike.
    standardize : bool
        Measure distances in standard deviations of the training rows, so that no feature dominates
        because of its units.

    Attributes
    ----------
    train_ : ndarray of shape (n_train, n_features)
        The training rows.

    References
    ----------
    Troyanskaya et al. 2001, Bioinformatics 17:520-525.

    Examples
    --------
    >>> X = [[0.0, 1.0], [0.1, 3.0], [9.0, 50.0]]
    >>> imputer = KNNImputer(n_neighbors=2, weights="uniform", standardize=False).fit(X)
    >>> imputer.transform([[0.0, np.nan]])
    array([[0., 2.]])
    """

    _learnt = ("train_", "_observed", "_mean", "_depth")

    def __init__(self, *, n_neighbors=10, weights="distance", standardize=True):
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.standardize = standardize

    def _fit(self, X: np.ndarray) -> None:
        check_scalar(self.n_neighbors, "n_neighbors", Integral, min_val=1)
        if self.weights not in ("distance", "uniform"):
            raise ValueError(f"Expected weights 'distance' or 'uniform' but got {self.weights!r}.")
        self.train_ = X
        self._observed = ~np.isnan(X)
        self._mean = np.nanmean(X, axis=0)
        # Among so many rows, every feature is observed in at least n_neighbors (or all it has).
        self._depth = self.n_neighbors + (~self._observed).sum(axis=0).max()

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        predicted = np.zeros_like(X)
        for row, distance in enumerate(self._distances(X, ~missing)):
            columns = np.flatnonzero(missing[row])
            predicted[row, columns] = self._weighted_mean(distance, columns)
        return predicted

    def _distances(self, X: np.ndarray, observed: np.ndarray) -> np.ndarray:
        """Distances to the training rows, (n_rows, n_train); NaN where no feature is shared."""
        # Squares are expanded, so a common offset is taken away first: it cancels in a distance,
        # but not in the squares, whose digits it would eat up.
        x = np.where(observed, X - self._mean, 0.0)
        y = np.where(self._observed, self.train_ - self._mean, 0.0)
        seen_x, seen_y = observed.astype(X.dtype), self._observed.astype(X.dtype)
        squares = (x * x) @ seen_y.T - 2 * (x @ y.T) + seen_x @ (y * y).T
        shared = seen_x @ seen_y.T
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(np.maximum(squares, 0.0) * X.shape[1] / shared)

    def _weighted_mean(self, distance: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Predict some features of one row from the training rows at these distances."""
        nearest = np.argsort(distance, kind="stable")[: self._depth]
        nearest = nearest[~np.isnan(distance[nearest])]  # they were sorted to the end
        distance = distance[nearest, None]
        seen = self._observed[np.ix_(nearest, columns)]
        values = np.where(seen, self.train_[np.ix_(nearest, columns)], 0.0)
        chosen = seen & (np.cumsum(seen, axis=0) <= self.n_neighbors)
        if self.weights == "uniform":
            weights = chosen.astype(float)
        else:
            weights = chosen / np.where(distance > 0, distance, 1.0)
            twins = chosen & (distance == 0)  # they settle it, as in scikit-learn
            weights = np.where(twins.any(axis=0), twins, weights)
        total = weights.sum(axis=0)
        with np.errstate(invalid="ignore"):
            mean = (weights * values).sum(axis=0) / total
        return np.where(total > 0, mean, self._mean[columns])
