"""One function per figure: each takes a table and returns matplotlib Axes."""

from vaeimpute.plots.beta import (
    beta_colors,
    plot_contraction,
    plot_noise,
    plot_passes,
    plot_relative_errors,
)
from vaeimpute.plots.cohorts import (
    plot_embedding,
    plot_spectrum,
    plot_survival,
    plot_value_distribution,
)
from vaeimpute.plots.errors import plot_differences, plot_errors
from vaeimpute.plots.masks import plot_mask, plot_masked_values
from vaeimpute.plots.style import METHOD_COLORS, use_style

__all__ = [
    "METHOD_COLORS",
    "beta_colors",
    "plot_contraction",
    "plot_differences",
    "plot_embedding",
    "plot_errors",
    "plot_mask",
    "plot_masked_values",
    "plot_noise",
    "plot_passes",
    "plot_relative_errors",
    "plot_spectrum",
    "plot_survival",
    "plot_value_distribution",
    "use_style",
]
