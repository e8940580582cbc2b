"""What it means that low values are missing, and what a shift does about it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from vaeimpute.plots.style import METHOD_COLORS


def plot_imputed_values(
    observed: np.ndarray,
    missing: np.ndarray,
    imputed: Mapping[str, np.ndarray],
    *,
    xlabel: str = "standard deviations",
    ax: Axes | None = None,
) -> Axes:
    """Distribution of values that were left, of those taken away, and of what was put there.

    Parameters
    ----------
    observed, missing : array
        True values that were left and taken away.
    imputed : mapping of str to array
        What methods put in the place of `missing`, by method.
    xlabel : str
        With the unit.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = plot_imputed_values(np.zeros(3), -np.ones(2), {"VAE": np.array([-0.5, -0.4])})
    >>> sorted(text.get_text() for text in ax.get_legend().get_texts())
    ['filled in by VAE', 'left', 'taken away']
    """
    ax = plt.subplots()[1] if ax is None else ax
    everything = np.concatenate([np.ravel(observed), np.ravel(missing)])
    low, high = np.quantile(everything, [0.0005, 0.9995])  # a few far values would squeeze the rest
    bins = np.linspace(low, high, 81).tolist()
    ax.hist(np.ravel(observed), bins, density=True, color="0.8", label="left")
    ax.hist(np.ravel(missing), bins, density=True, histtype="step", color="black",
            linewidth=1.6, label="taken away")  # fmt: skip
    for (method, values), style in zip(imputed.items(), cycle(("--", "-", ":")), strict=False):
        ax.hist(np.ravel(values), bins, density=True, histtype="step", linestyle=style,
                color=METHOD_COLORS[method], linewidth=2.2,
                label=f"filled in by {method}")  # fmt: skip
    ax.set(xlabel=xlabel, ylabel="density")
    ax.legend()
    return ax


def plot_shift_curves(
    curves: Mapping[str, pd.DataFrame],
    *,
    chosen: float | None = None,
    ylabel: str = "mean absolute error\n(standard deviations)",
    ax: Axes | None = None,
) -> Axes:
    """Error over the shift, one line per set of rows or method, its lowest point marked.

    Parameters
    ----------
    curves : mapping of str to DataFrame
        With columns ``shift`` and ``mae``. Lines named like a method have its colour.
    chosen : float, optional
        A shift to mark with a vertical line.
    ylabel : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> curve = pd.DataFrame({"shift": [0.0, 1.0, 2.0], "mae": [1.0, 0.5, 0.8]})
    >>> ax = plot_shift_curves({"validation rows": curve}, chosen=1.0)
    >>> ax.lines[1].get_xydata().tolist()
    [[1.0, 0.5]]
    """
    ax = plt.subplots()[1] if ax is None else ax
    others = cycle((METHOD_COLORS["VAE, shifted"], METHOD_COLORS["VAE"], METHOD_COLORS["Gaussian"]))
    for (name, curve), style in zip(curves.items(), cycle(("-", "--", "-.", ":")), strict=False):
        color = METHOD_COLORS[name] if name in METHOD_COLORS else next(others)
        ax.plot(curve["shift"], curve["mae"], color=color, linestyle=style, linewidth=2, label=name)
        least = curve.loc[curve["mae"].idxmin()]
        ax.plot(least["shift"], least["mae"], "o", color=color, markeredgecolor="0.3")
    if chosen is not None:
        ax.axvline(chosen, color="0.3", linewidth=1, zorder=0)
        ax.annotate(f"chosen: {chosen:g}", (chosen, 0.02), xycoords=("data", "axes fraction"),
                    xytext=(4, 0), textcoords="offset points")  # fmt: skip
    ax.set(xlabel="shift λ (predictive standard deviations)", ylabel=ylabel)
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax
