import numpy as np
import pandas as pd
import pytest

from vaeimpute.evaluation.clinical import compare_coefficients, difference_density
from vaeimpute.evaluation.errors import errors_by_property
from vaeimpute.methods import method_colors
from vaeimpute.missingness import scenario_label
from vaeimpute.plots import (
    plot_difference_densities,
    plot_errors_by_property,
    plot_lines,
    plot_scaling,
)


def test_a_line_has_the_colour_of_its_method_and_its_intervals():
    table = pd.DataFrame(
        [(m, x, m_at + x / 100, 0.02) for m, m_at in (("VAE", 0.4), ("PCA", 0.5)) for x in (5, 10)],
        columns=["method", "share", "mean", "half_width"],
    )
    ax = plot_lines(table, "share", "mean", error="half_width")
    vae, pca = ax.lines[::3]  # two caps after each
    assert vae.get_xdata().tolist() == [5, 10]
    assert vae.get_ydata().tolist() == [0.45, 0.5]
    assert vae.get_color() == method_colors()["VAE"] != pca.get_color()
    assert ax.lines[1].get_ydata() == pytest.approx([0.43, 0.48])
    ax = plot_lines(table.assign(low=0.1, high=0.9), "share", "mean", error=["low", "high"])
    assert ax.lines[1].get_ydata() == pytest.approx([0.1, 0.1])
    assert ax.lines[2].get_ydata() == pytest.approx([0.9, 0.9])


def test_a_table_without_methods_is_one_line_with_its_marks():
    history = pd.DataFrame({"epoch": [1, 2, 3], "validation_error": [0.9, 0.7, 0.8]})
    ax = plot_lines(history, "epoch", "validation_error", marks={"least": 2})
    assert ax.lines[0].get_ydata().tolist() == [0.9, 0.7, 0.8]
    assert set(ax.lines[1].get_xdata()) == {2}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["least: 2"]
    assert plot_lines(history, "epoch", "epoch").get_legend() is None


def test_colours_tell_scenarios_and_dashes_tell_starts():
    curves = pd.DataFrame(
        [(s, g, i, 1.0 / i) for s in ("a", "b") for g in ("mean", "random") for i in (1, 2, 3)],
        columns=["scenario", "start", "iteration", "mae"],
    )
    ax = plot_lines(curves, "iteration", "mae", by="scenario", dashes="start", labels={"a": "10 %"})
    lines = dict(zip(ax.get_legend_handles_labels()[1], ax.lines, strict=True))
    one, same_scenario, same_start = (
        lines[name] for name in ("10 %, start: mean", "10 %, start: random", "b, start: mean")
    )
    assert one.get_color() == same_scenario.get_color() != same_start.get_color()
    assert one.get_linestyle() == same_start.get_linestyle() != same_scenario.get_linestyle()


def test_lowest_points_are_marked():
    curve = pd.DataFrame({"shift": [0.0, 1.0, 2.0], "mae": [3.0, 1.0, 2.0]})
    curves = pd.concat({"KNN": curve, "test rows": curve + 1}, names=["rows"]).reset_index("rows")
    ax = plot_lines(curves, "shift", "mae", by="rows", lowest=True)
    assert ax.lines[0].get_color() == method_colors()["KNN"]
    assert [ax.lines[i].get_xydata().tolist() for i in (1, 3)] == [[[1.0, 1.0]], [[2.0, 2.0]]]


def test_names_are_places_that_all_lines_share():
    rows = [
        (method, label, error)
        for method, error in [("KNN", 0.5), ("VAE", 0.4)]
        for label in ("1-3", "4-5", "6+")
        if (method, label) != ("VAE", "4-5")
    ]
    table = pd.DataFrame(rows, columns=["method", "label", "mae"])
    ax = plot_lines(table, "label", "mae", marks={"six reads": 1.5})
    assert [line.get_xdata().tolist() for line in ax.lines[:2]] == [[0, 1, 2], [0, 2]]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1-3", "4-5", "6+"]
    assert "six reads" in ax.get_legend_handles_labels()[1]


@pytest.mark.parametrize(
    ("sizes", "labels"),
    [([200, 400, 1600], ["200", "400", "1600"]), ([0.03, 0.1], ["0.03", "0.1"])],
)
def test_a_few_sizes_are_marked_each(sizes, labels):
    points = pd.DataFrame({"program": "KNN", "varied": "n", "n": sizes, "total_seconds": 1.0})
    ax = plot_scaling(points, "n", xlabel="training rows")
    assert [label.get_text() for label in ax.get_xticklabels()] == labels
    assert not len(ax.xaxis.get_minorticklocs())


def test_many_sizes_are_marked_by_powers_of_ten_that_do_not_overlap():
    sizes = [25, 50, 100, 200, 1000, 2000, 4000, 8000, 16000]
    points = pd.DataFrame({"program": "KNN", "varied": "n", "n": sizes, "total_seconds": 1.0})
    ax = plot_scaling(points, "n", xlabel="genes")
    ax.figure.canvas.draw()
    named = [
        label.get_text()
        for label in ax.get_xticklabels(which="both")
        if label.get_text() and ax.get_xlim()[0] <= label.get_position()[0] <= ax.get_xlim()[1]
    ]
    assert len(named) == 3


def test_shares_that_methods_won_stack_up_to_one():
    rng = np.random.default_rng(0)
    errors = pd.DataFrame(rng.random((60, 3)), columns=["KNN", "SVD", "VAE"])
    properties = pd.DataFrame({"mean": rng.random(60), "variance": rng.random(60)})
    table = errors_by_property(errors, properties, n_bins=4)
    axes = plot_errors_by_property(table, property_labels={"mean": "level"})
    assert axes.shape == (2, 2)
    for ax in axes[:, 1]:
        tops = [bar.get_y() + bar.get_height() for bar in ax.patches]
        assert max(tops) == pytest.approx(1)
        assert len(ax.patches) == 12
    assert [ax.get_xlabel() for ax in axes[:, 1]] == ["level", "variance"]


def test_a_panel_per_coefficient_and_scenario():
    rng = np.random.default_rng(0)
    rows = [
        {"scenario": s, "method": m, "grade_histogram": compare_coefficients(*x)["histogram"]}
        for s in ("mcar_10", "mnar_whole_genes")
        for m, x in zip(("KNN", "VAE"), rng.normal(size=(2, 2, 60)), strict=True)
    ]
    density = difference_density(pd.DataFrame(rows), "grade")
    axes = plot_difference_densities({"a": density, "b": density})
    assert len(axes) == 4
    assert axes[0].get_title() == "a"
    assert axes[2].get_ylabel().startswith(scenario_label("mnar_whole_genes"))
    colors = method_colors()
    assert [line.get_color() for line in axes[3].lines] == [colors["KNN"], colors["VAE"]]
    expected = density.query("scenario == 'mnar_whole_genes' and method == 'VAE'")["density"]
    np.testing.assert_array_equal(axes[3].lines[1].get_ydata(), expected)
