import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from vaeimpute.evaluation import summarize
from vaeimpute.plots import plot_error_panels, plot_errors, plot_settings
from vaeimpute.plots.bars import stars


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
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["5 %", "10 % at random"]
    assert "standard deviations" in ax.get_ylabel()


def test_errors_of_models_need_no_intervals():
    errors = pd.DataFrame({"training rows": [0.4, 0.3], "test rows": [0.5, 0.6]}, ["PCA", "VAE"])
    table = errors.rename_axis("scenario").reset_index()
    table = table.melt("scenario", var_name="method", value_name="mean")
    ax = plot_errors(table)
    assert [bar.get_height() for bar in ax.patches] == errors.to_numpy().T.ravel().tolist()
    assert [round(bar.get_x() + bar.get_width() / 2) for bar in ax.patches] == [0, 1] * 2


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


def test_bars_take_the_colours_that_they_are_given():
    rows = [("mcar_10", "beta 0", 0.5, 0.01), ("mcar_10", "VAE", 0.6, 0.01)]
    summary = pd.DataFrame(rows, columns=["scenario", "method", "mean", "half_width"])
    ax = plot_errors(summary, colors={"beta 0": "#123456"})
    assert mpl.colors.to_hex(ax.patches[0].get_facecolor()) == "#123456"


def test_panels_divide_the_scenarios(summary):
    panels = {"a": ["mcar_05"], "b": ["mcar_10"]}
    axes = plot_error_panels(summary, panels)
    assert [len(ax.patches) for ax in axes] == [3, 3]
    (legend,) = axes[0].figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["VAE", "KNN", "mean"]
    assert axes[0].get_legend() is None


def test_settings_stand_from_top_to_bottom_and_the_best_is_filled():
    table = pd.DataFrame(
        [
            ("c", "mcar_10", t, m, e + t / 100)
            for m, e in (("a", 2.0), ("b", 1.0))
            for t in range(4)
        ],
        columns=["cohort", "scenario", "trial", "method", "mae"],
    )
    summary = summarize(table)
    ax = plot_settings(summary)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    points = ax.collections[-1]
    np.testing.assert_allclose(points.get_offsets()[:, 0], summary["mean"])
    faces = points.get_facecolors()
    assert faces[0, :3].tolist() == [1, 1, 1]
    assert faces[1, :3].tolist() != [1, 1, 1]
    with pytest.raises(ValueError, match="one scenario"):
        plot_settings(pd.concat([summary, summary.assign(scenario="mcar_30")]))


def test_a_single_trial_has_no_interval():
    summary = pd.DataFrame({"method": ["a"], "mean": [1.0], "half_width": [np.nan], "rank": [1]})
    ax = plot_settings(summary)
    assert np.isfinite(ax.get_xlim()).all()
