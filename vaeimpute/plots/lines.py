"""Lines: what changes with epochs, iterations, shifts, sizes, or the properties of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, PercentFormatter

from vaeimpute.plots.style import DASHES, ERROR, label_of, looks, name_ticks, share_legend

_FEW = 15  # points that have a marker each
_MOST_TICKS = 4  # of sizes that are marked each


def plot_lines(
    table: pd.DataFrame,
    x: str,
    y: str,
    *,
    by: str = "method",
    dashes: str | None = None,
    error: str | Sequence[str] | None = None,
    lowest: bool = False,
    marks: Mapping[str, float] | None = None,
    labels: Mapping[str, str] | None = None,
    colors: Mapping[str, str] | None = None,
    xlabel: str | None = None,
    ylabel: str = ERROR,
    ax: Axes | None = None,
) -> Axes:
    """Lines of one column over another, one per method or whatever else `by` tells apart.

    Parameters
    ----------
    table : DataFrame
        Columns `x`, `y`, and those named below; rows of a line in its order.
    x : str
        Numbers, or names, which are placed side by side in their order.
    y : str
    by : str
        Gives a line its colour and marker: a method's own if it is the name of one. A table
        without this column is one line.
    dashes : str, optional
        Gives a line its kind, solid for the first of its values.
    error : str or two str, optional
        Half widths of intervals, or their lower and upper ends.
    lowest : bool
        Mark the lowest point of every line.
    marks : mapping of str to float, optional
        Places to mark by a vertical line, by what they are; of names, 0 is the first.
    labels : mapping of str to str, optional
        What to call the values of `by` instead.
    colors : mapping of str to str, optional
        By value of `by`, for what is not in `vaeimpute.methods.METHODS`.
    xlabel, ylabel : str
        With the unit.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [5.0, 3.0, 4.0]})
    >>> ax = plot_lines(history, "epoch", "loss", ylabel="nats", marks={"least": 2})
    >>> ax.lines[0].get_ydata().tolist(), ax.get_legend_handles_labels()[1]
    ([5.0, 3.0, 4.0], ['least: 2'])
    """
    ax = plt.subplots()[1] if ax is None else ax
    if by not in table:
        table = table.assign(**{by: "VAE"})
        labels = {"VAE": "_nolegend_"}
    numeric = pd.api.types.is_numeric_dtype(table[x])
    if not numeric:
        names = list(table[x].unique())
        table = table.assign(**{x: table[x].map(names.index)})
        name_ticks(ax, names)
    palette = looks(table[by], colors)
    kinds = [None] if dashes is None else list(table[dashes].unique())
    for name, (color, marker) in palette.items():
        for kind, style in zip(kinds, cycle(DASHES), strict=False):
            chosen = table[by].astype(str) == name
            part = table[chosen if dashes is None else chosen & (table[dashes] == kind)]
            if part.empty:
                continue
            label = label_of(name, labels)
            ends = None if error is None else part[error].to_numpy().T
            if ends is not None and ends.ndim == 2:
                ends = np.abs(ends - part[y].to_numpy())
            ax.errorbar(
                part[x], part[y], yerr=ends, capsize=3, elinewidth=1, color=color, linestyle=style,
                marker=marker if len(part) <= _FEW else None, markeredgecolor="0.3",
                markeredgewidth=0.5, markersize=5, linewidth=1.7,
                label=label if dashes is None else f"{label}, {dashes}: {kind}",
            )  # fmt: skip
            if lowest:
                least = part.iloc[part[y].argmin()]
                ax.plot(least[x], least[y], "o", color=color, markeredgecolor="0.3")
    for (name, place), style in zip((marks or {}).items(), cycle(DASHES[1:]), strict=False):
        label = f"{name}: {place:g}" if numeric else name
        ax.axvline(place, color="0.35", linestyle=style, linewidth=1.2, label=label)
    ax.set(xlabel=x if xlabel is None else xlabel, ylabel=ylabel)
    if ax.get_legend_handles_labels()[1]:
        ax.legend()
    return ax


def plot_scaling(points: pd.DataFrame, varied: str, *, xlabel: str, ax: Axes | None = None) -> Axes:
    """Time against one size, a line per program, both axes logarithmic.

    Parameters
    ----------
    points : DataFrame
        Columns ``program``, ``varied``, ``total_seconds`` and the one that `varied` names. Only
        rows in which it was varied are drawn.
    varied : str
    xlabel : str
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
    drawn = points[points["varied"] == varied].dropna(subset="total_seconds")
    colors = {name: color for name, (color, _) in looks(points["program"]).items()}
    ax = plot_lines(drawn, varied, "total_seconds", by="program", colors=colors, xlabel=xlabel,
                    ylabel="seconds", ax=ax)  # fmt: skip
    ax.set(xscale="log", yscale="log")
    ax.xaxis.set_minor_formatter(NullFormatter())  # its labels are too close to one another
    sizes = np.unique(drawn[varied])
    if len(sizes) <= _MOST_TICKS:
        ax.set_xticks(sizes, [f"{size:g}" for size in sizes])
        ax.set_xticks([], minor=True)
    ax.grid(visible=True, which="major", axis="both")
    return ax


