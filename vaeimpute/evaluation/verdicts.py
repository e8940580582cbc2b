"""Verdicts on the paper's claims, computed from tables by stated rules."""

from __future__ import annotations

from collections.abc import Sequence

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
    return "holds" if better.all() else "holds in part" if better.any() else "does not hold"


def judge_splits(verdicts: pd.Series) -> str:
    """Sum up the verdicts on one claim over several splits of a cohort.

    Parameters
    ----------
    verdicts : Series of str
        From `judge_better`, one per split.

    Returns
    -------
    str
        ``"holds"`` or ``"does not hold"`` if every split says so, otherwise ``"holds in part"``;
        ``"cannot be told"`` if any split does.

    Examples
    --------
    >>> judge_splits(pd.Series(["holds", "holds in part", "holds"]))
    'holds in part'
    """
    if (verdicts == "cannot be told").any():
        return "cannot be told"
    return verdicts.iloc[0] if len(set(verdicts)) == 1 else "holds in part"


def judge_similar(
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
    >>> judge_similar(summary, "VAE", ["SVD"])
    'holds in part'
    """
    means = _means(summary, [reference, *methods])
    counts = means[list(methods)].mul(1 + margin).ge(means[reference], axis=0)
    if len(counts) == 1:  # then the parts of the claim are the methods
        return _in_words(counts.iloc[0])
    scenarios = counts.all(axis=1)
    return "holds" if in_most and scenarios.mean() > 0.5 else _in_words(scenarios)


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


def _means(summary: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Return the mean errors of some methods, scenarios in rows."""
    means = summary.pivot(index="scenario", columns="method", values="mean")
    unknown = [method for method in methods if method not in means]
    if unknown:
        raise ValueError(f"No method {unknown[0]!r}; there are {list(means.columns)}.")
    return means[list(methods)]


def _in_words(parts: pd.Series) -> str:
    """Sum up whether the parts of a claim are true."""
    return "holds" if parts.all() else "holds in part" if parts.any() else "does not hold"
