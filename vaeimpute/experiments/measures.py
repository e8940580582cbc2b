"""What a grid measures of an imputation; the errors, unless it is told otherwise."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from vaeimpute.evaluation.calibration import interval_coverage
from vaeimpute.evaluation.clinical import (
    OUTCOMES,
    ClinicalOutcomes,
    clinical_coefficients,
    compare_coefficients,
    read_outcomes,
    top_overlap,
)
from vaeimpute.evaluation.errors import masked_differences
from vaeimpute.seeding import generator

logger = logging.getLogger(__name__)

Lists = dict[str, list]


class Measure(Protocol):
    """What is computed of every imputation of a grid.

    It travels to other processes, so it has to be picklable, and small: the values come with every
    call.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """What it adds to the table."""
        ...

    def prepare(self, true: np.ndarray, clinical: pd.DataFrame) -> Measure:
        """Return a measure for these test rows.

        Parameters
        ----------
        true : array of shape (n_test, n_features)
            Standardised.
        clinical : DataFrame of shape (n_test, n_variables)
            Its index has the samples' ids.

        Returns
        -------
        Measure

        Raises
        ------
        ValueError
            If it cannot be computed on these rows.
        """
        ...

    def key(self) -> Any:
        """Return what its results depend on besides values, mask and code, as JSON can hold it."""
        ...

    def __call__(
        self,
        true: np.ndarray,
        imputed: np.ndarray,
        mask: np.ndarray,
        trial: int,
        imputer: Any = None,
    ) -> tuple[dict[str, Any], Lists]:
        """Return what it adds to the imputation's row, and rows of another table, by column.

        `imputer` is what imputed, for a measure that asks it for more.
        """
        ...

    def tables(self, beside: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Make named tables of those other rows.

        Parameters
        ----------
        beside : DataFrame
            The rows of all imputations, with ``cohort``, ``scenario``, ``trial`` and ``method``.

        Returns
        -------
        dict of str to DataFrame
        """
        ...


@dataclass(frozen=True)
class ErrorMeasure:
    """Mean absolute and root mean squared error over the masked entries, also by sample.

    Examples
    --------
    >>> true, clinical = np.array([[1.0, 2.0]]), pd.DataFrame(index=["s1"])
    >>> measure = ErrorMeasure().prepare(true, clinical)
    >>> measure(true, np.array([[1.0, 5.0]]), np.array([[False, True]]), trial=0)[0]
    {'mae': 3.0, 'rmse': 3.0}
    """

    samples: tuple[str, ...] = ()

    columns = ("mae", "rmse")

    def prepare(self, true: np.ndarray, clinical: pd.DataFrame) -> ErrorMeasure:
        """Return one that knows the samples' ids."""
        return ErrorMeasure(tuple(map(str, clinical.index)))

    def key(self) -> Any:
        """Return the samples' ids."""
        return self.samples

    def __call__(
        self,
        true: np.ndarray,
        imputed: np.ndarray,
        mask: np.ndarray,
        trial: int,
        imputer: Any = None,
    ) -> tuple[dict[str, Any], Lists]:
        """Return ``mae`` and ``rmse``, and the sums of the errors by sample."""
        error = np.abs(masked_differences(true, imputed, mask))
        row = {"mae": float(error.mean()), "rmse": float(np.sqrt(np.square(error).mean()))}
        of_row = np.nonzero(mask)[0]
        n = len(mask)
        return row, {
            "sample": list(self.samples),
            "mae": np.bincount(of_row, error, minlength=n).tolist(),
            "mse": np.bincount(of_row, np.square(error), minlength=n).tolist(),
            "n_missing": np.bincount(of_row, minlength=n).tolist(),
        }

    def tables(self, beside: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Return the errors by sample, over the masked entries of all trials."""
        by = ["cohort", "scenario", "method", "sample"]
        sums = beside.groupby(by, sort=False)[["mae", "mse", "n_missing"]].sum()
        sums = sums[sums["n_missing"] > 0]
        means = sums[["mae", "mse"]].div(sums["n_missing"], axis=0)
        return {"samples": means.join(sums["n_missing"]).reset_index()}


@dataclass(frozen=True)
class Calibration:
    """Errors, and the share of the true values that predictive intervals hold.

    Of an imputer that has no predictive standard deviations, the shares are NaN. Of one that was
    kept at several stages of its training, the other table has a row for each.

    Examples
    --------
    >>> from vaeimpute.imputers import GaussianImputer
    >>> X = np.random.default_rng(0).normal(size=(400, 3))
    >>> mask = np.arange(1200).reshape(X.shape) % 3 == 0
    >>> gaussian = GaussianImputer(alpha=0.01).fit(X[:200])
    >>> filled = gaussian.transform(np.where(mask, np.nan, X))
    >>> row, _ = Calibration()(X, filled, mask, trial=0, imputer=gaussian)
    >>> round(row["coverage_90"], 1)
    0.9
    """

    columns = ("mae", "rmse", "coverage_90", "coverage_95")

    def prepare(self, true: np.ndarray, clinical: pd.DataFrame) -> Calibration:
        """Return itself: it needs to know nothing of the rows."""
        return self

    def key(self) -> Any:
        """Return nothing: it has no parameters."""
        return None

    def __call__(
        self,
        true: np.ndarray,
        imputed: np.ndarray,
        mask: np.ndarray,
        trial: int,
        imputer: Any = None,
    ) -> tuple[dict[str, Any], Lists]:
        """Return errors and shares, and the same for each stage with its ``epoch``."""
        hidden = np.where(mask, np.nan, true)
        stages = [
            {"epoch": epoch} | self._row(true, stage.transform(hidden), mask, stage)
            for epoch, stage in getattr(imputer, "stages_", {}).items()
        ]
        return self._row(true, imputed, mask, imputer), pd.DataFrame(stages).to_dict("list")

    def _row(
        self, true: np.ndarray, imputed: np.ndarray, mask: np.ndarray, imputer: Any
    ) -> dict[str, float]:
        error, shares = masked_differences(true, imputed, mask), [np.nan, np.nan]
        if hasattr(imputer, "predict_std"):
            std = imputer.predict_std(np.where(mask, np.nan, true))[mask]
            shares = interval_coverage(error / std, levels=(0.9, 0.95))["coverage"].tolist()
        errors = float(np.abs(error).mean()), float(np.sqrt(np.square(error).mean()))
        return dict(zip(self.columns, (*errors, *shares), strict=True))

    def tables(self, beside: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Return the stages of training; none if there are none."""
        return {"epochs": beside} if len(beside) else {}


_COMPARED = ("genes", "concordance", "variance", "variance_unclipped", "top_overlap", "histogram")


@dataclass(frozen=True, eq=False)
class ClinicalConcordance:
    """Agreement of the coefficients of grade and survival with those from the true values.

    For every gene that lost values among the samples with the outcome: Spearman's correlation with
    grade, and the univariate Cox coefficient of survival.

    Parameters
    ----------
    grade, time, event : str
        Columns of the clinical table, as in `vaeimpute.evaluation.clinical.read_outcomes`.
    ties : {"efron", "breslow"}
        Events at the same time, as in `vaeimpute.evaluation.associations.cox_coefficients`.
    n_top : int
        Length of the gene lists whose overlap is measured: by the size of the correlation, and by
        that of the Cox coefficient in standard errors.
    n_draws : int
        How often, in each trial, the patients are drawn anew, with replacement, and everything is
        computed of these, for intervals over patients; the same patients for all methods and
        scenarios. A draw takes twice as long as what it repeats.
    outcomes, known, drawn, note
        Of the test rows, filled in by `prepare`: what is known of them, their true coefficients,
        those of drawn patients (which all methods share, as they come up), and why an outcome has
        none.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, section "Correlation with clinical phenotypes".

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> true, clinical = rng.normal(size=(6, 30)), pd.DataFrame({"grade": [1, 1, 2, 2, 3, 3]})
    >>> measure = ClinicalConcordance(n_top=10).prepare(true, clinical)
    >>> result, _ = measure(true, true, np.ones(true.shape, dtype=bool), trial=0)
    >>> result["grade_concordance"], result["grade_top_overlap"], result["survival_concordance"]
    (1.0, 1.0, nan)
    >>> result["note"]
    "survival: no column 'time'"
    """

    grade: str = "grade"
    time: str = "time"
    event: str = "event"
    ties: Literal["efron", "breslow"] = "efron"
    n_top: int = 100
    n_draws: int = 0
    outcomes: ClinicalOutcomes | None = None
    known: pd.DataFrame | None = None
    drawn: dict[tuple[int, bytes], pd.DataFrame] = field(default_factory=dict)
    note: str = ""

    columns = (
        "n_grade", "n_survival", "n_events",
        *(f"{outcome}_{name}" for outcome in OUTCOMES for name in _COMPARED),
        "evaluation_seconds", "note",
    )  # fmt: skip

    def prepare(self, true: np.ndarray, clinical: pd.DataFrame) -> ClinicalConcordance:
        """Check the clinical table and compute the coefficients of the true values.

        Raises
        ------
        ClinicalError
            If the table cannot be used: see `vaeimpute.evaluation.clinical.read_outcomes`.
        """
        outcomes = read_outcomes(clinical, grade=self.grade, time=self.time, event=self.event)
        note = "; ".join(f"{outcome}: {reason}" for outcome, reason in outcomes.missing.items())
        if note:
            logger.warning("No concordance for %s.", note)
        known = self._fit(true, outcomes)
        return replace(self, outcomes=outcomes, known=known, drawn={}, note=note)

    def key(self) -> Any:
        """Return the parameters and the clinical data."""
        assert self.outcomes is not None
        data = {name: np.asarray(values).tolist() for name, values in asdict(self.outcomes).items()
                if name != "missing"}  # fmt: skip
        return [self.ties, self.n_top, self.n_draws, self.note, data]

    def __call__(
        self,
        true: np.ndarray,
        imputed: np.ndarray,
        mask: np.ndarray,
        trial: int,
        imputer: Any = None,
    ) -> tuple[dict[str, Any], Lists]:
        """Compare the coefficients of the genes that lost values.

        Raises
        ------
        ValueError
            If no gene did.
        TypeError
            If the clinical table is not known yet.
        """
        if self.outcomes is None or self.known is None:
            raise TypeError("ClinicalConcordance measures after prepare(true, clinical) only.")
        if not mask.any():
            raise ValueError("Nothing is masked, so there are no coefficients to compare.")
        start = time.perf_counter()
        lost = mask.any(axis=0)
        true, imputed, mask = true[:, lost], imputed[:, lost], mask[:, lost]
        row = self._compare(self.known[lost], imputed, mask, self.outcomes)
        draws = []
        for draw in range(trial * self.n_draws, (trial + 1) * self.n_draws):
            rows = generator(0, "patients", draw).integers(len(true), size=len(true))
            drawn = self.outcomes.take(rows)
            place = draw, lost.tobytes()
            if place not in self.drawn:
                self.drawn[place] = self._fit(true[rows], drawn)
            compared = self._compare(self.drawn[place], imputed[rows], mask[rows], drawn)
            draws.append({"draw": draw} | compared)
        seconds = time.perf_counter() - start
        beside = pd.DataFrame(draws).to_dict("list")
        return row | {"evaluation_seconds": seconds, "note": self.note}, beside

    def tables(self, beside: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Return the draws of patients, each with a number of its own; none if there are none."""
        return {"draws": beside.drop(columns="trial")} if len(beside) else {}

    def _fit(self, values: np.ndarray, outcomes: ClinicalOutcomes) -> pd.DataFrame:
        fitted = clinical_coefficients(values, outcomes, ties=self.ties)
        return fitted.drop(columns="survival_reason")  # what is known travels with every unit

    def _compare(
        self, known: pd.DataFrame, imputed: np.ndarray, mask: np.ndarray, outcomes: ClinicalOutcomes
    ) -> dict[str, Any]:
        """Compare true coefficients with those of imputed values."""
        found = self._fit(imputed, outcomes)
        result: dict[str, Any] = {
            f"n_{outcome}": int(outcomes.rows(outcome).sum()) for outcome in OUTCOMES
        } | {"n_events": outcomes.n_events}
        for outcome in OUTCOMES:
            # A gene that lost nothing where the outcome is known has its coefficient as it was.
            chosen = mask[outcomes.rows(outcome)].any(axis=0)
            before, after = known[chosen], found[chosen]
            compared = compare_coefficients(before[outcome], after[outcome])
            compared["top_overlap"] = top_overlap(
                _strength(before, outcome), _strength(after, outcome), self.n_top
            )
            result |= {f"{outcome}_{name}": compared[name] for name in _COMPARED}
        return result


def _strength(coefficients: pd.DataFrame, outcome: str) -> np.ndarray:
    """Return by what a gene list is sorted: the correlation, or the Cox model's Wald statistic."""
    strength = coefficients[outcome].abs()
    if outcome == "survival":
        strength = strength / coefficients["survival_error"]
    return strength.to_numpy()
