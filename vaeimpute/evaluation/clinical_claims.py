"""The paper's claims on clinical coefficients (Table 2, Figure 4), each with its rule."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from vaeimpute.evaluation.agreement import compare_variances, difference_density
from vaeimpute.evaluation.claims import NOT_MEASURED, _part
from vaeimpute.evaluation.clinical import OUTCOMES
from vaeimpute.evaluation.summary import compare_methods, summarize
from vaeimpute.evaluation.verdicts import _in_words, judge_better, judge_parts, judge_similar

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
