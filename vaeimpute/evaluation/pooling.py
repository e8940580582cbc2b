"""What follows from several fillings of one matrix, instead of from one as if it were measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats


def pool_draws(estimates: ArrayLike, variances: ArrayLike) -> pd.DataFrame:
    """Pool what was estimated in each of several fillings, by Rubin's rules.

    The variance of the pooled estimate is the mean of the variances, which would be there without
    any hole, plus what the fillings differ by.

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
        the holes).

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
