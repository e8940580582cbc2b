import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from vaeimpute.plots import (
    beta_colors,
    plot_contraction,
    plot_errors,
    plot_noise,
    plot_passes_by_method,
    plot_relative_errors,
)

METHODS = ["beta 10", "beta 0", "beta 0.5", "beta 1", "autoencoder", "denoising autoencoder"]


def lightness(color):
    return np.dot(mpl.colors.to_rgb(color), [0.299, 0.587, 0.114])


def test_larger_beta_is_darker_and_all_differ_in_greyscale():
    colors = beta_colors(METHODS)
    shades = [lightness(colors[f"beta {b}"]) for b in ("0", "0.5", "1", "10")]
    assert shades == sorted(shades, reverse=True)
    usual = beta_colors(["beta 0", "beta 1", "beta 4", "beta 10", *METHODS[4:]])
    assert min(np.diff(sorted(map(lightness, usual.values())))) > 0.05


def test_bars_take_colours_of_methods_that_the_style_does_not_know():
    rows = [("mcar_10", "beta 0", 0.5, 0.01), ("mcar_10", "VAE", 0.6, 0.01)]
    summary = pd.DataFrame(rows, columns=["scenario", "method", "mean", "half_width"])
    ax = plot_errors(summary, colors={"beta 0": "#123456"})
    assert mpl.colors.to_hex(ax.patches[0].get_facecolor()) == "#123456"
    with pytest.raises(KeyError, match="beta 0"):
        plot_errors(summary)


def test_every_split_has_its_dot_where_its_scenario_is():
    changes = pd.DataFrame(
        [(s, m, 0.01 * n) for s in ("a", "b") for m in METHODS[:3] for n in range(5)],
        columns=["scenario", "method", "change"],
    )
    ax = plot_relative_errors(changes, reference="beta 1", margin=0.02, colors=beta_colors(METHODS))
    points = np.concatenate([dots.get_offsets() for dots in ax.collections])
    assert len(points) == len(changes)
    assert len(np.unique(points[:, 0].round(6))) == len(changes)  # none hides another
    assert sorted(points[:, 0].round().astype(int)) == [0] * 15 + [1] * 15


def test_passes_draw_a_line_per_method_and_start():
    table = pd.DataFrame(
        [(m, i, n, 0.1**n) for m in METHODS for i in ("random", "mean") for n in (2, 3)],
        columns=["method", "init", "iteration", "mae"],
    )
    ax = plot_passes_by_method(table, "mae", ylabel="error", colors=beta_colors(METHODS))
    assert len(ax.lines) == 12
    assert ax.get_yscale() == "linear"
    assert {line.get_linestyle() for line in ax.lines} == {"-", "--"}


def test_contraction_shows_median_and_range():
    radii = pd.DataFrame({"method": "beta 0", "share": 0.3, "radius": [0.2, 0.3, 1.4]})
    ax = plot_contraction(radii, colors=beta_colors(METHODS))
    (bar,) = ax.collections[0].get_segments()
    np.testing.assert_allclose(bar[:, 1], [0.2, 1.4])
    assert ax.lines[0].get_ydata()[0] == pytest.approx(0.3)


def test_noise_is_drawn_in_order_per_method():
    noise = pd.DataFrame({"method": ["beta 0"] * 3, "signal_to_noise": [9.0, 2.0, 4.0]})
    points = plot_noise(noise, colors=beta_colors(METHODS)).collections[0].get_offsets()
    np.testing.assert_allclose(points[:, 1], [2.0, 4.0, 9.0])
    assert (np.diff(points[:, 0]) > 0).all()
