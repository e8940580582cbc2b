"""Masks, and what they take away."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from vaeimpute.plots.style import METHOD_COLORS


def plot_mask(
    mask: np.ndarray,
    *,
    order: np.ndarray | None = None,
    xlabel: str = "features",
    ax: Axes | None = None,
) -> Axes:
    """Heat map of the share of values that are missing, features sorted so that structure shows.

    Parameters
    ----------
    mask : boolean array of shape (n_rows, n_features)
        True where a value is missing.
    order : integer array of shape (n_features,), optional
        Positions of the features from left to right.
    xlabel : str
        With the order that the features are in.
    ax : Axes, optional

    Returns
    -------
    Axes

    Notes
    -----
    A screen has fewer pixels than a cohort has features: neighbouring features share one of at
    most 300 columns, whose shade is the share that is missing among them. Black is a half or more,
    in every picture, so that thin masks are visible and pictures can be compared.

    Examples
    --------
    >>> ax = plot_mask(np.array([[True, False], [False, False]]))
    >>> ax.images[0].get_array().tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    ax = plt.subplots()[1] if ax is None else ax
    ordered = mask if order is None else mask[:, order]
    starts = np.unique(np.linspace(0, mask.shape[1], 301).astype(int)[:-1])
    sizes = np.diff(np.append(starts, mask.shape[1]))
    share = np.add.reduceat(ordered.astype(float), starts, axis=1) / sizes
    ax.imshow(
        share,
        cmap="Greys",
        vmin=0,
        vmax=0.5,
        aspect="auto",
        interpolation="nearest",
        extent=(0, mask.shape[1], len(mask), 0),
    )
    ax.set(xlabel=xlabel, ylabel="test rows")
    ax.locator_params(axis="x", nbins=4)
    ax.grid(visible=False)
    return ax


def plot_masked_values(
    values: np.ndarray, mask: np.ndarray, *, xlabel: str, ax: Axes | None = None
) -> Axes:
    """Distribution of the values that a mask takes away, beside that of those it leaves.

    Parameters
    ----------
    values : array of shape (n_rows, n_features)
    mask : boolean array of shape (n_rows, n_features)
    xlabel : str
        With the unit.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> values = np.array([[0.0, 1.0, 2.0, 3.0]])
    >>> ax = plot_masked_values(values, values < 1.5, xlabel="standard deviations")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['left', 'taken away']
    """
    ax = plt.subplots()[1] if ax is None else ax
    observed = ~np.isnan(values)
    low, high = np.quantile(values[observed], [0.0005, 0.9995])
    bins = np.linspace(low, high, 61).tolist()
    ax.hist(values[observed & ~mask], bins, density=True, color=METHOD_COLORS["KNN"], label="left")
    ax.hist(values[mask], bins, density=True, histtype="step", color="black", linewidth=1.3,
            label="taken away")  # fmt: skip
    ax.set(xlabel=xlabel, ylabel="density")
    ax.legend()
    return ax
