"""The page itself: one HTML file that needs nothing beside it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np
import pandas as pd

from vaeimpute import __version__
from vaeimpute.comparison import Comparison
from vaeimpute.evaluation import interval_coverage

_SHOWN = 10  # features and samples in a table


@dataclass(frozen=True, eq=False)
class Facts:
    """What a report is about.

    Attributes
    ----------
    name : str
        Of the matrix.
    values : DataFrame of shape (n_samples, n_features)
        As in the file, with holes.
    method : str
        The label of the method that filled them.
    about : str
        What that method does.
    comparison : Comparison or None
        None if there were too few values to hide any.
    hidden : str
        What was hidden to compare methods, and why.
    settings : tuple of str
        How it was run, in words.
    mnar_low : bool
        Whether a correction for low values missing was asked for.
    """

    name: str
    values: pd.DataFrame
    method: str
    about: str
    comparison: Comparison | None
    hidden: str
    settings: tuple[str, ...] = ()
    mnar_low: bool = False


def check_report() -> None:
    """See to it that a report can be made.

    Raises
    ------
    ModuleNotFoundError
        If a package is missing; the message names the extra that brings it.
    """
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
        import seaborn  # noqa: F401
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"Reports and figures need {error.name}, which is not installed. Install it: pip "
            "install 'vaeimpute[report]'.",
            name=error.name,
        ) from None


def render_report(facts: Facts) -> str:
    """Make the page.

    Parameters
    ----------
    facts : Facts

    Returns
    -------
    str
        HTML. Names from the matrix are escaped.

    Examples
    --------
    >>> values = pd.DataFrame({"<b>": [1.0, None], "TP53": [2.0, 3.0]}, index=["s1", "s2"])
    >>> page = render_report(Facts("tiny.csv", values, "mean", "the mean", None, ""))
    >>> "<td>&lt;b&gt;</td>" in page, "<b>" in page
    (True, False)
    """
    check_report()
    import jinja2

    from vaeimpute.comparison import figures

    template = (
        resources.files("vaeimpute.comparison").joinpath("page.html.jinja").read_text("utf-8")
    )
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    missing, comparison = facts.values.isna(), facts.comparison
    judged = comparison is not None and facts.method in comparison.ranking
    features = comparison.errors_per_feature(facts.method) if comparison and judged else None
    return environment.from_string(template).render(
        facts=facts,
        version=__version__,
        n_missing=int(missing.to_numpy().sum()),
        share=f"{100 * missing.to_numpy().mean():.3g} %",
        features_missing=_most(missing.sum(axis=0)),
        samples_missing=_most(missing.sum(axis=1)),
        map=figures.draw_missing(facts.values),
        verdict=comparison.describe() if comparison else "",
        methods=_methods(comparison) if comparison else [],
        errors=figures.draw_errors(comparison) if comparison else None,
        per_feature=figures.draw_features(comparison, facts.method)
        if comparison and judged
        else None,
        worst=[] if features is None else _rows(features.head(_SHOWN)),
        best=[] if features is None else _rows(features.iloc[::-1].head(_SHOWN)),
        calibration=figures.draw_coverage(comparison, facts.method)
        if comparison and judged
        else None,
        cautions=list_cautions(facts.values, facts.method, comparison, mnar_low=facts.mnar_low),
    )


def _most(counts: pd.Series) -> list[tuple[str, int]]:
    """Return the ids that miss most, with their numbers."""
    counts = counts[counts > 0].sort_values(ascending=False, kind="stable").head(_SHOWN)
    return [(str(name), int(count)) for name, count in counts.items()]


def _methods(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    means = comparison.table.groupby("method")[["mae", "rmse", "seconds"]].mean()
    return [
        (name, f"{row['mae']:.4f}", f"{row['rmse']:.4f}", f"{row['seconds']:.1f}")
        for name, row in means.loc[comparison.ranking.index].iterrows()
    ]


def _rows(features: pd.DataFrame) -> list[tuple[str, str, int]]:
    return [
        (str(name), f"{row['mae']:.3f}", int(row["n_hidden"])) for name, row in features.iterrows()
    ]


_OFTEN = 0.5  # missing in so large a share of the samples, a feature rests on few of them
_FEW_FEATURES = 3


def list_cautions(
    values: pd.DataFrame, method: str, comparison: Comparison | None, *, mnar_low: bool
) -> list[str]:
    """Say what stands out in a matrix and in how well its hidden values are restored.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
        With holes.
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
    else:
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
    ranking = comparison.ranking
    if method in ranking and "mean" in ranking and method != "mean":
        difference, spread = comparison.margin(method, "mean")
        if not difference > 2 * spread:
            cautions.append(
                f"On hidden values, {method} is not clearly better than the mean of the feature: "
                "the matrix holds little from which to restore its values."
            )
        else:
            ours, theirs = (comparison.errors_per_feature(m)["mae"] for m in (method, "mean"))
            enough = comparison.errors_per_feature(method)["n_hidden"] >= _FEW_FEATURES
            ours = ours[enough.reindex(ours.index)]
            worse = float((ours >= theirs.reindex(ours.index)).mean()) if len(ours) else 0.0
            if worse > 0:
                cautions.append(
                    f"{100 * worse:.0f} % of the features (of those with {_FEW_FEATURES} or more "
                    f"hidden values) are restored no better by {method} than by their mean."
                )
    if method == comparison.best and comparison.within_noise():
        others = "; ".join(comparison.within_noise())
        cautions.append(
            f"{others} did no worse within the noise: the choice between them and {method} does "
            "not matter here."
        )
    residuals = comparison.standardized_residuals(method) if method in ranking else None
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
