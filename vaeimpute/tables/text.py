"""Opening files of text, compressed or not, and dividing their lines into fields."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pandas as pd

from vaeimpute.exceptions import TableError

#: The separator that a text file is expected to use, by its extension.
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
#: Extensions of text files that are known.
TEXT = (*SEPARATORS, *(f"{suffix}.gz" for suffix in SEPARATORS))
#: What stands for a missing value in a matrix, besides an empty field.
MISSING = (
    *("NA", "na", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN"),
    *("NULL", "Null", "null", "None", "none", "-", "--", ".", "?"),
)
MARK = "\ufeff"  # the byte order mark, by which spreadsheets know UTF-8


@contextmanager
def open_bytes(file: Path | IO[bytes], name: object = None) -> Iterator[IO[bytes]]:
    """Read a file through gzip if that is what it holds, whatever it is called.

    Parameters
    ----------
    file : pathlib.Path or binary file
        Closed at the end.
    name : object
        What to call it in errors; by default the path.

    Yields
    ------
    binary file

    Raises
    ------
    TableError
        If the compressed data are cut short or damaged.

    Examples
    --------
    >>> with open_bytes(io.BytesIO(gzip.compress(b"chr22")), "calls") as content:
    ...     content.read()
    b'chr22'
    """
    stream = io.FileIO(file) if isinstance(file, Path) else file
    with stream, io.BufferedReader(stream, 1 << 20) as buffered:  # type: ignore[type-var]
        try:
            zipped = buffered.peek(2)[:2] == b"\x1f\x8b"
            yield gzip.GzipFile(fileobj=buffered) if zipped else buffered  # type: ignore[misc]
        except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
            raise TableError(
                f"{name or file} is cut short or damaged: {error}. Copy or download it again."
            ) from error


@contextmanager
def open_text(path: Path, encoding: str = "utf-8-sig") -> Iterator[IO[str]]:
    """Open a text file, compressed or not, and turn what goes wrong into a `TableError`.

    Parameters
    ----------
    path : pathlib.Path
    encoding : str
        By default UTF-8 of which a byte order mark is skipped.

    Yields
    ------
    text file
        Line ends are as in the file.
    """
    try:
        with (
            open_bytes(path) as content,
            io.TextIOWrapper(content, encoding, newline="") as lines,
        ):
            yield lines
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path} is not UTF-8 text ({error.reason} at byte {error.start} of a block). Save it "
            "as 'CSV UTF-8', or give the file the extension of what it is."
        ) from None
    except csv.Error:
        raise TableError(
            f"{path} has a quotation mark that is not closed, so its field never ends; remove it."
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableError(f"{path} cannot be read: {error}.") from None


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
        # Without name and time, the same content makes the same file.
        stream = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if path.suffix == ".gz" else raw
        with io.TextIOWrapper(stream, encoding="utf-8", newline="") as output:
            yield output


def read_words(
    path: Path, *, columns: Sequence[str] | None = None, encoding: str = "utf-8-sig"
) -> pd.DataFrame:
    r"""Read a table with column names as text, every field as it is written.

    Parameters
    ----------
    path : pathlib.Path
        Text that is separated by commas, tabs or semicolons.
    columns : sequence of str, optional
        Those to read; all by default.
    encoding : str

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
    with open_text(path, encoding) as lines:
        header = next((line for line in lines if line.strip()), None)
        if header is None:
            raise TableError(f"{path} is empty.")
        separator, _ = choose_separator(path, header)
    with open_text(path, encoding) as lines:
        try:
            return pd.read_csv(
                lines, sep=separator, dtype=str, keep_default_na=False, usecols=columns
            )
        except ValueError as error:
            raise TableError(f"{path} cannot be read: {error}.") from None


def expected_separator(path: Path) -> str:
    """Return the separator that the extension of a text file promises; a tab if it is unknown."""
    return SEPARATORS.get(Path(path.name.removesuffix(".gz")).suffix, "\t")


def choose_separator(path: Path, header: str) -> tuple[str, tuple[str, ...]]:
    """Return the separator of a text file, and a note if its extension promises another.

    Parameters
    ----------
    path : pathlib.Path
    header : str
        The first line.

    Returns
    -------
    separator : str
    notes : tuple of str

    Raises
    ------
    TableError
        If there is none.

    Examples
    --------
    >>> choose_separator(Path("a.csv"), "gene;s1;s2")
    (';', ("'a.csv' is separated by semicolons, not by commas.",))
    """
    if header.lstrip().startswith("<"):
        raise TableError(
            f"{path} is a web page, not a table; its first line is {header[:60]!r}. Download the "
            "file again, and look at the page for what went wrong."
        )
    names = {",": "commas", "\t": "tabs", ";": "semicolons"}
    expected = expected_separator(path)
    if expected in header:
        return expected, ()
    found = max(names, key=header.count)
    if found not in header:
        raise TableError(
            f"{path} has no {', '.join(names.values())} in its first line {header[:60]!r}; "
            f"expected column ids separated by {names[expected]}."
        )
    return found, (f"{path.name!r} is separated by {names[found]}, not by {names[expected]}.",)


def fields_of(line: str, separator: str) -> list[str]:
    """Split a line, quotation marks taken off.

    Examples
    --------
    >>> fields_of('"a,b",1', ",")
    ['a,b', '1']
    """
    return next(csv.reader([line], delimiter=separator))


def is_blank(line: str, separator: str) -> bool:
    """Tell whether pandas skips the line."""
    return not line.strip(" \t".replace(separator, ""))
