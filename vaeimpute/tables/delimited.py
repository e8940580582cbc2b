"""Matrices in delimited text: read exactly, and filled with every other character kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError
from vaeimpute.tables.cells import Cells, is_number
from vaeimpute.tables.head import TOKEN, fields_of, read_head
from vaeimpute.tables.layout import Layout, in_its_encoding, outline
from vaeimpute.tables.numerals import Spelling, find_spelling, like_a_number, tidy, to_numbers
from vaeimpute.tables.text import MARK, MISSING, open_for_text, open_text, promised_separators

if TYPE_CHECKING:
    from vaeimpute.tables.read import Source


def read(path: Path, na: Sequence[str] = ()) -> Cells:
    r"""Read a matrix with the column ids above it and the row ids in its first column.

    What divides the fields, and which lines are above and below the matrix, is found out. The line
    of the column ids may be one field shorter than the others, as R's ``write.table`` leaves it.

    Parameters
    ----------
    path : pathlib.Path
    na : sequence of str
        What stands for a missing value, besides an empty field and one of
        `vaeimpute.tables.text.MISSING`.

    Returns
    -------
    Cells

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
    found = outline(path)
    layout = found.layout
    table = _parse(path, layout, na, len(found.rows), len(found.columns))
    notes, spelled = found.notes, tuple[str, ...]()
    if not table.dtypes.map(is_number).all():
        table, spelling, spelled = _respelled(path, layout, na, table)
        layout = replace(layout, decimal=spelling.decimal)
    if not spelled and layout.decimal == ",":
        spelled = ("Its numbers have decimal commas.",)
    table, columns = _without_empty_end(table, found.columns)
    return replace(found, table=table, columns=columns, notes=notes + spelled, layout=layout)


