import numpy as np
import pandas as pd
import pytest

from vaeimpute.plots import plot_embedding, plot_filled, plot_mask, plot_survival_by_gene


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


def test_what_was_taken_is_black_first_and_then_the_only_full_colour():
    rng = np.random.default_rng(0)
    true, mask = rng.normal(size=(5, 8)), rng.random((5, 8)) < 0.3
    filled = {"mean": np.where(mask, 0.0, true), "KNN": true + 0.1}
    axes = plot_filled(true, mask, filled, {"mean": 0.8, "KNN": 0.1}, limit=1.0)
    left, taken, *guesses, errors = axes
    np.testing.assert_array_equal(left.images[0].get_array().mask, mask)
    for ax, values in zip([taken, *guesses], [true, *filled.values()], strict=True):
        (image,) = ax.images
        np.testing.assert_array_equal(image.get_array(), values)
        np.testing.assert_array_equal(image.get_alpha() == 1, mask)
    assert [line.get_xdata()[0] for line in errors.lines] == [0.8, 0.1]
    assert errors.get_xlim() == (0, 1)
