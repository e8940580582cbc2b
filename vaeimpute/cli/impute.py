"""``vaeimpute impute``: fill the holes of a matrix."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaeimpute.cli import options as o
from vaeimpute.cli.matrices import compare_methods, few_hidden, label
from vaeimpute.cli.options import WHOLE_OR_NOT, errors_in_one_line, log_to_stderr
from vaeimpute.comparison import METHODS, build_imputer
from vaeimpute.exceptions import NothingToHideError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    pass
    from vaeimpute.imputers._base import BaseImputer
    from vaeimpute.tables import Source

    pass
    from vaeimpute.comparison import Comparison


logger = logging.getLogger("vaeimpute.cli")

EXAMPLES = """\b
Examples:
  vaeimpute impute expression.csv -o filled.csv
  vaeimpute impute counts.tsv.gz -o filled.tsv.gz --features-in-rows --log
  vaeimpute impute beta.parquet -o filled.parquet --method knn
  vaeimpute impute protein.csv -o filled.csv --mnar low --std std.csv
  vaeimpute impute train.csv -o filled.csv --model model.safetensors --report report.html
"""


@dataclass(frozen=True)
class Request:
    """What was asked for: the options of the command."""

    matrix: Path
    output: Path
    method: str
    missing_like: str
    log: bool
    zscore: bool
    mnar_low: bool
    features_in_rows: bool
    layer: str | None
    keep_empty: bool
    std: Path | None
    report: Path | None
    model: Path | None
    seed: int
    device: str
    force: bool


def impute(
    matrix: o.Input,
    output: o.Output,
    method: Annotated[
        o.MethodChoice,
        typer.Option(
            help="auto hides values of the matrix, lets every method but random restore them, and "
            "takes the best."
        ),
    ] = o.MethodChoice.AUTO,
    missing_like: o.MissingLike = o.Resemblance.AUTO,
    log: o.Log = False,
    zscore: o.ZScore = True,
    mnar: o.MNAR = None,
    features_in_rows: o.FeaturesInRows = False,
    layer: o.Layer = None,
    keep_empty: o.KeepEmpty = False,
    std: o.Std = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html",
            help="Write a page on what is missing, how well it is restored, and what to be careful "
            "of. Needs the extra vaeimpute[report].",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save the model here, for vaeimpute apply."),
    ] = None,
    seed: o.Seed = 0,
    device: o.Device = "auto",
    force: o.Force = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
    debug: o.Debug = False,
) -> None:
    """Fill the missing values of a matrix.

    What is observed comes back as it was: in text files to the character, in others to the bit.
    """
    o.check_layout(matrix, features_in_rows, layer)
    o.check_device(device)
    o.check_distinct(output, std, report, model)
    if mnar is not None and method not in ("auto", "vae"):
        raise typer.BadParameter(
            f"--mnar {mnar} corrects the VAE; --method {method} has no such correction."
        )
    request = Request(
        matrix, output, method, missing_like, log, zscore, mnar is not None, features_in_rows,
        layer, keep_empty, std, report, model, seed, device, force,
    )  # fmt: skip
    with log_to_stderr(o.log_level(quiet, verbose)), errors_in_one_line(debug, WHOLE_OR_NOT):
        _impute(request)


def _impute(request: Request) -> None:
    # Here and not above: pandas takes half a second that --help need not wait for.
    pass
    from vaeimpute.cli.matrices import label, learnable, placed, read, work_on
    from vaeimpute.tables import write_filled, write_table

    _check_outputs(request)
    candidates = find_candidates(request)
    source = read(request.matrix, request.features_in_rows, request.layer)
    values = learnable(source, request.keep_empty)
    work = work_on(values, log=request.log, zscore=request.zscore)
    choice = choose(request, candidates, work)
    fitted = _fit(request, choice.name, work)
    filled, spread = predict(fitted, work, request.std is not None, request.log)
    write_filled(source, placed(filled, values, source.values), request.output)
    logger.info("%s: filled with %s.", request.output, label(choice.name, request.mnar_low))
    if spread is not None:
        assert request.std is not None
        write_table(source, placed(spread, values, source.values), request.std)
        logger.info("%s: predictive standard deviations.", request.std)
    if request.model is not None:
        _save(request, fitted, request.model)
    if request.report is not None:
        _write_report(request, source, choice, request.report)


def _check_outputs(request: Request) -> None:
    """Find out what cannot be written before there is anything to write."""
    from vaeimpute.tables import check_output

    check_output(request.output, force=request.force)
    if request.std is not None:
        check_output(request.std, force=request.force)
    for path in (request.report, request.model):
        if path is not None:
            check_output(path, force=request.force, extensions=())
    if request.report is not None:
        from vaeimpute.comparison.report import check_report

        check_report()


def _fit(request: Request, name: str, work: pd.DataFrame) -> BaseImputer:
    from vaeimpute.cli.matrices import shows_progress
    from vaeimpute.comparison import build_imputer

    return build_imputer(
        name, work.shape[1], seed=request.seed, zscore=request.zscore,
        shift=request.mnar_low and name == "vae", device=request.device,
        progress=shows_progress(),
    ).fit(work)  # fmt: skip


def predict(
    imputer: BaseImputer, work: pd.DataFrame, with_std: bool, log: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Fill a matrix with a fitted imputer.

    Parameters
    ----------
    imputer : imputer
    work : DataFrame of shape (n_samples, n_features)
        On the scale that it works on.
    with_std : bool
    log : bool
        Whether that scale is the logarithm.

    Returns
    -------
    filled : ndarray of shape (n_samples, n_features)
        In the units of the file.
    std : ndarray of shape (n_samples, n_features) or None
        Likewise; 0 where a value is observed.
    """
    import numpy as np

    from vaeimpute.tables import from_log, from_log_std

    filled = np.asarray(imputer.transform(work))
    std = np.asarray(imputer.predict_std(work)) if with_std else None
    if log:
        if std is not None:
            std = np.where(work.isna(), from_log_std(filled, std), 0.0)
        filled = from_log(filled)
    if not np.isfinite(filled).all():
        raise ValueError(
            f"{type(imputer).__name__} does not come to finite values here; try another --method."
        )
    if std is not None and not np.isfinite(std).all():
        raise ValueError(
            f"{type(imputer).__name__} does not come to finite standard deviations here; leave "
            "--std out."
        )
    return filled, std


def _save(request: Request, fitted: BaseImputer, path: Path) -> None:
    from vaeimpute.imputers import save_imputer

    save_imputer(fitted, path, transform="log1p" if request.log else "")
    logger.info(
        "%s: the model. It may hold the values that it was fitted to: do not pass on what you must "
        "not share.",
        path,
    )


def _write_report(request: Request, source: Source, choice: Choice, path: Path) -> None:
    from vaeimpute.cli.matrices import label
    from vaeimpute.comparison import METHODS
    from vaeimpute.comparison.report import Facts, render_report
    from vaeimpute.files import write_atomically

    settings = [
        "worked on ln(x + 1)" if request.log else "worked on the values as they are",
        "in standard deviations of the features" if request.zscore else "in the file's units",
        f"seed {request.seed}",
    ]
    facts = Facts(
        name=source.path.name,
        values=source.values,
        method=label(choice.name, request.mnar_low),
        about=METHODS[choice.name].about,
        comparison=choice.comparison,
        hidden=choice.hidden,
        settings=tuple(settings),
        mnar_low=request.mnar_low,
    )
    write_atomically(path, render_report(facts))
    logger.info("%s: the report.", path)


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
