"""What impute, apply and compare do alike: read a matrix, check it, fill it and write it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

from vaeimpute.cli.running import shows_progress
from vaeimpute.exceptions import Guess, TableError, check_guesses, some
from vaeimpute.methods import METHODS, build_own

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from vaeimpute.imputers._base import BaseImputer
    from vaeimpute.imputers.detection import DetectionCurve
    from vaeimpute.tables import Source
    from vaeimpute.tables.transforms import Bounds, Scale

    Part = tuple[np.ndarray, np.ndarray, BaseImputer]  # positions of rows and columns, and theirs

logger = logging.getLogger("vaeimpute.cli")


def read(
    path: Path,
    features_in_rows: bool,
    layer: str | None,
    na: list[str] | None,
    annotation: list[str] | None,
    missing_value: list[float] | None,
    duplicates: str,
    strict: bool,
) -> Source:
    """Read a matrix, and say what it is taken for."""
    from vaeimpute.tables import describe, read_source

    source = read_source(
        path,
        features_in_rows=features_in_rows,
        layer=layer,
        na=na or (),
        annotation=annotation or None,
        missing_values=missing_value or (),
        duplicates=duplicates,
        strict=strict,
    )
    for sentence in describe(source):
        logger.log(logging.WARNING if isinstance(sentence, Guess) else logging.INFO, sentence)
    return source


def learnable(source: Source, keep_empty: bool) -> pd.DataFrame:
    """Return the features that have a value, or refuse those that have none."""
    from vaeimpute.tables.checks import empty_features

    values, empty = source.values, empty_features(source.values)
    if len(empty) == values.shape[1]:
        raise TableError(f"{source.path} has no values at all: every entry is missing.")
    if keep_empty or not len(empty):
        return left_empty(values, empty)
    message = (
        f"{source.path}: {len(empty)} of {values.shape[1]} features have no value in any sample, "
        f"so nothing can be learnt about them: {some(empty)}. Take them out, or leave them empty "
        "with --keep-empty."
    )
    if len(values) == 1:
        message += (
            " There is only one sample: to fill its missing values from others, fit a model to "
            "those (vaeimpute impute --model) and use vaeimpute apply."
        )
    raise TableError(message)


def left_empty(values: pd.DataFrame, empty: pd.Index) -> pd.DataFrame:
    """Leave features out that are to stay empty, and say so."""
    if not len(empty):
        return values
    logger.warning(
        "Without any value, so they stay empty: %s (%d of %d features).",
        some(empty), len(empty), values.shape[1],
    )  # fmt: skip
    return values.drop(columns=empty)


def scaled(values: pd.DataFrame, *, log: bool, zscore: bool, tries_log: bool = False) -> Scale:
    """Return the scale to work on, and suggest another one if the values ask for it."""
    from vaeimpute.tables.transforms import Scale, suggest_transforms

    for suggestion in suggest_transforms(values, log=log, zscore=zscore, tries_log=tries_log):
        logger.warning(suggestion)
    return Scale("log") if log else Scale()


def check_outputs(
    source: Path,
    tables: Iterable[Path | None],
    others: Iterable[Path | None] = (),
    *,
    force: bool,
) -> None:
    """Find out what cannot be written before there is anything to write."""
    from vaeimpute.tables.formats import EXTENSIONS
    from vaeimpute.tables.write import check_output

    # Whatever the source is called, text can be called so.
    known = (*EXTENSIONS, "-", *filter(None, [source.suffix.lower()]))
    for path in filter(None, tables):
        check_output(path, force=force, extensions=known)
    for path in filter(None, others):
        check_output(path, force=force)


def build(
    methods: Collection[str], n_features: int, *, seed: int, zscore: bool, device: str,
    scale: Scale, bounds: Bounds, mechanism: str = "auto",
) -> dict[str, BaseImputer]:  # fmt: skip
    """Build methods, named by key, in sizes for a matrix; return them by label."""
    options = {
        "random_state": seed, "standardize": zscore, "device": device,
        "min_value": scale.limit(bounds.low), "max_value": scale.limit(bounds.high),
    }  # fmt: skip
    built = {
        method.label: build_own(key, n_features, progress=shows_progress(), **options)
        for key, method in METHODS.items()
        if key in methods
    }
    for imputer in built.values():
        if hasattr(imputer, "mechanism"):
            imputer.set_params(mechanism=mechanism)
    return built


def groups_of(source: Source, column: str | None) -> pd.Series | None:
    """Return the group of every sample, from a column of its annotation."""
    if column is None:
        return None
    if column not in source.obs:
        known = some(source.obs.columns) if len(source.obs.columns) else "there is no annotation"
        raise TableError(f"{source.path} has no annotation of samples called {column!r}: {known}.")
    return source.obs[column].astype(str).set_axis(source.values.index)


def fit_groups(imputer: BaseImputer, values: pd.DataFrame, groups: pd.Series) -> list[Part]:
    """Fit an imputer of its own, without limits, to every group of two samples or more."""
    import numpy as np
    from sklearn.base import clone

    free = clone(imputer).set_params(min_value=-np.inf, max_value=np.inf)
    parts = []
    for at in groups.groupby(groups.to_numpy()).indices.values():
        rows = values.iloc[at]
        known = np.flatnonzero(rows.notna().any())
        if len(rows) > 1 and len(known):
            parts.append((at, known, clone(free).fit(rows.iloc[:, known])))
    return parts


def describe_losses(
    imputer: BaseImputer, values: pd.DataFrame, groups: pd.Series | None, scale: Scale
) -> list[str]:
    """Say by which curve values were lost, in all and in each group, which is left out for that."""
    from sklearn.base import clone

    def words(curve: DetectionCurve | None) -> str:
        return "nothing is missing" if curve is None else curve.describe(scale.back)

    said = []
    if getattr(imputer, "curve_", None) is not None:
        said.append(f"How values were lost: {words(imputer.curve_)}.")
    for group, rows in {} if groups is None else values.groupby(groups.to_numpy()):
        share = f"{group}: {rows.isna().to_numpy().mean():.1%} of the values are imputed"
        others = values.drop(index=rows.index)
        if hasattr(imputer, "detect") and len(others) > 1:
            others = clone(imputer).set_params(mechanism="mcar").fit(scale.forward(others))
            share += f"; {words(others.detect(scale.forward(rows)))}"
        said.append(f"{share}.")
    return said


def fill(
    source: Source, values: pd.DataFrame, imputer: BaseImputer, output: Path, std: Path | None, *,
    scale: Scale, bounds: Bounds, whole: bool = False, strict: bool = False,
    parts: Sequence[Part] = (),
) -> None:  # fmt: skip
    """Fill a matrix with a fitted imputer and write it, with its standard deviations if asked for.

    Parameters
    ----------
    source : Source
        The matrix as in its file.
    values : DataFrame of shape (n_samples, n_features)
        Of it, the features that the imputer knows.
    imputer : imputer
    output, std : Path
    scale : Scale
        That the imputer works on.
    bounds : Bounds
        Within which it fills.
    whole : bool
        Whether to round what is filled in where all that is observed is whole.
    strict : bool
        Whether a bound that is guessed and makes a difference is an error.
    parts : sequence of part
        Of `fit_groups`, imputed by imputers of their own.
    """
    import numpy as np

    from vaeimpute.tables import write_filled, write_table

    matrix, missing = source.values, values.isna().to_numpy()

    def placed(array: np.ndarray, what: str, advice: str) -> np.ndarray:
        if not np.isfinite(array).all():
            raise ValueError(
                f"{type(imputer).__name__} does not come to finite {what} here; {advice}."
            )
        if values.columns.equals(matrix.columns):
            return array
        among_all = np.full(matrix.shape, np.nan)
        at = matrix.columns.get_indexer(values.columns)
        among_all[:, at[at >= 0]] = array[:, at >= 0]
        return among_all

    def applied(what: str, imputer: BaseImputer) -> np.ndarray:
        result = np.array(getattr(imputer, what)(taken))
        for at, known, own in parts:
            result[np.ix_(at, known)] = getattr(own, what)(taken.iloc[at, known])
        return result

    taken = scale.forward(values)
    # What is bounded is counted first.
    free = copy(imputer).set_params(min_value=-np.inf, max_value=np.inf)
    filled = applied("transform", free)
    found = filled[missing]
    bounded = np.clip(found, imputer.min_value, imputer.max_value)
    # Back from a logarithm, a limit may have been rounded beyond itself.
    new = np.clip(scale.back(bounded), bounds.low, bounds.high)
    n_bounded = int((~np.isclose(new, scale.back(found))).sum())
    if whole:
        counts = ((values % 1 == 0) | values.isna()).all().to_numpy()
        new = np.where(counts[np.nonzero(missing)[1]], np.rint(new), new)
        logger.info("Filled with whole numbers in %d of %d features.", counts.sum(), len(counts))
    filled[missing] = new
    filled = placed(filled, "values", "try another method")
    report_range(source, values, new, n_bounded, bounds, strict)
    if std is not None:
        spread = applied("predict_std", imputer)
        spread[missing] = scale.back_std(bounded, spread[missing])
        spread = placed(spread, "standard deviations", "leave --std out")
    lost = write_filled(source, filled, output, whole=whole)
    if lost:
        logger.warning("%s has no place for %s.", output, some(lost))
    if std is not None:
        write_table(source, spread, std)
        logger.info("%s: predictive standard deviations.", std)


def report_range(
    source: Source, values: pd.DataFrame, new: np.ndarray, n_bounded: int, bounds: Bounds,
    strict: bool,
) -> None:  # fmt: skip
    """Say how many values were to be filled in where none can be, and how many where none was."""
    if n_bounded:
        note = (
            f"{n_bounded} of {len(new)} values to fill in ({n_bounded / len(new):.1%}) would not "
            f"be {bounds}, and are set to the nearest such value."
        )
        if bounds.guessed:
            note = Guess(
                f"{note} All observed values are {bounds}; where others can be, say --min and "
                "--max (--min=-inf and --max=inf for no limit)."
            )
            if strict:
                check_guesses(source.path, [note])
        logger.log(logging.WARNING if bounds.guessed else logging.INFO, note)
    least, most = values.min(axis=None), values.max(axis=None)
    outside = int(((new < least) | (new > most)).sum())
    if outside:
        logger.info(
            "%d of %d values filled in (%.1f %%) are outside of the range observed, %g to %g.",
            outside, len(new), 100 * outside / len(new), least, most,
        )  # fmt: skip
