"""How far off a conditional mean may be, in closed form and checked against held-out rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from vaeimpute.imputers._backend import Algebra
from vaeimpute.imputers._covariance_systems import CovarianceSystems
from vaeimpute.imputers._patterns import distinct_patterns
from vaeimpute.missingness import hide
from vaeimpute.seeding import generator

_FOLDS = 5
_MOST_AXES = 150
_PRIOR_ROWS = 5  # weight of what is typical of such features against a feature's own rows
_ROWS_WITH_HOLES = 40
_FEW = 20  # values; a feature that has no more, and other features do, is compared with its like
_DONORS = 200  # features that lose values, to see what is typical of those that have few


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


def variance_by_axes(
    axes: np.ndarray, variances: np.ndarray, missing: np.ndarray, alpha: float
) -> np.ndarray:
    """Return what `conditional_variance` does, by systems of at most 150 equations.

    With the axes V of the largest variances v, and the rest of a feature's variance added to alpha
    as noise d of its own, the variance is ``d_m + V_m (diag(1/v) + V_o' diag(1/d_o) V_o)^-1 V_m'``
    (the identity of Woodbury). It is exact if there are no more axes than that, and about right
    otherwise.

    Parameters
    ----------
    axes : ndarray of shape (n_features, n_axes)
        Principal axes of the training rows.
    variances : ndarray of shape (n_axes,)
        Along them, ascending.
    missing : boolean ndarray of shape (n_rows, n_features)
    alpha : float
        Positive.

    Returns
    -------
    ndarray of shape (n_rows, n_features)
        0 where nothing is missing.

    Examples
    --------
    >>> axes, variances = np.full((2, 1), np.sqrt(0.5)), np.full(1, 2.0)  # see above
    >>> variance_by_axes(axes, variances, np.array([[False, True]]), alpha=0.1).round(3)
    array([[0.   , 0.191]])
    """
    few = max(len(variances) - _MOST_AXES, 0)
    noise = alpha + np.square(axes[:, :few]) @ variances[:few].astype(np.float64)
    axes = axes[:, few:].astype(np.float64)
    scaled = axes / np.sqrt(noise)[:, None]
    whole = scaled.T @ scaled + np.diag(1 / variances[few:])
    found = np.zeros(missing.shape)
    first, pattern_of = distinct_patterns(missing)
    for number, pattern in enumerate(missing[first]):
        lost = scaled[pattern]
        factor = cholesky(whole - lost.T @ lost, lower=True)
        left = np.square(solve_triangular(factor, axes[pattern].T, lower=True)).sum(axis=0)
        found[np.ix_(pattern_of == number, pattern)] = noise[pattern] + left
    return found


@dataclass(frozen=True)
class Calibration:
    """What turns modelled variances into those that errors have.

    Attributes
    ----------
    prior : ndarray of shape (n_features,)
        The modelled variance of a feature of which nothing is observed.
    variance : ndarray of shape (n_features,)
        That of a new value about the mean of those in the training rows.
    power : ndarray of shape (n_features,)
        Of the share that is left open.
    least : ndarray of shape (n_features,)
        Of that power. Of a feature with few values, it is what other features said at calibration:
        if there are more of them, they say no more.
    """

    prior: np.ndarray
    variance: np.ndarray
    power: np.ndarray
    least: np.ndarray

    def apply(self, modelled: np.ndarray) -> np.ndarray:
        """Return calibrated variances of the same shape; 0 stays 0."""
        missing = modelled > 0
        share = np.where(missing, modelled / self.prior, 1.0) ** self.power
        return np.where(missing, self.variance * np.maximum(share, self.least), 0.0)


def calibrate(
    train: np.ndarray, holes: np.ndarray, alpha: float, *, count: np.ndarray, variance: np.ndarray
) -> Calibration:
    """Compare modelled variances with squared errors on held-out rows.

    The conditional mean is the same for any multiple of the covariance, and hardly changes over
    orders of magnitude of alpha; the variance does change, and only errors can tell how large it
    is. Every fifth row is held out, half of the features are predicted from the other half and from
    the other rows, then the other way round; and so on with the next rows. Of a feature of which
    nothing is known, the variance is that about its mean. The power is the one that leads
    from there to the squared errors.

    Parameters
    ----------
    train : ndarray of shape (n_train, n_features)
        Centred, without missing values.
    holes : boolean ndarray of shape (n_train, n_features)
        Where that is no measurement.
    alpha : float
    count : ndarray of shape (n_features,)
        Numbers of measurements, be they in these rows or not.
    variance : ndarray of shape (n_features,)
        Of a new value about the mean of the measured ones (`predictive_variance`).

    Returns
    -------
    Calibration
        The power of a feature is drawn towards what is typical of all. Of one that was measured a
        few times, and much less often than others, it is that of others that are left so few
        values. It is 1 where there is nothing to compare with.
    """
    train = train.astype(np.float64, copy=False)
    prior = alpha + np.square(train).mean(axis=0)
    few = (count <= _FEW) & (count <= np.median(count) / 2)
    found = _held_out_errors(train, holes, alpha, variance, np.unique(count[few]))
    seen = np.where(few, 0, found.seen)  # of few, errors are few as well
    total = variance @ seen
    if total == 0:
        return Calibration(prior, variance, np.ones_like(variance), np.zeros_like(variance))
    varies = variance > 0
    typical = np.full_like(variance, found.squares[varies & ~few].sum() / total)
    for number, error in found.if_few.items():
        typical[few & (count == number)] = error
    own = np.divide(found.squares, variance, out=np.zeros_like(variance), where=varies & ~few)
    error = (own + _PRIOR_ROWS * typical) / (seen + _PRIOR_ROWS)  # as a share of the variance
    share = np.divide(found.shares, found.seen, out=np.ones_like(variance), where=found.seen > 0)
    known = varies & (share < 1 - 1e-9) & (error > 0)  # others help to predict it
    power = np.ones_like(variance)
    power[known] = np.log(error[known]) / np.log(share[known])
    return Calibration(prior, variance, power, np.where(few, typical, 0.0))


@dataclass
class _Errors:
    """Sums per feature over held-out rows.

    Attributes
    ----------
    squares, shares, seen : ndarray of shape (n_features,)
        Of squared errors, of shares of the variance that the model leaves open, and their number.
    if_few : dict of int to float
        By the number of values that is left to other features: the mean squared error, as a share
        of the variance about the mean of these values.
    """

    squares: np.ndarray
    shares: np.ndarray
    seen: np.ndarray
    if_few: dict[int, float]


def _held_out_errors(
    train: np.ndarray, holes: np.ndarray, alpha: float, variance: np.ndarray, few: np.ndarray
) -> _Errors:
    n, n_features = train.shape
    squares, shares, seen = (np.zeros(n_features) for _ in range(3))
    few_squares, few_seen = np.zeros((2, len(few)))
    n_folds = min(_FOLDS, n)
    everything = np.ones((1, n_features), dtype=bool)
    rng = generator(0, "calibration")
    (half,) = hide(everything, 0.5, rng, "by feature")
    count = (~holes).sum(axis=0)
    spread = variance / (1 + 1 / np.maximum(count, 1))
    donors = np.zeros(n_features, dtype=bool)
    if len(few):
        able = np.flatnonzero((count > 2 * few.max()) & (spread > 0))
        donors[rng.permutation(able)[:_DONORS]] = True
    # A row with holes needs a system of its own, so not all rows can take part.
    every = 1 if not holes.any() else max(n // _ROWS_WITH_HOLES, 1)
    for fold in range(n_folds if n > 1 else 0):
        held_out = np.arange(n) % n_folds == fold
        kept, measured = train[~held_out], ~holes[~held_out]
        mean = _mean_of(kept, measured)  # that of all rows would tell of those held out
        kept, rows = kept - mean, (train[held_out] - mean)[::every]
        gaps = holes[held_out][::every]
        prior = alpha + np.square(kept).mean(axis=0)
        others = _from_the_others(kept, alpha) if donors.any() else np.zeros(0)
        for hidden in (half, ~half):
            given, weights = kept[:, ~hidden], np.zeros((len(kept), len(rows)))
            for same, pattern, factor in _systems(given, gaps[:, ~hidden], alpha):
                observed = np.where(pattern, 0.0, rows[np.ix_(same, ~hidden)])
                weights[:, same] = cho_solve((factor, True), given @ observed.T)
                number = (~gaps[np.ix_(same, hidden)]).sum(axis=0)
                share = _variance(kept[:, hidden], factor, alpha) / prior[hidden]
                shares[hidden] += number * share
                seen[hidden] += number
            error = weights.T @ kept[:, hidden] - rows[:, hidden]
            squares[hidden] += np.where(gaps[:, hidden], 0.0, np.square(error)).sum(axis=0)
            which = hidden & donors
            for place, number_left in enumerate(few if donors.any() else ()):
                known = _choose(measured[:, which], number_left, rng)
                error = _predict(kept[:, which], known, others, weights) - rows[:, which]
                relative = np.square(error) / spread[which]
                few_squares[place] += relative[~gaps[:, which]].sum()
                few_seen[place] += (~gaps[:, which]).sum()
    ratios = few_squares / np.maximum(few_seen, 1) / (1 + 1 / np.maximum(few, 1))
    ratios[few_seen == 0] = 1.0  # nobody knows
    return _Errors(squares, shares, seen, dict(zip(few.tolist(), ratios, strict=True)))


def _choose(measured: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """Choose so many measurements of every feature, at random."""
    keys = np.where(measured, rng.random(measured.shape), np.inf)
    return measured & (keys <= np.partition(keys, number - 1, axis=0)[number - 1])


def _mean_of(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the means of the known values of every feature, 0 where there is none."""
    return np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _from_the_others(train: np.ndarray, alpha: float) -> np.ndarray:
    """Return the weights with which every row is predicted from the others.

    Left out of a ridge regression, row i errs by ``(H z)_i / H_ii`` with H the inverse of the
    kernel.
    """
    n = len(train)
    inverse = np.linalg.inv(train @ train.T + n * alpha * np.eye(n))
    weights = -inverse / inverse.diagonal()[:, None]
    np.fill_diagonal(weights, 0.0)
    return weights


def _predict(
    values: np.ndarray, known: np.ndarray, others: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Predict features of held-out rows from the values that are known in the other rows.

    As at fit, what is not known there is first filled from the other rows.
    """
    center = _mean_of(values, known)
    filled = np.where(known, values - center, 0.0)
    filled = np.where(known, filled, others @ filled)
    return center + weights.T @ filled


def _systems(
    train: np.ndarray, missing: np.ndarray, alpha: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the rows that miss the same features, these features, and the factor of their system.

    It is the lower Cholesky factor of ``Z_o Z_o' + n*alpha*I``.
    """
    n = len(train)
    kernel = train @ train.T + n * alpha * np.eye(n)
    first, pattern_of = distinct_patterns(missing)
    for number, pattern in enumerate(missing[first]):
        lost = train[:, pattern]
        yield (
            np.flatnonzero(pattern_of == number),
            pattern,
            cholesky(kernel - lost @ lost.T, lower=True),
        )


def _variance(columns: np.ndarray, factor: np.ndarray, alpha: float) -> np.ndarray:
    explained = solve_triangular(factor, columns, lower=True)
    return alpha * (1 + np.einsum("ij,ij->j", explained, explained))
