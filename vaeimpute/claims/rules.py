"""Verdicts on the paper's claims, computed from tables by stated rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import pandas as pd


def judge_better(comparison: pd.DataFrame, method: str, significance: float = 0.05) -> str:
    """Judge the claim that a reference method beats another one in every scenario.

    Parameters
    ----------
    comparison : DataFrame
        From `vaeimpute.evaluation.compare_methods`, whose reference the claim is about.
    method : str
        The method that is said to be beaten.
    significance : float
        Level of the paired Wilcoxon test.

    Returns
    -------
    str
        ``"holds"`` if the reference's error is smaller, with a paired p below `significance`, in
        every scenario; ``"holds in part"`` if so in some; ``"does not hold"`` if in none. With so
        few trials that no p could be below `significance`: ``"cannot be told"``.

    Raises
    ------
    ValueError
        If the comparison has no row for `method`.

    Examples
    --------
    >>> rows = [("mcar_05", "KNN", 10, -0.01, 0.002), ("mcar_10", "KNN", 10, 0.01, 0.002)]
    >>> columns = ["scenario", "method", "n_trials", "difference", "p_paired"]
    >>> judge_better(pd.DataFrame(rows, columns=columns), "KNN")
    'holds in part'
    """
    rows = comparison[comparison["method"] == method]
    if rows.empty:
        raise ValueError(f"No comparison with {method!r}; there are "
                         f"{list(comparison['method'].unique())}.")  # fmt: skip
    if (0.5 ** (rows["n_trials"] - 1) >= significance).any():  # the least p of so many pairs
        return "cannot be told"
    better = (rows["difference"] < 0) & (rows["p_paired"] < significance)
    return _in_words(better)


def judge_parts(verdicts: Iterable[str]) -> str:
    """Sum up the verdicts on the parts of one claim, or on one claim over several splits.

    Parameters
    ----------
    verdicts : iterable of str

    Returns
    -------
    str
        ``"cannot be told"`` if that is so of any part; ``"holds"`` or ``"does not hold"`` if that
        is so of all parts; otherwise ``"holds in part"``.

    Examples
    --------
    >>> judge_parts(["holds", "holds in part", "holds"])
    'holds in part'
    """
    found = set(verdicts)
    if "cannot be told" in found:
        return "cannot be told"
    return found.pop() if len(found) == 1 else "holds in part"


def judge_similar(summary: pd.DataFrame, method: str, other: str, margin: float = 0.05) -> str:
    """Judge the claim that two methods have similar errors.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`, with the scenarios that the claim is about.
    method, other : str
    margin : float
        How far apart similar mean errors may be, as a share of the smaller one.

    Returns
    -------
    str
        ``"holds"`` if the mean errors are within `margin` of each other in every scenario,
        ``"holds in part"`` if so in some, ``"does not hold"`` if in none.

    Raises
    ------
    ValueError
        If the summary lacks a method in a scenario.

    Examples
    --------
    >>> rows = [("mcar_10", "a", 0.60), ("mcar_10", "b", 0.61), ("mcar_10", "c", 0.65)]
    >>> summary = pd.DataFrame(rows, columns=["scenario", "method", "mean"])
    >>> judge_similar(summary, "a", "b"), judge_similar(summary, "a", "c")
    ('holds', 'does not hold')
    """
    both = _means(summary, [method, other])
    return _in_words(both.max(axis=1) <= both.min(axis=1) * (1 + margin))


def judge_not_worse(
    summary: pd.DataFrame,
    reference: str,
    methods: Sequence[str],
    *,
    margin: float = 0.05,
    in_most: bool = False,
) -> str:
    """Judge the claim that a reference method is similar to others, or better.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`, with the scenarios that the claim is about.
    reference : str
        The method that the claim is about.
    methods : sequence of str
        Those that it is compared with.
    margin : float
        Errors up to this share above another one count as similar to it.
    in_most : bool
        The claim is about most scenarios, not about all.

    Returns
    -------
    str
        A scenario counts if the reference's mean error is at most ``1 + margin`` times that of
        each of the methods. ``"holds"`` if all scenarios count or, with `in_most`, more than half;
        otherwise ``"holds in part"`` if some do, ``"does not hold"`` if none does. Where the claim
        is about a single scenario, it holds in part if it does against some of the methods.

    Raises
    ------
    ValueError
        If a method is not in the summary.

    Examples
    --------
    >>> rows = [("mcar_10", "SVD", 0.50), ("mcar_10", "VAE", 0.52), ("mcar_30", "SVD", 0.50),
    ...         ("mcar_30", "VAE", 0.60)]
    >>> summary = pd.DataFrame(rows, columns=["scenario", "method", "mean"])
    >>> judge_not_worse(summary, "VAE", ["SVD"])
    'holds in part'
    """
    means = _means(summary, [reference, *methods])
    counts = means[list(methods)].mul(1 + margin).ge(means[reference], axis=0)
    if len(counts) == 1:  # then the parts of the claim are the methods
        return _in_words(counts.iloc[0])
    scenarios = counts.all(axis=1)
    return "holds" if in_most and scenarios.mean() > 0.5 else _in_words(scenarios)


def judge_best(summary: pd.DataFrame, method: str, margin: float = 0.01) -> str:
    """Judge the claim that a method is the best of those that were compared.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`.
    method : str
        The method that is said to be the best.
    margin : float
        Distance to the smallest error, as a share of it, that still counts as nearly the best.

    Returns
    -------
    str
        ``"holds"`` if its mean error is the smallest in every scenario; ``"holds in part"`` if it
        is within `margin` of the smallest in every scenario; otherwise ``"does not hold"``.
        ``"cannot be told"`` if it is not among those compared, or alone.

    Examples
    --------
    >>> rows = [("mcar_10", "slow", 0.602), ("mcar_10", "fast", 0.600), ("mcar_10", "none", 0.9)]
    >>> summary = pd.DataFrame(rows, columns=["scenario", "method", "mean"])
    >>> judge_best(summary, "fast"), judge_best(summary, "slow"), judge_best(summary, "none")
    ('holds', 'holds in part', 'does not hold')
    """
    means = summary.pivot(index="scenario", columns="method", values="mean")
    if method not in means or means.shape[1] == 1:
        return "cannot be told"
    least = means.min(axis=1)
    if (means[method] <= least).all():
        return "holds"
    near = means[method] <= least * (1 + margin)
    return "holds in part" if near.all() else "does not hold"


def judge_lowest(summary: pd.DataFrame, reference: str, methods: Sequence[str]) -> str:
    """Judge the claim that a reference method has the smallest mean error.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`, with the scenarios that the claim is about.
    reference : str
        The method that the claim is about.
    methods : sequence of str
        Those that it is compared with.

    Returns
    -------
    str
        ``"holds"`` if no method has a smaller mean, or the same, in any scenario; ``"holds in
        part"`` if so in some scenarios; ``"does not hold"`` if in none.

    Raises
    ------
    ValueError
        If a method is not in the summary.

    Examples
    --------
    >>> rows = [("mnar_whole_genes", "SVD", 0.50), ("mnar_whole_genes", "VAE", 0.52)]
    >>> summary = pd.DataFrame(rows, columns=["scenario", "method", "mean"])
    >>> judge_lowest(summary, "VAE", ["SVD"])
    'does not hold'
    """
    means = _means(summary, [reference, *methods])
    return _in_words(means[reference] < means[list(methods)].min(axis=1))


def judge_falling(summary: pd.DataFrame, scenarios: Sequence[str], methods: Sequence[str]) -> str:
    """Judge the claim that errors become smaller from each scenario to the next.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`.
    scenarios : sequence of str
        In the order in which errors are said to fall.
    methods : sequence of str
        Those that the claim is about.

    Returns
    -------
    str
        ``"holds"`` if the mean errors of all methods fall strictly; ``"holds in part"`` if those of
        some do; otherwise ``"does not hold"``.

    Raises
    ------
    ValueError
        If a method or a scenario is not in the summary.

    Examples
    --------
    >>> rows = [("low_05", "KNN", 2.0), ("low_10", "KNN", 1.5)]
    >>> summary = pd.DataFrame(rows, columns=["scenario", "method", "mean"])
    >>> judge_falling(summary, ["low_05", "low_10"], ["KNN"])
    'holds'
    """
    means = _means(summary, methods)
    unknown = [scenario for scenario in scenarios if scenario not in means.index]
    if unknown:
        raise ValueError(f"No scenario {unknown[0]!r}; there are {list(means.index)}.")
    return _in_words((means.loc[list(scenarios)].diff().iloc[1:] < 0).all())


def judge_stable(first_stable: pd.Series, at_most: int = 3) -> str:
    """Judge the claim that an iterative imputation is stable after a few passes.

    Parameters
    ----------
    first_stable : Series of int
        From `vaeimpute.evaluation.first_stable_pass`, one per way to start or scenario.
    at_most : int
        The number of passes that is said to be enough.

    Returns
    -------
    str
        ``"holds"`` if so many are enough everywhere, ``"holds in part"`` if so somewhere,
        otherwise ``"does not hold"``.

    Examples
    --------
    >>> judge_stable(pd.Series([2, 3])), judge_stable(pd.Series([2, 5]))
    ('holds', 'holds in part')
    """
    return _in_words(first_stable <= at_most)


def judge_change(
    changes: pd.Series, claim: Literal["similar", "worse"], margin: float = 0.02
) -> str:
    """Judge the claim that a change of method leaves the error as it is, or makes it worse.

    Parameters
    ----------
    changes : Series
        Relative change of the error, one per scenario: 0.03 for 3 % more.
    claim : {"similar", "worse"}
    margin : float
        A change up to it, in either direction, counts as none.

    Returns
    -------
    str
        ``"holds"`` if every change is as claimed (within the margin; more than the margin upwards),
        ``"holds in part"`` if some are, ``"does not hold"`` if none is, ``"cannot be told"`` if
        there is nothing to judge by.

    Examples
    --------
    >>> judge_change(pd.Series([0.001, -0.01]), "similar"), judge_change(pd.Series([0.03]), "worse")
    ('holds', 'holds')
    """
    if claim not in ("similar", "worse"):
        raise ValueError(f"Expected claim 'similar' or 'worse' but got {claim!r}.")
    if changes.empty or changes.isna().any():
        return "cannot be told"
    as_claimed = changes.abs() <= margin if claim == "similar" else changes > margin
    return _in_words(as_claimed)


def judge_divergence(cases: pd.DataFrame, settled: float = 0.01) -> str:
    """Judge the claim that iterative imputation does not converge and ends with a large error.

    Parameters
    ----------
    cases : DataFrame
        One row per case that was followed: ``first_change`` and ``last_change``, how much the
        missing entries moved in the first and in the last pass; ``mae`` after the last pass; and
        ``mae_mean``, the error of filling in the mean.
    settled : float
        The passes converge if the last change is less than this share of the first.

    Returns
    -------
    str
        ``"holds"`` if every case fails to converge and ends with a larger error than the mean's,
        ``"holds in part"`` if some case does either, ``"does not hold"`` if none does.

    Examples
    --------
    >>> cases = pd.DataFrame({"first_change": [0.1], "last_change": [1e-6]})
    >>> judge_divergence(cases.assign(mae=0.6, mae_mean=0.8))
    'does not hold'
    """
    # Written so that a NaN, which stands for numbers that ran away, counts as diverging.
    diverged = ~(cases["last_change"] < settled * cases["first_change"])
    large = ~(cases["mae"] <= cases["mae_mean"])
    if (diverged & large).all():
        return "holds"
    return "holds in part" if (diverged | large).any() else "does not hold"


def _means(summary: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Return the mean errors of some methods, scenarios in rows."""
    means = summary.pivot(index="scenario", columns="method", values="mean")
    for method in methods:
        if method not in means or means[method].isna().any():
            raise ValueError(
                f"Expected {method!r} in every scenario of the summary; its methods are "
                f"{list(means)}."
            )
    return means[list(methods)]


def _in_words(parts: pd.Series) -> str:
    """Sum up whether the parts of a claim are true."""
    return "holds" if parts.all() else "holds in part" if parts.any() else "does not hold"
