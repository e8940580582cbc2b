"""How every gene goes with tumour grade and survival."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from vaeimpute.evaluation.associations import (
    CONVERGED,
    concordance_index,
    cox_coefficients,
    spearman_correlations,
)
from vaeimpute.evaluation.summary import summarize
from vaeimpute.exceptions import ClinicalError

#: What a clinical table may tell, by the name under which results go.
OUTCOMES = ("grade", "survival")

_FEWEST = 3  # samples that any correlation needs


@dataclass(frozen=True, eq=False)
class ClinicalOutcomes:
    """Grade and survival of some samples, checked; `read_outcomes` makes them of a table.

    Attributes
    ----------
    grade : ndarray of shape (n_samples,)
        NaN where unknown.
    time, event : ndarray of shape (n_samples,)
        NaN, both of them, where either is unknown.
    missing : dict of str to str
        Why there can be no coefficients, for the `OUTCOMES` of which that is so.
    """

    grade: np.ndarray
    time: np.ndarray
    event: np.ndarray
    missing: dict[str, str]

    def rows(self, outcome: str) -> np.ndarray:
        """Return which samples have an outcome, as a boolean array."""
        return ~np.isnan(self.grade if outcome == "grade" else self.time)

    def take(self, rows: np.ndarray) -> ClinicalOutcomes:
        """Return those of some samples, which may be there several times, as in a bootstrap."""
        return replace(self, grade=self.grade[rows], time=self.time[rows], event=self.event[rows])

    @property
    def n_events(self) -> int:
        """Number of samples whose follow-up ended in the event."""
        return int(np.nansum(self.event))


def read_outcomes(
    clinical: pd.DataFrame, *, grade: str = "grade", time: str = "time", event: str = "event"
) -> ClinicalOutcomes:
    """Take grade and survival from a clinical table, and refuse what would give wrong numbers.

    Parameters
    ----------
    clinical : DataFrame
        One row per sample; NaN where something is not known.
    grade, time, event : str
        Columns: an ordinal number; the length of the follow-up; 1 if it ended in the event, else 0.

    Returns
    -------
    ClinicalOutcomes
        If an outcome says too little (no such column, a grade of one level, fewer than two events),
        it says so in `missing`, and the coefficients will be NaN.

    Raises
    ------
    ClinicalError
        If a column is there twice, a grade or time is no finite number, a time is negative, an
        event is neither 0 nor 1, or nothing is known of either outcome.

    Examples
    --------
    >>> clinical = pd.DataFrame({"grade": [1, 2, 3], "time": [4.0, 9.0, None], "event": [1, 0, 1]})
    >>> outcomes = read_outcomes(clinical)
    >>> outcomes.rows("survival").tolist(), outcomes.missing
    ([True, True, False], {'survival': 'fewer than two events (1)'})
    """
    grades = _numbers(clinical, grade)
    times, events = _numbers(clinical, time), _numbers(clinical, event)
    if (times < 0).any():
        raise ClinicalError(
            f"Column {time!r} has negative follow-up, {_where(times, times < 0)}. Correct it, or "
            "leave it empty."
        )
    coded = events.isin((0, 1)) | events.isna()
    if not coded.all():
        raise ClinicalError(
            f"Column {event!r} has {_where(events, ~coded)}; expected 1 for an event and 0 for a "
            "follow-up that was cut off."
        )
    known = times.notna() & events.notna()
    times, events = times.where(known), events.where(known)
    n_graded, n_levels, n_events = grades.count(), grades.nunique(), int(events.sum())
    missing = {}
    if grade not in clinical:
        missing["grade"] = f"no column {grade!r}"
    elif n_graded < _FEWEST:
        missing["grade"] = f"fewer than three samples with a grade ({n_graded})"
    elif n_levels < 2:
        missing["grade"] = f"one level only ({grades.dropna().iloc[0]:g})"
    lacking = [column for column in (time, event) if column not in clinical]
    if lacking:
        missing["survival"] = f"no column {lacking[0]!r}"
    elif n_events < 2:  # one event is no ground for a coefficient
        missing["survival"] = f"fewer than two events ({n_events})"
    if len(missing) == len(OUTCOMES):
        reasons = "; ".join(f"{outcome}: {reason}" for outcome, reason in missing.items())
        raise ClinicalError(f"The clinical table says too little of grade and survival: {reasons}.")
    return ClinicalOutcomes(grades.to_numpy(), times.to_numpy(), events.to_numpy(), missing)


def clinical_coefficients(
    values: ArrayLike, outcomes: ClinicalOutcomes, *, ties: Literal["efron", "breslow"] = "efron"
) -> pd.DataFrame:
    """Correlate every gene with grade, and regress survival on it.

    Samples without a grade are left out of the correlations only, those without survival out of
    the regressions only.

    Parameters
    ----------
    values : array-like of shape (n_samples, n_features)
        The samples are those of `outcomes`.
    outcomes : ClinicalOutcomes
    ties : {"efron", "breslow"}
        As in `vaeimpute.evaluation.associations.cox_coefficients`.

    Returns
    -------
    DataFrame
        One row per feature: ``grade`` (Spearman's correlation), ``survival`` (Cox coefficient, per
        unit of `values`), ``survival_error`` (its standard error) and ``survival_reason`` (why
        there is a coefficient or none). What cannot be computed is NaN.

    Raises
    ------
    ValueError
        If the number of samples is another one, or a value is NaN or infinite.

    Examples
    --------
    >>> outcomes = read_outcomes(pd.DataFrame({"grade": [1, 2, 3, 3]}))
    >>> clinical_coefficients([[0.1], [0.2], [0.4], [0.3]], outcomes)["grade"].round(3).tolist()
    [0.949]
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or len(values) != len(outcomes.grade):
        raise ValueError(
            f"Expected values of {len(outcomes.grade)} samples, as the outcomes are, in rows, but "
            f"got shape {values.shape}."
        )
    table = pd.DataFrame(
        {"grade": np.nan, "survival": np.nan, "survival_error": np.nan},
        index=range(values.shape[1]),
    ).assign(survival_reason=outcomes.missing.get("survival", CONVERGED))
    if "grade" not in outcomes.missing:
        rows = outcomes.rows("grade")
        table["grade"] = spearman_correlations(values[rows], outcomes.grade[rows])
    if "survival" not in outcomes.missing:
        rows = outcomes.rows("survival")
        time, event = outcomes.time[rows], outcomes.event[rows]
        table[["survival", "survival_error", "survival_reason"]] = cox_coefficients(
            values[rows], time, event, ties=ties
        )
    return table


