"""Means, intervals and tests over the trials of an experiment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats


def summarize(table: pd.DataFrame, metric: str = "mae") -> pd.DataFrame:
    """Mean over trials with a 95 % confidence interval, for every scenario and method.

    Parameters
    ----------
    table : DataFrame
        Tidy rows with ``cohort``, ``scenario``, ``trial``, ``method`` and `metric`.
    metric : str

    Returns
    -------
    DataFrame
        Columns ``cohort``, ``scenario``, ``method``, ``n_trials``, ``mean``, ``half_width`` (of
        Student's interval, t * sd / sqrt(n_trials); NaN for a single trial) and ``rank`` (1 =
        smallest mean in its scenario, NaN where there is no mean), in the order in which scenarios
        and methods first appear.

    Examples
    --------
    >>> rows = [("c", "mcar_10", t, "mean", m) for t, m in enumerate([1.0, 2.0, 3.0])]
    >>> table = pd.DataFrame(rows, columns=["cohort", "scenario", "trial", "method", "mae"])
    >>> summarize(table)[["mean", "half_width"]].round(3).values.tolist()
    [[2.0, 2.484]]
    """
    groups = table.groupby(["cohort", "scenario", "method"], sort=False)[metric]
    summary = groups.agg(n_trials="count", mean="mean", sd="std").reset_index()
    n = summary["n_trials"]
    with np.errstate(invalid="ignore"):
        quantile = stats.t.ppf(0.975, n - 1)
    summary["half_width"] = quantile * summary.pop("sd") / np.sqrt(n)
    summary["rank"] = summary.groupby(["cohort", "scenario"])["mean"].rank(method="min")
    return summary


def compare_methods(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Wilcoxon tests of the errors of one method against each other one, over the trials.

    The significance scores above the bars of Figures 1 and 3 (ggsignif). Verdicts do not rest on
    them: see `vaeimpute.claims.rules`.

    Trials share their masks between methods, so they are pairs and the signed-rank test is the
    fitting one. The paper's figure tool takes them as unpaired (rank-sum test) by default. Either
    tells about other masks for the same fit, and nothing about other patients.

    Parameters
    ----------
    table : DataFrame
        Tidy rows with ``cohort``, ``scenario``, ``trial``, ``method`` and ``mae``.
    reference : str
        The method that the others are compared with.

    Returns
    -------
    DataFrame
        Columns ``cohort``, ``scenario``, ``method``, ``n_trials``, ``difference`` (mean of
        reference minus method; negative if the reference is better), ``p_paired`` and
        ``p_unpaired``, both two-sided.

    Raises
    ------
    ValueError
        If the reference is not in the table, or a method lacks a trial.

    Examples
    --------
    >>> rows = [("c", "s", t, m, t + d) for t in range(8) for m, d in (("vae", 0.0), ("knn", 9.0))]
    >>> table = pd.DataFrame(rows, columns=["cohort", "scenario", "trial", "method", "mae"])
    >>> compare_methods(table, "vae")[["difference", "p_paired"]].values.tolist()
    [[-9.0, 0.0078125]]
    """
    rows = []
    for (cohort, scenario), part in table.groupby(["cohort", "scenario"], sort=False):
        trials = part.pivot(index="trial", columns="method", values="mae")
        if reference not in trials:
            raise ValueError(f"No method {reference!r} in {scenario}; there are {list(trials)}.")
        if trials.isna().to_numpy().any():
            raise ValueError(f"Some methods lack trials of {scenario}: {trials.count().to_dict()}.")
        for method in part.loc[part["method"] != reference, "method"].unique():
            ours, theirs = trials[reference], trials[method]
            tests = stats.wilcoxon(ours, theirs).pvalue, rank_sum_p(ours, theirs)
            difference = (ours - theirs).mean()
            rows.append((cohort, scenario, method, len(trials), difference, *tests))
    columns = ["cohort", "scenario", "method", "n_trials", "difference", "p_paired", "p_unpaired"]
    return pd.DataFrame(rows, columns=columns)


def rank_sum_p(first: ArrayLike, second: ArrayLike) -> float:
    """Two-sided p of the rank-sum test, exact for up to 100 values in all, without ties.

    scipy takes the normal approximation from nine values on, whose least p for ten against ten is
    1.8e-4 instead of 1.1e-5.

    Examples
    --------
    >>> f"{rank_sum_p(range(10), range(10, 20)):.1e}"
    '1.1e-05'
    """
    values = np.concatenate([first, second])
    exact = len(values) <= 100 and len(np.unique(values)) == len(values)
    method = "exact" if exact else "asymptotic"
    return float(stats.mannwhitneyu(first, second, method=method).pvalue)


def compare_with_best(
    table: pd.DataFrame, method: str, *, apart: Sequence[str] = ()
) -> pd.DataFrame:
    """Compare a method's error with that of the best other one, for every cohort and scenario.

    Parameters
    ----------
    table : DataFrame
        Tidy rows with ``cohort``, ``scenario``, ``seed`` (of the split), ``method`` and ``mae``.
    method : str
    apart : sequence of str
        Methods that are none of the others, such as those that are told more.

    Returns
    -------
    DataFrame
        Columns ``cohort``, ``scenario``, ``best`` (the other one with the smallest mean error),
        ``n_splits``, ``value`` (by which share of its error that of `method` differs, mean over
        splits), ``low`` and ``high`` (Student's 95 % interval; NaN for a single split).

    Examples
    --------
    >>> rows = [("c", "mcar_10", 0, "SVD", 0.8), ("c", "mcar_10", 0, "KNN", 1.0)]
    >>> columns = ["cohort", "scenario", "seed", "method", "mae"]
    >>> compare_with_best(pd.DataFrame(rows, columns=columns), "KNN")[["best", "value"]]
      best  value
    0  SVD   0.25
    """
    rows = []
    for (cohort, scenario), part in table.groupby(["cohort", "scenario"], sort=False):
        errors = part.groupby(["seed", "method"])["mae"].mean().unstack()
        others = errors.drop(columns=[method, *apart], errors="ignore")
        best = others.mean().idxmin()
        ratios = (errors[method] / errors[best] - 1).dropna()
        n, value = len(ratios), ratios.mean()
        half = stats.t.ppf(0.975, n - 1) * ratios.std() / np.sqrt(n) if n > 1 else np.nan
        rows.append((cohort, scenario, best, n, value, value - half, value + half))
    columns = ["cohort", "scenario", "best", "n_splits", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)
