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


def pool_draws(estimates: ArrayLike, variances: ArrayLike) -> pd.DataFrame:
    """Pool what was estimated in each of several fillings, by Rubin's rules.

    The variance of the pooled estimate is the mean of the variances, which would be there if
    nothing were missing, plus what the fillings differ by.

    Parameters
    ----------
    estimates : array-like of shape (n_draws, n_estimates)
        For example the difference of a gene between two groups, for every gene.
    variances : array-like of shape (n_draws, n_estimates)
        The squares of their standard errors.

    Returns
    -------
    DataFrame
        One row per estimate: ``estimate``, ``std_error``, ``df`` (degrees of freedom), ``p`` (that
        it is 0, two-sided) and ``missing_information`` (the share of the variance that is due to
        what is missing).

    Raises
    ------
    ValueError
        If shapes differ or there is only one draw.

    References
    ----------
    Rubin 1987, *Multiple Imputation for Nonresponse in Surveys*, section 3.1.

    Examples
    --------
    >>> pool_draws([[1.0], [2.0], [3.0]], [[0.5], [0.5], [0.5]]).round(3)
       estimate  std_error   df      p  missing_information
    0       2.0      1.354  3.781  0.218                0.727
    """
    estimates, variances = np.asarray(estimates, float), np.asarray(variances, float)
    if estimates.shape != variances.shape or estimates.ndim != 2:
        raise ValueError(
            f"Expected two tables of one shape (n_draws, n_estimates) but got {estimates.shape} "
            f"and {variances.shape}."
        )
    n_draws = len(estimates)
    if n_draws < 2:
        raise ValueError(f"Expected at least 2 draws, to see what they differ by, got {n_draws}.")
    estimate = estimates.mean(axis=0)
    between = (1 + 1 / n_draws) * estimates.var(axis=0, ddof=1)
    total = variances.mean(axis=0) + between
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(total > 0, between / total, 0.0)
        df = (n_draws - 1) / np.square(share)  # infinite where nothing was missing
        p = 2 * stats.t.sf(np.abs(estimate) / np.sqrt(total), df)
    return pd.DataFrame(
        {
            "estimate": estimate,
            "std_error": np.sqrt(total),
            "df": df,
            "p": p,
            "missing_information": share,
        }
    )
