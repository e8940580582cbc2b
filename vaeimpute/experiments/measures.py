"""What a grid measures of an imputation; the errors, unless it is told otherwise."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd

from vaeimpute.evaluation.clinical import (
    OUTCOMES,
    ClinicalOutcomes,
    clinical_coefficients,
    compare_coefficients,
    read_outcomes,
    top_overlap,
)
from vaeimpute.evaluation.errors import mean_absolute_error, root_mean_squared_error


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
        """Return a measure for these test rows, with all done that is the same for every mask.

        Parameters
        ----------
        true : array of shape (n_test, n_features)
            Standardised.
        clinical : DataFrame of shape (n_test, n_variables)

        Returns
        -------
        Measure

        Raises
        ------
        ValueError
            If it cannot be computed on these rows.
        """
        ...

    def key(self) -> dict[str, Any]:
        """Return what its results depend on besides values, mask and code, as JSON can hold it."""
        ...

    def __call__(self, true: np.ndarray, imputed: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
        """Measure one imputation; ``columns`` are the keys of what is returned."""
        ...


class ErrorMeasure:
    """Mean absolute and root mean squared error over the masked entries.

    Examples
    --------
    >>> measure = ErrorMeasure()
    >>> measure(np.array([[1.0, 2.0]]), np.array([[1.0, 5.0]]), np.array([[False, True]]))
    {'mae': 3.0, 'rmse': 3.0}
    """

    columns = ("mae", "rmse")

    def prepare(self, true: np.ndarray, clinical: pd.DataFrame) -> ErrorMeasure:
        """Return itself."""
        return self

    def key(self) -> dict[str, Any]:
        """Return that it has no parameters."""
        return {}

    def __call__(self, true: np.ndarray, imputed: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
        """Return ``mae`` and ``rmse``."""
        return {
            "mae": mean_absolute_error(true, imputed, mask),
            "rmse": root_mean_squared_error(true, imputed, mask),
        }


logger = logging.getLogger(__name__)

_COMPARED = ("genes", "concordance", "variance", "variance_unclipped", "top_overlap", "histogram")


@dataclass(frozen=True)
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

    References
    ----------
    Qiu, Zheng, Gevaert 2020, section "Correlation with clinical phenotypes".

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> true, clinical = rng.normal(size=(6, 30)), pd.DataFrame({"grade": [1, 1, 2, 2, 3, 3]})
    >>> measure = ClinicalConcordance(n_top=10).prepare(true, clinical)
    >>> result = measure(true, true, np.ones(true.shape, dtype=bool))
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

    columns = (
        "n_grade", "n_survival", "n_events",
        *(f"{outcome}_{name}" for outcome in OUTCOMES for name in _COMPARED),
        "evaluation_seconds", "note",
    )  # fmt: skip

    def prepare(self, true: np.ndarray, clinical: pd.DataFrame) -> PreparedConcordance:
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
        coefficients = clinical_coefficients(true, outcomes, ties=self.ties)
        coefficients = coefficients.drop(columns="survival_reason")  # it travels with every unit
        return PreparedConcordance(self, outcomes, coefficients, note)

    def key(self) -> dict[str, Any]:
        """Return its parameters."""
        return {name: getattr(self, name) for name in ("ties", "n_top")}

    def __call__(self, true: np.ndarray, imputed: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
        """Raise, because the clinical table is not known yet."""
        raise TypeError("ClinicalConcordance measures after prepare(true, clinical) only.")


@dataclass(frozen=True, eq=False)
class PreparedConcordance:
    """A `ClinicalConcordance` for some test rows.

    Attributes
    ----------
    measure : ClinicalConcordance
    outcomes : ClinicalOutcomes
        Of the test rows.
    coefficients : DataFrame
        From the true values.
    note : str
        Why an outcome has no coefficients; empty if both have some.
    """

    measure: ClinicalConcordance
    outcomes: ClinicalOutcomes
    coefficients: pd.DataFrame
    note: str

    columns = ClinicalConcordance.columns

    def prepare(self, true: np.ndarray, clinical: pd.DataFrame) -> PreparedConcordance:
        """Return one for other rows."""
        return self.measure.prepare(true, clinical)

    def key(self) -> dict[str, Any]:
        """Return the parameters and a hash of the clinical data."""
        outcomes = self.outcomes
        clinical = np.array([outcomes.grade, outcomes.time, outcomes.event])
        return {
            **self.measure.key(),
            "clinical": hashlib.sha256(clinical.tobytes()).hexdigest(),
            "note": self.note,
        }

    def __call__(self, true: np.ndarray, imputed: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
        """Compare the coefficients of the genes that lost values.

        Raises
        ------
        ValueError
            If no gene did.
        """
        start = time.perf_counter()
        lost = mask.any(axis=0)
        if not lost.any():
            raise ValueError("Nothing is masked, so there are no coefficients to compare.")
        found = clinical_coefficients(imputed[:, lost], self.outcomes, ties=self.measure.ties)
        known = self.coefficients[lost]
        result: dict[str, Any] = {
            f"n_{outcome}": int(self.outcomes.rows(outcome).sum()) for outcome in OUTCOMES
        } | {"n_events": self.outcomes.n_events}
        for outcome in OUTCOMES:
            # A gene that lost nothing where the outcome is known has its coefficient as it was.
            chosen = mask[self.outcomes.rows(outcome)][:, lost].any(axis=0)
            before, after = known[chosen], found[chosen]
            compared = compare_coefficients(before[outcome], after[outcome])
            compared["top_overlap"] = top_overlap(
                _strength(before, outcome), _strength(after, outcome), self.measure.n_top
            )
            result |= {f"{outcome}_{name}": compared[name] for name in _COMPARED}
        return result | {"evaluation_seconds": time.perf_counter() - start, "note": self.note}


def _strength(coefficients: pd.DataFrame, outcome: str) -> np.ndarray:
    """Return by what a gene list is sorted: the correlation, or the Cox model's Wald statistic."""
    strength = coefficients[outcome].abs()
    if outcome == "survival":
        strength = strength / coefficients["survival_error"]
    return strength.to_numpy()
