"""Which method `vaeimpute impute` takes, and what it knows about how good that is."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from vaeimpute.cli.matrices import compare_methods, few_hidden, label
from vaeimpute.comparison import METHODS, build_imputer
from vaeimpute.exceptions import NothingToHideError

if TYPE_CHECKING:
    import pandas as pd

    from vaeimpute.cli.impute import Request
    from vaeimpute.comparison import Comparison

logger = logging.getLogger("vaeimpute.cli")

_FALLBACK = "knn"  # where nothing can be compared: it stays among values that were observed


@dataclass(frozen=True, eq=False)
class Choice:
    """A method, and how it did on hidden values if that was asked for or needed.

    Attributes
    ----------
    name : str
        Key of `vaeimpute.comparison.METHODS`.
    comparison : Comparison or None
    hidden : str
        What was hidden, and why.
    """

    name: str
    comparison: Comparison | None = None
    hidden: str = ""


def find_candidates(request: Request) -> list[str]:
    """Return the methods to choose from, or refuse a combination of options.

    Parameters
    ----------
    request : Request

    Returns
    -------
    list of str
        Keys of `METHODS`.
    """
    able = [name for name in METHODS if hasattr(build_imputer(name, 1), "predict_std")]
    if request.method != "auto":
        if request.std is not None and request.method not in able:
            raise typer.BadParameter(
                f"--std: {request.method} has no standard deviations; these methods have: "
                f"{', '.join(able)}."
            )
        return [request.method]
    candidates = [name for name in METHODS if name != "random"]
    if request.std is None:
        return candidates
    candidates = [name for name in candidates if name in able]
    logger.info("Of the methods, these have standard deviations: %s.", ", ".join(candidates))
    return candidates


def choose(request: Request, candidates: list[str], work: pd.DataFrame) -> Choice:
    """Compare the candidates on hidden values of the matrix, and take the best.

    Parameters
    ----------
    request : Request
    candidates : list of str
    work : DataFrame of shape (n_samples, n_features)
        On the scale to work on.

    Returns
    -------
    Choice
    """
    fallback = _FALLBACK if _FALLBACK in candidates else candidates[0]
    with_report = request.report is not None
    idle = not work.isna().any(axis=None) and request.model is None
    if not with_report and (len(candidates) == 1 or idle):
        return Choice(fallback)
    # A report shows what the mean would have done.
    compared = [n for n in METHODS if n in candidates or (with_report and n == "mean")]
    try:
        comparison, hidden = compare_methods(
            work, compared, missing_like=request.missing_like, zscore=request.zscore,
            mnar_low=request.mnar_low, n_trials=1, seed=request.seed, device=request.device,
            with_std=with_report,
        )  # fmt: skip
    except NothingToHideError:
        logger.warning("There are too few values to hide any; took %s.", METHODS[fallback].label)
        return Choice(fallback)
    if len(candidates) == 1:
        return Choice(fallback, comparison, hidden)
    if few_hidden(comparison):
        logger.warning(
            "There are too few values to compare methods on; took %s.", METHODS[fallback].label
        )
        return Choice(fallback, comparison, hidden)
    logger.info(comparison.describe())
    labels = {label(name, request.mnar_low): name for name in candidates}
    best = next((labels[name] for name in comparison.ranking.index if name in labels), fallback)
    return Choice(best, comparison, hidden)
