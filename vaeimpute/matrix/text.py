"""Filling holes of a text file and leaving every other character of it as it is."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from vaeimpute.cohorts.matrix_files import _fields, _is_blank, choose_separator, open_text


def fill_text(
    source: Path, target: Path, missing: np.ndarray, filled: np.ndarray, separator: str | None
) -> None:
    """Copy a text file, with numbers in the place of missing values.

    Parameters
    ----------
    source : pathlib.Path
        A file that `vaeimpute.cohorts.matrix_files.read_matrix` has read.
    target : pathlib.Path
        Compressed if its name ends in ``.gz``.
    missing : boolean array of shape (n_rows, n_columns)
        Where to put numbers; rows and columns as in the file.
    filled : array of shape (n_rows, n_columns)
        Those at `missing` are written, with as many digits as give the same number when read.
    separator : str or None
        What separates fields in `target`; None for the same as in `source`.
    """
    with open_text(source) as lines, open_for_text(target) as output:
        own = ""
        row = -1
        if _has_mark(source):  # by which spreadsheets know UTF-8
            output.write("\ufeff")
        for line in lines:
            content = line.rstrip("\r\n")
            ending = line[len(content) :]
            if not own:
                if not content.strip():
                    output.write(line)
                    continue
                own, _ = choose_separator(source, content)
                fields = _raw_fields(content, own)
            elif _is_blank(content, own):
                output.write(line)
                continue
            else:
                row += 1
                holes = np.flatnonzero(missing[row])
                if not len(holes) and separator in (None, own):
                    output.write(line)
                    continue
                fields = _raw_fields(content, own)
                for column in holes:  # the first field is the row's id
                    fields[column + 1] = repr(float(filled[row, column]))
            output.write(_joined(fields, own, separator) + ending)


@contextmanager
def open_for_text(path: Path) -> Iterator[IO[str]]:
    """Open a text file for writing, compressed if its name ends in ``.gz``.

    Parameters
    ----------
    path : pathlib.Path

    Yields
    ------
    text file
        UTF-8; line ends are written as they are given.
    """
    with path.open("wb") as raw:
        if path.suffix != ".gz":
            with io.TextIOWrapper(raw, encoding="utf-8", newline="") as output:
                yield output
            return
        # Without name and time, the same content makes the same file.
        with (
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as zipped,
            io.TextIOWrapper(zipped, encoding="utf-8", newline="") as output,
        ):
            yield output


def _has_mark(path: Path) -> bool:
    """Tell whether a text file begins with a byte order mark, which readers skip."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        return file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8


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
    read = _fields(line, separator)
    if pending is None and len(fields) == len(read):
        return fields
    return [_quoted(field, separator) for field in read]


def _joined(fields: Sequence[str], own: str, separator: str | None) -> str:
    if separator in (None, own):
        return own.join(fields)
    plain = (_fields(field, own)[0] if field.startswith('"') else field for field in fields)
    return separator.join(_quoted(field, separator) for field in plain)


def _quoted(field: str, separator: str) -> str:
    buffer = io.StringIO()
    # A field alone would be quoted if it is empty.
    csv.writer(buffer, delimiter=separator, lineterminator="").writerow([field, ""])
    return buffer.getvalue()[: -len(separator)]