def _without_empty_end(table: pd.DataFrame, columns: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Leave out last columns that have neither name nor value: what lines end with."""
    kept = len(columns)
    while kept and not columns[kept - 1] and table.iloc[:, kept - 1].isna().all():
        kept -= 1
    return table.iloc[:, :kept], columns[:kept]


def _parse(
    path: Path,
    layout: Layout,
    na: Sequence[str],
    n_rows: int,
    n_columns: int,
    dtype: type | None = None,
) -> pd.DataFrame:
    with open_text(path, layout.encoding) as lines:
        for _ in range(layout.first - 1):
            next(lines)
        frame = pd.read_csv(
            lines,
            sep=r"\s+" if layout.separator == " " else layout.separator,
            decimal=layout.decimal,
            header=None,
            skiprows=[number - layout.first for number in layout.skipped],
            # Positions, not names: pandas would rename repeated columns, and treat some ids as
            # missing.
            names=range(layout.n_fields),
            usecols=range(1, n_columns + 1),
            na_values=["", *MISSING, *na],
            keep_default_na=False,
            dtype=dtype,
            low_memory=False,
            # It takes three times as long as the default and is exact: what was observed is
            # written back as it was read.
            float_precision="round_trip",
        )
    if len(frame) != n_rows:
        raise TableError(
            f"{path} has {n_rows} lines of data but reads as {len(frame)} rows. A quotation mark "
            "that is not closed does that; remove it."
        )
    # Types are inferred and not demanded: demanded, pandas turns True into 1 without a word.
    return frame


def _respelled(
    path: Path, layout: Layout, na: Sequence[str], table: pd.DataFrame
) -> tuple[pd.DataFrame, Spelling, tuple[str, ...]]:
    """Read numbers that are not spelled as pandas was told to expect."""
    spelling, notes = Spelling(layout.decimal), tuple[str, ...]()
    if any(
        like_a_number(word) and spelling.plain(word) is None
        for words in _words(table)
        for word in words
    ):  # then the others may be spelled so, too: pandas took 1.234 for a number where it is 1234
        table = _parse(path, layout, na, len(table), table.shape[1], dtype=str)
        try:
            spelling, notes = find_spelling(_words(table))
        except TableError as error:
            raise TableError(f"{path}: {error}") from None
    return to_numbers(table, spelling, na), spelling, notes


def _words(table: pd.DataFrame) -> list[list[str]]:
    """Return the different words of each column that is not all numbers, tidied."""
    return [
        [tidy(str(word)) for word in column.dropna().unique()]
        for _, column in table.items()
        if not is_number(column.dtype)
    ]


def read_words(
    path: Path, *, columns: Sequence[str] | None = None, encoding: str | None = None
) -> pd.DataFrame:
    r"""Read a table with column names as text, every field as it is written.

    Parameters
    ----------
    path : pathlib.Path
    columns : sequence of str, optional
        Those to read; all by default.
    encoding : str, optional
        If it is known.

    Returns
    -------
    DataFrame of str

    Raises
    ------
    TableError
        If it cannot be read, or lacks a column.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "genes.csv"
    ...     _ = path.write_text("symbol,gc\nNA,007\n")
    ...     read_words(path).to_dict("list")
    {'symbol': ['NA'], 'gc': ['007']}
    """

    def read(encoding: str) -> pd.DataFrame:
        head = read_head(path, encoding)
        with open_text(path, encoding) as lines:
            for _ in range(head.header - 1):
                next(lines)
            separator = r"\s+" if head.separator == " " else head.separator
            try:
                return pd.read_csv(
                    lines, sep=separator, dtype=str, keep_default_na=False, usecols=columns
                )
            except ValueError as error:
                if isinstance(error, UnicodeDecodeError):
                    raise
                raise TableError(f"{path} cannot be read: {error}.") from None

    return read(encoding) if encoding else in_its_encoding(path, read)[0]


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a matrix alone."""
    separator = promised_separators(path)[:1] or "\t"
    with open_for_text(path) as output:
        table.to_csv(output, sep=separator, lineterminator="\n")


def fill(source: Source, target: Path, missing: np.ndarray, filled: np.ndarray) -> None:
    """Copy a file, with numbers in the place of missing values.

    Parameters
    ----------
    source : Source
    target : pathlib.Path
        Its extension says whether it is compressed, and what divides the fields if it promises
        something else than the source has.
    missing : boolean array of shape (n_rows, n_columns)
        Where to put numbers; rows and columns as in the file.
    filled : array of shape (n_rows, n_columns)
        Those at `missing` are written, with as many digits as give the same number when read, and
        without a decimal point if they are of type int.
    """
    layout = source.layout
    own = separator = layout.separator
    promised = promised_separators(target)
    if promised and own not in promised and promised != promised_separators(source.path):
        separator = promised[0]
    row = -1
    with (
        open_text(source.path, layout.encoding) as lines,
        open_for_text(target, layout.encoding) as output,
    ):
        for number, line in enumerate(lines, start=1):
            numbers: dict[int, str] = {}
            if layout.is_row(number):
                row += 1
                for column in np.flatnonzero(missing[row]).tolist():  # the first field is an id
                    value = filled[row, column]
                    words = str(value) if isinstance(value, int) else repr(float(value))
                    numbers[column + 1] = words.replace(".", layout.decimal)
            divided = layout.header <= number <= layout.last and number not in layout.skipped
            if numbers or (divided and separator != own):
                content = line.rstrip("\r\n")
                output.write(_replaced(content, own, separator, numbers) + line[len(content) :])
            else:
                output.write(line)


def _replaced(line: str, own: str, separator: str, numbers: dict[int, str]) -> str:
    """Put numbers in the place of fields, and another separator in the place of its own."""
    mark = MARK if line.startswith(MARK) else ""
    if separator == own == " ":
        places = count()
        return mark + TOKEN.sub(
            lambda field: numbers.get(next(places), field.group()), line.removeprefix(MARK)
        )
    fields = _raw_fields(line.removeprefix(MARK), own)
    fields += [""] * (max(numbers, default=0) + 1 - len(fields))
    for place, number in numbers.items():
        quoted = fields[place].startswith('"') or separator in number
        fields[place] = f'"{number}"' if quoted else number
    if separator != own:
        plain = (fields_of(f, own)[0] if f.startswith('"') else f for f in fields)
        fields = [_quoted(field, separator) for field in plain]
    return mark + separator.join(fields)


def _raw_fields(line: str, separator: str) -> list[str]:
    """Split a line and leave quotation marks where they are.

    >>> _raw_fields('"a,b",1,""', ",")
    ['"a,b"', '1', '""']
    """
    if separator == " ":
        return TOKEN.findall(line)
    if '"' not in line:
        return line.split(separator)
    mark = re.escape(separator)
    return re.findall(f'(?:^|{mark})("(?:[^"]|"")*"(?!")[^{mark}]*|".*|[^{mark}]*)', line)


def _quoted(field: str, separator: str) -> str:
    needed = separator in field or '"' in field
    return '"' + field.replace('"', '""') + '"' if needed else field
