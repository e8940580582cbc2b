"""Verdicts on the paper's claims, computed from tables by stated rules."""

from __future__ import annotations

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


def judge_similar(summary: pd.DataFrame, method: str, other: str, margin: float = 0.02) -> str:
    """Judge the claim that two methods have similar errors.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`.
    method, other : str
    margin : float
        How far apart similar errors may be, as a share of the smaller one.

    Returns
    -------
    str
        ``"holds"`` if the mean errors are within `margin` of each other in every scenario;
        ``"holds in part"`` if so in some; ``"does not hold"`` if in none. ``"cannot be told"`` if
        one of the two is not in the table.

    Examples
    --------
    >>> rows = [("mcar_10", "a", 0.60), ("mcar_10", "b", 0.61), ("mcar_10", "c", 0.62)]
    >>> summary = pd.DataFrame(rows, columns=["scenario", "method", "mean"])
    >>> judge_similar(summary, "a", "b"), judge_similar(summary, "a", "c")
    ('holds', 'does not hold')
    """
    means = summary.pivot(index="scenario", columns="method", values="mean")
    if method not in means or other not in means:
        return "cannot be told"
    both = means[[method, other]]
    similar = both.max(axis=1) <= both.min(axis=1) * (1 + margin)
    return "holds" if similar.all() else "holds in part" if similar.any() else "does not hold"


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
    enough = first_stable <= at_most
    return "holds" if enough.all() else "holds in part" if enough.any() else "does not hold"
