"""Where matrices come from: a Cohort is values, clinical table, annotation and read coverage."""

from vaeimpute.cohorts.cohort import Cohort, CohortError
from vaeimpute.cohorts.registry import load_cohort

__all__ = ["Cohort", "CohortError", "load_cohort"]
