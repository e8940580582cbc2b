"""Numbers that say how good an imputation is."""

from vaeimpute.evaluation.claims import judge_expression_claims, judge_shift_claims
from vaeimpute.evaluation.errors import mean_absolute_error, root_mean_squared_error
from vaeimpute.evaluation.per_feature import (
    describe_features,
    error_per_feature,
    errors_by_property,
    strongest_correlation,
)
from vaeimpute.evaluation.shift import residual_spread, shift_curve, vae_shift_curve
from vaeimpute.evaluation.structure import correlation_by_distance, correlation_spectrum
from vaeimpute.evaluation.summary import compare_methods, describe_ranking, summarize
from vaeimpute.evaluation.verdicts import (
    judge_better,
    judge_falling,
    judge_lowest,
    judge_similar,
    judge_splits,
)

__all__ = [
    "compare_methods",
    "correlation_by_distance",
    "correlation_spectrum",
    "describe_features",
    "describe_ranking",
    "error_per_feature",
    "errors_by_property",
    "judge_better",
    "judge_expression_claims",
    "judge_falling",
    "judge_lowest",
    "judge_shift_claims",
    "judge_similar",
    "judge_splits",
    "mean_absolute_error",
    "residual_spread",
    "root_mean_squared_error",
    "shift_curve",
    "strongest_correlation",
    "summarize",
    "vae_shift_curve",
]
