"""How far off a conditional mean may be, in closed form and checked against held-out rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from vaeimpute.imputers._backend import Algebra
from vaeimpute.imputers._covariance_systems import CovarianceSystems
from vaeimpute.missingness import hide
from vaeimpute.seeding import generator

_FOLDS = 5
_PRIOR_ROWS = 5  # weight of what is typical of all features against a feature's own rows
_ROWS_WITH_HOLES = 40


def conditional_variance(train: np.ndarray, missing: np.ndarray, alpha: float) -> np.ndarray:
    """Variance of missing entries given the observed ones, under the covariance Z'Z/n + alpha*I.

    The textbook's ``s_jj - s_jo S_oo^-1 s_oj`` needs a system of the size of the observed features.
    With S from n rows Z it equals ``alpha * (1 + z_j' (Z_o Z_o' + n*alpha*I)^-1 z_j)``, where z_j
    is the column of the missing feature: an n x n system. The smaller of the two is solved.

    Parameters
    ----------
    train : ndarray of shape (n_train, n_features)
        Z: centred, without missing values. Computed with in float64.
    missing : boolean ndarray of shape (n_rows, n_features)
    alpha : float
        Positive.

    Returns
    -------
    ndarray of shape (n_rows, n_features)
        0 where nothing is missing.

    Examples
    --------
    >>> Z = np.array([[1.0, 1.0], [-1.0, -1.0]])  # two features that are the same
    >>> conditional_variance(Z, np.array([[False, True]]), alpha=0.1).round(3)
    array([[0.   , 0.191]])
    """
    train = train.astype(np.float64, copy=False)  # a small ridge is lost in float32
    if len(train) > train.shape[1]:
        systems = CovarianceSystems(train, Algebra())
        return systems.variances(missing, len(train) * alpha) / len(train)
    variance = np.zeros(missing.shape)
    incomplete = np.flatnonzero(missing.any(axis=1))
    for rows, pattern, factor in _systems(train, missing[incomplete], alpha):
        variance[np.ix_(incomplete[rows], pattern)] = _variance(train[:, pattern], factor, alpha)
    return variance


@dataclass(frozen=True)
class Calibration:
    """What turns modelled variances into those that errors have.

    Attributes
    ----------
    prior : ndarray of shape (n_features,)
        The modelled variance of a feature of which nothing is observed.
    variance : ndarray of shape (n_features,)
        Its variance in the training rows.
    power : ndarray of shape (n_features,)
        Of the share that is left open.
    """

    prior: np.ndarray
    variance: np.ndarray
    power: np.ndarray

    def apply(self, modelled: np.ndarray) -> np.ndarray:
        """Return calibrated variances of the same shape; 0 stays 0."""
        missing = modelled > 0
        share = np.where(missing, modelled / self.prior, 1.0)
        return np.where(missing, self.variance * share**self.power, 0.0)


def calibrate(train: np.ndarray, holes: np.ndarray, alpha: float) -> Calibration:
    """Compare modelled variances with squared errors on held-out rows.

    The conditional mean is the same for any multiple of the covariance, and hardly changes over
    orders of magnitude of alpha; the variance does change, and only errors can tell how large it
    is. Every fifth row is held out, half of the features are predicted from the other half and from
    the other rows, then the other way round; and so on with the next rows. Of a feature of which
    nothing is known, the variance is that of the training rows. The power is the one that leads
    from there to the squared errors.

    Parameters
    ----------
    train : ndarray of shape (n_train, n_features)
        Centred, without missing values.
    holes : boolean ndarray of shape (n_train, n_features)
        Where that is no measurement.
    alpha : float

    Returns
    -------
    Calibration
        The power of a feature with few values is drawn towards that of all, and it is 1 where there
        is nothing to compare with.
    """
    train = train.astype(np.float64, copy=False)
    n_features = train.shape[1]
    counts = np.maximum((~holes).sum(axis=0), 1)
    variance = np.where(holes, 0.0, np.square(train)).sum(axis=0) / counts
    prior = alpha + np.square(train).mean(axis=0)
    squares, shares, seen = _held_out_errors(train, holes, alpha)
    total = variance @ seen
    if total == 0:
        return Calibration(prior, variance, np.ones(n_features))
    varies = variance > 0
    typical = squares[varies].sum() / total
    own = np.divide(squares, variance, out=np.zeros(n_features), where=varies)
    error = (own + _PRIOR_ROWS * typical) / (seen + _PRIOR_ROWS)  # as a share of the variance
    share = np.divide(shares, seen, out=np.ones(n_features), where=seen > 0)
    known = varies & (share < 1 - 1e-9) & (error > 0)  # others help to predict it
    power = np.ones(n_features)
    power[known] = np.log(error[known]) / np.log(share[known])
    return Calibration(prior, variance, power)


def _held_out_errors(
    train: np.ndarray, holes: np.ndarray, alpha: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum up, per feature, squared errors, shares of the variance left open, and their number."""
    n, n_features = train.shape
    squares, shares, seen = (np.zeros(n_features) for _ in range(3))
    n_folds = min(_FOLDS, n)
    everything = np.ones((1, n_features), dtype=bool)
    (half,) = hide(everything, 0.5, generator(0, "calibration"), "by feature")
    # A row with holes needs a system of its own, so not all rows can take part.
    every = 1 if not holes.any() else max(n // _ROWS_WITH_HOLES, 1)
    for fold in range(n_folds if n > 1 else 0):
        held_out = np.arange(n) % n_folds == fold
        mean = train[~held_out].mean(axis=0)  # that of all rows would tell of those held out
        kept, rows = train[~held_out] - mean, (train[held_out] - mean)[::every]
        gaps = holes[held_out][::every]
        prior = alpha + np.square(kept).mean(axis=0)
        for hidden in (half, ~half):
            for same, pattern, factor in _systems(kept[:, ~hidden], gaps[:, ~hidden], alpha):
                given = np.where(pattern, 0.0, rows[np.ix_(same, ~hidden)])
                weights = cho_solve((factor, True), kept[:, ~hidden] @ given.T)
                error = rows[np.ix_(same, hidden)] - weights.T @ kept[:, hidden]
                measured = ~gaps[np.ix_(same, hidden)]
                number = measured.sum(axis=0)
                squares[hidden] += np.where(measured, np.square(error), 0.0).sum(axis=0)
                share = _variance(kept[:, hidden], factor, alpha) / prior[hidden]
                shares[hidden] += number * share
                seen[hidden] += number
    return squares, shares, seen


def _systems(
    train: np.ndarray, missing: np.ndarray, alpha: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the rows that miss the same features, these features, and the factor of their system.

    It is the lower Cholesky factor of ``Z_o Z_o' + n*alpha*I``.
    """
    n = len(train)
    kernel = train @ train.T + n * alpha * np.eye(n)
    patterns, pattern_of = np.unique(missing, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        lost = train[:, pattern]
        yield (
            np.flatnonzero(pattern_of == number),
            pattern,
            cholesky(kernel - lost @ lost.T, lower=True),
        )


def _variance(columns: np.ndarray, factor: np.ndarray, alpha: float) -> np.ndarray:
    explained = solve_triangular(factor, columns, lower=True)
    return alpha * (1 + np.einsum("ij,ij->j", explained, explained))
