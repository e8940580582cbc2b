"""What genes have to do with grade and survival, before and after imputation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from vaeimpute.plots.cohorts import plot_survival
from vaeimpute.plots.style import METHOD_COLORS


def plot_coefficients(
    coefficients: Mapping[str, np.ndarray],
    *,
    xlabel: str,
    threshold: float = 0.3,
    limits: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Distribution of a coefficient over all genes.

    Parameters
    ----------
    coefficients : mapping of str to array
        By a name for the legend, the first drawn filled and the others as outlines; NaN are left
        out.
    xlabel : str
        Which coefficient, with its unit.
    threshold : float
        Sizes to mark with vertical lines, in both directions.
    limits : (float, float), optional
        Of the axis; what lies beyond is drawn in the first and the last bin. Otherwise the largest
        coefficient decides.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = plot_coefficients({"genes": np.array([-0.5, 0.1, np.nan])}, xlabel="ρ")
    >>> ax.get_legend_handles_labels()[1]
    ['genes']
    """
    ax = plt.subplots()[1] if ax is None else ax
    known = {name: values[~np.isnan(values)] for name, values in coefficients.items()}
    if limits is None:
        largest = max(np.abs(values).max() for values in known.values())
        limits = (-largest, largest)
    bins = np.linspace(*limits, 61).tolist()
    for number, (name, values) in enumerate(known.items()):
        look = (
            {"color": METHOD_COLORS["KNN"]}
            if number == 0
            else {"histtype": "step", "color": "black", "linestyle": "--", "linewidth": 1.6}
        )
        ax.hist(values.clip(*limits), bins, density=True, label=name, **look)
    for side in (-threshold, threshold):
        ax.axvline(side, color="0.3", linewidth=1, linestyle=":")
    ax.set(xlabel=xlabel, ylabel="density", xlim=limits)
    ax.locator_params(axis="x", nbins=5)
    ax.legend()
    return ax


def plot_difference_densities(
    densities: Mapping[str, pd.DataFrame],
    *,
    methods: Sequence[str] = ("KNN", "VAE"),
    scenario_labels: Mapping[str, str] | None = None,
    limit: float = 1.0,
) -> list[Axes]:
    """Densities of the differences from the true coefficients, a row of panels per coefficient.

    Parameters
    ----------
    densities : mapping of str to DataFrame
        From `vaeimpute.evaluation.clinical.difference_density`, by the title of the row.
    methods : sequence of str
    scenario_labels : mapping of str to str, optional
        What to write above the panels instead of the keys.
    limit : float
        Of the axis in both directions, 1 at most.

    Returns
    -------
    list of Axes

    Examples
    --------
    >>> density = pd.DataFrame({"scenario": "mcar_10", "method": "VAE", "difference": [-0.5, 0.5],
    ...                         "density": [0.4, 0.6]})
    >>> [ax] = plot_difference_densities({"a: grade": density}, methods=["VAE"])
    >>> ax.lines[0].get_ydata().tolist()
    [0.4, 0.6]
    """
    labels = scenario_labels or {}
    scenarios = list(next(iter(densities.values()))["scenario"].unique())
    figure, axes = plt.subplots(
        len(densities), len(scenarios), squeeze=False, sharex=True,
        figsize=(2.6 * len(scenarios), 2.6 * len(densities) + 0.4),
    )  # fmt: skip
    for row, (title, density) in zip(axes, densities.items(), strict=True):
        row[0].set_ylabel(f"{title}\ndensity")
        for ax, scenario in zip(row, scenarios, strict=True):
            for method, style in zip(methods, cycle(("--", "-", ":")), strict=False):
                chosen = (density["scenario"] == scenario) & (density["method"] == method)
                part = density[chosen]
                ax.plot(part["difference"], part["density"], color=METHOD_COLORS[method],
                        linestyle=style, linewidth=1.8, label=method)  # fmt: skip
            ax.set_xlim(-limit, limit)
            ax.set_ylim(bottom=0)
    for ax, scenario in zip(axes[0], scenarios, strict=True):
        ax.set_title(labels.get(scenario, scenario), fontsize="medium")
    for ax in axes[-1]:
        ax.set_xlabel("imputed − true")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center",
                  ncols=len(methods))  # fmt: skip
    return list(axes.flat)


def plot_survival_by_gene(
    clinical: pd.DataFrame, values: Mapping[str, np.ndarray], *, time_unit: str
) -> list[Axes]:
    """Kaplan-Meier curves of samples above and below the median of a gene, per version of it.

    Parameters
    ----------
    clinical : DataFrame
        With columns ``time`` and ``event``, a row per sample.
    values : mapping of str to array of shape (n_samples,)
        The gene's values, true or imputed, by the title of the panel.
    time_unit : str

    Returns
    -------
    list of Axes

    Examples
    --------
    >>> clinical = pd.DataFrame({"time": [3, 5, 8, 9], "event": [1, 0, 1, 1]})
    >>> axes = plot_survival_by_gene(clinical, {"true": np.arange(4.0)}, time_unit="months")
    >>> [text.get_text() for text in axes[0].get_legend().get_texts()]
    ['high (n = 2)', 'low (n = 2)']
    """
    axes = plt.subplots(
        1, len(values), squeeze=False, sharey=True, figsize=(3.7 * len(values), 3.4)
    )[1]
    followed = clinical[["time", "event"]].notna().all(axis=1).to_numpy()
    for ax, (title, gene) in zip(axes[0], values.items(), strict=True):
        level = np.where(gene > np.median(gene[followed]), "high", "low")
        plot_survival(clinical.assign(expression=level), "expression", time_unit=time_unit, ax=ax)
        ax.legend(loc="lower left")
        ax.set_title(title, fontsize="medium")
    for ax in axes[0, 1:]:
        ax.set_ylabel("")
    return list(axes[0])
