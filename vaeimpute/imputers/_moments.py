"""Means and variances of features whose values come in blocks of rows."""

from __future__ import annotations

import numpy as np
from sklearn.preprocessing import StandardScaler


class Moments:
    """Count, mean and sum of squared deviations of each feature, NaN left out.

    Blocks are merged as by Chan, Golub and LeVeque 1983, so offsets cost no digits. scikit-learn's
    ``StandardScaler.partial_fit`` (1.9) does the same, but a feature without any value in one of
    the blocks comes out as NaN.
    """

    def __init__(self, n_features: int) -> None:
        self.count = np.zeros(n_features)
        self.mean = np.zeros(n_features)
        self.squares = np.zeros(n_features)

    def add(self, X: np.ndarray) -> None:
        """Take in a block of shape (n_rows, n_features)."""
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
        total = np.maximum(self.count + count, 1)
        step = np.where(self.count > 0, first - self.mean + shift, 0.0)
        start = np.where(self.count > 0, self.mean, first + shift)
        self.squares += np.einsum("ij,ij->j", values, values)
        self.squares += step**2 * self.count * count / total
        self.mean = np.where(count > 0, start + step * count / total, self.mean)
        self.count = self.count + count

    def as_scaler(self) -> StandardScaler:
        """Return a fitted scaler; a feature that is constant but for rounding has scale 1."""
        scaler = StandardScaler()
        scaler.n_features_in_ = len(self.mean)
        scaler.mean_ = self.mean
        scaler.var_ = self.squares / np.maximum(self.count, 1)
        eps = np.finfo(np.float64).eps
        rounding = self.count * eps * scaler.var_ + (self.count * self.mean * eps) ** 2
        scaler.scale_ = np.where(scaler.var_ <= rounding, 1.0, np.sqrt(scaler.var_))
        return scaler
