"""Cohorts, their values and their samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from vaeimpute.plots.style import LEVELS, METHOD_COLORS

_MOST_LEVELS = 6  # of a number; more of them get a colour bar


def plot_value_distribution(
    values: pd.DataFrame, *, xlabel: str, reference: bool = False, ax: Axes | None = None
) -> Axes:
    """Histogram of all values of a matrix.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
    xlabel : str
        With the unit.
    reference : bool
        Draw the standard normal density for comparison.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> values = pd.DataFrame({"g": [0.0, 0.4, 1.0]})
    >>> plot_value_distribution(values, xlabel="level").get_ylabel()
    'density'
    """
    ax = plt.subplots()[1] if ax is None else ax
    flat = values.to_numpy().ravel()
    flat = flat[~np.isnan(flat)]
    low, high = np.quantile(flat, [0.0005, 0.9995])  # a few far values would squeeze the rest
    ax.hist(flat, bins=80, range=(low, high), density=True, color=METHOD_COLORS["KNN"])
    if reference:
        x = np.linspace(low, high, 200)
        density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
        ax.plot(x, density, color="black", linewidth=1.2, linestyle="--", label="standard normal")
        ax.legend()
    ax.set(xlabel=xlabel, ylabel="density")
    return ax


def plot_spectrum(
    spectra: Mapping[str, np.ndarray], *, most: int = 50, ax: Axes | None = None
) -> Axes:
    """Cumulative shares of variance of the leading principal components of several matrices.

    Parameters
    ----------
    spectra : mapping of str to array
        From `vaeimpute.evaluation.structure.correlation_spectrum`; compare matrices of as many
        samples.
    most : int
        Components shown.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = plot_spectrum({"real": np.array([0.5, 0.3, 0.2])})
    >>> ax.lines[0].get_ydata().round(1).tolist()
    [0.0, 0.5, 0.8, 1.0]
    """
    ax = plt.subplots()[1] if ax is None else ax
    for (name, spectrum), style in zip(spectra.items(), cycle(("-", "--", ":")), strict=False):
        shares = np.insert(np.cumsum(spectrum[:most]), 0, 0.0)
        ax.plot(shares, linestyle=style, label=name)
    ax.set(xlabel="principal components", ylabel="cumulative share of variance", ylim=(0, 1.02))
    ax.legend()
    return ax


def plot_survival(
    clinical: pd.DataFrame, by: str, *, time_unit: str, ax: Axes | None = None
) -> Axes:
    """Kaplan-Meier curves of the levels of a clinical variable.

    Parameters
    ----------
    clinical : DataFrame
        With columns ``time``, ``event`` (1 = it happened) and `by`; rows without one are left out.
    by : str
        A column with a few levels.
    time_unit : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> clinical = pd.DataFrame({"time": [3, 5, 8], "event": [1, 0, 1], "grade": [2, 2, 3]})
    >>> ax = plot_survival(clinical, "grade", time_unit="months")
    >>> len(ax.lines)
    2
    """
    from lifelines import KaplanMeierFitter  # takes a second to import

    ax = plt.subplots()[1] if ax is None else ax
    groups = clinical.dropna(subset=["time", "event", by]).groupby(by)
    styles = ("-", "--", ":", "-.")
    colors = mpl.colormaps[LEVELS](np.linspace(0, 0.7, groups.ngroups))  # the rest is too pale
    for number, (level, part) in enumerate(groups):
        curve = KaplanMeierFitter().fit(part["time"], part["event"]).survival_function_
        name = f"{level:g}" if isinstance(level, float) else str(level)
        ax.step(
            curve.index, curve.iloc[:, 0], where="post", color=colors[number],
            linestyle=styles[number % len(styles)], linewidth=2, label=f"{name} (n = {len(part)})",
        )  # fmt: skip
    ax.set(xlabel=f"time ({time_unit})", ylabel="share without event", ylim=(0, 1.02))
    ax.legend(title=by, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_embedding(
    coordinates: np.ndarray,
    labels: pd.Series,
    *,
    axis_labels: Sequence[str],
    legend_title: str,
    ax: Axes | None = None,
) -> Axes:
    """Scatter samples in two dimensions, coloured by a clinical variable.

    Parameters
    ----------
    coordinates : array of shape (n_samples, 2)
    labels : Series of shape (n_samples,)
        Words and a few numbers get a legend, many numbers a colour bar; samples without a label are
        grey crosses.
    axis_labels : sequence of two str
    legend_title : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> points = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> ax = plot_embedding(
    ...     points, pd.Series([2, 3]), axis_labels=("PC1", "PC2"), legend_title="grade")
    >>> ax.get_xlabel()
    'PC1'
    """
    ax = plt.subplots()[1] if ax is None else ax
    if coordinates.shape != (len(labels), 2):
        raise ValueError(f"Expected coordinates of shape ({len(labels)}, 2) but got "
                         f"{coordinates.shape}.")  # fmt: skip
    x, y = coordinates.T
    known = labels.notna().to_numpy()
    levels = sorted(labels[known].unique())
    ax.scatter(x[~known], y[~known], marker="x", s=22, color="0.6", linewidth=1,
               label=None if known.all() else "unknown")  # fmt: skip
    if len(levels) <= _MOST_LEVELS or not pd.api.types.is_numeric_dtype(labels):
        colors = sns.color_palette(LEVELS, len(levels))
        # Shapes repeat what the colours say.
        for level, color, marker in zip(levels, colors, cycle("ovsDP^"), strict=False):
            chosen = (labels == level).to_numpy()
            name = f"{level:g}" if isinstance(level, float) else str(level)
            ax.scatter(x[chosen], y[chosen], color=[color], marker=marker, s=28,
                       edgecolor="white", linewidth=0.4, label=name)  # fmt: skip
        ax.legend(title=legend_title, loc="upper left", bbox_to_anchor=(1, 1))
    else:
        points = ax.scatter(x[known], y[known], c=labels[known], cmap=LEVELS, s=22,
                            edgecolor="white", linewidth=0.3)  # fmt: skip
        ax.figure.colorbar(points, ax=ax, label=legend_title)
    ax.set(xlabel=axis_labels[0], ylabel=axis_labels[1])
    ax.grid(visible=False)
    return ax


def plot_mask(
    mask: np.ndarray,
    *,
    order: np.ndarray | None = None,
    xlabel: str = "features",
    ax: Axes | None = None,
) -> Axes:
    """Heat map of the share of values that are missing, features sorted so that structure shows.

    Parameters
    ----------
    mask : boolean array of shape (n_rows, n_features)
        True where a value is missing.
    order : integer array of shape (n_features,), optional
        Positions of the features from left to right.
    xlabel : str
        With the order that the features are in.
    ax : Axes, optional

    Returns
    -------
    Axes

    Notes
    -----
    A screen has fewer pixels than a cohort has features: neighbouring features share one of at
    most 300 columns, whose shade is the share that is missing among them. Black is a half or more,
    in every picture, so that thin masks are visible and pictures can be compared.

    Examples
    --------
    >>> ax = plot_mask(np.array([[True, False], [False, False]]))
    >>> ax.images[0].get_array().tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    ax = plt.subplots()[1] if ax is None else ax
    ordered = mask if order is None else mask[:, order]
    starts = np.unique(np.linspace(0, mask.shape[1], 301).astype(int)[:-1])
    sizes = np.diff(np.append(starts, mask.shape[1]))
    share = np.add.reduceat(ordered.astype(float), starts, axis=1) / sizes
    ax.imshow(
        share,
        cmap="Greys",
        vmin=0,
        vmax=0.5,
        aspect="auto",
        interpolation="nearest",
        extent=(0, mask.shape[1], len(mask), 0),
    )
    ax.set(xlabel=xlabel, ylabel="test rows")
    ax.locator_params(axis="x", nbins=4)
    ax.grid(visible=False)
    return ax


