"""Errors of single features, by what kind of feature it is."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from vaeimpute.plots.style import METHOD_COLORS


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
        From `vaeimpute.evaluation.errors_by_property`.
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
