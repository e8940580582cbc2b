"""How far off a conditional mean may be, in closed form and checked against held-out rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from vaeimpute.imputers._base import BaseImputer, check_number
from vaeimpute.missingness import hide
from vaeimpute.seeding import generator

_FOLDS = 5
_PRIOR_ROWS = 5  # weight of what is typical of all features against a feature's own rows
_ROWS_WITH_HOLES = 40


class WithSpread(BaseImputer):
    """What the Gaussian imputer knows about its errors: `predict_std` and `sample`.

    Both take a system of the size of the training rows for every row that misses other features.
    """

    train_: np.ndarray
    alpha_: float
    _mean: np.ndarray
    _unit: float

    def _remember_holes(self, missing: np.ndarray) -> None:
        """Store, at fit, what was missing in the training rows; there is nothing to learn there."""
        self._holes = np.packbits(missing)
        self._calibration: Calibration | None = None

    def _spread(self, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return standard deviations, in units of `train_`, as calibrated and as modelled."""
        calibration = getattr(self, "_calibration", None)
        if calibration is None:
            holes = np.unpackbits(self._holes, count=self.train_.size).astype(bool)
            calibration = calibrate(self.train_, holes.reshape(self.train_.shape), self.alpha_)
            self._calibration = calibration
        modelled = conditional_variance(self.train_, missing, self.alpha_)
        return np.sqrt(calibration.apply(modelled)), np.sqrt(modelled)

    def predict_std(self, X):
        """Return the predictive standard deviation of every missing entry.

        The normal distribution says which share of a feature's variance the observed entries of a
        row leave open. A power of it, one per feature, is taken so that on held-out rows variances
        agree with squared errors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the units of `X`; 0 where a value is observed. A DataFrame where `transform` returns
            one.

        Notes
        -----
        The powers are found at the first call, which therefore takes longer. They are found with
        values that are missing at random: where it is the low ones that are missing, or new rows
        are of another kind, errors are larger than this says. So are they if `alpha` is set to
        much less than "auto" chooses, and training rows have many holes. Of rows that it was fitted
        to, where a row is among those that it is predicted from, it says a little too little.

        Examples
        --------
        >>> from vaeimpute.imputers import GaussianImputer
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(200, 1)) + 0.1 * rng.normal(size=(200, 30))
        >>> X[0, 0] = np.nan
        >>> GaussianImputer(random_state=0).fit(X).predict_std(X)[0, :2].round(1)
        array([0.1, 0. ])
        """
        missing = np.isnan(self._validate(X))
        std, _ = self._spread(missing)
        unit = self._unit if self._scaler is None else self._unit * self._scaler.scale_
        return self._label(X, std * unit)

    def sample(self, X, n_draws: int = 10) -> np.ndarray:
        """Draw several fillings of a matrix, for multiple imputation.

        The missing entries of a row are drawn together, so that features which vary together in the
        training rows do so in the draws. The spread of an entry is its `predict_std`.

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
        check_number(n_draws, "n_draws", Integral, min_val=1)
        values = self._validate(X).astype(np.float64, copy=False)
        missing = np.isnan(values)
        predicted = self._impute(self._scale(values), missing)
        # A prior draw minus what would be predicted from the observed part of it is distributed
        # around 0 as the missing entries are around their prediction.
        rng = self._generator("draws")
        prior = draw_prior(self.train_, self.alpha_, n_draws * len(values), rng)
        prior = (self._mean + self._unit * prior).astype(self.train_.dtype, copy=False)
        error = prior - self._impute(prior.copy(), np.tile(missing, (n_draws, 1)))
        calibrated, modelled = self._spread(missing)
        scale = calibrated / np.where(missing, modelled, 1.0)
        draws = predicted + error.reshape(n_draws, *values.shape) * scale
        if self._scaler is not None:
            draws = draws * self._scaler.scale_ + self._scaler.mean_
        return np.where(missing, draws, values)


def conditional_variance(train: np.ndarray, missing: np.ndarray, alpha: float) -> np.ndarray:
    """Variance of missing entries given the observed ones, under the covariance Z'Z/n + alpha*I.

    The textbook's ``s_jj - s_jo S_oo^-1 s_oj`` needs a system of the size of the observed features.
    With S from n rows Z it equals ``alpha * (1 + z_j' (Z_o Z_o' + n*alpha*I)^-1 z_j)``, where z_j
    is the column of the missing feature: an n x n system.

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


def draw_prior(
    train: np.ndarray, alpha: float, n_rows: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw rows from the normal distribution with mean 0 and covariance Z'Z/n + alpha*I."""
    n, n_features = train.shape
    common = rng.standard_normal((n_rows, n)) @ train / np.sqrt(n)
    return common + np.sqrt(alpha) * rng.standard_normal((n_rows, n_features))


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
