"""Whether predictive standard deviations are as large as the errors that are made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


def interval_coverage(
    standardized_residuals: ArrayLike, levels: Sequence[float] = LEVELS
) -> pd.DataFrame:
    """Share of the true values that lie in the central intervals of a normal prediction.

    Parameters
    ----------
    standardized_residuals : array-like of shape (n_values,)
        Errors over their predictive standard deviations.
    levels : sequence of float
        What the intervals promise, between 0 and 1.

    Returns
    -------
    DataFrame
        ``level`` and ``coverage``. Less coverage than the level means that the standard deviations
        are too small.

    Raises
    ------
    ValueError
        If there are no residuals, or one is not finite.

    Examples
    --------
    >>> interval_coverage([-3.0, -0.5, 0.1, 0.6], levels=[0.5, 0.95])
       level  coverage
    0   0.50      0.75
    1   0.95      0.75
    """
    z = np.abs(np.asarray(standardized_residuals, dtype=float))
    if not z.size or not np.isfinite(z).all():
        raise ValueError(
            f"Expected finite residuals but {np.isfinite(z).sum()} of {z.size} are finite."
        )
    limits = stats.norm.ppf(0.5 + np.asarray(levels) / 2)
    return pd.DataFrame({"level": levels, "coverage": [(z <= limit).mean() for limit in limits]})
