"""The paper's claims on errors, each with the rule by which a table of results is judged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vaeimpute.claims.rules import (
    _in_words,
    judge_better,
    judge_falling,
    judge_lowest,
    judge_not_worse,
    judge_parts,
    judge_similar,
)
from vaeimpute.evaluation.clinical import OUTCOMES, compare_variances, difference_density
from vaeimpute.evaluation.summary import compare_methods, summarize

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


CLINICAL_SCENARIOS = ("mcar_10", "mnar_high_gc", "mnar_whole_genes", "mnar_low_values")

#: The claims by key.
CLINICAL_CLAIMS = {
    "beats_knn": "VAE and SVD have higher concordance than KNN, for grade and for survival",
    "like_svd": "VAE and SVD are similar in concordance",
    "variance": "differences from the true coefficients vary less with VAE than with KNN in every "
    "scenario",
    "peaks": "differences peak more sharply at zero with VAE than with KNN, in all scenarios for "
    "grade and in most for survival",
}

_NEAR_ZERO = 0.0125  # half a bin of the histograms, of which one has its middle at zero

# Outcome, method, and per scenario the concordance index with the half-width of its interval.
_PAPER = """
grade    KNN    0.980 0.001  0.949 0.002  0.918 0.005  0.977 0.001
grade    VAE    0.982 0.001  0.958 0.001  0.932 0.004  0.983 0.001
grade    SVD    0.982 0.001  0.958 0.001  0.939 0.005  0.986 0.000
grade    random 0.950 0.001  0.816 0.006  0.500 0.004  0.906 0.007
survival KNN    0.969 0.002  0.917 0.006  0.851 0.004  0.963 0.002
survival VAE    0.974 0.001  0.931 0.004  0.881 0.005  0.971 0.002
survival SVD    0.972 0.002  0.933 0.006  0.906 0.006  0.976 0.002
survival random 0.873 0.050  0.717 0.016  0.508 0.010  0.842 0.013
"""


def paper_table_2() -> pd.DataFrame:
    """Return the concordance indices that the paper prints in its Table 2.

    Returns
    -------
    DataFrame
        Tidy: ``outcome``, ``method``, ``scenario``, ``mean`` and ``half_width`` of the 95 %
        interval over ten trials.

    Examples
    --------
    >>> paper_table_2().query("outcome == 'grade' and scenario == 'mcar_10'")["mean"].tolist()
    [0.98, 0.982, 0.982, 0.95]
    """
    rows = []
    for line in _PAPER.strip().splitlines():
        outcome, method, *numbers = line.split()
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        for scenario, (mean, half_width) in zip(CLINICAL_SCENARIOS, pairs, strict=True):
            rows.append((outcome, method, scenario, float(mean), float(half_width)))
    columns = ["outcome", "method", "scenario", "mean", "half_width"]
    return pd.DataFrame(rows, columns=columns)


def as_in_table_2(table: pd.DataFrame) -> pd.DataFrame:
    """Let the shifted VAE stand for the VAE where low values are missing, as the paper means it.

    Parameters
    ----------
    table : DataFrame
        Rows of the experiment ``clinical_concordance``.

    Returns
    -------
    DataFrame
        Where there is no shifted VAE, the plain one stays. It is nowhere else.

    Examples
    --------
    >>> rows = [(s, m) for s in ("mcar_10", "mnar_low_values") for m in ("VAE", "VAE, shifted")]
    >>> table = pd.DataFrame(rows, columns=["scenario", "method"]).assign(which=[1, 2, 3, 4])
    >>> as_in_table_2(table)["which"].tolist()
    [1, 4]
    """
    low, shifted = table["scenario"] == "mnar_low_values", table["method"] == "VAE, shifted"
    has_shifted = (low & shifted).any()
    dropped = (shifted & ~low) | (low & (table["method"] == "VAE") & has_shifted)
    kept = table[~dropped]
    return kept.assign(method=kept["method"].replace("VAE, shifted", "VAE"))


def tabulate_concordance(table: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Write concordance indices with their intervals, as the paper's Table 2 does.

    Parameters
    ----------
    table : DataFrame
        Rows of the experiment ``clinical_concordance``, of one cohort.
    outcome : {"grade", "survival"}

    Returns
    -------
    DataFrame of str
        Scenarios in rows, methods in columns: mean ± half-width of the 95 % interval over the
        trials. A dash where a method leaves no coefficients.

    Examples
    --------
    >>> rows = [("c", "mcar_10", t, "VAE", c) for t, c in enumerate((0.91, 0.92, 0.93))]
    >>> columns = ["cohort", "scenario", "trial", "method", "grade_concordance"]
    >>> tabulate_concordance(pd.DataFrame(rows, columns=columns), "grade").loc["mcar_10", "VAE"]
    '0.920 ± 0.025'
    """
    summary = summarize(table.dropna(subset=f"{outcome}_concordance"), f"{outcome}_concordance")
    return write_intervals(summary, table["scenario"].unique(), table["method"].unique())


