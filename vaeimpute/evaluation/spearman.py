"""Spearman's rank correlation of every feature with one ordinal variable, all at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

_BLOCK = 256  # features at a time, so that what is computed of them stays in the cache


def spearman_correlations(values: ArrayLike, ordinal: ArrayLike) -> np.ndarray:
    """Correlate every feature with an ordinal variable by their ranks.

    What `scipy.stats.spearmanr` returns for one feature after the other: the correlation of the
    ranks, in which ties share the mean of theirs.

    Parameters
    ----------
    values : array-like of shape (n_samples, n_features)
    ordinal : array-like of shape (n_samples,)
        Such as the grade of tumours; only its order counts.

    Returns
    -------
    ndarray of shape (n_features,)
        Between -1 and 1. NaN for a feature that is the same in all samples, and for all features if
        the ordinal variable is: there is no correlation then, which is not one of zero.

    Raises
    ------
    ValueError
        If shapes do not fit or a number is NaN or infinite.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, section "Evaluation methods", correlates genes with tumour grade.

    Examples
    --------
    >>> values = [[1.0, 5.0, 2.0], [2.0, 4.0, 2.0], [9.0, 4.0, 2.0]]
    >>> spearman_correlations(values, [1, 2, 3]).round(3)
    array([ 1.   , -0.866,    nan])
    """
    values, ordinal = check_samples(values, ordinal, "ordinal")
    ranks = rankdata(ordinal)
    ranks -= ranks.mean()
    if not ranks.any():
        return np.full(values.shape[1], np.nan)
    correlations = np.empty(values.shape[1])
    for start in range(0, values.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        correlations[block] = _correlate(values[:, block].T.copy(), ranks)
    return correlations


def _correlate(values: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Correlate the ranks of each row with ranks that are centred at zero."""
    n = len(ranks)
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    # Where a run of equal values starts, and how long it is: their rank is that of its middle.
    starts = np.ones(ordered.shape, dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=starts[:, 1:])
    first = np.flatnonzero(starts)
    sizes = np.diff(first, append=ordered.size)
    own = np.repeat(first % n - (n - sizes) / 2, sizes).reshape(ordered.shape)
    products = np.einsum("ij,ij->i", own, ranks[order])
    squares = np.einsum("ij,ij->i", own, own)
    with np.errstate(invalid="ignore"):  # 0 / 0: a constant feature
        return np.clip(products / np.sqrt(squares * (ranks @ ranks)), -1, 1)


def check_samples(
    values: ArrayLike, variable: ArrayLike, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix and a variable of its samples as floats; raise ValueError if they do not fit.

    Examples
    --------
    >>> check_samples([[1, 2]], [3, 4], "grade")
    Traceback (most recent call last):
    ValueError: Expected one grade per sample but got 2 for values of shape (1, 2).
    """
    values, variable = np.asarray(values, dtype=float), np.asarray(variable, dtype=float)
    if values.ndim != 2:
        raise ValueError(f"Expected values of two dimensions but got shape {values.shape}.")
    if variable.shape != values.shape[:1]:
        raise ValueError(
            f"Expected one {name} per sample but got {variable.size} for values of shape "
            f"{values.shape}."
        )
    for what, array in (("values", values), (name, variable)):
        if not np.isfinite(array).all():
            raise ValueError(
                f"Expected finite numbers but {(~np.isfinite(array)).sum()} of {what} are NaN or "
                "infinite; leave out the samples that lack them."
            )
    return values, variable
