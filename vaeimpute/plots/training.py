"""Training, iterative imputation, and settings compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import cycle

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from vaeimpute.plots.style import LEVELS, METHOD_COLORS

_FIRST, _SECOND, _THIRD = (METHOD_COLORS[name] for name in ("KNN", "VAE", "mean"))


def plot_history(
    history: pd.DataFrame,
    column: str,
    *,
    ylabel: str,
    marks: Mapping[str, int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Course of one column of a training history over the epochs.

    Parameters
    ----------
    history : DataFrame
        ``history_`` of a fitted neural imputer: ``epoch`` and `column`.
    column : str
    ylabel : str
        With the unit.
    marks : mapping of str to int, optional
        Epochs to mark by a vertical line, by what they are.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> history = pd.DataFrame({"epoch": [1, 2], "loss": [5.0, 3.0]})
    >>> plot_history(history, "loss", ylabel="nats").lines[0].get_ydata().tolist()
    [5.0, 3.0]
    """
    ax = plt.subplots()[1] if ax is None else ax
    ax.plot(history["epoch"], history[column], color=_SECOND, linewidth=1.8)
    for (name, epoch), style in zip((marks or {}).items(), ("--", ":", "-."), strict=False):
        ax.axvline(epoch, color="0.35", linestyle=style, linewidth=1.2, label=f"{name}: {epoch}")
    if marks:
        ax.legend(fontsize="small", frameon=True, edgecolor="none", framealpha=1)
    ax.set(xlabel="epoch", ylabel=ylabel)
    return ax


