"""Matrices in Excel workbooks: read, written, and filled with every other cell kept."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError, not_installed, some
from vaeimpute.tables.cells import Cells, without_empty_end
from vaeimpute.tables.head import find_header
from vaeimpute.tables.layout import Odd, lines_below
from vaeimpute.tables.notes import Guess
from vaeimpute.tables.numerals import POINTS, to_numbers

if TYPE_CHECKING:
    from vaeimpute.tables.read import Source


def read(path: Path, na: Sequence[str] = ()) -> Cells:
    """Read the first sheet that holds anything; ids are in its first column and above the numbers.

    Parameters
    ----------
    path : pathlib.Path
    na : sequence of str
        Text that stands for a missing value, besides `vaeimpute.tables.text.MISSING`.

    Returns
    -------
    Cells

    Raises
    ------
    TableError
        If it cannot be read, or formulas in it have no results yet.
    ModuleNotFoundError
        If openpyxl is not installed.
    """
    book = _open(path)
    sheets = [sheet for sheet in book.worksheets if sheet.max_row > 1 and sheet.max_column > 1]
    if not sheets:
        raise TableError(f"{path} has no sheet with rows and columns.")
    sheet = sheets[0]
    notes: list[str] = []
    if len(sheets) > 1:
        others = some([other.title for other in sheets[1:]])
        notes.append(Guess(f"The sheet {sheet.title!r} is taken, and not {others}."))
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    if _has_formulas(path):
        notes.append("Formulas are read, and written, as their last results.")
        formulas = _open(path, results=False)[sheet.title].iter_rows(values_only=True)
        if any(
            value is None and isinstance(formula, str) and formula.startswith("=")
            for row, row_of_formulas in zip(rows, formulas, strict=True)
            for value, formula in zip(row, row_of_formulas, strict=True)
        ):
            raise TableError(f"{path} has formulas without results; save it in a spreadsheet once.")
    words = [["" if value is None else str(value) for value in row] for row in rows]
    left = min((row.index(next(filter(None, row))) for row in words if any(row)), default=0)
    words = [row[left:] for row in words]
    header, width = find_header(words)
    filled = [any(row) for row in words]
    places = [place for place in range(header + 1, len(words)) if filled[place]]
    alone = [
        Odd(at, place + 1, 1, words[place][0].strip(), [], not filled[place - 1])
        for at, place in enumerate(places)
        if not any(words[place][1:])
    ]
    below = lines_below(alone, len(places))
    if below:
        places = places[: below[0].place]
        notes.append(f"{len(below)} rows below the others stay as they are: {below[0].name!r}.")
    if not places:
        raise TableError(f"{path} has column ids but no rows below them.")
    if header:
        notes.append(f"Rows 1 to {header}, above the column ids, stay as they are.")
    grid = [rows[place][left + 1 : left + width] for place in places]
    table = pd.DataFrame([[_cell(value) for value in row] for row in grid], dtype=object)
    names = [name.strip() for name in words[header][1:width]]
    table, names = without_empty_end(to_numbers(table, POINTS, na), names)
    return Cells(
        table,
        [words[place][0].strip() for place in places],
        names,
        words[header][0].strip(),
        tuple(notes),
        layout=(sheet.title, [place + 1 for place in places], left + 2),
    )


def _open(path: Path, *, results: bool = True) -> Any:
    try:
        import openpyxl
    except ModuleNotFoundError:
        raise not_installed("openpyxl", f"Reading {path}", "data") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what of a workbook it does not keep
        try:
            with path.open("rb") as file:  # under a path, it refuses other extensions
                return openpyxl.load_workbook(file, data_only=results)
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise TableError(f"{path} cannot be read as a workbook: {error}") from None


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(b"<f>" in archive.read(name) or b"<f " in archive.read(name) for name in sheets)


def _cell(value: Any) -> Any:
    """Return a number or text; True and dates are no numbers."""
    if value is None:
        return np.nan
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(value) if is_number else str(value)


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a matrix alone."""
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        table.to_excel(writer)
        _keep_digits(writer.book)


def fill(source: Source, target: Path, missing: np.ndarray, filled: np.ndarray) -> None:
    """Write a workbook again with numbers in the place of missing values.

    Parameters
    ----------
    source : Source
    target : pathlib.Path
    missing : boolean array of shape (n_rows, n_columns)
        Where to put numbers; rows and columns as in the sheet.
    filled : array of shape (n_rows, n_columns)
    """
    book = _open(source.path)
    title, rows, first = source.layout
    for row, column in np.argwhere(missing):
        book[title].cell(rows[row], first + int(column), float(filled[row, column]))
    _keep_digits(book)
    with target.open("wb") as file:
        book.save(file)


def _keep_digits(book: Any) -> None:
    """Have numbers written to the last bit: openpyxl writes 16 digits, one less than some need."""
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if type(cell.value) is float:
                    cell._value = repr(cell.value)  # and it stays a number for the spreadsheet
