"""Numbers that say how good an imputation is."""

from vaeimpute.evaluation.calibration import interval_coverage
from vaeimpute.evaluation.claims import judge_expression_claims, judge_shift_claims
from vaeimpute.evaluation.contraction import spectral_radius
from vaeimpute.evaluation.coverage import coverage_and_error, error_by_coverage
from vaeimpute.evaluation.errors import mean_absolute_error, root_mean_squared_error
from vaeimpute.evaluation.networks import (
    divergence_by_dimension,
    latent_distribution,
    loss_terms,
    reconstruct_rows,
)
from vaeimpute.evaluation.noise import describe_noise, measure_noise
from vaeimpute.evaluation.passes import first_stable_pass, follow_passes
from vaeimpute.evaluation.per_feature import (
    describe_features,
    error_per_feature,
    errors_by_property,
    strongest_correlation,
)
from vaeimpute.evaluation.pooling import pool_draws
from vaeimpute.evaluation.scoring import MaskedScorer
from vaeimpute.evaluation.shift import residual_spread, shift_curve, vae_shift_curve
from vaeimpute.evaluation.speed import fit_exponent, judge_time_claims, time_imputers
from vaeimpute.evaluation.structure import correlation_by_distance, correlation_spectrum
from vaeimpute.evaluation.summary import compare_methods, describe_ranking, summarize
from vaeimpute.evaluation.verdicts import (
    judge_best,
    judge_better,
    judge_change,
    judge_divergence,
    judge_falling,
    judge_lowest,
    judge_not_worse,
    judge_parts,
    judge_similar,
    judge_stable,
)

__all__ = [
    "MaskedScorer",
    "compare_methods",
    "correlation_by_distance",
    "correlation_spectrum",
    "coverage_and_error",
    "describe_features",
    "describe_noise",
    "describe_ranking",
    "divergence_by_dimension",
    "error_by_coverage",
    "error_per_feature",
    "errors_by_property",
    "first_stable_pass",
    "fit_exponent",
    "follow_passes",
    "interval_coverage",
    "judge_best",
    "judge_better",
    "judge_change",
    "judge_divergence",
    "judge_expression_claims",
    "judge_falling",
    "judge_lowest",
    "judge_not_worse",
    "judge_parts",
    "judge_shift_claims",
    "judge_similar",
    "judge_stable",
    "judge_time_claims",
    "latent_distribution",
    "loss_terms",
    "mean_absolute_error",
    "measure_noise",
    "pool_draws",
    "reconstruct_rows",
    "residual_spread",
    "root_mean_squared_error",
    "shift_curve",
    "spectral_radius",
    "strongest_correlation",
    "summarize",
    "time_imputers",
    "vae_shift_curve",
]
