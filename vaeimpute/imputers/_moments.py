"""Means and standard deviations of features, of values that come in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


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