def _numbers(clinical: pd.DataFrame, column: str) -> pd.Series:
    """Return a column as floats; NaN for all samples if it is not there."""
    if column not in clinical:
        return pd.Series(np.nan, clinical.index)
    written = clinical[column]
    if isinstance(written, pd.DataFrame):
        raise ClinicalError(
            f"The clinical table has {written.shape[1]} columns {column!r}; keep one of them."
        )
    if written.dtype.kind in "mM":  # it would turn into nanoseconds, and what is missing as well
        raise ClinicalError(
            f"Column {column!r} holds dates or durations ({written.dtype}); expected numbers, such "
            "as the days from diagnosis to the end of the follow-up."
        )
    numbers = pd.to_numeric(written, errors="coerce").astype(float)
    wrong = (numbers.isna() & written.notna()) | np.isinf(numbers)
    if wrong.any():
        raise ClinicalError(
            f"Column {column!r} has {_where(written, wrong)}; expected finite numbers, or nothing "
            "where it is not known."
        )
    return numbers


def _where(column: pd.Series, wrong: pd.Series) -> str:
    """Name the first wrong entry."""
    value = column[wrong].iloc[0]
    shown = f"{value:g}" if isinstance(value, float) else repr(value)
    more = f" and {wrong.sum() - 1} more" if wrong.sum() > 1 else ""
    return f"{shown} in sample {column.index[wrong].tolist()[0]!r}{more}"


#: Edges of bins over the differences, which are clipped to [-1, 1] as in the paper's Figure 4. One
#: bin has its middle at 0, so that differences of exactly 0, which are many, are on neither side.
DIFFERENCE_BINS = np.linspace(-1.0125, 1.0125, 82)


