"""Errors of methods, compared."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from vaeimpute.plots.style import METHOD_COLORS


def plot_errors(
    summary: pd.DataFrame,
    *,
    scenario_labels: Mapping[str, str] | None = None,
    ylabel: str = "mean absolute error\n(standard deviations)",
    colors: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Bars of the error per scenario and method, with confidence intervals and their values.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`.
    scenario_labels : mapping of str to str, optional
        What to write below the bars instead of the keys.
    ylabel : str
    colors : mapping of str to str, optional
        Of methods that `METHOD_COLORS` does not know.
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
    palette = METHOD_COLORS | dict(colors or {})
    methods = summary["method"].unique()
    scenarios = summary["scenario"].unique()
    width = 0.84 / len(methods)
    for number, method in enumerate(methods):
        part = summary[summary["method"] == method].set_index("scenario").loc[scenarios]
        x = np.arange(len(scenarios)) + (number - (len(methods) - 1) / 2) * width
        ax.bar(
            x, part["mean"], width=width * 0.94, label=method, color=palette[method],
            yerr=part["half_width"], capsize=2, error_kw={"linewidth": 1, "ecolor": "0.25"},
        )  # fmt: skip
        for position, mean, half_width in zip(x, part["mean"], part["half_width"], strict=True):
            ax.annotate(
                f"{mean:.3f}".lstrip("0"), (position, mean + np.nan_to_num(half_width)),
                xytext=(0, 3), textcoords="offset points", ha="center", fontsize="x-small",
            )  # fmt: skip
    labels = scenario_labels or {}
    ax.set_xticks(np.arange(len(scenarios)), [labels.get(key, key) for key in scenarios])
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel(ylabel)
    ax.margins(y=0.12)
    ax.legend(ncols=len(methods), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def plot_differences(
    differences: pd.DataFrame,
    *,
    ylabel: str,
    scenario_labels: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One dot per split and scenario: the difference in error between two methods.

    Parameters
    ----------
    differences : DataFrame
        With columns ``scenario`` and ``difference``, one row per split.
    ylabel : str
        Which method minus which, with the unit.
    scenario_labels : mapping of str to str, optional
        What to write below the dots instead of the keys.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> differences = pd.DataFrame({"scenario": ["mcar_10"] * 2, "difference": [-0.01, 0.02]})
    >>> ax = plot_differences(differences, ylabel="VAE minus KNN")
    >>> len(ax.collections[0].get_offsets())
    2
    """
    ax = plt.subplots()[1] if ax is None else ax
    scenarios = list(differences["scenario"].unique())
    x = differences["scenario"].map(scenarios.index)
    # Side by side instead of on top of each other, in the order of the table.
    n_splits = len(differences) // len(scenarios)
    offset = differences.groupby("scenario").cumcount() - (n_splits - 1) / 2
    ax.axhline(0, color="0.3", linewidth=1)
    ax.scatter(x + 0.04 * offset, differences["difference"], color=METHOD_COLORS["VAE"], s=28)
    labels = scenario_labels or {}
    ax.set_xticks(range(len(scenarios)), [labels.get(key, key) for key in scenarios])
    ax.set_ylabel(ylabel)
    return ax
