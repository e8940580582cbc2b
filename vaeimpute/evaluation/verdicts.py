"""Verdicts on the paper's claims, computed from tables by stated rules."""

from __future__ import annotations

from collections.abc import Iterable

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


def judge_similar(summary: pd.DataFrame, method: str, other: str, margin: float = 0.05) -> str:
    """Judge the claim that two methods have similar errors in every scenario.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`, with the scenarios that the claim is about.
    method, other : str
    margin : float
        Largest difference of the mean errors that counts as similar, as a share of that of `other`.

    Returns
    -------
    str
        ``"holds"`` if the mean errors are within the margin in every scenario, ``"holds in part"``
        if in some, ``"does not hold"`` if in none.

    Raises
    ------
    ValueError
        If the summary lacks a method in a scenario.

    Examples
    --------
    >>> rows = [("mcar_05", "VAE", 0.51), ("mcar_05", "SVD", 0.50)]
    >>> summary = pd.DataFrame(rows, columns=["scenario", "method", "mean"])
    >>> judge_similar(summary, "VAE", "SVD"), judge_similar(summary, "VAE", "SVD", margin=0.01)
    ('holds', 'does not hold')
    """
    means = summary.pivot(index="scenario", columns="method", values="mean")
    for name in (method, other):
        if name not in means or means[name].isna().any():
            raise ValueError(f"Expected {name!r} in every scenario of the summary; its methods "
                             f"are {list(means)}.")  # fmt: skip
    similar = (means[method] - means[other]).abs() <= margin * means[other]
    return "holds" if similar.all() else "holds in part" if similar.any() else "does not hold"


def judge_parts(verdicts: Iterable[str]) -> str:
    """Sum up the verdicts on the parts of one claim.

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
    >>> judge_parts(["holds", "does not hold"])
    'holds in part'
    """
    return judge_splits(pd.Series(list(verdicts)))
