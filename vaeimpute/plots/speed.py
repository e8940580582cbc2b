"""How long imputation takes, and how that grows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from vaeimpute.plots.style import METHOD_COLORS

_OTHERS = ("0.35", "0.55", "0.7")  # programs of others; lines and markers tell them apart
_MARKERS = "os^Dv"
_LINES = ("--", ":", "-.")
_MOST_TICKS = 4  # of sizes that are marked each


def plot_times(times: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Dots for the seconds of several methods, one line each, on a logarithmic axis.

    Parameters
    ----------
    times : DataFrame
        One row per line: ``label``, ``fit_seconds``, ``impute_seconds`` and, optionally,
        ``paper_seconds``. Filled dots are the time to impute; hollow ones add what was computed
        before, where it takes longer than a tenth of that; crosses are the paper's times.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> times = pd.DataFrame({
    ...     "label": ["KNN", "VAE"], "fit_seconds": [0.0, 9000.0], "impute_seconds": [2.0, 1.0]})
    >>> ax = plot_times(times)
    >>> ax.get_xscale(), [tick.get_text() for tick in ax.get_yticklabels()]
    ('log', ['KNN', 'VAE'])
    """
    ax = plt.subplots()[1] if ax is None else ax
    y = np.arange(len(times))
    impute = times["impute_seconds"].to_numpy()
    total = impute + times["fit_seconds"].fillna(0.0).to_numpy()
    color = METHOD_COLORS["VAE"]
    longer = total > 1.1 * impute
    ax.hlines(y[longer], impute[longer], total[longer], color="0.6", linewidth=1.2, zorder=1)
    ax.scatter(total[longer], y[longer], s=46, facecolor="white", edgecolor=color, linewidth=1.5,
               label="with what is computed before", zorder=2)  # fmt: skip
    ax.scatter(impute, y, s=46, color=color, label="to impute", zorder=3)
    if "paper_seconds" in times and times["paper_seconds"].notna().any():
        ax.scatter(times["paper_seconds"], y, s=50, marker="x", color=METHOD_COLORS["Gaussian"],
                   linewidth=2, label="the paper's, on 20 cores", zorder=4)  # fmt: skip
    ax.set_xscale("log")
    ax.set_yticks(y, list(times["label"]))
    ax.set_ylim(len(times) - 0.5, -0.5)  # the first on top
    ax.grid(visible=False)
    ax.grid(visible=True, axis="x")
    ax.set_xlabel("seconds")
    ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize="small")
    return ax


def plot_scaling(
    points: pd.DataFrame,
    varied: str,
    *,
    xlabel: str,
    quantity: str = "total_seconds",
    ax: Axes | None = None,
) -> Axes:
    """Time against one size, a line per program, both axes logarithmic.

    Parameters
    ----------
    points : DataFrame
        Columns ``program``, ``varied``, `quantity` and the one that `varied` names. Only rows in
        which it was varied are drawn.
    varied : str
    xlabel : str
    quantity : str
        In seconds.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> points = pd.DataFrame({
    ...     "program": "KNN", "varied": "n", "n": [100, 200], "total_seconds": [0.1, 0.2]})
    >>> plot_scaling(points, "n", xlabel="training rows").lines[0].get_xdata().tolist()
    [100, 200]
    """
    ax = plt.subplots()[1] if ax is None else ax
    drawn = points[points["varied"] == varied].dropna(subset=quantity)
    programs: Sequence[str] = list(points["program"].unique())
    others = [program for program in programs if program not in METHOD_COLORS]
    for number, program in enumerate(programs):
        part = drawn[drawn["program"] == program]
        if part.empty:
            continue
        style: dict[str, Any] = {"color": METHOD_COLORS.get(program), "linestyle": "-"}
        if program in others:
            which = others.index(program)
            style = {
                "color": _OTHERS[which % len(_OTHERS)],
                "linestyle": _LINES[which % len(_LINES)],
            }
        ax.plot(part[varied], part[quantity], marker=_MARKERS[number % len(_MARKERS)],
                markersize=4, linewidth=1.6, label=program, **style)  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel=xlabel, ylabel="seconds")
    ax.xaxis.set_minor_formatter(NullFormatter())  # its labels are too close to one another
    sizes = np.unique(drawn[varied])
    if len(sizes) <= _MOST_TICKS:
        ax.set_xticks(sizes, [f"{size:g}" for size in sizes])
        ax.set_xticks([], minor=True)
    ax.grid(visible=True, which="major", axis="both")
    return ax