def write_intervals(
    summary: pd.DataFrame, scenarios: Sequence[str], methods: Sequence[str]
) -> pd.DataFrame:
    """Write ``mean`` and ``half_width`` of a summary as text, scenarios by methods.

    Examples
    --------
    >>> paper = paper_table_2().query("outcome == 'grade'")
    >>> write_intervals(paper, ["mcar_10"], ["KNN", "VAE"]).values.tolist()
    [['0.980 ± 0.001', '0.982 ± 0.001']]
    """
    written = [f"{row.mean:.3f} ± {row.half_width:.3f}" for row in summary.itertuples()]
    wide = summary.assign(text=written).pivot(index="scenario", columns="method", values="text")
    return wide.reindex(index=list(scenarios), columns=list(methods)).fillna("–")


def judge_clinical_claims(
    table: pd.DataFrame, *, margin: float = 0.02, significance: float = 0.005
) -> pd.Series:
    """Judge the paper's claims in the section "Correlation with clinical phenotypes".

    Where low values are missing, the shifted VAE stands for the VAE (`as_in_table_2`).

    - ``beats_knn``: `judge_better` on 1 minus the concordance, of VAE and of SVD against KNN, for
      grade and for survival, in all four scenarios.
    - ``like_svd``: `judge_similar` on the concordance, for grade and for survival.
    - ``variance``: the mean variance of the clipped differences is smaller with the VAE, and the p
      of the paper's two-sample t-test below `significance`, for both outcomes in all scenarios.
      Holds if so in all of these cases, in part if so in some.
    - ``peaks``: the share of the differences within 0.0125 of zero, over all trials, is larger with
      the VAE. Holds if so for grade in all scenarios and for survival in more than half; in part if
      so anywhere.

    Parameters
    ----------
    table : DataFrame
        Rows of the experiment ``clinical_concordance``, of one cohort.
    margin : float
        For `judge_similar`.
    significance : float
        Of the t-tests; the paper's p values are all below 0.005.

    Returns
    -------
    Series of str
        Verdicts by the keys of `CLINICAL_CLAIMS`; ``"not measured"`` if the table lacks what a
        claim is about, such as a cohort without grades.

    Examples
    --------
    >>> judge_clinical_claims(pd.DataFrame(columns=["scenario", "method"])).unique().tolist()
    ['not measured']
    """
    verdicts = dict.fromkeys(CLINICAL_CLAIMS, NOT_MEASURED)
    part = _part(as_in_table_2(table), CLINICAL_SCENARIOS, ["VAE", "KNN", "SVD"])
    columns = [f"{outcome}_concordance" for outcome in OUTCOMES]
    if part is None or part[columns].isna().to_numpy().any():
        return pd.Series(verdicts)
    better, similar = [], []
    for column in columns:
        distance = part.assign(distance=1 - part[column])
        for method in ("VAE", "SVD"):
            comparison = compare_methods(distance, method, "distance")
            better.append(judge_better(comparison, "KNN"))
        similar.append(judge_similar(summarize(part, column), "VAE", "SVD", margin=margin))
    verdicts["beats_knn"] = judge_parts(better)
    verdicts["like_svd"] = judge_parts(similar)
    tests = [compare_variances(part, "VAE", ["KNN"], outcome) for outcome in OUTCOMES]
    tested = pd.concat(tests, ignore_index=True)
    if (tested["n_trials"] < 2).any():
        verdicts["variance"] = "cannot be told"
    else:
        smaller = tested["variance"] < tested["variance_other"]
        verdicts["variance"] = _in_words(smaller & (tested["p_unpaired"] < significance))
    sharper = [_is_sharper(part, outcome) for outcome in OUTCOMES]
    if sharper[0].all() and sharper[1].mean() > 0.5:
        verdicts["peaks"] = "holds"
    else:
        anywhere = sharper[0].any() or sharper[1].any()
        verdicts["peaks"] = "holds in part" if anywhere else "does not hold"
    return pd.Series(verdicts)


