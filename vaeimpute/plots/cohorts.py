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
        From `vaeimpute.evaluation.correlation_spectrum`; compare matrices of as many samples.
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
