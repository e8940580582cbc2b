import numpy as np
import pandas as pd

from vaeimpute.evaluation.clinical import compare_coefficients, difference_density
from vaeimpute.plots import (
    METHOD_COLORS,
    plot_coefficients,
    plot_difference_densities,
    plot_survival_by_gene,
)


def test_coefficients_beyond_the_limits_are_in_the_last_bins():
    values = np.array([-9.0, -0.1, 0.2, 8.0, np.nan])
    ax = plot_coefficients({"genes": values}, xlabel="Cox coefficient", limits=(-5, 5))
    bars = [bar.get_height() * bar.get_width() for bar in ax.patches]
    assert np.isclose(sum(bars), 1)  # none is lost, but for the NaN
    assert bars[0] == bars[-1] == 0.25
    assert [line.get_xdata()[0] for line in ax.lines] == [-0.3, 0.3]


def test_a_panel_per_coefficient_and_scenario():
    rng = np.random.default_rng(0)
    rows = [
        {"scenario": s, "method": m, "grade_histogram": compare_coefficients(*x)["histogram"]}
        for s in ("mcar_10", "mnar_whole_genes")
        for m, x in zip(("KNN", "VAE"), rng.normal(size=(2, 2, 60)), strict=True)
    ]
    density = difference_density(pd.DataFrame(rows), "grade")
    axes = plot_difference_densities(
        {"a": density, "b": density}, scenario_labels={"mcar_10": "at random"}
    )
    assert len(axes) == 4
    assert axes[0].get_title() == "at random"
    assert [line.get_color() for line in axes[3].lines] == [
        METHOD_COLORS["KNN"], METHOD_COLORS["VAE"],
    ]  # fmt: skip
    expected = density.query("scenario == 'mnar_whole_genes' and method == 'VAE'")["density"]
    np.testing.assert_array_equal(axes[3].lines[1].get_ydata(), expected)


def test_survival_is_split_at_the_median_of_those_followed():
    clinical = pd.DataFrame({"time": [1.0, 2, 3, 4, np.nan, 6, 7], "event": [1, 1, 0, 1, 1, 0, 1]})
    gene = np.array([1.0, 2, 3, 4, 99, 5, 6])
    axes = plot_survival_by_gene(clinical, {"true": gene, "imputed": -gene}, time_unit="months")
    for ax in axes:
        labels = [text.get_text() for text in ax.get_legend().get_texts()]
        assert labels == ["high (n = 3)", "low (n = 3)"]
    assert [ax.get_title() for ax in axes] == ["true", "imputed"]
    ends = [axes[0].lines[0].get_xdata()[-1], axes[0].lines[1].get_xdata()[-1]]
    assert ends == [7, 3]  # high values live longer here
