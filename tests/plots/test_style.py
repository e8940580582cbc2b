import matplotlib as mpl
import numpy as np
import pandas as pd

from vaeimpute.methods import method_colors
from vaeimpute.plots import beta_colors, show
from vaeimpute.plots.style import looks

BETAS = ["beta 10", "beta 0", "beta 0.5", "beta 1", "autoencoder", "denoising autoencoder"]


def lightness(color):
    return np.dot(mpl.colors.to_rgb(color), [0.299, 0.587, 0.114])


def test_the_methods_differ_in_greyscale():
    assert min(np.diff(sorted(map(lightness, method_colors().values())))) > 0.1


def test_what_is_no_method_differs_in_greyscale_too():
    others = looks(["a", "b", "c", "d"])
    assert min(np.diff(sorted(lightness(color) for color, _ in others.values()))) > 0.1
    assert len({marker for _, marker in others.values()}) == 4


def test_larger_beta_is_darker_and_all_differ_in_greyscale():
    colors = beta_colors(BETAS)
    shades = [lightness(colors[f"beta {b}"]) for b in ("0", "0.5", "1", "10")]
    assert shades == sorted(shades, reverse=True)
    usual = beta_colors(["beta 0", "beta 1", "beta 4", "beta 10", *BETAS[4:]])
    assert min(np.diff(sorted(map(lightness, usual.values())))) > 0.05


def test_shown_data_go_to_the_page_with_five_digits(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **kwargs: shown.append(data))
    table = pd.DataFrame({"mae": [1 / 3]}, index=pd.Index(["VAE"], name="method"))
    show(table)
    show(table.reset_index())
    assert shown == 2 * [{"text/csv": "method,mae\nVAE,0.33333\n"}]