def compare_coefficients(true: ArrayLike, imputed: ArrayLike) -> dict[str, Any]:
    """Compare the coefficients of some genes from imputed values with the true ones.

    Parameters
    ----------
    true, imputed : array-like of shape (n_genes,)
        NaN where there is no coefficient; such genes are left out.

    Returns
    -------
    dict
        ``genes``, how many have both coefficients; ``concordance``, their `concordance_index`;
        ``variance`` of the differences, imputed minus true, clipped to [-1, 1];
        ``variance_unclipped``; and ``histogram``, how many of the clipped differences are in each
        of `DIFFERENCE_BINS`, as numbers with a space between, for `difference_density`. Where
        nothing is left to compare, the numbers are NaN.

    Examples
    --------
    >>> found = compare_coefficients([0.1, 0.4, 0.9, np.nan], [0.2, 0.1, 3.9, 0.0])
    >>> found["genes"], round(found["concordance"], 3), round(found["variance"], 3)
    (3, 0.667, 0.296)
    """
    true, imputed = np.asarray(true, dtype=float), np.asarray(imputed, dtype=float)
    concordance = concordance_index(true, imputed)
    differences = pd.Series(imputed - true).dropna()
    clipped = differences.clip(-1, 1)
    counts = np.histogram(clipped, DIFFERENCE_BINS)[0]
    return {
        "genes": len(differences),
        "concordance": concordance,
        "variance": float(clipped.var(ddof=0)),
        "variance_unclipped": float(differences.var(ddof=0)),
        "histogram": " ".join(map(str, counts)),
    }


def top_overlap(true: ArrayLike, imputed: ArrayLike, n_top: int = 100) -> float:
    """Share of the strongest genes that are among the strongest after imputation as well.

    Parameters
    ----------
    true, imputed : array-like of shape (n_genes,)
        Strengths, the larger the stronger; NaN for genes that have none, which come last.
    n_top : int
        How many count as strongest.

    Returns
    -------
    float
        Between 0 and 1. NaN if fewer than `n_top` genes have a true strength.

    Examples
    --------
    >>> top_overlap([3.0, 2.0, 1.0, 0.0], [3.0, 0.0, 2.0, 1.0], n_top=2)
    0.5
    """
    before, after = _strongest(true, n_top), _strongest(imputed, n_top)
    return len(before & after) / n_top if len(before) == n_top else np.nan


def _strongest(strengths: ArrayLike, n_top: int) -> set[int]:
    return set(pd.Series(np.asarray(strengths, dtype=float)).dropna().nlargest(n_top).index)


def difference_density(table: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Turn the histograms of a table into densities, all trials together.

    Parameters
    ----------
    table : DataFrame
        Rows of the experiment ``clinical_concordance``, of one cohort.
    outcome : {"grade", "survival"}

    Returns
    -------
    DataFrame
        Tidy: ``scenario``, ``method``, ``difference`` (middle of a bin) and ``density`` (which sums
        to 1 over the bins, each times its width).

    Examples
    --------
    >>> histogram = compare_coefficients([0.5, 0.1], [0.5, 0.12])["histogram"]
    >>> row = {"scenario": "mcar_10", "method": "VAE", "grade_histogram": histogram}
    >>> difference_density(pd.DataFrame([row]), "grade").nlargest(1, "density").round(3).values
    array([['mcar_10', 'VAE', 0.0, 20.0]], dtype=object)
    """
    width = DIFFERENCE_BINS[1] - DIFFERENCE_BINS[0]
    middles = (DIFFERENCE_BINS[:-1] + width / 2).round(4) + 0.0  # not -0
    parts = []
    for (scenario, method), part in table.groupby(["scenario", "method"], sort=False):
        counts = np.array([text.split() for text in part[f"{outcome}_histogram"]], dtype=int)
        if counts.any():
            density = counts.sum(axis=0) / counts.sum() / width
            columns = {"scenario": scenario, "method": method, "difference": middles}
            parts.append(pd.DataFrame({**columns, "density": density}))
    empty = pd.DataFrame(columns=["scenario", "method", "difference", "density"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def summarize_outcomes(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Summarize what was measured of each outcome over the trials.

    Parameters
    ----------
    table : DataFrame
        Rows of the experiment ``clinical_concordance``.
    measure : str
        Such as ``"concordance"``.

    Returns
    -------
    DataFrame
        What `vaeimpute.evaluation.summarize` returns, with ``outcome``. Where there is no mean, as
        of a method that leaves no coefficients, there is no row.

    Examples
    --------
    >>> row = {"cohort": "c", "scenario": "mcar_10", "trial": 0, "method": "KNN"}
    >>> table = pd.DataFrame([row | {"grade_concordance": 0.9, "survival_concordance": 0.8}])
    >>> summarize_outcomes(table, "concordance")[["outcome", "mean"]].values.tolist()
    [['grade', 0.9], ['survival', 0.8]]
    """
    parts = {outcome: summarize(table, f"{outcome}_{measure}") for outcome in OUTCOMES}
    summary = pd.concat(parts, names=["outcome", "row"]).reset_index("outcome")
    return summary.dropna(subset="mean").reset_index(drop=True)
