"""Errors beside what was expected of them."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from vaeimpute.plots.style import METHOD_COLORS


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
