"""What is wrong with a matrix that a file holds, said so that its owner finds the place."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from vaeimpute.exceptions import Guess, TableError, some
from vaeimpute.tables.known import patterns

_NUMBER_WITH_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
_SPREADSHEET = re.compile(
    r"(?i)\d{1,2}[-. ](jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)([-. ]\d{2,4})?"
    r"|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[-. ]\d{1,4}"
    r"|\d{1,2}[./]\d{1,2}[./](\d{2}){1,2}|\d{4}-\d{2}-\d{2}( 00:00:00)?|\d(\.\d+)?E\+\d+"
)
_FEW_IDS = 5  # so many in order are no chance
_LARGEST = 1e100  # squares and their sums have to stay finite


def empty_features(values: pd.DataFrame) -> pd.Index:
    """Return the features that no sample has a value of.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    Index

    Examples
    --------
    >>> list(empty_features(pd.DataFrame({"TP53": [1.0, 2.0], "EGFR": [None, None]})))
    ['EGFR']
    """
    return values.columns[values.isna().all(axis=0)]


def empty_samples(values: pd.DataFrame) -> pd.Index:
    """Return the samples that have no value at all; as `empty_features`."""
    return values.index[values.isna().all(axis=1)]


def check_ids(path: Path, what: str, ids: list[str]) -> pd.Index:
    """Return ids as an index, or say which are empty.

    Parameters
    ----------
    path : pathlib.Path
    what : str
        What to call them in errors.
    ids : list of str

    Returns
    -------
    Index of str

    Raises
    ------
    TableError
    """
    if "" in ids:
        raise TableError(
            f"{path}: {ids.count('')} {what} are empty, the first is number {ids.index('') + 1}. "
            "Name them."
        )
    return pd.Index(ids, dtype=object)


def check_numeric_ids(
    path: Path, rows: pd.Index, columns: pd.Index, corner: str | None
) -> tuple[str, ...]:
    """Say whether ids that are numbers are ids, or a line of values where ids are lacking.

    They are, as those that mass spectrometers give, if the other side has names, and they are in
    order or the corner of the table says so.

    Parameters
    ----------
    path : pathlib.Path
        For errors.
    rows, columns : Index of str
    corner : str or None
        What the file calls its row ids.

    Returns
    -------
    tuple of str
        Notes.

    Raises
    ------
    TableError
        If ids are lacking.

    Examples
    --------
    >>> mz = pd.Index(["101.4", "101.9", "110.4"])
    >>> check_numeric_ids(Path("a.csv"), mz, pd.Index(["s1", "s2"]), "m/z")
    ()
    """
    numbers = [pd.Series(pd.to_numeric(side, errors="coerce")) for side in (rows, columns)]
    are_numbers = [not side.isna().any() for side in numbers]
    for what, ids, side, other in (
        ("row ids", rows, numbers[0], are_numbers[1]),
        ("column ids", columns, numbers[1], are_numbers[0]),
    ):
        if side.isna().any():
            continue
        whole = bool((side % 1 == 0).all())
        change = np.diff(side)
        in_order = len(ids) >= _FEW_IDS and bool((change > 0).all() or (change < 0).all())
        named = corner is None or patterns("ids")["corner"].fullmatch(corner) is not None
        if (whole and other) or (not other and (in_order or named)):
            continue
        if not whole:
            raise TableError(
                f"{path}: the {what} are numbers ({some(ids, 3)}). Expected ids in the first line "
                "and in the first column; add what is missing."
            )
        if not in_order and what == "column ids":
            return (Guess(f"The first line holds numbers ({some(ids, 3)}), taken for ids."),)
    return ()


def refuse_repeated(path: Path, what: str, ids: pd.Index) -> NoReturn:
    """Refuse ids of which some occur more than once.

    Parameters
    ----------
    path : pathlib.Path
    what : str
        What to call them.
    ids : Index of str

    Raises
    ------
    TableError
    """
    repeated = ids[ids.duplicated()].unique()
    dates = spreadsheet_ids(repeated)
    hint = f" A spreadsheet made dates or numbers of names ({some(dates, 3)})." if dates else ""
    raise TableError(
        f"{path}: {len(repeated)} {what} occur more than once: {some(repeated)}. Merge or rename "
        f"them, or say what to do with --duplicates.{hint}"
    )


def spreadsheet_ids(ids: pd.Index) -> list[str]:
    """Return the ids that look as if a spreadsheet had made dates or numbers of them.

    SEPT2 and MARCH1 become 2-Sep and Mar-01 when a spreadsheet opens the file, and 2310009E13
    becomes 2.31E+13.

    Examples
    --------
    >>> spreadsheet_ids(pd.Index(["TP53", "2-Sep", "Mar-01", "01.03.2021", "2.31E+13"]))
    ['2-Sep', 'Mar-01', '01.03.2021', '2.31E+13']
    """
    return list(ids[ids.str.fullmatch(_SPREADSHEET)])


def refuse_words(
    path: Path, table: pd.DataFrame, rows: pd.Index, columns: pd.Index, bad: np.ndarray
) -> NoReturn:
    """Say which entries are no numbers, and what they look like.

    Parameters
    ----------
    path : pathlib.Path
    table : DataFrame of shape (n_rows, n_columns)
        NaN where a value is missing.
    rows, columns : Index
        Names of both.
    bad : boolean array of shape (n_rows, n_columns)
        Which entries are no numbers.

    Raises
    ------
    TableError
    """
    row, column = np.argwhere(bad)[0]
    value, *others = pd.unique(table.to_numpy(dtype=object)[bad])
    more = int(bad.sum()) - 1
    message = (
        f"{path}: the value {value!r} in row {rows[row]!r}, column {columns[column]!r} is not a "
        f"number{f', nor are {more} more' if more else ''}"
        f"{f', such as {some(others)}' if others else ''}."
    )
    if _NUMBER_WITH_COMMA.fullmatch(value):
        raise TableError(f"{message} Other numbers have decimal points; spell all of them alike.")
    given = table.notna().to_numpy()
    for along, (axis, names) in enumerate((("column", columns), ("row", rows))):
        text = bad.any(axis=along) & (bad == given).all(axis=along)
        if text.any() and not text.all():
            raise TableError(
                f"{message} No number at all in {axis} {some(names[text])}: remove it, or keep it "
                "in the clinical table."
            )
    if re.match(r"[^<>]*\d", value):  # never advise to leave a number out
        raise TableError(f"{message} Write it as a plain number.")
    raise TableError(
        f"{message} If it stands for a missing value, say so: --na {shlex.quote(value)}"
    )


def check_finite(where: Path | str, values: pd.DataFrame) -> None:
    """Refuse values that are infinite, or too large to compute with.

    Parameters
    ----------
    where : pathlib.Path or str
        Names the matrix in errors.
    values : DataFrame
        Rows and columns as in the file.

    Raises
    ------
    TableError
        The message names the first.
    """
    array = values.to_numpy()
    # float64, because float32 cannot hold the limit.
    for wrong, fault in (
        (np.isinf(array), "is infinite. If it is missing, leave the field empty, or say NaN."),
        (
            np.abs(array) > np.float64(_LARGEST),
            "is too large to compute with. Correct it, or divide the values by a power of ten.",
        ),
    ):
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            more = int(wrong.sum()) - 1
            raise TableError(
                f"{where}: the value {array[row, column]:g} in row {values.index[row]!r}, column "
                f"{values.columns[column]!r}{f', like {more} more,' if more else ''} {fault}"
            )
