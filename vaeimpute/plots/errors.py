"""Errors, settings and times of methods, compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from vaeimpute.plots.style import ERROR, label_of, looks, name_rows, name_ticks, share_legend

_PANELS_IN_A_ROW = 3


def plot_errors(
    summary: pd.DataFrame,
    *,
    scenario_labels: Mapping[str, str] | None = None,
    ylabel: str = ERROR,
    colors: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Dots of the error per scenario and method, side by side, with confidence intervals.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`: ``scenario``, ``method``, ``mean`` and, unless there
        are no intervals, ``half_width``.
    scenario_labels : mapping of str to str, optional
        What to write below the dots instead of `vaeimpute.missingness.scenario_label`.
    ylabel : str
    colors : mapping of str to str, optional
        Of what is not in `vaeimpute.methods.METHODS`.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> rows = [("mcar_10", "KNN", 0.6, 0.02), ("mcar_10", "VAE", 0.5, 0.01)]
    >>> columns = ["scenario", "method", "mean", "half_width"]
    >>> ax = plot_errors(pd.DataFrame(rows, columns=columns))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['KNN', 'VAE']
    """
    ax = plt.subplots()[1] if ax is None else ax
    palette = looks(summary["method"], colors)
    scenarios = list(summary["scenario"].unique())
    width = 0.76 / len(palette)
    for number, (method, look) in enumerate(palette.items()):
        part = summary[summary["method"] == method]
        side = (number - (len(palette) - 1) / 2) * width
        x = [scenarios.index(scenario) + side for scenario in part["scenario"]]
        _draw_dots(ax, x, part["mean"], look, yerr=_half_widths(part), label=method)
    name_ticks(ax, scenarios, scenario_labels)
    for edge in range(1, len(scenarios)):
        ax.axvline(edge - 0.5, color="0.9", linewidth=1, zorder=0)
    ax.set_ylabel(ylabel)
    ax.set_xlim(-0.5, len(scenarios) - 0.5)
    ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def plot_outcomes(summary: pd.DataFrame, *, ylabel: str) -> list[Axes]:
    """Draw what `plot_errors` does for each clinical outcome, below each other.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.clinical.summarize_outcomes`.
    ylabel : str
        The name of the outcome is added.

    Returns
    -------
    list of Axes

    Examples
    --------
    >>> rows = [("grade", "mcar_10", "KNN", 0.9), ("survival", "mcar_10", "KNN", 0.8)]
    >>> summary = pd.DataFrame(rows, columns=["outcome", "scenario", "method", "mean"])
    >>> len(plot_outcomes(summary, ylabel="concordance"))
    2
    """
    parts = list(summary.groupby("outcome", sort=False))
    size = (6.8, 3.2 * len(parts))
    _, axes = plt.subplots(len(parts), figsize=size, sharex=True, squeeze=False)
    for ax, (outcome, part) in zip(axes.flat, parts, strict=True):
        plot_errors(part, ylabel=f"{ylabel}\n({outcome})", ax=ax)
    share_legend(axes.flat)
    return list(axes.flat)


