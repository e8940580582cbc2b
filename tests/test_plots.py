import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from vaeimpute.plots import METHOD_COLORS, plot_embedding, plot_errors, plot_mask


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


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
