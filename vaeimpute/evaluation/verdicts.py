"""Verdicts on the paper's claims, computed from tables by stated rules."""

from __future__ import annotations

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
    return "holds" if as_claimed.all() else "holds in part" if as_claimed.any() else "does not hold"


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
