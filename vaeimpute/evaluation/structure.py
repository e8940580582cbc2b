"""What a matrix looks like: the figures by which simulated and real cohorts are compared."""

from __future__ import annotations

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
