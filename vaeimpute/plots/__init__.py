"""One function per figure: each takes a table and returns matplotlib Axes."""

from vaeimpute.plots.clinical import (
    plot_coefficients,
    plot_difference_densities,
    plot_survival_by_gene,
)
from vaeimpute.plots.cohorts import (
    plot_coverage_and_error,
    plot_embedding,
    plot_error_by_coverage,
    plot_mask,
    plot_masked_values,
    plot_spectrum,
    plot_survival,
    plot_value_distribution,
)
from vaeimpute.plots.errors import (
    plot_differences,
    plot_error_panels,
    plot_errors,
    plot_errors_by_property,
    plot_errors_by_share,
    plot_feature_errors,
    plot_imputed_values,
    plot_interval_coverage,
    plot_shift_curves,
)
from vaeimpute.plots.speed import plot_scaling, plot_times
from vaeimpute.plots.style import METHOD_COLORS, use_style
from vaeimpute.plots.training import (
    beta_colors,
    plot_contraction,
    plot_divergence,
    plot_history,
    plot_noise,
    plot_passes,
    plot_passes_by_method,
    plot_reconstruction,
    plot_relative_errors,
    plot_settings,
)

__all__ = [
    "METHOD_COLORS",
    "beta_colors",
    "plot_coefficients",
    "plot_contraction",
    "plot_coverage_and_error",
    "plot_difference_densities",
    "plot_differences",
    "plot_divergence",
    "plot_embedding",
    "plot_error_by_coverage",
    "plot_error_panels",
    "plot_errors",
    "plot_errors_by_property",
    "plot_errors_by_share",
    "plot_feature_errors",
    "plot_history",
    "plot_imputed_values",
    "plot_interval_coverage",
    "plot_mask",
    "plot_masked_values",
    "plot_noise",
    "plot_passes",
    "plot_passes_by_method",
    "plot_reconstruction",
    "plot_relative_errors",
    "plot_scaling",
    "plot_settings",
    "plot_shift_curves",
    "plot_spectrum",
    "plot_survival",
    "plot_survival_by_gene",
    "plot_times",
    "plot_value_distribution",
    "use_style",
]
