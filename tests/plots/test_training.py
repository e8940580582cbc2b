import numpy as np
import pandas as pd
import pytest

from vaeimpute.evaluation import summarize
from vaeimpute.plots import (
    plot_divergence,
    plot_history,
    plot_passes,
    plot_reconstruction,
    plot_settings,
)


def test_marked_epochs_are_named_with_their_number():
    history = pd.DataFrame({"epoch": [1, 2, 3], "validation_error": [0.9, 0.7, 0.8]})
    ax = plot_history(history, "validation_error", ylabel="error (sd)", marks={"least": 2})
    assert ax.lines[0].get_ydata().tolist() == [0.9, 0.7, 0.8]
    assert set(ax.lines[1].get_xdata()) == {2}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["least: 2"]
    assert plot_history(history, "epoch", ylabel="epoch").get_legend() is None


def test_every_error_is_a_bar_at_its_model():
    errors = pd.DataFrame(
        {"training rows": [0.4, 0.3], "test rows": [0.5, 0.6], "hidden": [0.55, 0.65]},
        index=["PCA", "VAE"],
    )
    ax = plot_reconstruction(errors)
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == errors.to_numpy().T.ravel().tolist()
    assert [round(bar.get_x() + bar.get_width() / 2) for bar in ax.patches] == [0, 1] * 3
    assert ".65" in [text.get_text() for text in ax.texts]


def test_dimensions_are_ranked():
    ax = plot_divergence(np.array([1.0, 3.0, 2.0]))
    assert [bar.get_height() for bar in ax.patches] == [3.0, 2.0, 1.0]
    assert "nats" in ax.get_ylabel()


def test_colours_tell_scenarios_and_lines_tell_starts():
    curves = pd.DataFrame(
        [(s, g, i, 1.0 / i) for s in ("a", "b") for g in ("mean", "random") for i in (1, 2, 3)],
        columns=["scenario", "start", "iteration", "mae"],
    )
    ax = plot_passes(curves, "mae", ylabel="error", scenario_labels={"a": "10 %"}, used=3)
    lines = {line.get_label(): line for line in ax.lines}
    one, same_scenario, same_start = (
        lines[name] for name in ("10 %, start: mean", "10 %, start: random", "b, start: mean")
    )
    assert one.get_color() == same_scenario.get_color() != same_start.get_color()
    assert one.get_linestyle() == same_start.get_linestyle() != same_scenario.get_linestyle()
    assert set(ax.lines[-1].get_xdata()) == {3}


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
