"""Numbers that say how good an imputation is."""

from vaeimpute.evaluation.coverage import coverage_and_error, error_by_coverage
from vaeimpute.evaluation.errors import mean_absolute_error, root_mean_squared_error
from vaeimpute.evaluation.structure import correlation_by_distance, correlation_spectrum
from vaeimpute.evaluation.summary import compare_methods, describe_ranking, summarize
from vaeimpute.evaluation.verdicts import judge_better, judge_parts, judge_similar, judge_splits

__all__ = [
    "compare_methods",
    "correlation_by_distance",
    "correlation_spectrum",
    "coverage_and_error",
    "describe_ranking",
    "error_by_coverage",
    "judge_better",
    "judge_parts",
    "judge_similar",
    "judge_splits",
    "mean_absolute_error",
    "root_mean_squared_error",
    "summarize",
]
