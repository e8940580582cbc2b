"""Matrices in delimited text: read exactly, and filled with every other character kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError
from vaeimpute.tables.cells import Cells
from vaeimpute.tables.notes import Guess
from vaeimpute.tables.text import (
    MARK,
    MISSING,
    choose_separator,
    expected_separator,
    fields_of,
    is_blank,
    open_for_text,
    open_text,
)

if TYPE_CHECKING:
    from vaeimpute.tables.read import Source


@dataclass(frozen=True)
class _Layout:
    """How a text file is divided, known before a single number is parsed."""

    separator: str
    header_line: int
    n_fields: int
    corner: str | None
    rows: list[str]
    columns: list[str]
    notes: tuple[str, ...]


def read(path: Path) -> Cells:
    r"""Read a matrix whose first line holds the column ids and whose first column the row ids.

    The first line may be one field shorter than the others, as R's ``write.table`` leaves it.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    Cells
        An empty field or one of `vaeimpute.tables.text.MISSING` is NaN.

    Raises
    ------
    TableError
        If the file is no such matrix. The message names row, column and value where it can.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tiny.csv"
    ...     _ = path.write_text("gene,s1,s2\nTP53,0.5,NA\nEGFR,-1,2e-3\n")
    ...     cells = read(path)
    >>> cells.rows, cells.columns, cells.table.to_numpy().tolist()
    (['TP53', 'EGFR'], ['s1', 's2'], [[0.5, nan], [-1.0, 0.002]])
    """
    layout = _scan(path)
    n_columns = len(layout.columns)
    with open_text(path) as lines:
        frame = pd.read_csv(
            lines,
            sep=layout.separator,
            header=None,
            skiprows=layout.header_line,
            # Positions, not names: pandas would rename repeated columns, and treat some ids as
            # missing.
            names=range(layout.n_fields),
            usecols=range(1, n_columns + 1),
            na_values=["", *MISSING],
            keep_default_na=False,
            low_memory=False,
            # It takes three times as long as the default and is exact: what was observed is
            # written back as it was read.
            float_precision="round_trip",
        )
    if len(frame) != len(layout.rows):
        raise TableError(
            f"{path} has {len(layout.rows)} lines of data but reads as {len(frame)} rows. A "
            "quotation mark that is not closed does that; remove it."
        )
    # Types are inferred and not demanded: demanded, pandas turns True into 1 without a word.
    return Cells(frame, layout.rows, layout.columns, layout.corner, layout.notes)


def _scan(path: Path) -> _Layout:
    """Read ids and count fields, line by line.

    pandas fills a line that is cut short with NaN, and a file that broke off half-way would pass
    for one with missing values; so every line is counted here.
    """
    notes: tuple[str, ...] = ()
    header: list[str] = []
    rows: list[str] = []
    n_fields = 0
    separator = ""
    header_line = 0
    all_end_empty = True
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            line = line.rstrip("\r\n")
            if not separator:
                if not line.strip():
                    continue
                separator, notes = choose_separator(path, line)
                header, header_line = fields_of(line, separator), number
                continue
            if is_blank(line, separator):
                continue
            if "\0" in line:
                raise TableError(
                    f"{path}, line {number} has NUL bytes, as damaged files have: copy it again."
                )
            quoted = '"' in line
            fields = fields_of(line, separator) if quoted else line.split(separator, 1)
            n_here = len(fields) if quoted else line.count(separator) + 1
            n_fields = n_fields or n_here
            if n_here != n_fields or n_fields - len(header) not in (0, 1):
                raise TableError(_ragged(path, number, n_here, len(header), n_fields, separator))
            rows.append(fields[0].strip())
            all_end_empty &= line.endswith(separator)
    if not separator:
        raise TableError(f"{path} is empty.")
    if not rows:
        raise TableError(f"{path} has a first line with column ids but no rows below it.")
    if n_fields == 1:
        raise TableError(
            f"{path} has one column only; expected a column of row ids and at least one of numbers."
        )
    corner: str | None = header[0].strip()
    names = header[1:]
    if len(header) < n_fields:  # by a name for the row ids, as R leaves it, or by a separator
        if all_end_empty:
            end = "Every line but the first ends with a separator; no column is taken to follow it."
            notes = (*notes, Guess(end))
        else:
            corner, names = None, header
    return _Layout(
        separator,
        header_line,
        n_fields,
        corner,
        rows,
        [name.strip() for name in names],
        notes,
    )


def _ragged(
    path: Path, number: int, n_here: int, n_header: int, n_fields: int, separator: str
) -> str:
    expected = n_header if n_here == n_fields else n_fields
    message = f"{path}: line {number} has {n_here} fields where {expected} are expected"
    if n_here > expected and separator == ",":
        return (
            f"{message}. If its numbers are written with decimal commas, separate the fields by "
            "semicolons or tabs and write decimal points."
        )
    if n_here < expected:
        return f"{message}; the line, or the file, is cut short."
    return f"{message}; the first line must name every column, with or without the row ids' own."


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a matrix alone."""
    with open_for_text(path) as output:
        table.to_csv(output, sep=expected_separator(path), lineterminator="\n")


