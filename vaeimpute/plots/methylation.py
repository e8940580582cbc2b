"""Errors against the reads that stand behind a value."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from vaeimpute.plots.style import METHOD_COLORS

# Markers and dashes repeat what the colours say.
_STYLES = {
    "mean": ("P", (0, (1, 1))),
    "KNN": ("s", "-"),
    "SVD": ("^", "--"),
    "SVD, tuned": ("v", "--"),
    "Gaussian": ("D", "-."),
    "VAE": ("o", "-"),
}


def plot_error_by_coverage(
    table: pd.DataFrame,
    *,
    threshold: int | None = None,
    ylabel: str = "mean absolute error\n(standard deviations)",
    ax: Axes | None = None,
) -> Axes:
    """Lines of the error over classes of read coverage, one per method.

    Parameters
    ----------
    table : DataFrame
        Rows of `vaeimpute.evaluation.error_by_coverage` for every method, with a column ``method``.
        What is no method of `METHOD_COLORS` is drawn in black: a measurement to compare with.
    threshold : int, optional
        Draw a line below the class that begins with this many reads.
    ylabel : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> rows = [("VAE", 1, "1-5", 0.5), ("VAE", 6, "6+", 0.4)]
    >>> table = pd.DataFrame(rows, columns=["method", "reads", "label", "mae"])
    >>> ax = plot_error_by_coverage(table)
    >>> [text.get_text() for text in ax.get_xticklabels()]
    ['1-5', '6+']
    """
    ax = plt.subplots()[1] if ax is None else ax
    classes = table[["reads", "label"]].drop_duplicates().sort_values("reads")
    place = {reads: number for number, reads in enumerate(classes["reads"])}
    for method, part in table.groupby("method", sort=False):
        marker, dashes = _STYLES.get(str(method), ("x", "-"))
        ax.plot(
            part["reads"].map(place), part["mae"], color=METHOD_COLORS.get(str(method), "black"),
            marker=marker, linestyle=dashes, markersize=5, label=method,
        )  # fmt: skip
    if threshold is not None:
        edge = (classes["reads"] < threshold).sum() - 0.5
        ax.axvline(edge, color="0.4", linewidth=1, linestyle=":")
    ax.set_xticks(range(len(classes)), classes["label"])
    ax.set(xlabel="reads behind the value", ylabel=ylabel, ylim=(0, None))
    ax.legend()
    return ax


def plot_coverage_and_error(
    relation: pd.DataFrame, *, what: str, method: str, ax: Axes | None = None
) -> Axes:
    """Dots of mean coverage and mean error, one per site or sample.

    Parameters
    ----------
    relation : DataFrame
        From `vaeimpute.evaluation.coverage_and_error`.
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
        color=METHOD_COLORS[method], alpha=0.35 if len(relation) > 500 else 0.8, linewidth=0,
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
