"""Finding a row or column that is unlike all the others, whatever it is called."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.exceptions import Guess, TableError
from vaeimpute.tables.annotation import left

_FEWEST = 10  # values, below which nothing is said of them
_HEAD = 16  # values that are looked at first, of each
_ENOUGH = 1000  # values of each, and _OTHERS of the others, that tell how alike they are
_OTHERS = 200
# Rank correlations of columns that are much alike, that are alike, and of one that is not.
_MUCH_ALIKE, _ALIKE, _ALONE = 0.7, 0.6, 0.3


def set_unlike_aside(
    values: pd.DataFrame, *, features_in_rows: bool, asked: Sequence[str] | None
) -> tuple[tuple[np.ndarray, np.ndarray], list[str]]:
    """Find rows and columns that are to stay as they are, because they are unlike all others.

    Parameters
    ----------
    values : DataFrame of shape (n_rows, n_columns)
        As in the file.
    features_in_rows : bool
    asked : sequence of str or None
        What was named as annotation. If anything was, nothing else is set aside, but said.

    Returns
    -------
    aside : two boolean arrays
        Of the rows, and of the columns.
    notes : list of str
    """
    aside = (np.zeros(len(values), dtype=bool), np.zeros(values.shape[1], dtype=bool))
    notes: list[str] = []
    for axis, samples in ((1, features_in_rows), (0, not features_in_rows)):
        array = values.to_numpy() if axis else values.to_numpy().T
        none, odd = find_unlike(array, samples=samples)
        names = values.axes[axis]
        for position, why in none.items():
            if asked is None:
                aside[axis][position] = True
                notes.append(left(axis, [names[position]], why, guess=True))
        if asked is not None:
            odd = odd | none
        for position, why in odd.items():
            line = ("row", "column")[axis]
            notes.append(Guess(f"Is {line} {names[position]!r} annotation? {why}; it is imputed."))
    return aside, notes


def refuse_mixture(path: Path, values: pd.DataFrame) -> None:
    """Refuse several quantities of each sample, told by names made of two parts, and by ranges.

    Parameters
    ----------
    path : pathlib.Path
    values : DataFrame of shape (n_features, n_samples)

    Raises
    ------
    TableError

    Examples
    --------
    >>> table = pd.DataFrame(np.arange(12), columns=["s1_RT"])
    >>> refuse_mixture(Path("a.csv"), table.assign(s2_RT=9.5, s1_area=9e5, s2_area=8e5))
    Traceback (most recent call last):
    vaeimpute.exceptions.TableError: a.csv has several quantities of each sample, in different \