def fill(source: Source, target: Path, missing: np.ndarray, filled: np.ndarray) -> None:
    """Copy a file, with numbers in the place of missing values.

    Parameters
    ----------
    source : Source
    target : pathlib.Path
        Its extension says whether it is compressed, and by what fields are separated if the
        source's promises something else.
    missing : boolean array of shape (n_rows, n_columns)
        Where to put numbers; rows and columns as in the file.
    filled : array of shape (n_rows, n_columns)
        Those at `missing` are written, with as many digits as give the same number when read.
    """
    separator: str | None = expected_separator(target)
    if separator == expected_separator(source.path):
        separator = None  # the source's own
    with open_text(source.path, "utf-8") as lines, open_for_text(target) as output:
        own = ""
        row = -1
        for line in lines:
            if line.startswith(MARK):
                output.write(MARK)
                line = line[1:]
            content = line.rstrip("\r\n")
            ending = line[len(content) :]
            if not own:
                if not content.strip():
                    output.write(line)
                    continue
                own, _ = choose_separator(source.path, content)
                fields = _raw_fields(content, own)
            elif is_blank(content, own):
                output.write(line)
                continue
            else:
                row += 1
                columns = np.flatnonzero(missing[row])
                if not len(columns) and separator in (None, own):
                    output.write(line)
                    continue
                fields = _raw_fields(content, own)
                for column in columns:  # the first field is the row's id
                    fields[column + 1] = repr(float(filled[row, column]))
            output.write(_joined(fields, own, separator) + ending)


def _raw_fields(line: str, separator: str) -> list[str]:
    """Split a line and leave quotation marks where they are.

    >>> _raw_fields('"a,b",1,""', ",")
    ['"a,b"', '1', '""']
    """
    parts = line.split(separator)
    if '"' not in line:
        return parts
    fields: list[str] = []
    pending: str | None = None
    for part in parts:
        pending = part if pending is None else pending + separator + part
        if not pending.startswith('"') or pending.count('"') % 2 == 0:
            fields.append(pending)
            pending = None
    read = fields_of(line, separator)
    if pending is None and len(fields) == len(read):
        return fields
    return [_quoted(field, separator) for field in read]


def _joined(fields: Sequence[str], own: str, separator: str | None) -> str:
    if separator in (None, own):
        return own.join(fields)
    plain = (fields_of(field, own)[0] if field.startswith('"') else field for field in fields)
    return separator.join(_quoted(field, separator) for field in plain)


def _quoted(field: str, separator: str) -> str:
    buffer = io.StringIO()
    # A field alone would be quoted if it is empty.
    csv.writer(buffer, delimiter=separator, lineterminator="").writerow([field, ""])
    return buffer.getvalue()[: -len(separator)]
