"""The paper's claims on errors, each with the rule by which a table of results is judged."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from vaeimpute.evaluation.summary import compare_methods, summarize
from vaeimpute.evaluation.verdicts import (
    judge_better,
    judge_falling,
    judge_lowest,
    judge_not_worse,
    judge_parts,
)

#: What the paper compares the VAE with, as it ran them.
PAPER_METHODS = ("mean", "KNN", "SVD")

EXPRESSION_SCENARIOS = (
    "mcar_05",
    "mcar_10",
    "mcar_30",
    "mnar_high_gc",
    "mnar_whole_genes",
    "mnar_low_values",
)
#: The scenarios in which 5, 10, 20 and 30 % of the values count as low.
LOW_VALUE_SCENARIOS = {
    "mnar_low_values_05": 5.0,
    "mnar_low_values": 10.0,
    "mnar_low_values_20": 20.0,
    "mnar_low_values_30": 30.0,
}

#: What the verdict is if a table lacks the methods or scenarios of a claim.
NOT_MEASURED = "not measured"

#: The claims on expression (Figure 1) by key.
EXPRESSION_CLAIMS = {
    "beats_knn": "VAE has smaller errors than KNN in all scenarios",
    "like_svd": "VAE is similar to SVD or better in most scenarios",
    "high_gc_svd": "VAE has a slight advantage over SVD at high GC content",
    "lowest_whole_genes": "VAE has the smallest error where whole genes are missing",
    "shifted_low_values": "VAE with shift correction is similar to the others or better where low "
    "values are missing",
}

#: The claims on missing low values (Figures 1d and 2) by key.
SHIFT_CLAIMS = {
    "similar": "VAE with shift correction is similar to the others or better where half of the "
    "lowest 10 % are missing",
    "robust": "with one λ, it is better than KNN and SVD for 5, 10, 20 and 30 %",
    "falling": "all methods are worse for smaller thresholds",
}


def judge_expression_claims(table: pd.DataFrame, margin: float = 0.05) -> pd.Series:
    """Judge the paper's claims on errors in expression, section "RMSE of imputation on RNA ...".

    - ``beats_knn`` and ``high_gc_svd``: `judge_better`, in all scenarios and in ``mnar_high_gc``.
    - ``like_svd``: `judge_not_worse` in most scenarios.
    - ``lowest_whole_genes``: `judge_lowest` among the methods of the paper.
    - ``shifted_low_values``: `judge_not_worse` to each method of the paper in ``mnar_low_values``.

    Parameters
    ----------
    table : DataFrame
        Tidy rows as from `vaeimpute.experiments.run_experiment`, of one cohort.
    margin : float
        For `judge_not_worse`.

    Returns
    -------
    Series of str
        Verdicts by the keys of `EXPRESSION_CLAIMS`; ``"not measured"`` if the table lacks what a
        claim is about.

    Examples
    --------
    >>> rows = [("c", scenario, trial, method, error + 0.01 * trial) for trial in range(6)
    ...         for scenario in EXPRESSION_SCENARIOS for method, error in (("VAE", 1), ("KNN", 2))]
    >>> columns = ["cohort", "scenario", "trial", "method", "mae"]
    >>> judge_expression_claims(pd.DataFrame(rows, columns=columns))[["beats_knn", "like_svd"]]
    beats_knn           holds
    like_svd     not measured
    dtype: object
    """
    verdicts = dict.fromkeys(EXPRESSION_CLAIMS, NOT_MEASURED)
    everywhere, high_gc = EXPRESSION_SCENARIOS, ["mnar_high_gc"]
    whole, low = ["mnar_whole_genes"], ["mnar_low_values"]
    if (part := _part(table, everywhere, ["VAE", "KNN"])) is not None:
        verdicts["beats_knn"] = judge_better(compare_methods(part, "VAE"), "KNN")
    if (part := _part(table, everywhere, ["VAE", "SVD"])) is not None:
        summary = summarize(part)
        verdicts["like_svd"] = judge_not_worse(summary, "VAE", ["SVD"], margin=margin, in_most=True)
    if (part := _part(table, high_gc, ["VAE", "SVD"])) is not None:
        verdicts["high_gc_svd"] = judge_better(compare_methods(part, "VAE"), "SVD")
    if (part := _part(table, whole, ["VAE", *PAPER_METHODS])) is not None:
        verdicts["lowest_whole_genes"] = judge_lowest(summarize(part), "VAE", PAPER_METHODS)
    if (part := _part(table, low, ["VAE, shifted", *PAPER_METHODS])) is not None:
        verdicts["shifted_low_values"] = judge_not_worse(
            summarize(part), "VAE, shifted", PAPER_METHODS, margin=margin
        )
    return pd.Series(verdicts)


def judge_shift_claims(table: pd.DataFrame, margin: float = 0.05) -> pd.Series:
    """Judge the paper's claims on the shift correction, section "The shift correction is robust".

    - ``similar``: `judge_not_worse` to each method of the paper in ``mnar_low_values``.
    - ``robust``: `judge_better` than KNN, and than SVD, in all four scenarios.
    - ``falling``: `judge_falling` from 5 to 30 %, for the methods of the paper, the VAE and the
      shifted VAE.

    Parameters
    ----------
    table : DataFrame
        Tidy rows as from `vaeimpute.experiments.run_experiment`, of one cohort.
    margin : float
        For `judge_not_worse`.

    Returns
    -------
    Series of str
        Verdicts by the keys of `SHIFT_CLAIMS`; ``"not measured"`` if the table lacks what a claim
        is about.

    Examples
    --------
    >>> columns = ["cohort", "scenario", "trial", "method", "mae"]
    >>> judge_shift_claims(pd.DataFrame(columns=columns)).unique().tolist()
    ['not measured']
    """
    verdicts = dict.fromkeys(SHIFT_CLAIMS, NOT_MEASURED)
    shifted = "VAE, shifted"
    if (part := _part(table, ["mnar_low_values"], [shifted, *PAPER_METHODS])) is not None:
        verdicts["similar"] = judge_not_worse(
            summarize(part), shifted, PAPER_METHODS, margin=margin
        )
    if (part := _part(table, list(LOW_VALUE_SCENARIOS), [shifted, "KNN", "SVD"])) is not None:
        comparison = compare_methods(part, shifted)
        parts = [judge_better(comparison, method) for method in ("KNN", "SVD")]
        verdicts["robust"] = judge_parts(parts)
    methods = [*PAPER_METHODS, "VAE", shifted]
    if (part := _part(table, list(LOW_VALUE_SCENARIOS), methods)) is not None:
        verdicts["falling"] = judge_falling(summarize(part), list(LOW_VALUE_SCENARIOS), methods)
    return pd.Series(verdicts)


def _part(
    table: pd.DataFrame, scenarios: Sequence[str], methods: Sequence[str]
) -> pd.DataFrame | None:
    """Return the rows of some scenarios and methods, or None if any of them is not there."""
    part = table[table["scenario"].isin(scenarios) & table["method"].isin(methods)]
    found = part.groupby(["scenario", "method"]).size()
    return part if len(found) == len(scenarios) * len(methods) else None