def plot_reconstruction(
    errors: pd.DataFrame,
    *,
    ylabel: str = "mean absolute error\n(standard deviations)",
    ax: Axes | None = None,
) -> Axes:
    """Bars of several errors per model, side by side, with their values.

    Parameters
    ----------
    errors : DataFrame of shape (n_models, at most 3)
        Index: the models. Columns: what the errors are of.
    ylabel : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> errors = pd.DataFrame({"training rows": [0.4], "test rows": [0.5]}, index=["PCA"])
    >>> [float(bar.get_height()) for bar in plot_reconstruction(errors).patches]
    [0.4, 0.5]
    """
    ax = plt.subplots()[1] if ax is None else ax
    width = 0.84 / errors.shape[1]
    for number, (name, column) in enumerate(errors.items()):
        x = np.arange(len(errors)) + (number - (errors.shape[1] - 1) / 2) * width
        color = (_FIRST, _SECOND, _THIRD)[number]
        bars = ax.bar(x, column, width=width * 0.94, color=color, label=name)
        labels = [f"{value:.2f}".lstrip("0") for value in column]
        ax.bar_label(bars, labels, fontsize="x-small", padding=2)
    ax.set_xticks(np.arange(len(errors)), list(errors.index))
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel(ylabel)
    ax.margins(y=0.12)
    ax.legend(ncols=errors.shape[1], loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def plot_divergence(divergence: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Bars of the divergence of every latent dimension, largest first.

    Parameters
    ----------
    divergence : array of shape (latent_dim,)
        From `vaeimpute.evaluation.networks.divergence_by_dimension`.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = plot_divergence(np.array([0.1, 7.0]))
    >>> [float(bar.get_height()) for bar in ax.patches]
    [7.0, 0.1]
    """
    ax = plt.subplots()[1] if ax is None else ax
    ranks = np.arange(1, len(divergence) + 1)
    ax.bar(ranks, np.sort(divergence)[::-1], color=_SECOND, width=0.8)
    ax.set(xlabel="latent dimensions, by rank", ylabel="divergence from the prior\n(nats per row)")
    return ax


def plot_passes(
    curves: pd.DataFrame,
    column: str,
    *,
    ylabel: str,
    scenario_labels: Mapping[str, str] | None = None,
    used: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Course of an iterative imputation over its passes, by scenario and start.

    Parameters
    ----------
    curves : DataFrame
        Columns ``scenario``, ``start``, ``iteration`` and `column`: means of what
        `vaeimpute.evaluation.follow_iterations` returns. Colours tell the scenarios apart, and the
        kind of line the starts.
    column : str
    ylabel : str
        With the unit.
    scenario_labels : mapping of str to str, optional
        What to call the scenarios instead of their keys.
    used : int, optional
        The number of passes that the imputer makes, marked by a vertical line.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> curves = pd.DataFrame({
    ...     "scenario": "mcar_10", "start": "mean", "iteration": [1, 2], "mae": [0.62, 0.61]})
    >>> plot_passes(curves, "mae", ylabel="error").lines[0].get_xdata().tolist()
    [1, 2]
    """
    ax = plt.subplots()[1] if ax is None else ax
    colors = (_SECOND, METHOD_COLORS["Gaussian"], _FIRST)
    scenarios, starts = (list(curves[name].unique()) for name in ("scenario", "start"))
    labels = scenario_labels or {}
    for (scenario, start), part in curves.groupby(["scenario", "start"], sort=False):
        which = starts.index(start)
        ax.plot(
            part["iteration"], part[column], color=colors[scenarios.index(scenario) % len(colors)],
            linestyle=("-", "--", ":")[which % 3], marker="os^"[which % 3], markersize=4,
            label=f"{labels.get(scenario, scenario)}, start: {start}",
        )  # fmt: skip
    if used is not None:
        ax.axvline(used, color="0.5", linewidth=1)
    ax.set(xlabel="pass", ylabel=ylabel)
    ax.set_xticks(sorted(curves["iteration"].unique()))
    return ax


def plot_settings(
    summary: pd.DataFrame,
    *,
    xlabel: str = "mean absolute error (standard deviations)",
    ax: Axes | None = None,
) -> Axes:
    """Error of several settings of one method, one line each, with confidence intervals.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`, of one scenario; the smallest error is drawn filled.
    xlabel : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> rows = [("5e-05", 0.62, 0.01, 2), ("0.001", 0.60, 0.01, 1)]
    >>> columns = ["method", "mean", "half_width", "rank"]
    >>> ax = plot_settings(pd.DataFrame(rows, columns=columns))
    >>> [tick.get_text() for tick in ax.get_yticklabels()]
    ['5e-05', '0.001']
    """
    ax = plt.subplots()[1] if ax is None else ax
    if summary["method"].duplicated().any():
        raise ValueError("Expected a summary of one scenario but methods occur more than once.")
    y = np.arange(len(summary))
    ax.errorbar(summary["mean"], y, xerr=summary["half_width"].fillna(0.0), fmt="none",
                ecolor="0.4", capsize=3, linewidth=1.2)  # fmt: skip
    faces = [_SECOND if rank == 1 else "white" for rank in summary["rank"]]
    ax.scatter(summary["mean"], y, s=46, color=faces, edgecolor=_SECOND, linewidth=1.5, zorder=3)
    ax.set_yticks(y, list(summary["method"]))
    ax.set_ylim(len(summary) - 0.5, -0.5)  # the first on top
    ax.grid(visible=False)
    ax.grid(visible=True, axis="x")
    ax.set_xlabel(xlabel)
    return ax


# Hues that the shades of beta do not have, and of other lightness than four of those.
_OTHERS = ("#E69F00", "#F4B6C2", "#3A0018")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def beta_colors(methods: Iterable[str]) -> dict[str, str]:
    """Give beta-VAEs shades that go from light to dark, and everything else another hue.

    Parameters
    ----------
    methods : iterable of str
        Names; those of beta-VAEs are ``"beta"`` and a number.

    Returns
    -------
    dict of str to str
        Colours, for `plot_errors` and the figures here.

    Examples
    --------
    >>> list(beta_colors(["beta 0", "beta 10", "autoencoder"]).values())
    ['#b0dd2f', '#482475', '#E69F00']
    """
    methods = list(dict.fromkeys(methods))
    betas = sorted((m for m in methods if _is_beta(m)), key=lambda m: float(m.split()[1]))
    shades = mpl.colormaps[LEVELS](np.linspace(0.88, 0.1, len(betas)))
    colors = dict(zip(betas, map(mpl.colors.to_hex, shades), strict=True))
    others = (method for method in methods if method not in colors)
    return colors | dict(zip(others, cycle(_OTHERS), strict=False))


def plot_relative_errors(
    changes: pd.DataFrame,
    *,
    reference: str,
    margin: float,
    colors: Mapping[str, str],
    scenario_labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One dot per split, scenario and method: by how much the error differs from a reference's.

    Parameters
    ----------
    changes : DataFrame
        With columns ``scenario``, ``method`` and ``change``, the latter relative: 0.03 for 3 %
        more; one row per split.
    reference : str
        Name of the method that the others are compared with.
    margin : float
        Changes that count as none are in a grey band.
    colors : mapping of str to str
        From `beta_colors`.
    scenario_labels : mapping of str to str, optional
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> changes = pd.DataFrame({"scenario": "s", "method": ["beta 4"] * 2, "change": [0.01, 0.03]})
    >>> ax = plot_relative_errors(
    ...     changes, reference="beta 1", margin=0.02, colors={"beta 4": "black"})
    >>> len(ax.collections[0].get_offsets())
    2
    """
    ax = plt.subplots()[1] if ax is None else ax
    methods, scenarios = list(changes["method"].unique()), list(changes["scenario"].unique())
    ax.axhspan(-margin, margin, color="0.92", zorder=0, linewidth=0)
    ax.axhline(0, color="0.3", linewidth=1)
    width = 0.84 / len(methods)
    for number, (method, marker) in enumerate(zip(methods, cycle(_MARKERS), strict=False)):
        part = changes[changes["method"] == method]
        n_splits = part.groupby("scenario").size().max()
        # Side by side instead of on top of each other, in the order of the table.
        step = part.groupby("scenario").cumcount() - (n_splits - 1) / 2
        x = part["scenario"].map(scenarios.index) + (number - (len(methods) - 1) / 2) * width
        ax.scatter(
            x + 0.7 * width * step / n_splits, part["change"], color=colors[method],
            marker=marker, s=24, edgecolor="0.25", linewidth=0.5, label=method,
        )  # fmt: skip
    labels = scenario_labels or {}
    ax.set_xticks(range(len(scenarios)), [labels.get(key, key) for key in scenarios])
    ax.tick_params(axis="x", length=0)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_ylabel(f"mean absolute error\nagainst {reference}")
    ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def plot_passes_by_method(
    table: pd.DataFrame, y: str, *, ylabel: str, colors: Mapping[str, str], ax: Axes | None = None
) -> Axes:
    """Lines over the passes of imputation, one per method and way to start.

    Parameters
    ----------
    table : DataFrame
        With columns ``method``, ``init``, ``iteration`` and `y`.
    y : str
        ``"mean_change"`` is drawn on a logarithmic axis.
    ylabel : str
        With the unit.
    colors : mapping of str to str
        From `beta_colors`.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> table = pd.DataFrame({"method": "beta 0", "init": "mean", "iteration": [2, 3],
    ...                       "mean_change": [0.1, 0.01]})
    >>> colors = {"beta 0": "black"}
    >>> ax = plot_passes_by_method(table, "mean_change", ylabel="change", colors=colors)
    >>> ax.get_yscale()
    'log'
    """
    ax = plt.subplots()[1] if ax is None else ax
    methods = list(table["method"].unique())
    for (method, init), part in table.groupby(["method", "init"], sort=False):
        ax.plot(
            part["iteration"], part[y], color=colors[method], label=f"{method}, from {init}",
            linestyle="-" if init == "random" else "--", linewidth=1.6, markersize=5,
            marker=_MARKERS[methods.index(method) % len(_MARKERS)],
            markerfacecolor=colors[method] if init == "random" else "white",
        )  # fmt: skip
    if y == "mean_change":
        ax.set_yscale("log")
    ax.set(xlabel="passes of encoding and decoding", ylabel=ylabel)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return ax


def plot_contraction(
    radii: pd.DataFrame, *, colors: Mapping[str, str], ax: Axes | None = None
) -> Axes:
    """Spectral radius of a pass by the share that is missing: median and range over rows.

    Parameters
    ----------
    radii : DataFrame
        With columns ``method``, ``share`` (missing, between 0 and 1) and ``radius``; one row per
        test row, from `vaeimpute.evaluation.convergence.spectral_radius`.
    colors : mapping of str to str
        From `beta_colors`.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> radii = pd.DataFrame({"method": "beta 0", "share": [0.1, 0.1], "radius": [0.2, 0.4]})
    >>> ax = plot_contraction(radii, colors={"beta 0": "black"})
    >>> round(float(ax.lines[0].get_ydata()[0]), 3)
    0.3
    """
    ax = plt.subplots()[1] if ax is None else ax
    methods = list(radii["method"].unique())
    shift = 0.008 * (np.arange(len(methods)) - (len(methods) - 1) / 2)
    for method, offset, marker in zip(methods, shift, cycle(_MARKERS), strict=False):
        groups = radii[radii["method"] == method].groupby("share")["radius"]
        middle, low, high = (getattr(groups, f)().to_numpy() for f in ("median", "min", "max"))
        ax.errorbar(
            np.array(list(groups.groups)) + offset, middle,
            yerr=np.array([middle - low, high - middle]), capsize=2,
            marker=marker, color=colors[method], linewidth=1.5, elinewidth=1, label=method,
            markeredgecolor="0.25", markeredgewidth=0.5,
        )  # fmt: skip
    ax.axhline(1, color="black", linewidth=1, linestyle=":")
    ax.annotate("above: errors grow", (0, 1), xytext=(2, 3), textcoords="offset points",
                fontsize="small")  # fmt: skip
    ax.set(xlabel="share of a row that is missing", ylabel="spectral radius of a pass")
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def plot_noise(noise: pd.DataFrame, *, colors: Mapping[str, str], ax: Axes | None = None) -> Axes:
    """One dot per latent dimension: spread of the latent means in units of the noise.

    Parameters
    ----------
    noise : DataFrame
        With columns ``method`` and ``signal_to_noise``, from
        `vaeimpute.evaluation.networks.describe_noise`.
    colors : mapping of str to str
        From `beta_colors`.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> noise = pd.DataFrame({"method": "beta 1", "signal_to_noise": [3.0, 0.2]})
    >>> len(plot_noise(noise, colors={"beta 1": "black"}).collections[0].get_offsets())
    2
    """
    ax = plt.subplots()[1] if ax is None else ax
    methods = list(noise["method"].unique())
    for number, method in enumerate(methods):
        values = np.sort(noise.loc[noise["method"] == method, "signal_to_noise"].to_numpy())
        # In order, so that the dots of a method are its cumulative distribution on its side.
        x = number + np.linspace(-0.32, 0.32, len(values))
        ax.scatter(x, values, color=colors[method], s=16, edgecolor="0.25", linewidth=0.4)
    ax.axhline(1, color="black", linewidth=1, linestyle=":")
    ax.set_yscale("log")
    ax.set_xticks(range(len(methods)), methods)
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel("spread of the latent means\n(units of the noise)")
    return ax


def _is_beta(method: str) -> bool:
    first, _, number = method.partition(" ")
    return first == "beta" and number.replace(".", "", 1).isdigit()
