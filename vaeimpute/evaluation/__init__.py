"""Numbers that say how good an imputation is."""

from vaeimpute.evaluation.associations import (
    concordance_index,
    cox_coefficients,
    spearman_correlations,
)
from vaeimpute.evaluation.calibration import interval_coverage, pool_draws
from vaeimpute.evaluation.clinical import (
    ClinicalOutcomes,
    clinical_coefficients,
    compare_coefficients,
    compare_variances,
    difference_density,
    read_outcomes,
    top_overlap,
)
from vaeimpute.evaluation.convergence import (
    first_stable_iteration,
    follow_iterations,
    spectral_radius,
)
from vaeimpute.evaluation.errors import (
    coverage_and_error,
    describe_features,
    error_by_coverage,
    error_per_feature,
    errors_by_property,
    mean_absolute_error,
    root_mean_squared_error,
    strongest_correlation,
)
from vaeimpute.evaluation.networks import (
    describe_noise,
    divergence_by_dimension,
    latent_distribution,
    loss_terms,
    measure_noise,
    reconstruct_rows,
)
from vaeimpute.evaluation.scoring import MaskedScorer
from vaeimpute.evaluation.shift import residual_spread, shift_curve, vae_shift_curve
from vaeimpute.evaluation.speed import fit_exponent, time_imputers
from vaeimpute.evaluation.structure import correlation_by_distance, correlation_spectrum
from vaeimpute.evaluation.summary import (
    best_methods,
    compare_methods,
    describe_ranking,
    summarize,
    write_intervals,
)

__all__ = [
    "ClinicalOutcomes",
    "MaskedScorer",
    "best_methods",
    "clinical_coefficients",
    "compare_coefficients",
    "compare_methods",
    "compare_variances",
    "concordance_index",
    "correlation_by_distance",
    "correlation_spectrum",
    "coverage_and_error",
    "cox_coefficients",
    "describe_features",
    "describe_noise",
    "describe_ranking",
    "difference_density",
    "divergence_by_dimension",
    "error_by_coverage",
    "error_per_feature",
    "errors_by_property",
    "first_stable_iteration",
    "fit_exponent",
    "follow_iterations",
    "interval_coverage",
    "latent_distribution",
    "loss_terms",
    "mean_absolute_error",
    "measure_noise",
    "pool_draws",
    "read_outcomes",
    "reconstruct_rows",
    "residual_spread",
    "root_mean_squared_error",
    "shift_curve",
    "spearman_correlations",
    "spectral_radius",
    "strongest_correlation",
    "summarize",
    "time_imputers",
    "top_overlap",
    "vae_shift_curve",
    "write_intervals",
]
