"""Setting aside by name what is neither a sample nor a feature, and what is no number at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.exceptions import Guess, TableError, some
from vaeimpute.tables.cells import Cells
from vaeimpute.tables.known import names, patterns, plain

#: What to give as annotation if there is none.
NONE = "none"

_ID = re.compile(r"(.+[ ._])?ids?|unnamed: \d+|index|level_\d|row[ ._]?(names?|num(ber)?)", re.I)
# What may be a number written in another way is no word.
_LIKE_A_NUMBER = re.compile(
    r"(?!.*\.\.)[<>≤≥~]?\s*[-+−–]?[\d.,'’\s]*\d[\d.,'’\s]*(e[-+]?\d+)?\s*%?|.*\d\.#.*", re.I
)
_CHROMOSOME = ("chr", "chrom", "chromosome", "seqnames", "seqname")
_PLACE = ("start", "end", "stop", "pos", "position", "chromstart", "chromend")
_MOST = 0.2  # share of the features that may bear the name of something said of samples


def is_annotation(name: str, *, of_features: bool) -> bool:
    """Tell whether a name is known as one of what says something of features, or of both sides.

    Parameters
    ----------
    name : str
    of_features : bool
        Whether what bears the name stands beside samples, and so may say something of features.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_annotation("Length", of_features=True), is_annotation("Length", of_features=False)
    (True, False)
    """
    compared = plain(name)  # once: there may be a million
    if compared in names("reads", "summaries") and not (name.isupper() and name.isalpha()):
        return True  # SEM is the symbol of a gene
    if not of_features:
        return compared in names("samples")
    beside = patterns("beside").values()
    return compared in names("features") or any(one.fullmatch(name) for one in beside)


def find_annotation(
    path: Path, cells: Cells, *, features_in_rows: bool, asked: Sequence[str] | None
) -> tuple[tuple[np.ndarray, np.ndarray], list[str]]:
    """Find what is to stay as it is: what was asked for, or what names and words give away.

    Parameters
    ----------
    path : pathlib.Path
        For errors.
    cells : Cells
    features_in_rows : bool
    asked : sequence of str or None
        Names of rows and columns, or patterns with ``*``; `NONE` for none. None to look for them.

    Returns
    -------
    aside : two boolean arrays
        Of the rows, and of the columns: True for what is neither sample nor feature.
    notes : list of str

    Raises
    ------
    TableError
        If something that was asked for is not there, or the file is no matrix.

    Examples
    --------
    >>> table = pd.DataFrame({0: [7157.0, 1956.0], 1: [0.5, None], 2: ["a", "b"]})
    >>> cells = Cells(table, ["TP53", "EGFR"], ["Entrez_Gene_Id", "s1", "band"])
    >>> find_annotation(Path("a.csv"), cells, features_in_rows=True, asked=None)[0][1]
    array([ True, False,  True])
    """
    sides = (cells.rows, cells.columns)
    aside = (np.zeros(len(cells.rows), dtype=bool), np.zeros(len(cells.columns), dtype=bool))
    notes: list[str] = []

    def leave(axis: int, found: Sequence | np.ndarray, why: str, *, guess: bool = False) -> None:
        new = np.asarray(found, dtype=bool) & ~aside[axis]
        if new.any() and not (new | aside[axis]).all():
            aside[axis][new] = True
            ids = [sides[axis][i] for i in np.flatnonzero(new)]
            notes.append(left(axis, ids, why, guess=guess))

    for pattern in asked or ():
        hits = [[fnmatchcase(name, pattern) for name in side] for side in sides]
        if pattern != NONE and not any(map(any, hits)):
            raise TableError(
                f"{path} has no row or column {pattern!r}; its columns are {some(cells.columns)}."
            )
        for axis in (0, 1):
            leave(axis, hits[axis], "as asked for")
    nameless = np.array([not name for name in cells.columns])
    nameless[nameless] = cells.table.loc[:, nameless].isna().all().to_numpy()
    leave(1, nameless, "neither name nor values")
    leave(1, words := _words(cells, *aside), "words")
    _refuse_long(path, cells, words)
    leave(0, _words(cells, *aside, rows=True), "words")
    if asked is None:
        samples = 1 if features_in_rows else 0  # the axis that samples are along
        alike = _repeated_quantity(sides[samples], aside[samples])
        if alike.any():
            first = sides[samples][int(alike.argmax())]
            why = f"not among the {alike.sum()} taken for samples, such as {first!r}"
            leave(samples, ~alike, why, guess=True)
        for axis in (1, 0):
            found = [is_annotation(n, of_features=axis == samples) for n in sides[axis]]
            if axis != samples and sum(found) > _MOST * len(found):
                continue  # a clinical table, of which they are the features
            for i in np.flatnonzero([_ID.fullmatch(name) is not None for name in sides[axis]]):
                line = cells.table.iloc[:, i] if axis else cells.table.iloc[i]
                found[i] = found[i] or _are_ids(line)
            leave(axis, found, "by name", guess=True)
        if features_in_rows:
            given = np.flatnonzero(cells.table.notna().any().to_numpy() & ~aside[1])
            kinds = np.array([re.sub(r"\d+", "", name) for name in cells.columns])
            beside = ~np.isin(kinds, kinds[given])  # S3 is a sample as S1 and S2 are
            if len(given):
                beside[given[0] : given[-1] + 1] = False
            leave(1, beside, "no value, and beside all samples that have some", guess=True)
            _refuse_one_sample(path, np.array(cells.columns, dtype=object)[~aside[1]])
    return aside, notes


def _refuse_long(path: Path, cells: Cells, words: np.ndarray) -> None:
    """Refuse a table of which one column names the sample of each line."""
    known, rows = names("long"), pd.Series(cells.rows)
    if words.any() and rows.duplicated().any():  # as the names of the features have to be somewhere
        known = names("long", "long if ids repeat")
    else:
        rows = rows[:0]
    columns = ((name, cells.table.iloc[:, i]) for i, name in enumerate(cells.columns))
    for name, entries in ((cells.corner or "", rows), *columns):
        if plain(name) in known and entries.duplicated().any():
            raise TableError(
                f"{path} has one measurement a line, of the sample in column {name!r}, and is no "
                "matrix. Let the program that wrote it write a matrix, or pivot it: with pandas, "
                f"table.pivot_table(index=<feature>, columns={name!r}, values=<quantity>)."
            )


def _refuse_one_sample(path: Path, columns: np.ndarray) -> None:
    quantities = {plain(name).rstrip("0123456789") for name in columns}
    if len(columns) > 1 and quantities <= names("one sample"):
        raise TableError(
            f"{path} has several quantities of each sample, or of one ({some(columns)}), and is no "
            "matrix. Join one of them of all samples into a table."
        )


def name_rows(cells: Cells, aside: np.ndarray) -> tuple[Cells, list[str]]:
    """Take row ids from other columns where the first has row numbers, or repeats itself.

    Parameters
    ----------
    cells : Cells
    aside : boolean array of shape (n_columns,)
        Columns that are annotation.

    Returns
    -------
    Cells
    notes : list of str

    Examples
    --------
    >>> cells = Cells(pd.DataFrame({0: ["TP53", "EGFR"], 1: [1.0, 2.0]}), ["0", "1"], ["gene", "s"])
    >>> name_rows(cells, np.array([True, False]))[0].rows
    ['TP53', 'EGFR']
    """
    numbered = [[str(first + row) for row in range(len(cells.rows))] for first in (0, 1)]
    repeat = len(set(cells.rows)) < len(cells.rows)
    if not repeat and cells.rows not in numbered:
        return cells, []
    whole = {
        cells.columns[i]: cells.table.iloc[:, i].map("{:.0f}".format if cells.numeric[i] else str)
        for i in sorted(np.flatnonzero(aside), key=lambda i: bool(cells.numeric[i]))  # words first
        if cells.table.iloc[:, i].notna().all()
    }
    words = {cells.columns[i] for i in np.flatnonzero(~cells.numeric)}
    for name, ids in whole.items():
        if ids.is_unique and (name in words or _ID.fullmatch(name)):
            why = f"those in {cells.corner!r} repeat" if repeat else "the file numbers rows"
            note = f"Row ids are those in column {name!r}; {why}."
            return replace(cells, rows=[*ids]), [Guess(note) if repeat else note]
    if not repeat:
        return cells, []
    if plain(cells.corner or "").strip("#") in _CHROMOSOME:
        ends = [ids for name, ids in whole.items() if plain(name) in _PLACE]
        rows = [f"{row}:{'-'.join(place)}" for row, *place in zip(cells.rows, *ends, strict=True)]
        if ends and len(set(rows)) == len(rows):
            return replace(cells, rows=rows), [Guess(f"Row ids are places, such as {rows[0]!r}.")]
    if len(cells.rows) > 2 and len(set(cells.rows)) == 1:
        note = f"All rows are called {cells.rows[0]!r}, and are numbered."
        return replace(cells, rows=numbered[1]), [Guess(note)]
    return cells, []


def left(axis: int, ids: Sequence[str], why: str, *, guess: bool) -> str:
    """Say what is left as it is.

    Examples
    --------
    >>> left(1, ["Length"], "words", guess=False)
    "Annotation, left as it is: column 'Length' (words)."
    """
    lines = ("row", "column")[axis] + ("s" if len(ids) > 1 else "")
    note = f"Annotation, left as it is: {lines} {some(ids)} ({why})."
    return Guess(f"{note} If that is wrong, name what is with --annotation.") if guess else note


def _repeated_quantity(ids: Sequence[str], aside: np.ndarray) -> np.ndarray:
    """Tell which names are those of the first quantity that is there for several samples."""
    for quantity in patterns("quantities").values():
        alike = np.array([quantity.fullmatch(name) is not None for name in ids]) & ~aside
        if alike.sum() > 1:
            return alike
    return np.zeros(len(ids), dtype=bool)


def _are_ids(line: pd.Series) -> bool:
    """Tell whether all there is are integers, none of them twice."""
    numbers = pd.to_numeric(line, errors="coerce").dropna()
    return len(numbers) > 1 and numbers.is_unique and bool((numbers % 1 == 0).all())


def _words(
    cells: Cells, rows_aside: np.ndarray, columns_aside: np.ndarray, *, rows: bool = False
) -> np.ndarray:
    """Tell which columns, or rows, hold words and no number."""
    every = np.zeros(len(cells.rows) if rows else len(cells.columns), dtype=bool)
    texts = cells.table.loc[~rows_aside, ~cells.numeric & ~columns_aside]
    if texts.empty:
        return every
    given = texts.notna().to_numpy()
    words = texts.apply(pd.to_numeric, errors="coerce").isna().to_numpy() & given
    words[words] = [not _LIKE_A_NUMBER.fullmatch(w) for w in texts.to_numpy(dtype=object)[words]]
    along = 1 if rows else 0
    found = given.any(axis=along) & (words == given).all(axis=along)
    if rows:  # most of it, and not a number in any other column either
        found &= given.sum(axis=1) > 0.5 * (~columns_aside).sum()
        numbers = cells.table.loc[~rows_aside, cells.numeric & ~columns_aside]
        found &= numbers.isna().all(axis=1).to_numpy()
    every[~rows_aside if rows else ~cells.numeric & ~columns_aside] = found
    return every
