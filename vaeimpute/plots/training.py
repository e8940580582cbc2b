"""Training, iterative imputation, and settings compared."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from vaeimpute.plots.style import METHOD_COLORS

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
        From `vaeimpute.evaluation.divergence_by_dimension`.
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
        `vaeimpute.evaluation.follow_passes` returns. Colours tell the scenarios apart, and the
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
