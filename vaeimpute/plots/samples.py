"""Samples: where they lie, how long they live, what they lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from vaeimpute.plots.style import DASHES, LEVELS, looks

_MOST_LEVELS = 6  # of a number; more of them get a colour bar


def plot_survival(
    clinical: pd.DataFrame, by: str, *, time_unit: str, ax: Axes | None = None
) -> Axes:
    """Kaplan-Meier curves of the levels of a clinical variable.

    Parameters
    ----------
    clinical : DataFrame
        With columns ``time``, ``event`` (1 = it happened) and `by`; rows without one are left out.
    by : str
        A column with a few levels.
    time_unit : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> clinical = pd.DataFrame({"time": [3, 5, 8], "event": [1, 0, 1], "grade": [2, 2, 3]})
    >>> ax = plot_survival(clinical, "grade", time_unit="months")
    >>> len(ax.lines)
    2
    """
    from lifelines import KaplanMeierFitter  # takes a second to import

    ax = plt.subplots()[1] if ax is None else ax
    groups = clinical.dropna(subset=["time", "event", by]).groupby(by)
    colors = mpl.colormaps[LEVELS](np.linspace(0, 0.7, groups.ngroups))  # the rest is too pale
    for (level, part), color, style in zip(groups, colors, cycle(DASHES), strict=False):
        curve = KaplanMeierFitter(label=f"{_name(level)} (n = {len(part)})")
        curve.fit(part["time"], part["event"]).plot_survival_function(
            ax=ax, ci_show=False, color=color, linestyle=style, linewidth=2
        )
    ax.set(xlabel=f"time ({time_unit})", ylabel="share without event", ylim=(0, 1.02))
    ax.legend(title=by, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


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


def plot_embedding(
    coordinates: np.ndarray,
    labels: pd.Series,
    *,
    axis_labels: Sequence[str],
    legend_title: str,
    ax: Axes | None = None,
) -> Axes:
    """Scatter samples in two dimensions, coloured by a clinical variable.

    Parameters
    ----------
    coordinates : array of shape (n_samples, 2)
    labels : Series of shape (n_samples,)
        Words and a few numbers get a legend, many numbers a colour bar; samples without a label are
        grey crosses.
    axis_labels : sequence of two str
    legend_title : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> points = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> ax = plot_embedding(
    ...     points, pd.Series([2, 3]), axis_labels=("PC1", "PC2"), legend_title="grade")
    >>> ax.get_xlabel()
    'PC1'
    """
    ax = plt.subplots()[1] if ax is None else ax
    if coordinates.shape != (len(labels), 2):
        raise ValueError(f"Expected coordinates of shape ({len(labels)}, 2) but got "
                         f"{coordinates.shape}.")  # fmt: skip
    x, y = coordinates.T
    known = labels.notna().to_numpy()
    levels = sorted(labels[known].unique())
    ax.scatter(x[~known], y[~known], marker="x", s=22, color="0.6", linewidth=1,
               label=None if known.all() else "unknown")  # fmt: skip
    if len(levels) <= _MOST_LEVELS or not pd.api.types.is_numeric_dtype(labels):
        colors = sns.color_palette(LEVELS, len(levels))
        # Shapes repeat what the colours say.
        for level, color, marker in zip(levels, colors, cycle("ovsDP^"), strict=False):
            chosen = (labels == level).to_numpy()
            ax.scatter(x[chosen], y[chosen], color=[color], marker=marker, s=28,
                       edgecolor="white", linewidth=0.4, label=_name(level))  # fmt: skip
        ax.legend(title=legend_title, loc="upper left", bbox_to_anchor=(1, 1))
    else:
        points = ax.scatter(x[known], y[known], c=labels[known], cmap=LEVELS, s=22,
                            edgecolor="white", linewidth=0.3)  # fmt: skip
        ax.figure.colorbar(points, ax=ax, label=legend_title)
    ax.set(xlabel=axis_labels[0], ylabel=axis_labels[1])
    ax.grid(visible=False)
    return ax


def _name(level: float | str) -> str:
    return f"{level:g}" if isinstance(level, float) else str(level)


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
    ax.imshow(share, cmap="Greys", vmin=0, vmax=0.5, aspect="auto", interpolation="nearest",
              extent=(0, mask.shape[1], len(mask), 0))  # fmt: skip
    ax.set(xlabel=xlabel, ylabel="test rows")
    ax.locator_params(axis="x", nbins=4)
    ax.grid(visible=False)
    return ax


def plot_filled(
    true: np.ndarray,
    mask: np.ndarray,
    filled: Mapping[str, np.ndarray],
    errors: Mapping[str, float],
    *,
    limit: float,
) -> list[Axes]:
    """Heat maps of what is left of a matrix and of what was taken, of each method's guesses.

    Parameters
    ----------
    true : array of shape (n_rows, n_features)
        Standardised.
    mask : boolean array of shape (n_rows, n_features)
        True where a value is taken away: black in the first panel, the only full colour in others.
    filled : mapping of str to array of shape (n_rows, n_features)
        What each method makes of the rows, by its label.
    errors : mapping of str to float
        By the same labels, for the last panel.
    limit : float
        Where the axis of the errors ends, so that several such figures can be compared.

    Returns
    -------
    list of Axes

    Examples
    --------
    >>> rows, mask = np.zeros((2, 3)), np.eye(2, 3, dtype=bool)
    >>> axes = plot_filled(rows, mask, {"mean": rows}, {"mean": 0.8}, limit=1.0)
    >>> [ax.get_title() for ax in axes]
    ['what is left', 'what was taken', 'mean', 'mean absolute error']
    """
    n_panels = len(filled) + 3
    n_rows = -(-n_panels // 2)
    figure, axes = plt.subplots(n_rows, 2, figsize=(5.6, 1.6 * n_rows))
    *maps, dots = axes.flat[:n_panels]
    colors = mpl.colormaps["RdBu_r"].with_extremes(bad="black")
    panels = {"what is left": true, "what was taken": true, **filled}
    for ax, (title, values) in zip(maps, panels.items(), strict=True):
        left = title == "what is left"
        image = ax.imshow(
            np.where(mask, np.nan, values) if left else values, cmap=colors, vmin=-2.5, vmax=2.5,
            alpha=None if left else np.where(mask, 1.0, 0.15), aspect="auto",
            interpolation="nearest",
        )  # fmt: skip
        ax.set(xticks=[], yticks=[])
        ax.set_title(title, fontsize="medium")
    figure.colorbar(image, ax=axes, location="bottom", aspect=50, label="standard deviations")
    image.colorbar.solids.set_alpha(1)
    for row, (method, (color, marker)) in enumerate(looks(errors).items()):
        error = errors[method]
        dots.plot(error, row, marker, color=color, markersize=9, markeredgecolor="0.3")
        side = 1 if error < limit / 2 else -1  # where there is room for the words
        dots.annotate(f"{method} {error:.2f}", (error, row), xytext=(9 * side, 0), va="center",
                      ha="left" if side == 1 else "right", textcoords="offset points",
                      fontsize="small")  # fmt: skip
    dots.set(xlim=(0, limit), ylim=(len(errors) - 0.5, -0.5), yticks=[])
    dots.set_title("mean absolute error", fontsize="medium")
    for ax in axes.flat[n_panels:]:
        ax.remove()
    return [*maps, dots]
