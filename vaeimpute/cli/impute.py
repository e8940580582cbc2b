"""``vaeimpute impute``: fill the holes of a matrix."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaeimpute.cli import options as o
from vaeimpute.cli.running import errors_in_one_line, log_to_stderr

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from vaeimpute.imputers._base import BaseImputer
    from vaeimpute.selection import Comparison

logger = logging.getLogger("vaeimpute.cli")

EXAMPLES = """\b
Examples:
  vaeimpute impute expression.csv -o filled.csv
  vaeimpute impute counts.tsv.gz -o filled.tsv.gz --features-in-rows --log
  vaeimpute impute beta.parquet -o filled.parquet --method knn
  vaeimpute impute protein.csv -o filled.csv --mnar low --std std.csv
  vaeimpute impute train.csv -o filled.csv --model model.safetensors --report report.html
"""
WHOLE_OR_NOT = "Files are written whole or not at all."


@dataclass(frozen=True)
class _Plan:
    """What was asked for."""

    method: str
    missing_like: str
    log: bool
    zscore: bool
    mnar_low: bool
    with_std: bool
    with_report: bool
    seed: int
    device: str


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
    o.check_distinct(output, std, report, model)
    if mnar is not None and method not in ("auto", "vae"):
        raise typer.BadParameter(
            f"--mnar {mnar} corrects the VAE; --method {method} has no such correction."
        )
    plan = _Plan(
        method, missing_like, log, zscore, mnar is not None, std is not None,
        report is not None, seed, device,
    )  # fmt: skip
    with log_to_stderr(o.log_level(quiet, verbose)), errors_in_one_line(debug, WHOLE_OR_NOT):
        _impute(
            plan, matrix, output, std, report, model, features_in_rows, layer, keep_empty, force
        )


def _impute(
    plan: _Plan,
    matrix: Path,
    output: Path,
    std: Path | None,
    report: Path | None,
    model: Path | None,
    features_in_rows: bool,
    layer: str | None,
    keep_empty: bool,
    force: bool,
) -> None:
    # Here and not above: pandas takes half a second that --help need not wait for.
    from vaeimpute.cli.matrices import learnable, read, work_on
    from vaeimpute.imputers import save_imputer
    from vaeimpute.matrix import check_output, write_filled, write_table

    check_output(output, force=force)
    if std is not None:
        check_output(std, force=force)
    for path in (report, model):
        if path is not None:
            check_output(path, force=force, extensions=())
    source = read(matrix, features_in_rows, layer)
    values = learnable(source, keep_empty)
    work = work_on(values, log=plan.log, zscore=plan.zscore)
    name, _ = _choose(plan, work)
    fitted, filled, spread = _fill(plan, name, work)
    write_filled(source, _placed(filled, values, source.values), output)
    logger.info("%s: filled with %s.", output, fitted_label(plan, name))
    if std is not None:
        assert spread is not None  # _choose sees to it
        write_table(source, _placed(spread, values, source.values), std)
        logger.info("%s: predictive standard deviations.", std)
    if model is not None:
        save_imputer(fitted, model, transform="log1p" if plan.log else "")
        logger.info(
            "%s: the model. It may hold the values that it was fitted to: do not pass on what you "
            "must not share.", model,
        )  # fmt: skip


def fitted_label(plan: _Plan, name: str) -> str:
    """Name a method in tables and messages."""
    from vaeimpute.selection import METHODS

    return METHODS[name].label + (", shifted" if plan.mnar_low and name == "vae" else "")


def _choose(plan: _Plan, work: pd.DataFrame) -> tuple[str, Comparison | None]:
    """Return the method to take, and how it compared with others if they were."""
    from vaeimpute.cli.matrices import compare_methods, few_hidden
    from vaeimpute.selection import METHODS, NothingToHideError, build_imputer

    def has_std(name: str) -> bool:
        return hasattr(build_imputer(name, work.shape[1]), "predict_std")

    if plan.method != "auto":
        if plan.with_std and not has_std(plan.method):
            able = ", ".join(filter(has_std, METHODS))
            raise typer.BadParameter(
                f"--std: {plan.method} has no standard deviations; these methods have: {able}."
            )
        candidates = ["mean", plan.method] if plan.with_report else []
        candidates = list(dict.fromkeys(candidates))
    else:
        candidates = [name for name in METHODS if name != "random"]
        if plan.with_std:
            candidates = list(filter(has_std, candidates))
            logger.info("With --std, the choice is between %s.", " and ".join(candidates))
    needed = plan.with_report or (work.isna().any(axis=None) and len(candidates) > 1)
    fallback = next(
        name for name in ("knn", *candidates, plan.method) if name in (*candidates, plan.method)
    )
    if not candidates or not needed:
        return (plan.method if plan.method != "auto" else fallback), None
    try:
        comparison = compare_methods(
            work, candidates, missing_like=plan.missing_like, zscore=plan.zscore,
            mnar_low=plan.mnar_low, n_trials=1, seed=plan.seed, device=plan.device,
        )  # fmt: skip
    except NothingToHideError:
        logger.warning("There are too few values to compare methods on.")
        return (plan.method if plan.method != "auto" else fallback), None
    if plan.method != "auto":
        return plan.method, comparison
    if few_hidden(comparison):
        logger.warning(
            "There are too few values to compare methods on; took %s.", fitted_label(plan, fallback)
        )
        return fallback, comparison
    logger.info(comparison.describe())
    return next(n for n in candidates if fitted_label(plan, n) == comparison.best), comparison


def _fill(
    plan: _Plan, name: str, work: pd.DataFrame
) -> tuple[BaseImputer, np.ndarray, np.ndarray | None]:
    """Fit a method and fill the matrix, in its own units."""
    import numpy as np

    from vaeimpute.cli.matrices import shows_progress
    from vaeimpute.selection import build_imputer

    imputer = build_imputer(
        name, work.shape[1], seed=plan.seed, zscore=plan.zscore,
        shift=plan.mnar_low and name == "vae", device=plan.device, progress=shows_progress(),
    ).fit(work)  # fmt: skip
    filled, spread = predict(imputer, work, plan.with_std, plan.log)
    if not np.isfinite(filled).all():
        raise ValueError(f"{name} does not come to finite values; try another --method.")
    return imputer, filled, spread


def predict(
    imputer: BaseImputer, work: pd.DataFrame, with_std: bool, log: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Fill a matrix with a fitted imputer; return it and its standard deviations in own units."""
    import numpy as np

    from vaeimpute.matrix import from_log, from_log_std

    filled = np.asarray(imputer.transform(work))
    spread = np.asarray(imputer.predict_std(work)) if with_std else None
    if log:
        if spread is not None:
            spread = np.where(work.isna(), from_log_std(filled, spread), 0.0)
        filled = from_log(filled)
    return filled, spread


def _placed(array: np.ndarray, values: pd.DataFrame, whole: pd.DataFrame) -> np.ndarray:
    """Put the features that were imputed among those that were left empty."""
    import numpy as np

    if array.shape == whole.shape:
        return array
    placed = np.full(whole.shape, np.nan)
    placed[:, whole.columns.get_indexer(values.columns)] = array
    return placed
