"""Errors, settings and times of methods, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from vaeimpute.plots.style import ERROR, looks, name_ticks, share_legend

_FEW = 5  # methods whose numbers fit above their bars side by side


def stars(p: float) -> str:
    """Write a p value as the paper's figure tool does: one star below 0.05, two 0.01, three 0.001.

    Examples
    --------
    >>> [stars(p) for p in (0.2, 0.04, 0.002, 0.0002)]
    ['ns', '*', '**', '***']
    """
    return "ns" if not p < 0.05 else "*" * sum(p < level for level in (0.05, 0.01, 0.001))


def plot_errors(
    summary: pd.DataFrame,
    *,
    scenario_labels: Mapping[str, str] | None = None,
    comparison: pd.DataFrame | None = None,
    ylabel: str = ERROR,
    colors: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Bars of the error per scenario and method, with confidence intervals and their values.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`: ``scenario``, ``method``, ``mean`` and, unless there
        are no intervals, ``half_width``.
    scenario_labels : mapping of str to str, optional
        What to write below the bars instead of `vaeimpute.missingness.scenario_label`.
    comparison : DataFrame, optional
        From `vaeimpute.evaluation.compare_methods`. Stars of its p values follow the numbers of the
        methods that it compares the reference with: paired / unpaired.
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
    >>> [float(bar.get_height()) for bar in ax.patches]
    [0.6, 0.5]
    """
    ax = plt.subplots()[1] if ax is None else ax
    palette = looks(summary["method"], colors)
    scenarios = list(summary["scenario"].unique())
    upright = len(palette) <= _FEW and comparison is None
    marks = {} if comparison is None else {
        (row.scenario, row.method): f"  {stars(row.p_paired)} / {stars(row.p_unpaired)}"
        for row in comparison.itertuples()
    }  # fmt: skip
    width = 0.84 / len(palette)
    for number, (method, (color, _)) in enumerate(palette.items()):
        # A method that a scenario lacks leaves a gap there.
        part = summary[summary["method"] == method].set_index("scenario").reindex(scenarios)
        means, half_widths = part["mean"], part.get("half_width", np.nan * part["mean"])
        x = np.arange(len(scenarios)) + (number - (len(palette) - 1) / 2) * width
        ax.bar(
            x, means, width=width * 0.94, label=method, color=color,
            yerr=half_widths, capsize=2, error_kw={"linewidth": 1, "ecolor": "0.25"},
        )  # fmt: skip
        for place, scenario, mean, half_width in zip(
            x, scenarios, means, half_widths.fillna(0.0), strict=True
        ):
            if not np.isnan(mean):
                ax.annotate(
                    f"{mean:.3f}".removeprefix("0") + marks.get((scenario, method), ""),
                    (place, mean + half_width), xytext=(0, 3), textcoords="offset points",
                    ha="center", va="bottom", fontsize="x-small",
                    rotation="horizontal" if upright else "vertical",
                )  # fmt: skip
    name_ticks(ax, scenarios, scenario_labels)
    ax.set_ylabel(ylabel)
    ax.margins(x=0.02, y=0.12 if upright else 0.22 if comparison is None else 0.5)
    # Two lines of four rather than one that is wider than the figure.
    ncols = len(palette) if len(palette) <= _FEW else -(-len(palette) // 2)
    ax.legend(ncols=ncols, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def plot_error_panels(
    summary: pd.DataFrame,
    panels: Mapping[str, Sequence[str]],
    *,
    scenario_labels: Mapping[str, str] | None = None,
    comparison: pd.DataFrame | None = None,
) -> list[Axes]:
    """Draw bars as `plot_errors` does, in panels: the first alone in its row, the others below it.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`.
    panels : mapping of str to sequence of str
        Scenarios of each panel, by its title.
    scenario_labels : mapping of str to str, optional
        What to write below the bars instead of `vaeimpute.missingness.scenario_label`.
    comparison : DataFrame, optional
        From `vaeimpute.evaluation.compare_methods`; its reference may differ between scenarios.

    Returns
    -------
    list of Axes

    Examples
    --------
    >>> rows = [(scenario, "VAE", 0.5, 0.01) for scenario in ("mcar_05", "mnar_high_gc")]
    >>> summary = pd.DataFrame(rows, columns=["scenario", "method", "mean", "half_width"])
    >>> panels = {"a: at random": ["mcar_05"], "b: high GC": ["mnar_high_gc"]}
    >>> [ax.get_title(loc="left") for ax in plot_error_panels(summary, panels)]
    ['a: at random', 'b: high GC']
    """
    first, *others = panels
    rows: list[Any] = [[first] * max(1, len(others)), others][: 2 if others else 1]
    axes = plt.figure(figsize=(9, 7.2)).subplot_mosaic(rows)
    for number, (title, ax) in enumerate(axes.items()):
        plot_errors(
            summary[summary["scenario"].isin(panels[title])], scenario_labels=scenario_labels,
            comparison=comparison, ylabel=ERROR if number < 2 else "", ax=ax,
        )  # fmt: skip
        ax.set_title(title, loc="left", fontsize="medium", fontweight="bold")
    share_legend(axes.values())
    return list(axes.values())


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
    _name_rows(ax, list(summary["method"]), ERROR.replace("\n", " "))
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
    _name_rows(ax, list(times["label"]), "seconds")
    ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize="small")
    return ax


def _name_rows(ax: Axes, names: Sequence[str], xlabel: str) -> None:
    """Write what stands in the rows of a figure, the first on top."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False)
    ax.grid(visible=True, axis="x")
    ax.set_xlabel(xlabel)
