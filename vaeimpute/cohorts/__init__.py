"""Where matrices come from: a Cohort is values, clinical table, annotation and read coverage."""

from vaeimpute.cohorts.cohort import Cohort, CohortError
from vaeimpute.cohorts.registry import list_cohorts, load_cohort

__all__ = ["Cohort", "CohortError", "list_cohorts", "load_cohort"]
