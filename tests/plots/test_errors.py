import numpy as np
import pandas as pd
import pytest

from vaeimpute.evaluation import summarize
from vaeimpute.plots import (
    plot_error_panels,
    plot_errors,
    plot_findings,
    plot_outcomes,
    plot_settings,
)


@pytest.fixture
def summary():
    rows = [
        ("c", scenario, method, 10, mean, 0.01, rank)
        for scenario in ("mcar_05", "mcar_10")
        for rank, (method, mean) in enumerate([("VAE", 0.4), ("KNN", 0.5), ("mean", 0.8)], start=1)
    ]
    columns = ["cohort", "scenario", "method", "n_trials", "mean", "half_width", "rank"]
    return pd.DataFrame(rows, columns=columns)


def dots(ax):
    """Return the places of the dots of each method."""
    return {container.get_label(): container.lines[0].get_xydata() for container in ax.containers}


def test_each_method_has_a_dot_in_each_scenario(summary):
    ax = plot_errors(summary, scenario_labels={"mcar_05": "5 %"})
    drawn = dots(ax)
    assert {method: places[:, 1].tolist() for method, places in drawn.items()} == {
        "VAE": [0.4, 0.4],
        "KNN": [0.5, 0.5],
        "mean": [0.8, 0.8],
    }
    assert drawn["VAE"][0, 0] < drawn["KNN"][0, 0] < drawn["mean"][0, 0] < drawn["VAE"][1, 0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["5 %", "10 % at random"]
    assert "standard deviations" in ax.get_ylabel()


def test_errors_of_models_need_no_intervals():
    errors = pd.DataFrame({"training rows": [0.4, 0.3], "test rows": [0.5, 0.6]}, ["PCA", "VAE"])
    table = errors.rename_axis("scenario").reset_index()
    table = table.melt("scenario", var_name="method", value_name="mean")
    drawn = dots(plot_errors(table))
    assert drawn["training rows"][:, 1].tolist() == [0.4, 0.3]
    assert drawn["test rows"][:, 0].round().tolist() == [0, 1]


def test_a_method_that_a_scenario_lacks_leaves_a_gap(summary):
    without = summary.drop(index=0)  # the VAE at 5 %
    assert len(dots(plot_errors(without))["VAE"]) == 1
    first, second = plot_error_panels(without)
    assert [len(ax.containers[-1].lines[0].get_xdata()) for ax in (first, second)] == [0, 1]


def test_dots_take_the_colours_that_they_are_given():
    rows = [("mcar_10", "beta 0", 0.5, 0.01), ("mcar_10", "VAE", 0.6, 0.01)]
    summary = pd.DataFrame(rows, columns=["scenario", "method", "mean", "half_width"])
    ax = plot_errors(summary, colors={"beta 0": "#123456"})
    assert ax.containers[0].lines[0].get_color() == "#123456"


def test_panels_have_a_row_per_method_and_name_it_once(summary):
    many = pd.concat([summary, summary.assign(scenario=summary["scenario"] + "+own")])
    axes = plot_error_panels(many, scenario_labels={"mcar_05": "a"})
    assert [ax.get_title(loc="left") for ax in axes[:2]] == ["a", "10 % at random"]
    assert [tick.get_text() for tick in axes[3].get_yticklabels()] == ["VAE", "KNN", "mean"]
    assert axes[0].containers[1].lines[0].get_xdata().tolist() == [0.5]
    assert axes[0].get_ylim()[0] > axes[0].get_ylim()[1]  # the first on top
    hidden = [ax for ax in axes[0].figure.axes if not ax.get_visible()]
    assert len(axes) == 4
    assert len(hidden) == 2


def test_outcomes_share_a_legend(summary):
    outcomes = pd.concat([summary.assign(outcome=name) for name in ("grade", "survival")])
    axes = plot_outcomes(outcomes, ylabel="concordance")
    assert [ax.get_ylabel() for ax in axes] == ["concordance\n(grade)", "concordance\n(survival)"]
    assert [len(ax.containers) for ax in axes] == [3, 3]
    assert all(ax.get_legend() is None for ax in axes)
    (legend,) = axes[0].figure.legends
    assert len(legend.get_texts()) == 3


def test_findings_stand_with_their_intervals_in_percent():
    rows = [
        ("mcar_10", "VAE / KNN", -0.1, -0.2, 0.1),
        ("mcar_10", "VAE / SVD", 0.1, np.nan, np.nan),
        ("mcar_30", "VAE / KNN", -0.3, -0.4, -0.2),
    ]
    ax = plot_findings(pd.DataFrame(rows, columns=["cell", "compared", "value", "low", "high"]))
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [
        "10 % at random",
        "30 % at random",
    ]
    knn, svd = (container.lines for container in ax.containers)
    np.testing.assert_allclose(knn[0].get_xydata()[:, 0], [-10, -30])
    ends = knn[2][0].get_segments()[0][:, 0].astype(float)  # matplotlib's are objects
    np.testing.assert_allclose(ends, [-20, 10])
    assert np.ptp(svd[2][0].get_segments()[0][:, 0]) == 0


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