def plot_error_panels(
    summary: pd.DataFrame, *, scenario_labels: Mapping[str, str] | None = None
) -> list[Axes]:
    """Dots of the error, a panel per scenario and a row per method, with confidence intervals.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`. A method that a scenario lacks leaves a gap.
    scenario_labels : mapping of str to str, optional
        Titles of panels instead of `vaeimpute.missingness.scenario_label`.

    Returns
    -------
    list of Axes

    Examples
    --------
    >>> rows = [(scenario, "VAE", 0.5, 0.01) for scenario in ("mcar_05", "mnar_high_gc")]
    >>> summary = pd.DataFrame(rows, columns=["scenario", "method", "mean", "half_width"])
    >>> [ax.get_title(loc="left") for ax in plot_error_panels(summary)]
    ['5 % at random', 'high GC content']
    """
    palette = looks(summary["method"])
    scenarios = summary["scenario"].unique()
    n_columns = min(len(scenarios), _PANELS_IN_A_ROW)
    n_rows = -(-len(scenarios) // n_columns)
    figure, grid = plt.subplots(
        n_rows, n_columns, squeeze=False, sharey=True,
        figsize=(6.8, n_rows * (0.25 * len(palette) + 0.75)),
    )  # fmt: skip
    for ax, scenario in zip(grid.flat, scenarios, strict=False):
        part = summary[summary["scenario"] == scenario].set_index("method")
        for row, (method, look) in enumerate(palette.items()):
            found = part[part.index == method]
            _draw_dots(ax, found["mean"], [row] * len(found), look, xerr=_half_widths(found))
        name_rows(ax, list(palette), "")
        ax.grid(visible=True, axis="y")
        ax.margins(x=0.12)
        ax.locator_params(axis="x", nbins=4)
        ax.set_title(label_of(scenario, scenario_labels), loc="left", fontsize="medium")
    for ax in grid.flat[len(scenarios) :]:
        ax.set_visible(False)
    figure.supxlabel(ERROR.replace("\n", " "), fontsize="medium")
    return list(grid.flat[: len(scenarios)])


def plot_findings(figures: pd.DataFrame, *, margin: float = 0.05) -> Axes:
    """Relative differences of errors with their intervals, a row per cell of a claim.

    Parameters
    ----------
    figures : DataFrame
        Of `vaeimpute.claims.Judgement`: ``cell``, ``compared`` (such as ``"VAE / KNN"``, which
        takes the look of the second), ``value``, ``low`` and ``high`` as shares.
    margin : float
        How far from 0 counts as similar: a grey band.

    Returns
    -------
    Axes

    Examples
    --------
    >>> found = pd.DataFrame({"cell": ["mcar_10"], "compared": ["VAE / KNN"], "value": [-0.1],
    ...                       "low": [-0.12], "high": [-0.08]})
    >>> ax = plot_findings(found)
    >>> ax.get_legend().get_texts()[0].get_text(), ax.get_yticklabels()[0].get_text()
    ('VAE / KNN', '10 % at random')
    """
    cells = list(figures["cell"].unique())
    pairs = {pair: pair.split(" / ")[-1].split(",")[0] for pair in figures["compared"].unique()}
    palette = looks(pairs.values())
    step = 0.7 / len(pairs)
    ax = plt.subplots(figsize=(6.8, 0.2 * len(cells) * (len(pairs) + 0.5) + 1.0))[1]
    for number, (pair, other) in enumerate(pairs.items()):
        part = figures[figures["compared"] == pair]
        side = (number - (len(pairs) - 1) / 2) * step
        y = [cells.index(cell) + side for cell in part["cell"]]
        value, low, high = (100 * part[name] for name in ("value", "low", "high"))
        xerr = np.array([value - low, high - value])
        _draw_dots(ax, value, y, palette[other], xerr=np.nan_to_num(xerr), label=pair)
    ax.axvspan(-100 * margin, 100 * margin, color="0.92", zorder=0, linewidth=0)
    ax.axvline(0, color="0.3", linewidth=1)
    name_rows(ax, [label_of(cell) for cell in cells], "difference of the errors (%)")
    ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def _half_widths(part: pd.DataFrame) -> pd.Series:
    """Return half the widths of intervals, 0 where there is none."""
    return part.get("half_width", 0.0 * part["mean"]).fillna(0.0)


def _draw_dots(ax: Axes, x: Any, y: Any, look: tuple[str, str], **options: Any) -> None:
    """Draw dots of a colour and a marker, with their intervals."""
    color, marker = look
    ax.errorbar(
        x, y, fmt=marker, color=color, ecolor="0.35", elinewidth=1.4, capsize=2.5, markersize=7,
        markeredgecolor="0.3", markeredgewidth=0.6, **options,
    )  # fmt: skip


def plot_settings(summary: pd.DataFrame) -> Axes:
    """Error of several settings of one method, one line each, with confidence intervals.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`, of one scenario; the smallest error is drawn filled.

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
    if summary["method"].duplicated().any():
        raise ValueError("Expected a summary of one scenario but methods occur more than once.")
    ax = plt.subplots()[1]
    y = np.arange(len(summary))
    ax.errorbar(summary["mean"], y, xerr=summary["half_width"].fillna(0.0), fmt="none",
                ecolor="0.4", capsize=3, linewidth=1.2)  # fmt: skip
    color = looks(["VAE"])["VAE"][0]
    faces = [color if rank == 1 else "white" for rank in summary["rank"]]
    ax.scatter(summary["mean"], y, s=46, color=faces, edgecolor=color, linewidth=1.5, zorder=3)
    name_rows(ax, list(summary["method"]), ERROR.replace("\n", " "))
    return ax


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
    (color, _), (papers, _) = looks(["VAE", "Gaussian"]).values()
    longer = total > 1.1 * impute
    ax.hlines(y[longer], impute[longer], total[longer], color="0.6", linewidth=1.2, zorder=1)
    ax.scatter(total[longer], y[longer], s=46, facecolor="white", edgecolor=color, linewidth=1.5,
               label="with what is computed before", zorder=2)  # fmt: skip
    ax.scatter(impute, y, s=46, color=color, label="to impute", zorder=3)
    if "paper_seconds" in times and times["paper_seconds"].notna().any():
        ax.scatter(times["paper_seconds"], y, s=50, marker="x", color=papers,
                   linewidth=2, label="the paper's, on 20 cores", zorder=4)  # fmt: skip
    ax.set_xscale("log")
    name_rows(ax, list(times["label"]), "seconds")
    ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize="small")
    return ax
