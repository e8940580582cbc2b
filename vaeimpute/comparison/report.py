"""The report: one HTML page that needs nothing beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

import numpy as np
import pandas as pd

from vaeimpute import __version__
from vaeimpute.comparison.holdout import HOLD_OUTS, Comparison
from vaeimpute.evaluation import interval_coverage, summarize
from vaeimpute.exceptions import import_optional
from vaeimpute.imputers.detection import DetectionCurve
from vaeimpute.methods import METHODS, find_method

try:
    import jinja2
    import matplotlib.pyplot as plt

    from vaeimpute import plots
except ModuleNotFoundError as error:
    import_optional(str(error.name).partition(".")[0], "A report or a figure", "report")
    raise

_OFTEN = 0.5  # missing in so large a share of the samples, a feature rests on few of them
_FEW_VALUES = 3  # of a feature; the mean of fewer errors is chance


def render_report(
    name: str,
    values: pd.DataFrame,
    method: str,
    comparison: Comparison | None,
    *,
    settings: Sequence[str] = (),
    mnar_low: bool = False,
    losses: Sequence[str] = (),
    curve: DetectionCurve | None = None,
) -> str:
    """Make the page.

    Parameters
    ----------
    name : str
        Of the matrix.
    values : DataFrame of shape (n_samples, n_features)
        As in the file; NaN means missing.
    method : str
        The label of the method that filled them.
    comparison : Comparison or None
        None if there were too few values to hide any.
    settings : sequence of str
        How it was run, in words.
    mnar_low : bool
        Whether a correction for low values missing was asked for.
    losses : sequence of str
        How values were lost, in words.
    curve : DetectionCurve, optional
        The same as a curve.

    Returns
    -------
    str
        HTML. Names from the matrix are escaped.

    Examples
    --------
    >>> values = pd.DataFrame({"<b>": [1.0, None], "TP53": [2.0, 3.0]}, index=["s1", "s2"])
    >>> page = render_report("tiny.csv", values, "mean", None)
    >>> "<td>&lt;b&gt;</td>" in page, "<b>" in page
    (True, False)
    """
    plots.use_style()
    file = resources.files("vaeimpute.comparison") / "page.html.jinja"
    page = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(file.read_text("utf-8"))
    missing = values.isna()
    facts = {
        "Matrix": f"{values.shape[0]} samples, {values.shape[1]} features",
        "Missing": f"{missing.sum().sum()} values, {100 * missing.to_numpy().mean():.3g} %",
        "Filled with": f"{method}: {METHODS[find_method(method.partition(' on ')[0])].about}",
        "Settings": "; ".join(settings),
    }
    found = comparison if comparison is not None and method in comparison.residuals else None
    return page.render(
        name=name,
        facts=facts,
        cautions=list_cautions(
            values, method, comparison, mnar_low=mnar_low or (curve is not None and curve.believed)
        ),
        losses=losses,
        curve=curve and curve.believed and _draw_curve(curve),
        missing=_draw_missing(missing.to_numpy()),
        most_missing={"feature": _most(missing.sum(axis=0)), "sample": _most(missing.sum(axis=1))},
        comparison=comparison,
        errors=comparison and _draw_errors(comparison),
        methods=comparison and _cells(comparison.summary, ".4f", ".4f", ".1f", ".1f"),
        by_feature=found and _draw_features(found, method),
        features=found and _cells(found.errors_per_feature(method), ".3f", ".0f"),
        calibration=found and _draw_calibration(found, method),
        method=method,
        version=__version__,
    )


def _most(counts: pd.Series) -> pd.Series:
    """Return the ids that miss most, with their numbers."""
    return counts[counts > 0].sort_values(ascending=False, kind="stable").head(10)


def _cells(table: pd.DataFrame, *formats: str) -> list[list[str]]:
    """Write the rows of a table, each with its name."""
    return [
        [str(name), *map(format, row, formats)]
        for name, row in zip(table.index, table.to_numpy(), strict=True)
    ]


class Picture(NamedTuple):
    """An image, PNG in base 64, with its words."""

    data: str
    alt: str
    caption: str


def _picture(alt: str, caption: str) -> Picture:
    buffer = io.BytesIO()
    plt.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    plt.close()
    return Picture(base64.b64encode(buffer.getvalue()).decode(), alt, caption)


def _draw_missing(missing: np.ndarray) -> Picture:
    order = np.argsort(-missing.sum(axis=0), kind="stable")
    ax = plots.plot_mask(missing, order=order, xlabel="features, the most often missing first")
    ax.set_ylabel("samples, as in the file")
    return _picture(
        f"Map of the missing values: {100 * missing.mean():.3g} % of all.",
        "Where values are missing: black is a half or more of the neighbouring features that share "
        "a column of the picture.",
    )


def _draw_curve(curve: DetectionCurve) -> Picture:
    value = np.linspace(-1, 1, 201) * max(6 * curve.softness, 1e-9 + abs(curve.threshold) / 4)
    table = pd.DataFrame({"value": curve.threshold + value})
    table["chance"] = curve(table["value"])
    units = {
        "input": "value (in the units that were worked on)",
        "deviations": "value (standard deviations from the mean of its feature)",
        "scores": "value (normal score of its rank within its feature)",
    }
    plots.plot_lines(
        table, "value", "chance", xlabel=units[curve.units], ylabel="chance of being missing"
    ).set_ylim(0, None)
    return _picture(
        f"The chance that a value is missing, by value: {curve.describe()}.",
        f"The curve by which values were lost, as found from the matrix. It explains which are "
        f"missing by {curve.gain:.2g} per missing value (natural logarithm of the likelihood) "
        f"better than chance; where values were hidden at random, the same fit seems to explain "
        f"{max(curve.null_gain, 0):.2g}.",
    )


def draw_errors(comparison: Comparison) -> None:
    """Draw the error of each method on hidden values, in a figure of its own.

    Parameters
    ----------
    comparison : Comparison
    """
    plots.use_style()
    labels = {comparison.scenario: "hidden values"}
    plots.plot_errors(summarize(comparison.table), scenario_labels=labels)


def _draw_errors(comparison: Comparison) -> Picture:
    draw_errors(comparison)
    ranking = "; ".join(f"{name} {value:.3f}" for name, value in comparison.ranking.items())
    return _picture(
        f"Dots of the mean absolute error by method: {ranking}.",
        f"Mean absolute error on hidden values, lower is better. Hidden: "
        f"{HOLD_OUTS[comparison.scenario].words}.",
    )


def _draw_features(comparison: Comparison, method: str) -> Picture:
    methods = [name for name in dict.fromkeys(("mean", method)) if name in comparison.residuals]
    errors = {name: comparison.errors_per_feature(name)["mae"] for name in methods}
    plots.plot_distributions(
        errors,
        xlabel="mean absolute error of a feature (standard deviations)",
        limits=(0, max(float(part.quantile(0.99)) for part in errors.values()) or 1.0),
    )
    medians = "; ".join(f"{name} {part.median():.3f}" for name, part in errors.items())
    return _picture(
        f"Histogram of the errors of single features, medians {medians}.",
        "How well single features are restored. What is beyond the right end is drawn at it.",
    )


def _draw_calibration(comparison: Comparison, method: str) -> Picture | None:
    residuals = comparison.standardized_residuals(method)
    if residuals is None:
        return None
    table = interval_coverage(residuals)
    plots.plot_interval_coverage(table, ax=plt.subplots(figsize=(4.6, 4.2))[1])
    words = "; ".join(f"{100 * c:.0f} % at {100 * p:.0f} %" for p, c in table.to_numpy())
    return _picture(
        f"Share of hidden values in predictive intervals: {words}.",
        "Below the dashed line, standard deviations are too small; above it, too large.",
    )


def list_cautions(
    values: pd.DataFrame, method: str, comparison: Comparison | None, *, mnar_low: bool
) -> list[str]:
    """Say what stands out in a matrix and in how well its hidden values are restored.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
        NaN means missing.
    method : str
        The label of the method that filled them.
    comparison : Comparison or None
    mnar_low : bool
        Whether a correction for low values missing was asked for.

    Returns
    -------
    list of str

    Examples
    --------
    >>> values = pd.DataFrame({"TP53": [1.0, None, None, 2.0], "EGFR": [1.0, None, None, None]})
    >>> for caution in list_cautions(values, "mean", None, mnar_low=False)[:2]:
    ...     print(caution)
    1 of 2 features are missing in more than half of the samples; what they get rests on few.
    2 of 4 samples have no value at all; what they get says nothing about them.
    """
    missing = values.isna().to_numpy()
    cautions = []
    often = int((missing.mean(axis=0) > _OFTEN).sum())
    if often:
        cautions.append(
            f"{often} of {missing.shape[1]} features are missing in more than half of the samples; "
            "what they get rests on few."
        )
    empty = int(missing.all(axis=1).sum())
    if empty:
        cautions.append(
            f"{empty} of {len(missing)} samples have no value at all; what they get says nothing "
            "about them."
        )
    if comparison is None:
        cautions.append(
            "The matrix has too few values to hide some of them, so how well they are restored is "
            "not known."
        )
    elif method in comparison.residuals:
        cautions += _about_errors(comparison, method)
    if not mnar_low:
        cautions.append(
            "If low values are the ones that are missing, as below a detection limit, the "
            "imputed values are too high, and hiding values at random does not show it. Then use "
            "--mnar low."
        )
    return cautions


def _about_errors(comparison: Comparison, method: str) -> list[str]:
    cautions = []
    if "mean" in comparison.residuals and method != "mean":
        difference, spread = comparison.margin(method, "mean")
        ours, theirs = (comparison.errors_per_feature(name) for name in (method, "mean"))
        ours = ours[ours["n_hidden"] >= _FEW_VALUES]
        worse = (ours["mae"] >= theirs["mae"].reindex(ours.index)).mean()
        if not difference > 2 * spread:
            cautions.append(
                f"On hidden values, {method} is not clearly better than the mean of the feature: "
                "the matrix holds little from which to restore its values."
            )
        elif worse > 0:
            cautions.append(
                f"{100 * worse:.0f} % of the features (of those with {_FEW_VALUES} or more hidden "
                f"values) are restored no better by {method} than by their mean."
            )
    equals = [*comparison.within_noise(), comparison.best]
    if method in equals and len(equals) > 1:
        others = "; ".join(name for name in equals if name != method)
        cautions.append(
            f"{others} did as well within the noise: the choice between them and {method} does not "
            "matter here."
        )
    residuals = comparison.standardized_residuals(method)
    if residuals is not None:
        promised = 0.95
        coverage = float(interval_coverage(residuals, [promised])["coverage"].iloc[0])
        noise = 2 * float(np.sqrt(promised * (1 - promised) / len(residuals)))
        if abs(coverage - promised) > max(0.02, noise):
            often = "more" if coverage < promised else "less"
            cautions.append(
                f"Intervals of {method} that promise {100 * promised:.0f} % hold "
                f"{100 * coverage:.0f} % of the hidden values: large errors are {often} frequent "
                "than its standard deviations say."
            )
    return cautions
