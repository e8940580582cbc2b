"""How a text file is divided, line by line, and the ids in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pandas as pd

from vaeimpute.exceptions import Guess, TableError
from vaeimpute.tables.cells import Cells
from vaeimpute.tables.head import COMMENT, NAMES, TABLE_ENDS, fields_of, read_head
from vaeimpute.tables.numerals import is_missing, like_a_number, tidy
from vaeimpute.tables.text import find_encoding, open_text

Found = TypeVar("Found")
_FOOTNOTE = re.compile(r"^\W|\s|:$")


@dataclass(frozen=True)
class Layout:
    """How a text file is divided.

    Attributes
    ----------
    encoding, separator, decimal : str
        A blank as separator stands for any number of blanks.
    header, first, last : int
        Numbers of lines, from 1: of the column ids, of the first row and of the last.
    skipped : frozenset of int
        Numbers of lines after `first` that are no rows.
    n_fields : int
        In a whole row, with its id.
    """

    encoding: str
    separator: str
    decimal: str
    header: int
    first: int
    last: int
    skipped: frozenset[int]
    n_fields: int

    def is_row(self, number: int) -> bool:
        """Tell whether a line is a row, by its number."""
        return self.first <= number <= self.last and number not in self.skipped


def in_its_encoding(path: Path, read: Callable[[str], Found]) -> tuple[Found, tuple[str, ...]]:
    """Read a text file in Unicode or, if it is in none, as Western Windows writes it.

    Parameters
    ----------
    path : pathlib.Path
    read : callable
        Is given the encoding.

    Returns
    -------
    found
        What `read` returns.
    notes : tuple of str
        A `Guess` if the file is not in Unicode: nothing in it says in what it is.
    """
    windows = Guess(
        f"{path.name!r} is not in UTF-8. Letters beyond A to Z are taken for Windows-1252."
    )
    unicode = find_encoding(path)
    for encoding in (unicode, "cp1252", "latin-1"):  # the last has a letter for every byte
        try:
            return read(encoding), () if encoding == unicode else (windows,)
        except TableError as error:
            if not isinstance(error.__cause__, UnicodeDecodeError):
                raise
    raise AssertionError


def outline(path: Path) -> Cells:
    """Find out how a text file is divided, and read its ids.

    pandas fills a line that is cut short with NaN, and a file that broke off half-way would pass
    for one with missing values; so every line is counted here.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    Cells
        Without their table; with a `Layout`.

    Raises
    ------
    TableError
        If it holds no table, or lines have too few or too many fields.
    """
    found, notes = in_its_encoding(path, lambda encoding: _scan(path, encoding))
    return replace(found, notes=notes + found.notes)


@dataclass(frozen=True)
class _Odd:
    """A line with fewer fields than others, or after an empty one."""

    place: int  # among the rows
    number: int
    n_fields: int
    name: str
    values: list[str]
    after_blank: bool


def _scan(path: Path, encoding: str) -> Cells:
    head = read_head(path, encoding)
    separator, n_fields = head.separator, max(len(head.names), head.width)
    if head.width > len(head.names) + 1:
        raise TableError(_ragged(path, head.first, head.width, len(head.names), separator))
    rows: list[str] = []
    odd: list[_Odd] = []
    skipped: set[int] = set()
    n_comments = n_after = 0
    n_whole = n_open = 0  # rows with all fields, and rows that end with an empty one
    number = last = head.header
    line, blank = "", False
    nothing = f'{separator} \t"\x1a'  # a spreadsheet's empty row, and what ends a file of DOS
    with open_text(path, encoding) as lines:
        for number, line in enumerate(islice(lines, head.first - 1, None), start=head.first):
            content = line.rstrip("\r\n")
            if n_after or TABLE_ENDS.match(content):
                n_after += 1
                skipped.add(number)
                continue
            if not content.strip(nothing):
                blank = True
                skipped.add(number)
                continue
            if "\0" in content:
                raise TableError(
                    f"{path}, line {number} has NUL bytes, as damaged files have: copy it again."
                )
            fields = fields_of(content, separator)
            name, n_here = fields[0].strip(), len(fields)
            if n_here > n_fields:
                raise TableError(_ragged(path, number, n_here, n_fields, separator))
            is_open = content.endswith(separator)
            comment = fields[0].startswith(COMMENT)
            if n_here < n_fields or blank or comment or (is_open and not any(fields[1:])):
                if comment and (n_here < n_fields or not _any_value(fields[1:])):
                    n_comments += 1
                    skipped.add(number)
                    continue
                if content.count('"') % 2:
                    raise TableError(
                        f"{path}, line {number} has a quotation mark that is not closed; remove it."
                    )
                odd.append(_Odd(len(rows), number, n_here, name, fields[1:], blank))
            rows.append(name)
            last, blank = number, False
            n_open += is_open
            n_whole += n_here == n_fields
    notes = list(head.notes)
    if n_comments:
        notes.append(f"{n_comments} lines of comment, between rows or below, stay as they are.")
    if n_after:
        notes.append(f"{n_after} lines, from the end of the table on, stay as they are.")
    below = _lines_below(odd, len(rows))
    if below:
        del rows[below[0].place :]
        odd = odd[: -len(below)]
        skipped.update(one.number for one in below)
        notes.append(f"{len(below)} lines below the rows stay as they are: {below[0].name[:60]!r}.")
    short = [one for one in odd if one.n_fields < n_fields]
    if short:
        at_end = short[-1].number == number
        broken_off = at_end and (len(short) == 1 or not line.endswith(("\r", "\n")))
        # An editor leaves out all of the separators that end lines, or none.
        if broken_off or n_open or not n_whole or separator == " ":
            one = short[-1] if broken_off else short[0]
            raise TableError(_ragged(path, one.number, one.n_fields, n_fields, separator))
        notes.append(
            Guess(
                f"{len(short)} rows, the first in line {short[0].number}, end before the last "
                "column. What they lack is taken for missing, as after an editor that takes "
                "separators off the ends of lines."
            )
        )
    if not rows:
        raise TableError(f"{path} has a first line with column ids but no rows below it.")
    corner: str | None = head.names[0].strip()
    columns = [name.strip() for name in head.names[1:]]
    if len(head.names) < n_fields:  # by a name for the row ids, as R leaves it, or by a separator
        if n_open == len(rows):
            end = "Every line but the first ends with a separator; no column is taken to follow it."
            notes.append(Guess(end))
        else:
            corner, columns = None, [name.strip() for name in head.names]
    layout = Layout(
        encoding, separator, head.decimal, head.header, head.first, last, frozenset(skipped),
        n_fields,
    )  # fmt: skip
    return Cells(pd.DataFrame(), rows, columns, corner, tuple(notes), layout)


def _lines_below(odd: list[_Odd], n_rows: int) -> list[_Odd]:
    """Return the lines at the end, of those that are odd, that are below the table."""
    below: list[_Odd] = []
    seen: list[_Odd] = []
    for one in reversed(odd):
        ends = one.place == n_rows - len(seen) - 1
        if not ends or _any_value(one.values):
            break
        seen.insert(0, one)
        if one.after_blank or _FOOTNOTE.search(one.name):
            below = list(seen)
    return below


def _any_value(fields: list[str]) -> bool:
    words = [tidy(field) for field in fields if field]
    return any(like_a_number(word) or is_missing(word) for word in words)


def _ragged(path: Path, number: int, n_here: int, n_expected: int, separator: str) -> str:
    message = f"{path}: line {number} has {n_here} fields where {n_expected} are expected"
    if n_here < n_expected:
        return f"{message}; the line, or the file, is cut short."
    return (
        f"{message}. The line of the column ids must name every column, with or without the row "
        f"ids' own; where {NAMES[separator]} belong to a name or number, quotation marks go around "
        "it."
    )
