"""The error of an iterative imputation, pass by pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from vaeimpute.evaluation.errors import mean_absolute_error


def follow_passes(
    predict: Callable[[np.ndarray], np.ndarray],
    true: np.ndarray,
    mask: np.ndarray,
    guess: np.ndarray | float = 0.0,
    *,
    n_iterations: int = 10,
) -> pd.DataFrame:
    """Impute iteratively, and measure error and change after every pass.

    It is what the imputers of this package do, for any model that restores rows: PCA too.

    Parameters
    ----------
    predict : callable
        Encodes and decodes rows: takes and returns an array of shape (n_samples, n_features).
    true : array of shape (n_samples, n_features)
        Complete values, as `predict` expects them.
    mask : boolean array of shape (n_samples, n_features)
        True where a value is hidden and imputed.
    guess : array of shape (n_samples, n_features) or float
        What hidden entries start from; 0 is the mean of standardised values.
    n_iterations : int

    Returns
    -------
    DataFrame
        One row per pass, pass 0 being the guess itself: ``iteration``, ``mae`` over the hidden
        entries, and ``mean_change``, by how much they moved on average since the pass before (NaN
        for pass 0), both in the units of `true`.

    Examples
    --------
    >>> def towards_one(rows):
    ...     return (rows + 1) / 2
    >>> follow_passes(towards_one, np.ones((2, 3)), np.eye(2, 3, dtype=bool), n_iterations=2)
       iteration   mae  mean_change
    0          0  1.00          NaN
    1          1  0.50         0.50
    2          2  0.25         0.25
    """
    true = np.asarray(true, dtype=np.float64)
    filled = np.where(mask, guess, true)
    rows = [(0, mean_absolute_error(true, filled, mask), np.nan)]
    for iteration in range(1, n_iterations + 1):
        before, filled = filled, np.where(mask, predict(filled), true)
        change = float(np.abs(filled - before)[mask].mean())
        rows.append((iteration, mean_absolute_error(true, filled, mask), change))
    return pd.DataFrame(rows, columns=["iteration", "mae", "mean_change"])


def first_stable_pass(errors: pd.Series, margin: float = 0.01) -> int:
    """Return the pass from which on the error stays where it ends.

    Parameters
    ----------
    errors : Series
        Error by pass, in the order of the passes.
    margin : float
        Deviation from the last error that counts as staying, as a share of it.

    Returns
    -------
    int
        The label of the first pass from which on no error is further away than that.

    Examples
    --------
    >>> first_stable_pass(pd.Series([0.9, 0.6, 0.501, 0.5, 0.5], index=[0, 1, 2, 3, 4]))
    2
    """
    last = errors.iloc[-1]
    away = np.flatnonzero(np.abs(errors - last) > margin * last)
    return int(errors.index[away[-1] + 1 if len(away) else 0])
