"""Where matrices come from: a Cohort is values, clinical table, annotation and read coverage."""

from vaeimpute.cohorts.annotation import with_gc_content
from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.cohorts.coverage import with_simulated_coverage
from vaeimpute.cohorts.derived import draw_samples, log_counts, negative_log, with_read_noise
from vaeimpute.cohorts.registry import list_cohorts, load_cohort

__all__ = [
    "Cohort",
    "draw_samples",
    "list_cohorts",
    "load_cohort",
    "log_counts",
    "negative_log",
    "with_gc_content",
    "with_read_noise",
    "with_simulated_coverage",
]
