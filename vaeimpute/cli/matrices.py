"""Reading a user's matrix and saying what was found: what impute, apply and compare share."""

from __future__ import annotations

import logging
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from vaeimpute.comparison import Comparison
    from vaeimpute.tables import Source

logger = logging.getLogger("vaeimpute.cli")

# Above this many, methods are compared on a part: fits take long, and it is enough to rank them.
MOST_SAMPLES, MOST_FEATURES = 500, 5000
_FEW_HIDDEN = 20


def shows_progress() -> bool:
    """Tell whether someone watches standard error, and nothing but errors was not asked for."""
    return sys.stderr.isatty() and logger.isEnabledFor(logging.INFO)


def read(path: Path, features_in_rows: bool, layer: str | None) -> Source:
    """Read a matrix, and say what it is and what is odd about it."""
    from vaeimpute.exceptions import some
    from vaeimpute.tables import describe_orientation, empty_samples, read_source

    source = read_source(path, features_in_rows=features_in_rows, layer=layer)
    for note in source.notes:
        logger.info(note)
    values = source.values
    missing = values.isna().to_numpy()
    logger.info(
        "%s: %d samples x %d features; %d values are missing (%s), in %d features.",
        path.name, *values.shape, missing.sum(), percent(missing.mean()),
        missing.any(axis=0).sum(),
    )  # fmt: skip
    doubt = describe_orientation(values)
    if doubt is not None:
        logger.warning(
            "Is the matrix transposed? %s. %s",
            doubt[0].upper() + doubt[1:],
            "If its rows are samples, leave --features-in-rows out."
            if features_in_rows
            else "If its rows are features, say --features-in-rows.",
        )
    nothing = empty_samples(values)
    if len(nothing):
        logger.warning(
            "Without any value: %s (%d of %d samples). What they get says nothing about them.",
            some(nothing), len(nothing), len(values),
        )  # fmt: skip
    return source


def learnable(source: Source, keep_empty: bool) -> pd.DataFrame:
    """Return the features that have a value, or refuse those that have none."""
    from vaeimpute.exceptions import TableError, some
    from vaeimpute.tables import empty_features

    values, empty = source.values, empty_features(source.values)
    if not len(empty):
        return values
    if len(empty) == values.shape[1]:
        raise TableError(f"{source.path} has no values at all: every entry is missing.")
    if keep_empty:
        logger.warning(
            "Without any value, so they stay empty: %s (%d of %d features).",
            some(empty),
            len(empty),
            values.shape[1],
        )
        return values.drop(columns=empty)
    message = (
        f"{source.path}: {len(empty)} of {values.shape[1]} features have no value in any sample, "
        f"so nothing can be learnt about them: {some(empty)}. Take them out, or leave them empty "
        "with --keep-empty."
    )
    if len(values) == 1:
        message += (
            " There is only one sample: to fill its holes from others, fit a model to those "
            "(vaeimpute impute --model) and use vaeimpute apply."
        )
    raise TableError(message)


def placed(array: np.ndarray, values: pd.DataFrame, whole: pd.DataFrame) -> np.ndarray:
    """Put features that were imputed where they are in the file, among those left empty."""
    import numpy as np

    if values.columns.equals(whole.columns):
        return array
    placed = np.full(whole.shape, np.nan)
    placed[:, whole.columns.get_indexer(values.columns)] = array
    return placed


def known_or_empty(values: pd.DataFrame, features: pd.Index) -> pd.DataFrame:
    """Leave out features without any value of which a model knows nothing."""
    from vaeimpute.exceptions import some
    from vaeimpute.tables import empty_features

    empty = empty_features(values).difference(features, sort=False)
    if len(empty):
        logger.warning(
            "Without any value and not known to the model, so they stay empty: %s "
            "(%d of %d features).",
            some(empty),
            len(empty),
            values.shape[1],
        )
    return values.drop(columns=empty)


def work_on(values: pd.DataFrame, *, log: bool, zscore: bool) -> pd.DataFrame:
    """Return the values on the scale to work on, and suggest another one if they ask for it."""
    from vaeimpute.tables import suggest_transforms, to_log

    for suggestion in suggest_transforms(values, log=log, zscore=zscore):
        logger.warning(suggestion)
    return to_log(values) if log else values


def compare_methods(
    values: pd.DataFrame,
    methods: list[str],
    *,
    missing_like: str,
    zscore: bool,
    mnar_low: bool,
    n_trials: int,
    seed: int,
    device: str,
    whole: bool = False,
    with_std: bool = False,
) -> tuple[Comparison, str]:
    """Hide values of a matrix and let methods restore them; return that, and what was hidden."""
    from vaeimpute.comparison import SCENARIOS, build_imputer, compare_on, guess_scenario

    guessed = False
    if missing_like != "auto":
        scenario, reason = missing_like, "as asked for"
    elif mnar_low:
        scenario, reason = "low", "because of --mnar low"
    else:
        scenario, reason = guess_scenario(values)
        guessed = True
    part = values if whole else _part(values, seed)
    on = "" if part is values else f" of {part.shape[0]} samples x {part.shape[1]} features of it"
    values = part
    imputers = {
        label(name, mnar_low): build_imputer(
            name, values.shape[1], seed=seed, zscore=zscore,
            shift=mnar_low and name == "vae", device=device,
        )
        for name in methods
    }  # fmt: skip
    hide_from = partial(
        compare_on, values, imputers, n_trials=n_trials, seed=seed, with_std=with_std,
        progress=shows_progress(),
    )  # fmt: skip
    try:
        comparison = hide_from(scenario)
    except ValueError:
        if not (guessed and scenario == "low"):
            raise
        # Ties at the bottom, as in counts with many zeros: there is no lowest tenth.
        scenario, reason = (
            "random",
            "low values, which are missing, are too many alike to be hidden",
        )
        comparison = hide_from(scenario)
    hidden = f"To compare methods, hid {SCENARIOS[scenario].words}{on}; {reason}."
    logger.info(hidden)
    return comparison, hidden


def _part(values: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw samples and features of a matrix that is large."""
    import numpy as np

    from vaeimpute.seeding import generator

    if values.shape[0] <= MOST_SAMPLES and values.shape[1] <= MOST_FEATURES:
        return values
    rng = generator(seed, "part")
    rows, columns = (
        np.sort(rng.permutation(size)[:most])
        for size, most in zip(values.shape, (MOST_SAMPLES, MOST_FEATURES), strict=True)
    )
    logger.info(
        "Methods are compared on %d samples x %d features of it, drawn at random.",
        len(rows), len(columns),
    )  # fmt: skip
    part = values.iloc[rows, columns]
    return part.loc[:, part.notna().any()]


def few_hidden(comparison: Comparison) -> bool:
    """Tell whether so few values were hidden that the order of the methods is chance."""
    return int(comparison.table.groupby("trial")["n_missing"].first().sum()) < _FEW_HIDDEN


def percent(share: float) -> str:
    """Write a share as people do."""
    return f"{100 * share:.3g} %"


def label(name: str, mnar_low: bool) -> str:
    """Name a method in tables and messages."""
    from vaeimpute.comparison import METHODS

    return METHODS[name].label + (", shifted" if mnar_low and name == "vae" else "")
