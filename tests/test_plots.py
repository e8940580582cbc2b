import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from vaeimpute.evaluation.errors import errors_by_property
from vaeimpute.plots import (
    METHOD_COLORS,
    plot_embedding,
    plot_error_panels,
    plot_errors,
    plot_errors_by_property,
    plot_errors_by_share,
    plot_imputed_values,
    plot_mask,
    plot_shift_curves,
)
from vaeimpute.plots.errors import stars


@pytest.fixture
def summary():
    rows = [
        ("c", scenario, method, 10, mean, 0.01, rank)
        for scenario in ("mcar_05", "mcar_10")
        for rank, (method, mean) in enumerate([("VAE", 0.4), ("KNN", 0.5), ("mean", 0.8)], start=1)
    ]
    columns = ["cohort", "scenario", "method", "n_trials", "mean", "half_width", "rank"]
    return pd.DataFrame(rows, columns=columns)


def test_every_bar_shows_its_number(summary):
    ax = plot_errors(summary, scenario_labels={"mcar_05": "5 %"})
    assert sorted(bar.get_height() for bar in ax.patches) == sorted(summary["mean"])
    assert [text.get_text() for text in ax.texts].count(".400") == 2
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["5 %", "mcar_10"]
    assert "standard deviations" in ax.get_ylabel()


def test_the_methods_differ_in_greyscale():
    lightness = sorted(
        np.dot(mpl.colors.to_rgb(color), [0.299, 0.587, 0.114]) for color in METHOD_COLORS.values()
    )
    assert min(np.diff(lightness)) > 0.1


def test_a_mask_keeps_its_share_when_features_share_a_pixel():
    mask = np.random.default_rng(0).random((6, 7503)) < 0.3
    shades = plot_mask(mask).images[0].get_array()
    assert shades.shape == (6, 300)
    np.testing.assert_allclose(shades.mean(axis=1), mask.mean(axis=1), atol=0.005)
    shades = plot_mask(mask, order=np.argsort(mask.sum(axis=0))).images[0].get_array()
    assert shades[:, 0].mean() == 0.0
    assert shades[:, -1].mean() > 0.8


@pytest.mark.parametrize("n_levels", [3, 40])
def test_samples_without_a_label_are_shown_too(n_levels):
    rng = np.random.default_rng(0)
    labels = pd.Series(rng.integers(n_levels, size=80).astype(float)).where(rng.random(80) < 0.9)
    ax = plot_embedding(
        rng.normal(size=(80, 2)), labels, axis_labels=("PC1", "PC2"), legend_title="grade"
    )
    assert sum(len(points.get_offsets()) for points in ax.collections) == 80


def test_labels_may_be_words():
    labels = pd.Series(["LGG", "GBM", None, "LGG"])
    ax = plot_embedding(
        np.zeros((4, 2)), labels, axis_labels=("PC1", "PC2"), legend_title="subtype"
    )
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["unknown", "GBM", "LGG"]


def test_stars_stand_with_the_method_that_was_compared(summary):
    comparison = pd.DataFrame(
        {
            "scenario": ["mcar_05", "mcar_10"],
            "method": "KNN",
            "p_paired": [0.002, 0.3],
            "p_unpaired": [0.0002, 0.04],
        }
    )
    texts = [text.get_text() for text in plot_errors(summary, comparison=comparison).texts]
    assert texts.count(".500  ** / ***") == texts.count(".500  ns / *") == 1
    assert texts.count(".400") == 2
    assert [stars(p) for p in (float("nan"), 0.05, 0.01, 0.001)] == ["ns", "ns", "*", "**"]


def test_a_method_that_a_scenario_lacks_leaves_a_gap(summary):
    ax = plot_errors(summary.drop(index=0))  # the VAE at 5 %
    assert np.nansum([bar.get_height() for bar in ax.patches]) == pytest.approx(3.0)
    assert [text.get_text() for text in ax.texts].count(".400") == 1


def test_panels_divide_the_scenarios(summary):
    panels = {"a": ["mcar_05"], "b": ["mcar_10"]}
    axes = plot_error_panels(summary, panels)
    assert [len(ax.patches) for ax in axes] == [3, 3]
    (legend,) = axes[0].figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["VAE", "KNN", "mean"]


def test_lines_stand_at_the_shares(summary):
    ax = plot_errors_by_share(summary, {"mcar_10": 10, "mcar_05": 5})
    for line, mean in zip(ax.lines[::3], [0.4, 0.5, 0.8], strict=True):  # two caps after each
        assert line.get_xdata().tolist() == [10, 5]
        assert line.get_ydata().tolist() == [mean, mean]


def test_shares_that_methods_won_stack_up_to_one():
    rng = np.random.default_rng(0)
    errors = pd.DataFrame(rng.random((60, 3)), columns=["KNN", "SVD", "VAE"])
    properties = pd.DataFrame({"mean": rng.random(60), "variance": rng.random(60)})
    table = errors_by_property(errors, properties, n_bins=4)
    axes = plot_errors_by_property(table, property_labels={"mean": "level"})
    assert axes.shape == (2, 2)
    for ax in axes[1]:
        tops = [bar.get_y() + bar.get_height() for bar in ax.patches]
        assert max(tops) == pytest.approx(1)
        assert len(ax.patches) == 12
    assert [ax.get_xlabel() for ax in axes[1]] == ["level", "variance"]


def test_shift_curves_mark_their_lowest_points():
    curve = pd.DataFrame({"shift": [0.0, 1.0, 2.0], "mae": [3.0, 1.0, 2.0]})
    ax = plot_shift_curves({"KNN": curve, "test rows": curve + 1}, chosen=1.5)
    assert ax.lines[0].get_color() == METHOD_COLORS["KNN"]
    assert [ax.lines[i].get_xydata().tolist() for i in (1, 3)] == [[[1.0, 1.0]], [[2.0, 2.0]]]
    assert "chosen: 1.5" in [text.get_text() for text in ax.texts]


def test_imputed_values_are_densities():
    rng = np.random.default_rng(0)
    ax = plot_imputed_values(rng.normal(size=500), rng.normal(-2, 0.3, 90), {"VAE": np.zeros(90)})
    assert ax.get_ylabel() == "density"
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["left", "taken away", "filled in by VAE"]
