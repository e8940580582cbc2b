"""The page itself: one HTML file that needs nothing beside it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import pandas as pd

from vaeimpute import __version__
from vaeimpute.selection import Comparison

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

    from vaeimpute.report import figures
    from vaeimpute.report.cautions import list_cautions

    template = resources.files("vaeimpute.report").joinpath("page.html.jinja").read_text("utf-8")
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
