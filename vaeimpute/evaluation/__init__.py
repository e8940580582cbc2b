"""Numbers that say how good an imputation is."""

from vaeimpute.evaluation.contraction import spectral_radius
from vaeimpute.evaluation.errors import mean_absolute_error, root_mean_squared_error
from vaeimpute.evaluation.noise import describe_noise, measure_noise
from vaeimpute.evaluation.structure import correlation_by_distance, correlation_spectrum
from vaeimpute.evaluation.summary import compare_methods, describe_ranking, summarize
from vaeimpute.evaluation.verdicts import (
    judge_better,
    judge_change,
    judge_divergence,
    judge_splits,
)

__all__ = [
    "compare_methods",
    "correlation_by_distance",
    "correlation_spectrum",
    "describe_noise",
    "describe_ranking",
    "judge_better",
    "judge_change",
    "judge_divergence",
    "judge_splits",
    "mean_absolute_error",
    "measure_noise",
    "root_mean_squared_error",
    "spectral_radius",
    "summarize",
]
