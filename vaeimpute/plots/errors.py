"""Errors of methods, compared."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from vaeimpute.plots.style import METHOD_COLORS

_FEW = 5  # methods whose numbers fit above their bars side by side


def stars(p: float) -> str:
    """Write a p value as the paper's figure tool does: * below 0.05, ** 0.01, *** 0.001.

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
    ylabel: str = "mean absolute error\n(standard deviations)",
    legend: bool = True,
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
    comparison : DataFrame, optional
        From `vaeimpute.evaluation.compare_methods`. Stars of its p values follow the numbers of the
        methods that it compares the reference with: paired / unpaired.
    ylabel : str
    legend : bool
        Name the methods above the axes.
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
    upright = len(methods) <= _FEW and comparison is None
    marks = {} if comparison is None else {
        (row.scenario, row.method): f"  {stars(row.p_paired)} / {stars(row.p_unpaired)}"
        for row in comparison.itertuples()
    }  # fmt: skip
    width = 0.84 / len(methods)
    for number, method in enumerate(methods):
        # A method that a scenario lacks leaves a gap there.
        part = summary[summary["method"] == method].set_index("scenario").reindex(scenarios)
        x = np.arange(len(scenarios)) + (number - (len(methods) - 1) / 2) * width
        ax.bar(
            x, part["mean"], width=width * 0.94, label=method, color=palette[method],
            yerr=part["half_width"], capsize=2, error_kw={"linewidth": 1, "ecolor": "0.25"},
        )  # fmt: skip
        for position, (scenario, row) in zip(x, part.iterrows(), strict=True):
            if np.isnan(row["mean"]):
                continue
            ax.annotate(
                f"{row['mean']:.3f}".removeprefix("0") + marks.get((scenario, method), ""),
                (position, row["mean"] + np.nan_to_num(row["half_width"])), xytext=(0, 3),
                textcoords="offset points", ha="center", fontsize="x-small",
                va="bottom",
                rotation="horizontal" if upright else "vertical",
            )  # fmt: skip
    labels = scenario_labels or {}
    ax.set_xticks(np.arange(len(scenarios)), [labels.get(key, key) for key in scenarios])
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel(ylabel)
    ax.margins(x=0.02, y=0.12 if upright else 0.22 if comparison is None else 0.5)
    if legend:
        # Two lines of four rather than one that is wider than the figure.
        ncols = len(methods) if len(methods) <= _FEW else -(-len(methods) // 2)
        ax.legend(ncols=ncols, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def plot_error_panels(
    summary: pd.DataFrame,
    panels: Mapping[str, Sequence[str]],
    *,
    scenario_labels: Mapping[str, str] | None = None,
    comparison: pd.DataFrame | None = None,
    ylabel: str = "mean absolute error\n(standard deviations)",
) -> list[Axes]:
    """Draw bars as `plot_errors` does, in panels: the first alone in its row, the others below it.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`.
    panels : mapping of str to sequence of str
        Scenarios of each panel, by its title.
    scenario_labels : mapping of str to str, optional
        What to write below the bars instead of the keys.
    comparison : DataFrame, optional
        From `vaeimpute.evaluation.compare_methods`; its reference may differ between scenarios.
    ylabel : str

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
    figure = plt.figure(figsize=(9, 7.2))
    first, *others = panels
    rows = figure.subfigures(2, 1, squeeze=False)[:, 0]
    axes = [rows[0].subplots()]
    if others:
        axes += list(rows[1].subplots(1, len(others), squeeze=False)[0])
    handles: dict[str, Artist] = {}
    for number, (title, ax) in enumerate(zip([first, *others], axes, strict=True)):
        chosen = summary[summary["scenario"].isin(panels[title])]
        plot_errors(
            chosen, scenario_labels=scenario_labels, legend=False, ax=ax,
            comparison=comparison, ylabel=ylabel if number < 2 else "",
        )  # fmt: skip
        ax.set_title(title, loc="left", fontsize="medium", fontweight="bold")
        found, labels = ax.get_legend_handles_labels()
        handles |= dict(zip(labels, found, strict=True))
    # One for all panels, which need not have the same methods.
    rows[0].legend(handles.values(), handles.keys(), ncols=4, loc="outside upper center")
    return axes


def plot_errors_by_share(
    summary: pd.DataFrame,
    shares: Mapping[str, float],
    *,
    xlabel: str = "values that count as low (% of all); half of them are missing",
    ylabel: str = "mean absolute error\n(standard deviations)",
    ax: Axes | None = None,
) -> Axes:
    """Lines of the error of each method over scenarios that have a number, with intervals.

    Parameters
    ----------
    summary : DataFrame
        From `vaeimpute.evaluation.summarize`.
    shares : mapping of str to float
        The scenarios to draw, by key: their places on the axis.
    xlabel, ylabel : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> rows = [("low_05", "VAE", 0.9, 0.02), ("low_10", "VAE", 0.7, 0.01)]
    >>> summary = pd.DataFrame(rows, columns=["scenario", "method", "mean", "half_width"])
    >>> ax = plot_errors_by_share(summary, {"low_05": 5, "low_10": 10})
    >>> ax.get_legend_handles_labels()[1]
    ['VAE']
    """
    ax = plt.subplots()[1] if ax is None else ax
    markers = itertools.cycle("osD^vPX*")
    for method, part in summary.groupby("method", sort=False):
        means = part.set_index("scenario").loc[list(shares)]
        shifted = str(method).endswith("shifted")
        ax.errorbar(
            list(shares.values()), means["mean"], yerr=means["half_width"], capsize=3,
            label=method, color=METHOD_COLORS[str(method)], marker=next(markers), markersize=6,
            markeredgecolor="0.3", markeredgewidth=0.5, linewidth=2.6 if shifted else 1.6,
            linestyle="-" if shifted else "--",
        )  # fmt: skip
    ax.set_xticks(list(shares.values()))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_ylim(bottom=0)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
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


def plot_interval_coverage(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Coverage of predictive intervals over what they promise, with the diagonal.

    Parameters
    ----------
    table : DataFrame
        From `vaeimpute.evaluation.interval_coverage`.
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
    ax.plot(table["level"], table["coverage"], color=METHOD_COLORS["VAE"], marker="o",
            label="on hidden values")  # fmt: skip
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="what the interval promises",
           ylabel="true values in the interval")  # fmt: skip
    ax.legend(loc="upper left")
    return ax


def plot_feature_errors(
    errors: Mapping[str, pd.Series],
    *,
    xlabel: str = "mean absolute error of a feature (standard deviations)",
    ax: Axes | None = None,
) -> Axes:
    """Distribution of the errors of single features, a line per method.

    Parameters
    ----------
    errors : mapping of str to Series
        Errors by feature, by method.
    xlabel : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = plot_feature_errors({"mean": pd.Series([0.7, 0.9]), "VAE": pd.Series([0.4, 0.5])})
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['mean', 'VAE']
    """
    ax = plt.subplots()[1] if ax is None else ax
    limit = max(float(np.quantile(part, 0.99)) for part in errors.values()) or 1.0
    bins = np.linspace(0, limit, 41).tolist()
    for number, (method, part) in enumerate(errors.items()):
        color = METHOD_COLORS[method]
        # The first lies behind: filled; the others are outlines, which hide nothing.
        style = {"alpha": 0.9} if number == 0 else {"histtype": "step", "linewidth": 2}
        ax.hist(np.minimum(part, limit), bins, color=color, label=method, **style)
    ax.set(xlabel=xlabel, ylabel="features")
    ax.legend()
    return ax


def plot_errors_by_property(
    table: pd.DataFrame,
    *,
    property_labels: Mapping[str, str] | None = None,
    ylabel: str = "mean absolute error\n(standard deviations)",
) -> np.ndarray:
    """Two panels per property: the error of each method per bin, and where each has the least.

    Parameters
    ----------
    table : DataFrame
        From `vaeimpute.evaluation.errors.errors_by_property`.
    property_labels : mapping of str to str, optional
        What to write below the panels instead of the names of the properties.
    ylabel : str
        Of the errors.

    Returns
    -------
    ndarray of Axes of shape (2, n_properties)

    Examples
    --------
    >>> rows = [("mean", b, 5.0 * b, 9, "VAE", 0.5, 1.0) for b in (1, 2)]
    >>> columns = ["property", "bin", "middle", "n_features", "method", "mae", "share_won"]
    >>> axes = plot_errors_by_property(pd.DataFrame(rows, columns=columns))
    >>> axes.shape, axes[0, 0].lines[0].get_ydata().tolist()
    ((2, 1), [0.5, 0.5])
    """
    names = list(table["property"].unique())
    figure, axes = plt.subplots(2, len(names), figsize=(9, 6), sharey="row", squeeze=False)
    for (above, below), name in zip(axes.T, names, strict=True):
        part = table[table["property"] == name]
        middles = part.drop_duplicates("bin")["middle"]
        positions = np.arange(len(middles))
        bottom = np.zeros(len(middles))
        for (method, rows), marker in zip(
            part.groupby("method", sort=False), itertools.cycle("osD^vPX"), strict=False
        ):
            color = METHOD_COLORS[str(method)]
            above.plot(positions, rows["mae"], color=color, marker=marker, markersize=5,
                       markeredgecolor="0.3", markeredgewidth=0.5, label=method)  # fmt: skip
            won = rows["share_won"].to_numpy()
            below.bar(positions, won, bottom=bottom, color=color, width=0.9, edgecolor="white",
                      linewidth=0.8)  # fmt: skip
            bottom += won
        below.set(ylim=(0, 1), xlabel=(property_labels or {}).get(name, name))
        below.set_xticks(positions, [f"{middle:.2g}" for middle in middles])
        above.set_xticks(positions, [])
    axes[0, 0].set_ylabel(ylabel)
    axes[1, 0].set_ylabel("share of genes where\nthe method errs least")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=-(-len(labels) // 2) if len(labels) > 5 else len(labels),
                  loc="outside upper center")  # fmt: skip
    return axes


def plot_imputed_values(
    observed: np.ndarray,
    missing: np.ndarray,
    imputed: Mapping[str, np.ndarray],
    *,
    xlabel: str = "standard deviations",
    ax: Axes | None = None,
) -> Axes:
    """Distribution of values that were left, of those taken away, and of what was put there.

    Parameters
    ----------
    observed, missing : array
        True values that were left and taken away.
    imputed : mapping of str to array
        What methods put in the place of `missing`, by method.
    xlabel : str
        With the unit.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = plot_imputed_values(np.zeros(3), -np.ones(2), {"VAE": np.array([-0.5, -0.4])})
    >>> sorted(text.get_text() for text in ax.get_legend().get_texts())
    ['filled in by VAE', 'left', 'taken away']
    """
    ax = plt.subplots()[1] if ax is None else ax
    everything = np.concatenate([np.ravel(observed), np.ravel(missing)])
    low, high = np.quantile(everything, [0.0005, 0.9995])  # a few far values would squeeze the rest
    bins = np.linspace(low, high, 81).tolist()
    ax.hist(np.ravel(observed), bins, density=True, color="0.8", label="left")
    ax.hist(np.ravel(missing), bins, density=True, histtype="step", color="black",
            linewidth=1.6, label="taken away")  # fmt: skip
    for (method, values), style in zip(imputed.items(), cycle(("--", "-", ":")), strict=False):
        ax.hist(np.ravel(values), bins, density=True, histtype="step", linestyle=style,
                color=METHOD_COLORS[method], linewidth=2.2,
                label=f"filled in by {method}")  # fmt: skip
    ax.set(xlabel=xlabel, ylabel="density")
    ax.legend()
    return ax


def plot_shift_curves(
    curves: Mapping[str, pd.DataFrame],
    *,
    chosen: float | None = None,
    ylabel: str = "mean absolute error\n(standard deviations)",
    ax: Axes | None = None,
) -> Axes:
    """Error over the shift, one line per set of rows or method, its lowest point marked.

    Parameters
    ----------
    curves : mapping of str to DataFrame
        With columns ``shift`` and ``mae``. Lines named like a method have its colour.
    chosen : float, optional
        A shift to mark with a vertical line.
    ylabel : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> curve = pd.DataFrame({"shift": [0.0, 1.0, 2.0], "mae": [1.0, 0.5, 0.8]})
    >>> ax = plot_shift_curves({"validation rows": curve}, chosen=1.0)
    >>> ax.lines[1].get_xydata().tolist()
    [[1.0, 0.5]]
    """
    ax = plt.subplots()[1] if ax is None else ax
    others = cycle((METHOD_COLORS["VAE, shifted"], METHOD_COLORS["VAE"], METHOD_COLORS["Gaussian"]))
    for (name, curve), style in zip(curves.items(), cycle(("-", "--", "-.", ":")), strict=False):
        color = METHOD_COLORS[name] if name in METHOD_COLORS else next(others)
        ax.plot(curve["shift"], curve["mae"], color=color, linestyle=style, linewidth=2, label=name)
        least = curve.loc[curve["mae"].idxmin()]
        ax.plot(least["shift"], least["mae"], "o", color=color, markeredgecolor="0.3")
    if chosen is not None:
        ax.axvline(chosen, color="0.3", linewidth=1, zorder=0)
        ax.annotate(f"chosen: {chosen:g}", (chosen, 0.02), xycoords=("data", "axes fraction"),
                    xytext=(4, 0), textcoords="offset points")  # fmt: skip
    ax.set(xlabel="shift λ (predictive standard deviations)", ylabel=ylabel)
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax
