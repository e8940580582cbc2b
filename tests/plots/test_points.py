import numpy as np
import pandas as pd
import pytest

from vaeimpute.plots import (
    beta_colors,
    densities,
    plot_coverage_and_error,
    plot_distributions,
    plot_dots,
)

METHODS = ["beta 10", "beta 0", "beta 0.5"]


def test_values_beyond_the_limits_are_in_the_last_bins():
    values = np.array([-9.0, -0.1, 0.2, 8.0, np.nan])
    ax = plot_distributions({"genes": values}, xlabel="Cox coefficient", limits=(-5, 5))
    (outline,) = ax.patches
    heights = outline.get_data().values
    assert ax.get_xlim() == (-5, 5)
    assert heights[0] == heights[-1] == pytest.approx(0.25 * 80 / 10)  # a quarter, but for the NaN
    assert ax.get_ylabel() == "density"


def test_the_table_of_densities_is_what_is_drawn():
    rng = np.random.default_rng(0)
    sets = {"left": rng.normal(size=300), "taken away": rng.normal(-2, 0.3, 90)}
    table = densities(sets)
    for name, patch in zip(sets, plot_distributions(sets, xlabel="").patches, strict=True):
        part = table[table["values"] == name]
        drawn = patch.get_data()
        np.testing.assert_array_equal(drawn.values, part["density"])
        np.testing.assert_array_equal(drawn.edges[1:], part["right"])
        assert (part["density"] * (part["right"] - part["left"])).sum() == pytest.approx(1)


def test_every_set_is_named():
    rng = np.random.default_rng(0)
    sets = {"left": rng.normal(size=(50, 10)), "taken away": rng.normal(-2, 0.3, 90), "VAE": [0.0]}
    ax = plot_distributions(sets, xlabel="standard deviations")
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == list(sets)
    assert [patch.get_fill() for patch in ax.patches] == [True, False, False]


def test_every_split_has_its_dot_where_its_scenario_is():
    changes = pd.DataFrame(
        [(s, m, 0.01 * n) for s in ("a", "b") for m in METHODS for n in range(5)],
        columns=["scenario", "method", "change"],
    )
    ax = plot_dots(
        changes, "change", by="method", margin=0.02, colors=beta_colors(METHODS), ylabel="change"
    )
    points = np.concatenate([dots.get_offsets() for dots in ax.collections])
    assert len(points) == len(changes)
    assert len(np.unique(points[:, 0].round(6))) == len(changes)  # none hides another
    assert sorted(points[:, 0].round().astype(int)) == [0] * 15 + [1] * 15


def test_dots_of_a_kind_stand_in_the_order_of_the_table():
    noise = pd.DataFrame({"method": ["beta 0"] * 3, "signal_to_noise": [2.0, 4.0, 9.0]})
    ax = plot_dots(noise, "signal_to_noise", x="method", reference=1, ylabel="spread")
    points = ax.collections[0].get_offsets()
    np.testing.assert_allclose(points[:, 1], [2.0, 4.0, 9.0])
    assert (np.diff(points[:, 0]) > 0).all()
    assert ax.get_legend() is None


@pytest.mark.parametrize("n", [40, 4000])
def test_every_site_is_a_dot(n):
    rng = np.random.default_rng(0)
    relation = pd.DataFrame({"mean_reads": rng.gamma(4, 4, size=n), "mae": rng.random(n)})
    ax = plot_coverage_and_error(relation, what="site", method="KNN")
    assert len(ax.collections[0].get_offsets()) == n
    assert len(ax.lines[0].get_xdata()) == 8
    assert ax.get_xlabel() == "mean reads of the site"
