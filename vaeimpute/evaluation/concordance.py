"""How far two vectors agree in the order of their entries."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def concordance_index(true: ArrayLike, predicted: ArrayLike) -> float:
    """Share of the pairs that two vectors put in the same order.

    Pairs that are equal in `true` do not count; those that are equal in `predicted` only count
    half. It is the same as `lifelines.utils.concordance_index` without censoring, and follows from
    Kendall's tau, which scipy counts by sorting: n log n steps for n entries.

    Parameters
    ----------
    true, predicted : array-like of shape (n,)
        Such as coefficients of genes from complete and from imputed data. Entries that are NaN in
        either have no order, and are left out.

    Returns
    -------
    float
        1 for the same order, 0.5 for none in common, 0 for the opposite one. NaN if no two entries
        differ in `true`.

    Raises
    ------
    ValueError
        If the vectors are not of one length.

    Examples
    --------
    >>> round(concordance_index([1.0, 2.0, 3.0], [0.1, 0.3, 0.2]), 3)
    0.667
    """
    from scipy.stats import kendalltau

    x, y = np.asarray(true, dtype=float), np.asarray(predicted, dtype=float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"Expected two vectors of one length but got {x.shape} and {y.shape}.")
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    n_true, n_predicted = _different_pairs(x), _different_pairs(y)
    if n_true == 0:
        return np.nan
    if n_predicted == 0:
        return 0.5
    # tau-b is (concordant - discordant) / sqrt(n_true * n_predicted), and what we want is
    # (concordant + half of those tied in `predicted` only) / n_true.
    tau = kendalltau(x, y, variant="b").statistic
    return float(0.5 + 0.5 * tau * np.sqrt(n_predicted / n_true))


def _different_pairs(values: np.ndarray) -> int:
    """Count the pairs of entries that are not equal."""
    counts = np.unique(values, return_counts=True)[1]
    return (len(values) * (len(values) - 1) - int((counts * (counts - 1)).sum())) // 2