def plot_interval_coverage(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Coverage of predictive intervals over what they promise, with the diagonal.

    Parameters
    ----------
    table : DataFrame
        From `vaeimpute.evaluation.interval_coverage`; with a column ``method``, a line for each.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = plot_interval_coverage(pd.DataFrame({"level": [0.5, 0.9], "coverage": [0.4, 0.8]}))
    >>> ax.lines[1].get_ydata().tolist()
    [0.4, 0.8]
    """
    ax = plt.subplots()[1] if ax is None else ax
    ax.plot([0, 1], [0, 1], color="0.5", linestyle="--", linewidth=1, label="as promised")
    if "method" not in table:
        table = table.assign(method="on hidden values")
    plot_lines(table, "level", "coverage", xlabel="what the interval promises",
               ylabel="true values in the interval", ax=ax)  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    ax.set(xlim=(0, 1), ylim=(0, 1))
    return ax


def plot_errors_by_property(
    table: pd.DataFrame, *, property_labels: Mapping[str, str] | None = None
) -> np.ndarray:
    """Two panels per property: the error of each method per bin, and where each has the least.

    Parameters
    ----------
    table : DataFrame
        From `vaeimpute.evaluation.errors.errors_by_property`.
    property_labels : mapping of str to str, optional
        What to write below the panels instead of the names of the properties.

    Returns
    -------
    ndarray of Axes of shape (n_properties, 2)

    Examples
    --------
    >>> rows = [("mean", b, 5.0 * b, 9, "VAE", 0.5, 1.0) for b in (1, 2)]
    >>> columns = ["property", "bin", "middle", "n_features", "method", "mae", "share_won"]
    >>> axes = plot_errors_by_property(pd.DataFrame(rows, columns=columns))
    >>> axes.shape, axes[0, 0].lines[0].get_ydata().tolist()
    ((1, 2), [0.5, 0.5])
    """
    names = list(table["property"].unique())
    size = (6.8, 2.6 * len(names) + 0.6)
    _, axes = plt.subplots(len(names), 2, figsize=size, sharey="col", squeeze=False)
    for (errors, winners), name in zip(axes, names, strict=True):
        part = table[table["property"] == name]
        part = part.assign(middle=part["middle"].map("{:.2g}".format))
        label = (property_labels or {}).get(name, name)
        plot_lines(part, "middle", "mae", xlabel=label, ylabel="", ax=errors)
        methods = looks(part["method"])
        shares = part.pivot(index="bin", columns="method", values="share_won")[list(methods)]
        colors = [color for color, _ in methods.values()]
        shares.plot.bar(stacked=True, color=colors, width=0.9, edgecolor="white", linewidth=0.8,
                        legend=False, ax=winners)  # fmt: skip
        winners.set(ylim=(0, 1), xlabel=label)
        winners.tick_params(labelleft=True)
        winners.set_xticklabels(part["middle"].unique(), rotation="horizontal")
    axes[0, 0].set_title(ERROR, fontsize="medium")
    axes[0, 1].set_title("share of genes where\nthe method errs least", fontsize="medium")
    share_legend(axes[:, 0])
    return axes


def plot_difference_densities(
    densities: Mapping[str, pd.DataFrame], *, methods: Sequence[str] = ("KNN", "VAE")
) -> list[Axes]:
    """Densities of the differences from the true coefficients, a column of panels per coefficient.

    Parameters
    ----------
    densities : mapping of str to DataFrame
        From `vaeimpute.evaluation.clinical.difference_density`, by the title of the column.
    methods : sequence of str

    Returns
    -------
    list of Axes
        Row by row; a row is a scenario.

    Examples
    --------
    >>> density = pd.DataFrame({"scenario": "mcar_10", "method": "VAE", "difference": [-0.5, 0.5],
    ...                         "density": [0.4, 0.6]})
    >>> [ax] = plot_difference_densities({"a: grade": density}, methods=["VAE"])
    >>> ax.lines[0].get_ydata().tolist()
    [0.4, 0.6]
    """
    scenarios = list(next(iter(densities.values()))["scenario"].unique())
    _, axes = plt.subplots(
        len(scenarios), len(densities), squeeze=False, sharex=True,
        figsize=(3.4 * len(densities), 1.8 * len(scenarios) + 0.6),
    )  # fmt: skip
    for column, (title, density) in zip(axes.T, densities.items(), strict=True):
        for ax, scenario in zip(column, scenarios, strict=True):
            part = density[density["scenario"] == scenario]
            # Where curves coincide, dashes show those below.
            for (name, (color, _)), style in zip(looks(methods).items(), cycle(DASHES)):
                curve = part[part["method"] == name]
                ax.plot(curve["difference"], curve["density"], color=color, linestyle=style,
                        linewidth=1.9, label=name)  # fmt: skip
            ax.set(xlim=(-1, 1), ylim=(0, None))
        column[0].set_title(title, fontsize="medium")
        column[-1].set_xlabel("imputed − true")
    for ax, scenario in zip(axes[:, 0], scenarios, strict=True):
        ax.set_ylabel(f"{label_of(scenario)}\ndensity")
    share_legend(axes.flat)
    return list(axes.flat)