def plot_masked_values(
    values: np.ndarray, mask: np.ndarray, *, xlabel: str, ax: Axes | None = None
) -> Axes:
    """Distribution of the values that a mask takes away, beside that of those it leaves.

    Parameters
    ----------
    values : array of shape (n_rows, n_features)
    mask : boolean array of shape (n_rows, n_features)
    xlabel : str
        With the unit.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> values = np.array([[0.0, 1.0, 2.0, 3.0]])
    >>> ax = plot_masked_values(values, values < 1.5, xlabel="standard deviations")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['left', 'taken away']
    """
    ax = plt.subplots()[1] if ax is None else ax
    observed = ~np.isnan(values)
    low, high = np.quantile(values[observed], [0.0005, 0.9995])
    bins = np.linspace(low, high, 61).tolist()
    ax.hist(values[observed & ~mask], bins, density=True, color=METHOD_COLORS["KNN"], label="left")
    ax.hist(values[mask], bins, density=True, histtype="step", color="black", linewidth=1.3,
            label="taken away")  # fmt: skip
    ax.set(xlabel=xlabel, ylabel="density")
    ax.legend()
    return ax


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
        Rows of `vaeimpute.evaluation.errors.error_by_coverage` for every method, with a column
        ``method``. What is no method of `METHOD_COLORS` is drawn in black: a measurement to
        compare with.
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
