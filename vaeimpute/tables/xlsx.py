"""Matrices in Excel workbooks: read, written, and filled with every other cell kept."""

from __future__ import annotations

import csv
import re
import tempfile
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaeimpute.exceptions import Guess, TableError, import_optional, some
from vaeimpute.tables import delimited
from vaeimpute.tables.cells import Cells
from vaeimpute.tables.text import open_for_text

if TYPE_CHECKING:
    from vaeimpute.tables.read import Source

_LINE_END = re.compile(r"[\r\n]+")


def read(path: Path, na: Sequence[str] = ()) -> Cells:
    """Read the first sheet that holds anything, as the text that a spreadsheet would save of it.

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
    sheet, *others = sheets
    notes: list[str] = []
    if others:
        rest = some([other.title for other in others])
        notes.append(Guess(f"The sheet {sheet.title!r} is taken, and not {rest}."))
    rows = list(sheet.iter_rows(values_only=True))
    if _has_formulas(path):
        notes.append("Formulas are read, and written, as their last results.")
        formulas = _open(path, results=False)[sheet.title].iter_rows(values_only=True)
        if any(
            value is None and isinstance(formula, str) and formula.startswith("=")
            for row, row_of_formulas in zip(rows, formulas, strict=True)
            for value, formula in zip(row, row_of_formulas, strict=True)
        ):
            raise TableError(f"{path} has formulas without results; save it in a spreadsheet once.")
    words = [
        ["" if value is None else _LINE_END.sub(" ", str(value)) for value in row] for row in rows
    ]
    left = min((row.index(next(filter(None, row))) for row in words if any(row)), default=0)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, f"{path.name}.sheet.tsv")

        def named(message: object) -> str:
            return str(message).replace(str(text), str(path)).replace(text.name, path.name)

        with open_for_text(text) as lines:
            csv.writer(lines, "excel-tab").writerows(row[left:] for row in words)
        try:
            found = delimited.read(text, na)
        except TableError as error:
            raise TableError(named(error)) from None
    at = [n for n in range(found.layout.first, found.layout.last + 1) if found.layout.is_row(n)]
    notes += (type(note)(named(note)) for note in found.notes)
    return replace(found, notes=tuple(notes), layout=(sheet.title, at, left + 2))


def _open(path: Path, *, results: bool = True) -> Any:
    openpyxl = import_optional("openpyxl", f"Reading {path}", "data")
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