ranges: 'RT' and 'area', as in 's1_RT' and 's1_area'. Name those to be left as they are with \
--annotation, as '*RT*', or 'none' if all are values.
    """
    if len(values) < _FEWEST or values.shape[1] > _OTHERS * 10:
        return
    array = values.to_numpy()[:: len(values) // _ENOUGH + 1]
    low, high = _ranges(np.where(array == 0, np.nan, array))
    columns: dict[str, dict[str, int]] = defaultdict(dict)
    for place in np.flatnonzero(~np.isnan(low)).tolist():
        name = values.columns[place]
        for mark in re.finditer(r"[^a-zA-Z0-9%]+", name):
            parts = name[: mark.start()], name[mark.end() :]
            for quantity, sample in (parts, parts[::-1]):
                columns[quantity][sample] = place
    of_samples = defaultdict(list)
    for quantity, places in columns.items():
        if len(places) > 1:
            of_samples[frozenset(places)].append(quantity)
    for _, quantities in sorted(of_samples.items(), key=lambda one: -len(one[0])):
        at = {quantity: [*columns[quantity].values()] for quantity in quantities}
        lowest = min(at, key=lambda quantity: high[at[quantity]].max())
        highest = max(at, key=lambda quantity: low[at[quantity]].min())
        if high[at[lowest]].max() < low[at[highest]].min():
            names = [values.columns[at[quantity][0]] for quantity in (lowest, highest)]
            raise TableError(
                f"{path} has several quantities of each sample, in different ranges: {lowest!r} "
                f"and {highest!r}, as in {names[0]!r} and {names[1]!r}. Name those to be left as "
                f"they are with --annotation, as '*{lowest}*', or 'none' if all are values."
            )


def find_unlike(values: np.ndarray, *, samples: bool) -> tuple[dict[int, str], dict[int, str]]:
    """Find columns that can be neither samples nor features.

    Samples are measured alike and correlate, so that one of another kind shows: it is in another
    range, whole among fractions, or in order from line to line, and correlates with none. Features
    may all differ, so that only numbers of lines, and large whole numbers that are in order or
    beyond all others, are taken for ids.

    Parameters
    ----------
    values : array of shape (n_lines, n_columns)
        NaN where missing.
    samples : bool
        Whether the columns are taken for samples; otherwise features.

    Returns
    -------
    none : dict of int to str
        Columns that are no samples or features, and why.
    odd : dict of int to str
        Columns that may be none, and why.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(50, 1)) + rng.normal(scale=0.3, size=(50, 9)) + 8
    >>> values[:, 2] = rng.choice(100_000, 50, replace=False)
    >>> find_unlike(values, samples=True)[0]
    {2: 'whole numbers in another range, none of them twice'}
    """
    n_lines, n_columns = values.shape
    none: dict[int, str] = {}
    odd: dict[int, str] = {}
    if n_lines < _FEWEST or n_columns < 3:
        return none, odd
    head = values[:_HEAD]
    whole = ((head % 1 == 0) | np.isnan(head)).all(axis=0)
    n_whole = int(whole.sum())
    steps = np.diff(head, axis=0)
    in_order = (steps > 0).all(axis=0) | (steps < 0).all(axis=0)
    alike = _alike(values) if samples else np.full(n_columns, np.nan)
    typical = float(np.median(alike))
    by_chance = min(_ALONE, 2 / np.sqrt(n_lines))
    alone = (alike < _ALONE) & (typical > _ALIKE)
    far = np.zeros(n_columns, dtype=bool)
    if samples:
        low, high = _ranges(values)
        far = (low > np.median(high)) | (high < np.median(low))
    elif n_whole < n_columns:
        largest = np.nanmax(head[:, ~whole])
        far[whole] = _ranges(values[:, whole])[0] > max(1000.0, 10 * largest)
    is_sum = _sums_up(values)
    for column in np.flatnonzero(is_sum | alone | in_order | (whole & far)):
        numbers = values[:, column]
        numbers = numbers[~np.isnan(numbers)]
        if is_sum[column]:
            none[int(column)] = "the mean or the sum of the others"
            continue
        if len(numbers) < 0.5 * n_lines:
            continue
        integers = bool((numbers % 1 == 0).all())
        others_whole = (n_whole - whole[column]) / (n_columns - 1)
        another = others_whole <= 0.1 if integers else others_whole >= 0.9
        change = np.diff(numbers)
        ordered = bool((change > 0).all() or (change < 0).all())
        unique = len(np.unique(numbers)) == len(numbers)
        if integers and (change == 1).all():
            none[int(column)] = "it numbers the lines"
        elif integers and another and (far[column] or ordered) and (unique or samples):
            where = "in order" if ordered else "in another range"
            none[int(column)] = f"whole numbers {where}{', none of them twice' * unique}"
        elif alone[column] and (another or ordered or far[column]):
            none[int(column)] = "it correlates with none of the others" + (
                ", and is in another range" if far[column] else ""
            )
        elif n_columns >= _FEWEST and alike[column] < by_chance and typical > _MUCH_ALIKE:
            odd[int(column)] = "it correlates with none of the others"
        elif samples and far[column]:
            odd[int(column)] = "it is in another range than the others"
    return none, odd


def _alike(values: np.ndarray) -> np.ndarray:
    """Return how each column correlates with others, in the median; NaN if that cannot be told."""
    n_lines, n_columns = values.shape
    if n_lines < 2 * _FEWEST or n_columns < 4:
        return np.full(n_columns, np.nan)
    most = max(2 * _FEWEST, min(_ENOUGH, 20_000_000 // n_columns))
    lines = np.linspace(0, n_lines - 1, min(most, n_lines)).astype(int)
    ranks = pd.DataFrame(values[lines]).rank()
    ranks = ((ranks - ranks.mean()) / ranks.std(ddof=0)).fillna(0.0).to_numpy()
    others = np.linspace(0, n_columns - 1, min(_OTHERS, n_columns)).astype(int)
    return np.median(np.abs(ranks.T @ ranks[:, others]) / len(lines), axis=1)


def _ranges(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return between what 90 % of each column are, roughly; NaN of columns without values."""
    lines = np.linspace(0, len(values) - 1, min(_ENOUGH, len(values))).astype(int)
    ordered = np.sort(values[lines], axis=0)  # NaN at the end
    n_given = (~np.isnan(ordered)).sum(axis=0)
    columns = np.arange(values.shape[1])
    return tuple(
        ordered[np.maximum(0, (share * (n_given - 1)).round().astype(int)), columns]
        for share in (0.05, 0.95)
    )


def _sums_up(values: np.ndarray) -> np.ndarray:
    """Tell which columns are the mean or the sum of the others, rounded or not."""
    most = max(_FEWEST, min(50, 5_000_000 // values.shape[1]))
    lines = values[np.linspace(0, len(values) - 1, min(most, len(values))).astype(int)]
    n_given, total = (~np.isnan(lines)).sum(axis=1), np.nansum(lines, axis=1)
    if values.shape[1] < 4 or (n_given < 4).all():
        return np.zeros(values.shape[1], dtype=bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.nansum(np.square(lines), axis=1) / n_given - np.square(total / n_given)
        spread = np.sqrt(np.maximum(variance, 0.0))
        sums = total[:, None] - lines
        means = sums / (n_given[:, None] - 1)
        same = np.isnan(lines) | (np.abs(lines - means) < 2e-3 * spread[:, None])
        same_sum = np.isnan(lines) | np.isclose(lines, sums, rtol=1e-5, atol=0)
    varies = np.ptp(np.where(np.isnan(lines), 0.0, lines), axis=0) > 0
    many = (~np.isnan(lines)).sum(axis=0) >= min(_FEWEST, len(lines))
    return (same.all(axis=0) | same_sum.all(axis=0)) & varies & many
