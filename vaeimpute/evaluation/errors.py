"""Errors over the masked entries: the paper's "RMSE" (a mean absolute error) and the RMSE."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def mean_absolute_error(true: ArrayLike, imputed: ArrayLike, mask: ArrayLike) -> float:
    """Mean absolute error over the masked entries.

    The paper prints ``sum(sqrt((x - x')^2)) / n`` and calls it RMSE (section "Evaluation
    methods"). The square root stands inside the sum, so this is what its figures show.

    Parameters
    ----------
    true, imputed : array-like of shape (n_samples, n_features)
    mask : boolean array-like of shape (n_samples, n_features)
        True where a value was taken away.

    Returns
    -------
    float
        In the units of `true`.

    Raises
    ------
    ValueError
        If shapes differ, nothing is masked, or a masked entry is NaN or infinite.

    Examples
    --------
    >>> mean_absolute_error([[1.0, 2.0]], [[1.0, 5.0]], [[False, True]])
    3.0
    """
    return float(np.abs(masked_differences(true, imputed, mask)).mean())


def root_mean_squared_error(true: ArrayLike, imputed: ArrayLike, mask: ArrayLike) -> float:
    """Root of the mean squared error over the masked entries: what the field calls RMSE.

    Parameters
    ----------
    true, imputed : array-like of shape (n_samples, n_features)
    mask : boolean array-like of shape (n_samples, n_features)
        True where a value was taken away.

    Returns
    -------
    float
        In the units of `true`.

    Raises
    ------
    ValueError
        If shapes differ, nothing is masked, or a masked entry is NaN or infinite.

    Examples
    --------
    >>> root_mean_squared_error([[1.0, 1.0]], [[4.0, 5.0]], [[True, True]])
    3.5355339059327378
    """
    return float(np.sqrt(np.square(masked_differences(true, imputed, mask)).mean()))


def masked_differences(true: ArrayLike, imputed: ArrayLike, mask: ArrayLike) -> np.ndarray:
    """Imputed minus true values at the masked entries, row by row; raises as the errors do."""
    true, imputed = np.asarray(true, dtype=float), np.asarray(imputed, dtype=float)
    mask = np.asarray(mask)
    if not true.shape == imputed.shape == mask.shape:
        raise ValueError(
            f"Expected three arrays of one shape but got true {true.shape}, imputed "
            f"{imputed.shape} and mask {mask.shape}."
        )
    if mask.dtype != bool:
        raise ValueError(f"Expected a boolean mask (True = missing) but got {mask.dtype}.")
    if not mask.any():
        raise ValueError("Nothing is masked, so there is no error to measure.")
    difference = imputed[mask] - true[mask]
    if not np.isfinite(difference).all():
        raise ValueError(
            f"{(~np.isfinite(difference)).sum()} of {mask.sum()} masked entries are "
            "NaN or infinite in the imputed or the true values."
        )
    return difference
