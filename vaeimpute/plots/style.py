"""The look that all figures share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from vaeimpute.methods import method_colors, method_markers
from vaeimpute.missingness import scenario_label

ERROR = "mean absolute error\n(standard deviations)"
DASHES = ("-", "--", ":", "-.")
LEVELS = "viridis"  # ordered categories and continuous variables
_OTHERS = ("black", "#E69F00", "0.45", "#F4B6C2")  # what is no method; they differ in lightness


def use_style() -> None:
    """Set the look of all figures: white ground in light and dark mode, sizes that fit a page."""
    sns.set_theme(
        context="notebook",
        style="ticks",
        rc={
            "figure.figsize": (7.5, 4.0),
            "figure.dpi": 110,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.grid.axis": "y",
            "grid.color": "0.9",
            "axes.axisbelow": True,
            "legend.frameon": False,
        },
    )


def looks(
    names: Iterable[str], colors: Mapping[str, str] | None = None
) -> dict[str, tuple[str, str]]:
    """Return colour and marker by name: those of a method, or else of a few that no method has.

    Examples
    --------
    >>> looks(["VAE", "PCA"], {"PCA": "red"})
    {'VAE': ('#1B3A6B', 'P'), 'PCA': ('red', 'd')}
    """
    known, markers = method_colors() | dict(colors or {}), method_markers()
    other_colors, other_markers = cycle(_OTHERS), cycle("dh<>pH8")
    return {
        name: (
            known[name] if name in known else next(other_colors),
            markers[name] if name in markers else next(other_markers),
        )
        for name in dict.fromkeys(map(str, names))
    }


def beta_colors(methods: Iterable[str]) -> dict[str, str]:
    """Give beta-VAEs shades that go from light to dark, and everything else another hue.

    Parameters
    ----------
    methods : iterable of str
        Names; those of beta-VAEs are ``"beta"`` and a number.

    Returns
    -------
    dict of str to str
        For the parameter ``colors`` of the figures.

    Examples
    --------
    >>> list(beta_colors(["beta 0", "beta 10", "autoencoder"]).values())
    ['#b0dd2f', '#482475', '#E69F00']
    """
    methods = list(dict.fromkeys(methods))
    numbers = {m: m.removeprefix("beta ").replace(".", "", 1).isdigit() for m in methods}
    betas = sorted((m for m in methods if numbers[m]), key=lambda m: float(m.split()[1]))
    shades = mpl.colormaps[LEVELS](np.linspace(0.88, 0.1, len(betas)))
    colors = dict(zip(betas, map(mpl.colors.to_hex, shades), strict=True))
    # Hues that the shades do not have, and of other lightness than four of those.
    hues = cycle(("#E69F00", "#F4B6C2", "#3A0018"))
    return colors | {method: next(hues) for method in methods if method not in colors}


def label_of(name: str, labels: Mapping[str, str] | None = None) -> str:
    """Return what a figure calls something; scenarios have short names of their own."""
    return (labels or {}).get(name, scenario_label(str(name)))


def name_ticks(ax: Axes, names: Sequence[str], labels: Mapping[str, str] | None = None) -> None:
    """Write what stands at the places 0, 1, 2, ... of the horizontal axis."""
    ax.set_xticks(range(len(names)), [label_of(name, labels) for name in names])
    ax.tick_params(axis="x", length=0)


def name_rows(ax: Axes, names: Sequence[str], xlabel: str) -> None:
    """Write what stands in the rows of a figure, the first on top."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False)
    ax.grid(visible=True, axis="x")
    ax.set_xlabel(xlabel)


def share_legend(axes: Iterable[Axes], *, ncols: int = 4) -> None:
    """Replace the legends of several axes by one above their figure, which names all methods."""
    handles: dict = {}
    for ax in axes:
        found, labels = ax.get_legend_handles_labels()
        handles |= dict(zip(labels, found, strict=True))
        if (legend := ax.get_legend()) is not None:
            legend.remove()
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.legend(handles.values(), handles.keys(), ncols=ncols, loc="outside upper center")


def show(data: pd.DataFrame) -> None:
    """Show the open figures of a notebook's cell, and keep their data for the page.

    Parameters
    ----------
    data : DataFrame
        What is drawn. The book offers it below the figure, as csv with five significant digits;
        its index is written if it has a name.
    """
    from IPython.display import display

    plt.show()
    named = any(name is not None for name in data.index.names)
    display({"text/csv": data.to_csv(index=named, float_format="%.5g")}, raw=True)
