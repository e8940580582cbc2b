"""Numbers that say how good an imputation is."""

from vaeimpute.evaluation.calibration import interval_coverage, pool_draws
from vaeimpute.evaluation.convergence import first_stable_iteration, follow_iterations
from vaeimpute.evaluation.errors import mean_absolute_error, root_mean_squared_error
from vaeimpute.evaluation.scoring import MaskedScorer
from vaeimpute.evaluation.summary import compare_methods, summarize

__all__ = [
    "MaskedScorer",
    "compare_methods",
    "first_stable_iteration",
    "follow_iterations",
    "interval_coverage",
    "mean_absolute_error",
    "pool_draws",
    "root_mean_squared_error",
    "summarize",
]
