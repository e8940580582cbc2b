"""The figures of a report, as images that the page contains."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vaeimpute.comparison import SCENARIOS, Comparison
from vaeimpute.evaluation import interval_coverage, summarize
from vaeimpute.plots import (
    plot_errors,
    plot_feature_errors,
    plot_interval_coverage,
    plot_mask,
    use_style,
)


@dataclass(frozen=True)
class Picture:
    """An image with its words.

    Attributes
    ----------
    data : str
        PNG, in base 64.
    alt, caption : str
    """

    data: str
    alt: str
    caption: str


def draw_missing(values: pd.DataFrame) -> Picture:
    """Draw where values are missing, features by how often they are.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    Picture
    """
    missing = values.isna().to_numpy()
    order = np.argsort(-missing.sum(axis=0), kind="stable")
    use_style()
    figure, ax = plt.subplots()
    plot_mask(missing, order=order, xlabel="features, the most often missing first", ax=ax)
    ax.set_ylabel("samples, as in the file")
    return _picture(
        figure,
        f"Map of the missing values: {100 * missing.mean():.3g} % of all.",
        "Where values are missing: black is a half or more of the neighbouring features that share "
        "a column of the picture.",
    )


def draw_errors(comparison: Comparison) -> Picture:
    """Draw the error of each method on hidden values.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    Picture
    """
    use_style()
    figure, ax = plt.subplots()
    labels = {comparison.scenario: "hidden values"}
    plot_errors(summarize(comparison.table), scenario_labels=labels, ax=ax)
    ranking = "; ".join(f"{name} {value:.3f}" for name, value in comparison.ranking.items())
    return _picture(
        figure,
        f"Bars of the mean absolute error by method: {ranking}.",
        f"Mean absolute error on hidden values, lower is better. Hidden: "
        f"{SCENARIOS[comparison.scenario].words}.",
    )


def draw_features(comparison: Comparison, method: str) -> Picture:
    """Draw how the error differs between features.

    Parameters
    ----------
    comparison : Comparison
    method : str
        Shown beside the mean.

    Returns
    -------
    Picture
    """
    methods = [name for name in dict.fromkeys(("mean", method)) if name in comparison.ranking]
    errors = {name: comparison.errors_per_feature(name)["mae"] for name in methods}
    use_style()
    figure, ax = plt.subplots()
    plot_feature_errors(errors, ax=ax)
    return _picture(
        figure,
        "Histogram of the errors of single features, medians "
        + "; ".join(f"{name} {part.median():.3f}" for name, part in errors.items())
        + ".",
        "How well single features are restored. What is beyond the right end is drawn at it.",
    )


def draw_coverage(comparison: Comparison, method: str) -> Picture | None:
    """Draw whether predictive intervals hold what they promise.

    Parameters
    ----------
    comparison : Comparison
    method : str

    Returns
    -------
    Picture or None
        None if the method has no standard deviations.
    """
    residuals = comparison.standardized_residuals(method)
    if residuals is None:
        return None
    table = interval_coverage(residuals)
    use_style()
    figure, ax = plt.subplots(figsize=(4.6, 4.2))
    plot_interval_coverage(table, ax=ax)
    words = "; ".join(f"{100 * c:.0f} % at {100 * p:.0f} %" for p, c in table.to_numpy())
    return _picture(
        figure,
        f"Coverage of predictive intervals: {words}.",
        "Below the dashed line, standard deviations are too small; above it, too large.",
    )


def _picture(figure: Figure, alt: str, caption: str) -> Picture:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    plt.close(figure)
    return Picture(base64.b64encode(buffer.getvalue()).decode(), alt, caption)
