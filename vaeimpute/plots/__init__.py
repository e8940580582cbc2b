"""One function per kind of figure: each takes a table and returns matplotlib Axes."""

from vaeimpute.plots.errors import (
    plot_error_panels,
    plot_errors,
    plot_findings,
    plot_outcomes,
    plot_settings,
    plot_times,
)
from vaeimpute.plots.lines import (
    plot_difference_densities,
    plot_errors_by_property,
    plot_interval_coverage,
    plot_lines,
    plot_scaling,
)
from vaeimpute.plots.points import (
    densities,
    plot_coverage_and_error,
    plot_distributions,
    plot_dots,
)
from vaeimpute.plots.samples import (
    plot_embedding,
    plot_filled,
    plot_mask,
    plot_survival,
    plot_survival_by_gene,
)
from vaeimpute.plots.slider import Slider
from vaeimpute.plots.style import beta_colors, share_legend, show, use_style

__all__ = [
    "Slider",
    "beta_colors",
    "densities",
    "plot_coverage_and_error",
    "plot_difference_densities",
    "plot_distributions",
    "plot_dots",
    "plot_embedding",
    "plot_error_panels",
    "plot_errors",
    "plot_errors_by_property",
    "plot_filled",
    "plot_findings",
    "plot_interval_coverage",
    "plot_lines",
    "plot_mask",
    "plot_outcomes",
    "plot_scaling",
    "plot_settings",
    "plot_survival",
    "plot_survival_by_gene",
    "plot_times",
    "share_legend",
    "show",
    "use_style",
]
