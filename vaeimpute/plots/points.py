"""Distributions, and single points: values, splits, sites, samples."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from scipy.stats import norm

from vaeimpute.plots.style import looks, name_ticks

_FILLED = "#B4C7DC"


def densities(
    values: Mapping[str, ArrayLike], *, limits: tuple[float, float] | None = None
) -> pd.DataFrame:
    """Densities of several sets of values, in 80 bins: the table that `plot_distributions` draws.

    Parameters
    ----------
    values : mapping of str to array-like
        By name. NaN are left out.
    limits : (float, float), optional
        Of the bins; what lies beyond is in the first and the last one. By default, all but a few
        far values, which would squeeze the rest.

    Returns
    -------
    DataFrame
        One row per bin: ``values`` (the name), ``left``, ``right`` and ``density``.

    Examples
    --------
    >>> table = densities({"level": [0.1, 0.9, np.nan]}, limits=(0, 8))
    >>> table[table["density"] > 0].round(3).values.tolist()
    [['level', 0.1, 0.2, 5.0], ['level', 0.9, 1.0, 5.0]]
    """
    arrays = {name: np.ravel(part) for name, part in values.items()}
    known = {name: array[~np.isnan(array)] for name, array in arrays.items()}
    if limits is None:
        limits = tuple(np.quantile(np.concatenate(list(known.values())), [0.0005, 0.9995]))
    edges = np.linspace(*limits, 81)
    tables = [
        pd.DataFrame({"values": name, "left": edges[:-1], "right": edges[1:], "density": density})
        for name, array in known.items()
        for density, _ in [np.histogram(array.clip(*limits), edges, density=True)]
    ]
    return pd.concat(tables, ignore_index=True)


def plot_distributions(
    values: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    limits: tuple[float, float] | None = None,
    reference: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Densities of several sets of values, the first filled and the others as outlines.

    Parameters
    ----------
    values : mapping of str to array-like
        By a name for the legend; the name of a method has its colour. NaN are left out.
    xlabel : str
        With the unit.
    limits : (float, float), optional
        Of the axis, as `densities` takes them.
    reference : bool
        Draw the standard normal density for comparison.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = plot_distributions({"left": [0.0, 1.0, np.nan], "taken away": [-1.0]}, xlabel="level")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['left', 'taken away']
    """
    ax = plt.subplots()[1] if ax is None else ax
    table = densities(values, limits=limits)
    first, *others = values
    palette = looks(others) | looks([first], {first: _FILLED})
    look: dict[str, Any]
    for name, style in zip(values, cycle(("-", "--", ":")), strict=False):
        part = table[table["values"] == name]
        edges = [*part["left"], part["right"].iloc[-1]]
        look = {"fill": True} if name == first else {"linewidth": 1.8, "linestyle": style}
        ax.stairs(part["density"], edges, color=palette[name][0], label=name, **look)
    if reference:
        ax.plot(edges, norm.pdf(edges), color="black", linewidth=1.2, linestyle="--",
                label="standard normal")  # fmt: skip
    ax.set(xlabel=xlabel, ylabel="density", xlim=(edges[0], edges[-1]))
    if others or reference:
        ax.legend()
    return ax


def plot_dots(
    table: pd.DataFrame,
    y: str,
    *,
    x: str = "scenario",
    by: str | None = None,
    reference: float = 0.0,
    margin: float = 0.0,
    colors: Mapping[str, str] | None = None,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """One dot per row, such as a split, those of one kind side by side in the table's order.

    Parameters
    ----------
    table : DataFrame
        Columns `x`, `y` and `by`.
    y : str
    x : str
        What stands side by side on the axis.
    by : str, optional
        What tells colours and markers apart; by default, `x` does.
    reference : float
        Marked by a horizontal line.
    margin : float
        How far from it counts as no difference: a grey band.
    colors : mapping of str to str, optional
        Of what is not in `vaeimpute.methods.METHODS`.
    ylabel : str
        With the unit.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> differences = pd.DataFrame({"scenario": ["mcar_10"] * 2, "difference": [-0.01, 0.02]})
    >>> ax = plot_dots(differences, "difference", ylabel="VAE minus KNN")
    >>> ax.collections[0].get_offsets()[:, 1].tolist()
    [-0.01, 0.02]
    """
    ax = plt.subplots()[1] if ax is None else ax
    names = list(table[x].unique())
    palette = looks(table[by or x], colors)
    n_sides = 1 if by is None else len(palette)
    width = 0.84 / n_sides
    for number, (name, (color, marker)) in enumerate(palette.items()):
        part = table[table[by or x] == name]
        group = part.groupby(x)[y]
        n_dots = group.transform("size")
        step = (group.cumcount() - (n_dots - 1) / 2) / n_dots
        side = 0 if by is None else number - (n_sides - 1) / 2
        ax.scatter(
            part[x].map(names.index) + width * (side + 0.7 * step), part[y], color=color,
            marker=marker, s=26, edgecolor="0.25", linewidth=0.5, label=name,
        )  # fmt: skip
    if margin:
        ax.axhspan(reference - margin, reference + margin, color="0.92", zorder=0, linewidth=0)
    ax.axhline(reference, color="0.3", linewidth=1)
    name_ticks(ax, names)
    ax.set_ylabel(ylabel)
    if by is not None:
        ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def plot_coverage_and_error(
    relation: pd.DataFrame, *, what: str, method: str, ax: Axes | None = None
) -> Axes:
    """Dots of mean coverage and mean error, one per site or sample.

    Parameters
    ----------
    relation : DataFrame
        From `vaeimpute.evaluation.errors.error_by_group`, with a column ``mean_reads``.
    what : str
        What a dot is: ``"site"`` or ``"sample"``.
    method : str
        Whose error it is; decides the colour.
    ax : Axes, optional

    Returns
    -------
    Axes

    Notes
    -----
    The white line joins the medians of eight equally large groups by coverage; a flat one says that
    coverage does not matter.

    Examples
    --------
    >>> relation = pd.DataFrame({"mean_reads": [3.0, 20.0], "mae": [0.3, 0.1]})
    >>> plot_coverage_and_error(relation, what="site", method="KNN").get_title()
    'one dot per site'
    """
    ax = plt.subplots()[1] if ax is None else ax
    # Thousands of dots are an image inside the page, not thousands of shapes.
    ax.scatter(
        relation["mean_reads"], relation["mae"], s=70 / len(relation) ** 0.35,
        color=looks([method])[method][0], alpha=0.35 if len(relation) > 500 else 0.8, linewidth=0,
        rasterized=True,
    )  # fmt: skip
    groups = pd.qcut(relation["mean_reads"], min(8, len(relation)), duplicates="drop")
    medians = relation.groupby(groups, observed=True)[["mean_reads", "mae"]].median()
    for color, width in (("black", 4.5), ("white", 2)):
        ax.plot(medians["mean_reads"], medians["mae"], color=color, linewidth=width)
    ax.set_xscale("log")
    low, high = relation["mean_reads"].min(), relation["mean_reads"].max()
    few = high > 10 * low  # labels further apart, lest they overlap
    marks = (1, 2, 5, 10, 20, 50, 100, 200) if few else (1, 2, 3, 5, 7, 10, 15, 20, 30, 50)
    ticks = [tick for tick in marks if low <= tick <= high]
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set(
        xlabel=f"mean reads of the {what}", ylim=(0, relation["mae"].quantile(0.998) * 1.1),
        ylabel=f"error of {method}\n(standard deviations)", title=f"one dot per {what}",
    )  # fmt: skip
    return ax
