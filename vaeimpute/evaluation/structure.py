"""What a matrix looks like: the figures by which simulated and real cohorts are compared."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd


def correlation_spectrum(values: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Shares of the variance of the principal components of z-scored features.

    They are the eigenvalues of the feature-feature correlation matrix, divided by their sum, from
    the small side: the Gram matrix of the samples.

    Parameters
    ----------
    values : array of shape (n_samples, n_features)
        Without missing values. Features that are constant are left out.

    Returns
    -------
    ndarray of shape (n_samples,)
        In decreasing order; the sum is 1 and the last is 0, since the means are taken away.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> one_factor = rng.normal(size=(50, 1)) + 0.1 * rng.normal(size=(50, 200))
    >>> bool(correlation_spectrum(one_factor)[0] > 0.95)
    True
    """
    x = np.asarray(values, dtype=np.float64)
    if np.isnan(x).any():
        raise ValueError(
            f"Expected complete values but {np.isnan(x).sum()} are missing; drop those features."
        )
    x = x - x.mean(axis=0)
    sd = x.std(axis=0)
    varying = sd > 1e-12
    if not varying.any():
        raise ValueError("Expected at least one feature that varies but all are constant.")
    z = x[:, varying] / sd[varying]
    shares = np.linalg.eigvalsh(z @ z.T / z.size)[::-1]
    return np.maximum(shares, 0.0)


def correlation_by_distance(
    values: np.ndarray,
    positions: np.ndarray,
    edges: np.ndarray,
    *,
    other: np.ndarray | None = None,
    lags: Iterable[int] = range(1, 201),
) -> pd.Series:
    """Correlation of the values of two sites by their distance along the chromosome.

    It is taken within each class of distance, since close pairs come from dense regions, whose
    values may vary less than those of all sites.

    Parameters
    ----------
    values : array of shape (n_sites,)
        One sample, or one statistic per site.
    positions : array of shape (n_sites,)
        Base pairs, increasing.
    edges : array
        Limits of the classes of distance; a class includes its upper limit.
    other : array of shape (n_sites,), optional
        Values of the second site of each pair, for the correlation between two samples.
    lags : iterable of int
        Pair sites that are this many sites apart.

    Returns
    -------
    Series
        Correlation by the mean distance of each class; classes with fewer than three pairs are
        left out.

    Examples
    --------
    >>> wave = np.sin(np.arange(1000) / 20)
    >>> correlation_by_distance(wave, np.arange(1000), [0, 5, 70]).iloc[0] > 0.98
    np.True_
    """
    values, positions = np.asarray(values, dtype=np.float64), np.asarray(positions)
    other = values if other is None else np.asarray(other, dtype=np.float64)
    sums = np.zeros((len(edges) + 1, 7))
    for lag in (lag for lag in lags if lag < len(values)):
        distance = positions[lag:] - positions[:-lag]
        which = np.digitize(distance, edges, right=True)
        a, b = values[:-lag], other[lag:]
        for column, term in enumerate((np.ones_like(a), distance, a, b, a * a, b * b, a * b)):
            sums[:, column] += np.bincount(which, term, minlength=len(edges) + 1)
    sums = sums[1:-1]
    distance, a, b, aa, bb, ab = (sums[sums[:, 0] > 2] / sums[sums[:, 0] > 2, :1])[:, 1:].T
    correlation = (ab - a * b) / np.sqrt((aa - a * a) * (bb - b * b))
    return pd.Series(correlation, index=pd.Index(distance, name="distance"), name="correlation")
