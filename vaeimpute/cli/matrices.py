"""What impute, apply and compare do alike: read a matrix, check it, fill it and write it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from vaeimpute.cli.running import shows_progress
from vaeimpute.exceptions import TableError, some
from vaeimpute.methods import METHODS, build_own

if TYPE_CHECKING:
    import pandas as pd

    from vaeimpute.imputers._base import BaseImputer
    from vaeimpute.tables import Source

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
    from vaeimpute.tables import Guess, describe, read_source

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
    from vaeimpute.tables import empty_features

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


def scaled(values: pd.DataFrame, *, log: bool, zscore: bool) -> pd.DataFrame:
    """Return the values on the scale to work on, and suggest another one if they ask for it."""
    from vaeimpute.tables import suggest_transforms, to_log

    for suggestion in suggest_transforms(values, log=log, zscore=zscore):
        logger.warning(suggestion)
    return to_log(values) if log else values


def check_outputs(
    source: Path,
    tables: Iterable[Path | None],
    others: Iterable[Path | None] = (),
    *,
    force: bool,
) -> None:
    """Find out what cannot be written before there is anything to write."""
    from vaeimpute.tables.write import EXTENSIONS, check_output

    # Whatever the source is called, text can be called so.
    known = (*EXTENSIONS, "-", *filter(None, [source.suffix.lower()]))
    for path in filter(None, tables):
        check_output(path, force=force, extensions=known)
    for path in filter(None, others):
        check_output(path, force=force)


def build(
    methods: Collection[str], n_features: int, *, seed: int, zscore: bool, device: str
) -> dict[str, BaseImputer]:
    """Build methods, named by key, in sizes for a matrix; return them by label."""
    options = {"random_state": seed, "standardize": zscore, "device": device}
    return {
        method.label: build_own(key, n_features, progress=shows_progress(), **options)
        for key, method in METHODS.items()
        if key in methods
    }


def fill(
    source: Source, values: pd.DataFrame, imputer: BaseImputer, log: bool, output: Path,
    std: Path | None,
) -> None:  # fmt: skip
    """Fill a matrix with a fitted imputer and write it, with its standard deviations if asked for.

    Parameters
    ----------
    source : Source
        The matrix as in its file.
    values : DataFrame of shape (n_samples, n_features)
        Of it, the features that the imputer knows, on the scale that it works on.
    imputer : imputer
    log : bool
        Whether that scale is the logarithm.
    output, std : Path
    """
    import numpy as np

    from vaeimpute.tables import from_log, from_log_std, write_filled, write_table

    whole = source.values

    def placed(array: np.ndarray, what: str, advice: str) -> np.ndarray:
        if not np.isfinite(array).all():
            raise ValueError(
                f"{type(imputer).__name__} does not come to finite {what} here; {advice}."
            )
        if values.columns.equals(whole.columns):
            return array
        among_all = np.full(whole.shape, np.nan)
        at = whole.columns.get_indexer(values.columns)
        among_all[:, at[at >= 0]] = array[:, at >= 0]
        return among_all

    logs = np.asarray(imputer.transform(values))
    filled = placed(from_log(logs) if log else logs, "values", "try another method")
    if std is not None:
        spread = np.asarray(imputer.predict_std(values))
        if log:
            spread = np.where(values.isna(), from_log_std(logs, spread), 0.0)
        spread = placed(spread, "standard deviations", "leave --std out")
    write_filled(source, filled, output)
    if std is not None:
        write_table(source, spread, std)
        logger.info("%s: predictive standard deviations.", std)
