"""One function per figure: each takes a table and returns matplotlib Axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

# One fixed colour per method. They differ in lightness as well as in hue (from the palette of Okabe
# and Ito, made for colour-blind readers, or near it), so that a greyscale print still tells them
# apart.
METHOD_COLORS = {
    "random": "#EBE08A",
    "mean": "#BDBDBD",
    "KNN": "#56B4E9",
    "SVD": "#007A5A",
    "SVD, tuned": "#46001F",
    "Gaussian": "#D55E00",
    "VAE": "#1B3A6B",
}
_LEVELS = "viridis"  # ordered categories and continuous variables
_MOST_LEVELS = 6  # of a number; more of them get a colour bar


def use_style() -> None:
    """Set the look of all figures: white ground in light and dark mode, sizes that fit a page."""
    sns.set_theme(
        context="notebook",
        style="ticks",
        rc={
            "figure.figsize": (7.5, 4.0),
            "figure.dpi": 110,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.grid.axis": "y",
            "grid.color": "0.9",
            "axes.axisbelow": True,
            "legend.frameon": False,
        },
    )


def plot_errors(
    summary: pd.DataFrame,
    *,
    scenario_labels: Mapping[str, str] | None = None,
    ylabel: str = "mean absolute error\n(standard deviations)",
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
    methods = summary["method"].unique()
    scenarios = summary["scenario"].unique()
    width = 0.84 / len(methods)
    for number, method in enumerate(methods):
        part = summary[summary["method"] == method].set_index("scenario").loc[scenarios]
        x = np.arange(len(scenarios)) + (number - (len(methods) - 1) / 2) * width
        ax.bar(
            x, part["mean"], width=width * 0.94, label=method, color=METHOD_COLORS[method],
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


def plot_value_distribution(
    values: pd.DataFrame, *, xlabel: str, reference: bool = False, ax: Axes | None = None
) -> Axes:
    """Histogram of all values of a matrix.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
    xlabel : str
        With the unit.
    reference : bool
        Draw the standard normal density for comparison.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> values = pd.DataFrame({"g": [0.0, 0.4, 1.0]})
    >>> plot_value_distribution(values, xlabel="level").get_ylabel()
    'density'
    """
    ax = plt.subplots()[1] if ax is None else ax
    flat = values.to_numpy().ravel()
    flat = flat[~np.isnan(flat)]
    low, high = np.quantile(flat, [0.0005, 0.9995])  # a few far values would squeeze the rest
    ax.hist(flat, bins=80, range=(low, high), density=True, color=METHOD_COLORS["KNN"])
    if reference:
        x = np.linspace(low, high, 200)
        density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
        ax.plot(x, density, color="black", linewidth=1.2, linestyle="--", label="standard normal")
        ax.legend()
    ax.set(xlabel=xlabel, ylabel="density")
    return ax


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


def plot_spectrum(
    spectra: Mapping[str, np.ndarray], *, most: int = 50, ax: Axes | None = None
) -> Axes:
    """Cumulative shares of variance of the leading principal components of several matrices.

    Parameters
    ----------
    spectra : mapping of str to array
        From `vaeimpute.evaluation.correlation_spectrum`; compare matrices of as many samples.
    most : int
        Components shown.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = plot_spectrum({"real": np.array([0.5, 0.3, 0.2])})
    >>> ax.lines[0].get_ydata().round(1).tolist()
    [0.0, 0.5, 0.8, 1.0]
    """
    ax = plt.subplots()[1] if ax is None else ax
    for (name, spectrum), style in zip(spectra.items(), cycle(("-", "--", ":")), strict=False):
        shares = np.insert(np.cumsum(spectrum[:most]), 0, 0.0)
        ax.plot(shares, linestyle=style, label=name)
    ax.set(xlabel="principal components", ylabel="cumulative share of variance", ylim=(0, 1.02))
    ax.legend()
    return ax


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
    styles = ("-", "--", ":", "-.")
    colors = mpl.colormaps[_LEVELS](np.linspace(0, 0.7, groups.ngroups))  # the rest is too pale
    for number, (level, part) in enumerate(groups):
        curve = KaplanMeierFitter().fit(part["time"], part["event"]).survival_function_
        name = f"{level:g}" if isinstance(level, float) else str(level)
        ax.step(
            curve.index, curve.iloc[:, 0], where="post", color=colors[number],
            linestyle=styles[number % len(styles)], linewidth=2, label=f"{name} (n = {len(part)})",
        )  # fmt: skip
    ax.set(xlabel=f"time ({time_unit})", ylabel="share without event", ylim=(0, 1.02))
    ax.legend(title=by, loc="upper left", bbox_to_anchor=(1, 1))
    return ax


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
        colors = sns.color_palette(_LEVELS, len(levels))
        # Shapes repeat what the colours say.
        for level, color, marker in zip(levels, colors, cycle("ovsDP^"), strict=False):
            chosen = (labels == level).to_numpy()
            name = f"{level:g}" if isinstance(level, float) else str(level)
            ax.scatter(x[chosen], y[chosen], color=[color], marker=marker, s=28,
                       edgecolor="white", linewidth=0.4, label=name)  # fmt: skip
        ax.legend(title=legend_title, loc="upper left", bbox_to_anchor=(1, 1))
    else:
        points = ax.scatter(x[known], y[known], c=labels[known], cmap=_LEVELS, s=22,
                            edgecolor="white", linewidth=0.3)  # fmt: skip
        ax.figure.colorbar(points, ax=ax, label=legend_title)
    ax.set(xlabel=axis_labels[0], ylabel=axis_labels[1])
    ax.grid(visible=False)
    return ax
