"""Ridge regressions of every feature on all others that trust the features most like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import NamedTuple

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csr_array
from sklearn.utils import gen_batches

_NEIGHBOURS = 100  # features whose penalty is less than that of all others
_SMALL = 0.02  # share of a variance
_BLOCK = 64  # features that are worked on at once


class Gain(NamedTuple):
    """How much less the coefficients of a feature's neighbours are penalised.

    Attributes
    ----------
    mean : float
        What the weights of features would be beyond 1, on average, if all were neighbours.
    power : int
        Of the correlation, without its sign, that a weight is proportional to.
    """

    mean: float
    power: int

    def weights(self, chosen: np.ndarray, correlations: np.ndarray) -> np.ndarray:
        """Return weights beyond 1 for some of the correlations, a row for each target."""
        powers = reduce(np.multiply, [correlations] * self.power)  # faster than pow
        mean = np.maximum(powers.mean(axis=1, keepdims=True), 1e-30)
        return self.mean * chosen**self.power / mean


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """Some features, and those that they correlate with most.

    Attributes
    ----------
    members : integer ndarray of shape (n_targets, 1 + n_neighbours)
        Of each, the feature itself and its neighbours.
    weights : ndarray of shape (n_gains, n_targets, 1 + n_neighbours)
        The weights of the neighbours beyond 1; of the feature itself, which must not predict
        itself, -1.
    """

    members: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class Regressions:
    """Predictions of some features from rows without missing values.

    Attributes
    ----------
    axes : ndarray of shape (n_features, n_axes)
        V: the principal axes of the training rows.
    kept : ndarray of shape (n_axes,)
        h: rows X are smoothed to ``X V diag(h) V'``.
    members : integer ndarray of shape (n_targets, 1 + n_neighbours)
        The features that are predicted, and their neighbours.
    coefficients : ndarray of that shape
        Of what smoothing leaves.
    """

    axes: np.ndarray
    kept: np.ndarray
    members: np.ndarray
    coefficients: np.ndarray

    @property
    def features(self) -> np.ndarray:
        """Those that are predicted."""
        return self.members[:, 0]

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return predictions of shape (n_rows, n_targets)."""
        n_targets, size = self.members.shape
        starts = np.arange(0, n_targets * size + 1, size)
        entries = self.coefficients.ravel(), self.members.ravel(), starts
        smooth = ((X @ self.axes) * self.kept) @ self.axes.T
        around = csr_array(entries, shape=(n_targets, X.shape[1]))
        return smooth[:, self.features] + (around @ (X - smooth).T).T


@dataclass(frozen=True, eq=False)
class AdaptiveRidge:
    """Ridge regressions on training rows Z of shape (n, d), each with penalties of its own.

    Feature j is predicted with the coefficients b that minimise
    ``|z_j - Z b|^2 / n + ridge * sum_k b_k^2 / w_k``. Its own weight w_j is 0; those of the 100
    features that it correlates with most are ``1 + gain * r_k^power / mean(r^power)``, with r_k the
    correlation without its sign, 0 for j itself, and the mean over all features; those of the rest
    are 1. It is a generalised ridge regression (Hoerl and Kennard 1970, *Technometrics* 12:55-67).

    Attributes
    ----------
    train : ndarray of shape (n_train, n_features)
        Z: centred, with variances of 1, without missing values.

    Notes
    -----
    With weights of 1, features are predicted by ``S = V diag(v / (v + ridge)) V'``, where v are the
    variances along the principal axes V: for all at once. The regression of feature j is exactly
    what that says of a row, plus a regression of what it leaves of feature j on what it leaves of
    the neighbours and of j itself, M: ``S_j x + c'(x_M - S_M x)``, where
    ``c = (I + E Q)^-1 E q_j``, E holds the weights beyond 1, and ``Q = Z_M' G Z_M / n`` with
    ``G = (ZZ'/n + ridge*I)^-1`` (the identity of Woodbury). That is a system of 101 equations
    whatever the numbers of rows and features are.
    """

    train: np.ndarray

    @cached_property
    def principal(self) -> tuple[np.ndarray, np.ndarray]:
        """The axes, as columns, and the variances along them."""
        n, d = self.train.shape
        Z = self.train.astype(np.float64, copy=False)
        wide = n <= d
        variances, vectors = eigh((Z @ Z.T if wide else Z.T @ Z) / n, driver="evd")
        found = variances > variances[-1] * max(n, d) * np.finfo(np.float64).eps
        variances, vectors = variances[found], vectors[:, found]
        axes = Z.T @ (vectors / np.sqrt(n * variances)) if wide else vectors
        return axes.astype(np.float32), variances.astype(np.float32)

    def distinct(self, ridges: Sequence[float]) -> list[float]:
        """Leave out ridges that say no more than larger ones: far below most axes' variances."""
        variances = self.principal[1]
        least = _SMALL * float(np.median(variances)) if len(variances) else 0.0
        return [ridge for ridge in ridges if ridge > least or ridge == max(ridges)]

    def neighbourhoods(self, features: np.ndarray, gains: list[Gain]) -> Neighbourhoods:
        """Find what some features, numbered in an array of shape (n_targets,), correlate with."""
        n, d = self.train.shape
        Z = self.train.astype(np.float32, copy=False)
        size = min(_NEIGHBOURS, d - 1)
        members = np.empty((len(features), 1 + size), np.int32)
        weights = np.full((len(gains), *members.shape), -1.0, np.float32)
        members[:, 0] = features
        for block in gen_batches(len(features), _BLOCK):
            correlations = np.abs(Z[:, features[block]].T @ Z) / n
            np.put_along_axis(correlations, features[block, None], 0.0, axis=1)
            nearest = np.argpartition(correlations, d - size - 1, axis=1)[:, d - size :]
            members[block, 1:] = nearest
            chosen = np.take_along_axis(correlations, nearest, axis=1)
            for one, gain in zip(weights, gains, strict=True):
                one[block, 1:] = gain.weights(chosen, correlations)
        return Neighbourhoods(members, weights)

    def fit(self, around: Neighbourhoods, ridge: float) -> list[Regressions]:
        """Return regressions for each of the gains that neighbourhoods were found for."""
        members, weights = around.members, around.weights
        n_targets, size = members.shape
        axes, variances = self.principal
        root = axes * np.sqrt(variances / (variances + ridge))
        identity = np.eye(size, dtype=np.float32)
        coefficients = np.empty(weights.shape, np.float32)
        for block in gen_batches(n_targets, _BLOCK):
            part = root[members[block]]
            products = part @ part.swapaxes(1, 2)
            for one, added in zip(coefficients, weights[:, block, :, None], strict=True):
                one[block] = np.linalg.solve(
                    identity + added * products, added * products[:, :, :1]
                )[:, :, 0]
        return [self.regressions(ridge, members, one) for one in coefficients]

    def regressions(
        self, ridge: float, members: np.ndarray, coefficients: np.ndarray
    ) -> Regressions:
        """Return those that `fit` found, of which all else is known."""
        axes, variances = self.principal
        return Regressions(axes, variances / (variances + ridge), members, coefficients)
