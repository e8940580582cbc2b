"""How much a feature varies that was observed a few times: told by the other features, too."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import digamma, polygamma
from scipy.stats import norm, t

_TINY = 1e-3  # of the smallest variance above 0, which has no logarithm


class Pooled(NamedTuple):
    """Variances of features that know of each other, and their degrees of freedom.

    Attributes
    ----------
    variance, df : ndarray of shape (n_features,)
    """

    variance: np.ndarray
    df: np.ndarray


def pool_variances(variance: np.ndarray, df: np.ndarray) -> Pooled:
    """Draw the variances of features that have few values towards what is typical of all.

    The logarithm of a sample variance with d degrees of freedom is about that of the true one, with
    the bias ``digamma(d / 2) - log(d / 2)`` and the variance ``trigamma(d / 2)``. What the
    logarithms of features differ beyond that is the variance of the true ones. Each is averaged
    with their mean, weighed by the inverses of these two variances.

    Parameters
    ----------
    variance : ndarray of shape (n_features,)
        Sample variances: sums of squares divided by the degrees of freedom.
    df : ndarray of shape (n_features,)
        Degrees of freedom, one less than the number of values. Of 0, `variance` does not matter.

    Returns
    -------
    Pooled
        The degrees of freedom are those that a variance with such an error would have.

    References
    ----------
    Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3:3, section 6.2, for the
    moments of the logarithms (as in `squeezeVar` of the R package limma). Cui et al. 2005,
    Biostatistics 6:59-75, for averaging the logarithms: averages of the variances themselves
    enlarge the small ones by orders of magnitude where features have different units.

    Examples
    --------
    >>> pooled = pool_variances(np.array([0.0, 0.2, 1.0, 5.0]), np.array([0, 9, 9, 9]))
    >>> pooled.variance.round(2), pooled.df.round(1)
    (array([1.12, 0.26, 1.12, 4.81]), array([1.6, 9.9, 9.9, 9.9]))
    """
    known = df > 0
    half = np.maximum(df, 1) / 2
    if not variance[known].any():
        return Pooled(np.zeros(len(df)), df.astype(np.float64))
    least = _TINY * variance[known & (variance > 0)].min()
    logs = np.log(np.maximum(variance, least)) - digamma(half) + np.log(half)
    error = np.where(known, polygamma(1, half), np.inf)
    differ = logs[known].var(ddof=1) - error[known].mean() if known.sum() > 1 else 0.0
    typical = logs[known].mean()
    if differ <= 0:  # no more than by chance
        return Pooled(np.full(len(df), np.exp(typical)), np.full(len(df), np.inf))
    weight = differ / (differ + error)
    pooled = np.where(known, weight * logs, 0.0) + (1 - weight) * typical
    return Pooled(np.exp(pooled), 2 * _inverse_trigamma(differ * (1 - weight)))


def _inverse_trigamma(y: np.ndarray) -> np.ndarray:
    """Newton's method on ``1 / trigamma``, which is nearly a straight line (Smyth 2004, p. 25)."""
    x = 0.5 + 1 / y
    for _ in range(10):
        trigamma = polygamma(1, x)
        x = x + trigamma * (1 - trigamma / y) / polygamma(2, x)
    return x


def predictive_variance(squares: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return the variance of a new value of each feature about the mean of those observed.

    It is the feature's variance, pooled with those of the others, plus that of the mean. Where the
    degrees of freedom are few, it is enlarged so that 1.96 standard deviations hold 95 % of the new
    values, as they do in Student's distribution.

    Parameters
    ----------
    squares : ndarray of shape (n_features,)
        Sums of squared deviations from the features' means.
    count : ndarray of shape (n_features,)
        Numbers of values observed, at least 1.

    Returns
    -------
    ndarray of shape (n_features,)
        Not 0 unless nothing varies at all.

    Examples
    --------
    >>> squares, count = np.array([0.0, 12.0, 10.0]), np.array([1, 11, 11])
    >>> predictive_variance(squares, count).round(2)  # the two vary alike, and so does the first
    array([2.43, 1.33, 1.33])
    """
    df = count - 1
    variance, df = pool_variances(squares / np.maximum(df, 1), df)
    enlarged = t.ppf(0.975, np.maximum(df, 1)) / norm.ppf(0.975)
    return variance * (1 + 1 / count) * np.square(enlarged)