def _is_sharper(table: pd.DataFrame, outcome: str) -> pd.Series:
    """Tell per scenario whether more of the VAE's differences than of KNN's are near zero."""
    density = difference_density(table, outcome)
    near = density[density["difference"].abs() < _NEAR_ZERO]
    wide = near.pivot_table(index="scenario", columns="method", values="density")
    return wide["VAE"] > wide["KNN"]


#: The claims of the section "Imputation time for new samples" by key.
TIME_CLAIMS = {
    "knn": "VAE imputes 100 new samples several orders of magnitude faster than KNN",
    "svd": "VAE imputes 100 new samples several orders of magnitude faster than SVD",
    "negligible": "once a VAE is trained, the time to impute a new sample is almost negligible",
    "matrix": "KNN and SVD require computing the entire matrix each time a new sample is given",
    "linear_knn": "the time of KNN grows linearly with the size of the data matrix",
    "linear_svd": "the time of SVD grows linearly with the size of the data matrix",
}


def judge_time_claims(
    times: pd.DataFrame, exponents: pd.DataFrame, *, orders: float = 2.0, tolerance: float = 0.2
) -> pd.Series:
    """Judge the paper's claims on time.

    - ``knn`` and ``svd``: the time to impute the batch, compared with every program that has the
      method. ``"holds"`` if each takes at least ``10 ** orders`` times as long as the VAE, ``"holds
      in part"`` if some do.
    - ``negligible``: the VAE imputes one sample in less than a second, and in less than a
      thousandth of its training time.
    - ``matrix``: does not hold if a method that needs the training rows only at fit (``"SVD,
      alone"``) imputes a sample in less time than KNN, which does need them; holds otherwise.
    - ``linear_knn`` and ``linear_svd``: the exponents of this package's KNN and of joint SVD, in
      rows and in features. ``"holds"`` if both are within `tolerance`, or two standard errors, of
      1; ``"holds in part"`` if one is.

    Parameters
    ----------
    times : DataFrame
        One row per ``method`` and ``program`` with ``fit_seconds``, ``impute_seconds`` (of the
        batch) and ``single_seconds``: ``results/benchmarks/imputation_time.csv``.
    exponents : DataFrame
        ``program``, ``varied``, ``quantity``, ``exponent``, ``standard_error``:
        ``results/benchmarks/imputation_exponents.csv``.
    orders : float
        Of magnitude, that count as several.
    tolerance : float
        Of an exponent.

    Returns
    -------
    Series of str
        Verdicts by the keys of `TIME_CLAIMS`; ``"not measured"`` where rows are missing.

    Examples
    --------
    >>> rows = [("KNN", "slow", 0.0, 900.0, 20.0), ("KNN", "fast", 0.0, 2.0, 0.1),
    ...         ("VAE", "fast", 9000.0, 1.0, 0.2)]
    >>> names = ["method", "program", "fit_seconds", "impute_seconds", "single_seconds"]
    >>> grows = pd.DataFrame(columns=["program", "varied", "quantity", "exponent"])
    >>> judge_time_claims(pd.DataFrame(rows, columns=names), grows).to_dict()
    {'knn': 'holds in part', 'svd': 'not measured', 'negligible': 'holds',
     'matrix': 'not measured', 'linear_knn': 'not measured', 'linear_svd': 'not measured'}
    """
    verdicts = dict.fromkeys(TIME_CLAIMS, NOT_MEASURED)
    measured = times.dropna(subset="impute_seconds")
    ours = measured.drop_duplicates("method").set_index("method")
    if "VAE" in ours.index:
        vae = ours.loc["VAE"]
        for key, method in (("knn", "KNN"), ("svd", "SVD")):
            others = measured.loc[measured["method"] == method, "impute_seconds"]
            if len(others):
                verdicts[key] = _in_words(others >= 10**orders * vae["impute_seconds"])
        single = vae["single_seconds"]
        if not np.isnan(single):
            quick = single < 1.0 and single < vae["fit_seconds"] / 1000
            verdicts["negligible"] = "holds" if quick else "does not hold"
    if {"KNN", "SVD, alone"} <= set(ours.index):
        singles = ours["single_seconds"]
        without = singles["SVD, alone"] < singles["KNN"]
        verdicts["matrix"] = "does not hold" if without else "holds"
    totals = exponents[exponents["quantity"] == "total_seconds"]
    for key, method in (("linear_knn", "KNN"), ("linear_svd", "SVD")):
        found = totals[(totals["program"] == method) & totals["varied"].isin(["n", "d"])]
        if len(found) == 2:
            margin = np.maximum(tolerance, 2 * found["standard_error"].fillna(0.0))
            verdicts[key] = _in_words((found["exponent"] - 1).abs() <= margin)
    return pd.Series(verdicts)
