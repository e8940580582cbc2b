"""Opening files of text, compressed or not, and dividing their lines into fields."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import pandas as pd

from vaeimpute.exceptions import TableError, import_optional

#: Extensions of text files, and the separators that they promise; any if none is named.
SEPARATORS = {".csv": ",;", ".tsv": "\t", ".tab": "\t", ".txt": ""}
#: Extensions of compressed files, and the first bytes by which they are known under any name.
COMPRESSED = {
    ".gz": b"\x1f\x8b",
    ".bz2": b"BZh",
    ".xz": b"\xfd7zXZ\0",
    ".zst": b"\x28\xb5\x2f\xfd",
    ".zip": b"PK\x03\x04",
}
#: What stands for a missing value in a matrix, besides an empty field.
MISSING = (
    *("NA", "na", "N/A", "n/a", "#N/A", "#NA", "#NV", "#N/A N/A", "<NA>"),
    *("NaN", "nan", "NAN", "-nan", "-NaN", "nan(ind)", "-nan(ind)"),
    *("1.#QNAN", "-1.#QNAN", "1.#IND", "-1.#IND"),
    *("NULL", "Null", "null", "None", "none", "missing", "Missing", "Filtered"),
    *("Undetermined", "No Ct"),  # of PCR: no cycle
    *("-", "--", ".", "..", "?"),
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
            yield _unpacked(buffered, name or file)
        except (EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise TableError(
                f"{name or file} is cut short or damaged: {error}. Copy or download it again."
            ) from error


def _unpacked(content: Any, name: object) -> IO[bytes]:
    head = content.peek(6)
    packed = next((kind for kind, magic in COMPRESSED.items() if head.startswith(magic)), "")
    if packed in _UNPACKERS:
        return _UNPACKERS[packed](content)
    if packed == ".zip":
        archive = zipfile.ZipFile(content)
        # A Mac adds files that nobody sees there.
        files = [
            member
            for member in archive.namelist()
            if not member.endswith("/") and not member.startswith("__MACOSX")
        ]
        if len(files) != 1:
            raise TableError(f"{name} is an archive of {len(files)} files; unpack the one meant.")
        return archive.open(files[0])
    return content


def find_encoding(path: Path) -> str:
    """Find out by its first bytes in which Unicode a text file is written.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    str
        ``utf-8`` if nothing speaks for another one.
    """
    with open_bytes(path) as content:
        head = content.read(512)
    marks = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
    if head[:2] in marks:
        return marks[head[:2]]
    zeros = head[0::2].count(0), head[1::2].count(0)
    if min(zeros) == 0 and max(zeros) > len(head) / 4:  # most letters take one byte of the two
        return "utf-16-be" if zeros[0] else "utf-16-le"
    return "utf-8"


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
    with (
        understanding(path),
        open_bytes(path) as content,
        io.TextIOWrapper(content, encoding, newline="") as lines,
    ):
        yield lines


@contextmanager
def understanding(path: Path) -> Iterator[None]:
    """Turn what goes wrong when a file is read as text into a `TableError`."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path} is not {error.encoding} text ({error.reason}, at byte {error.start} of a "
            "block). Save it as 'CSV UTF-8'."
        ) from error
    except csv.Error:
        raise TableError(
            f"{path} has a quotation mark that is not closed, so its field never ends; remove it."
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableError(f"{path} cannot be read: {error}.") from None


@contextmanager
def open_for_text(path: Path, encoding: str = "utf-8") -> Iterator[IO[str]]:
    """Open a text file for writing, compressed if its extension says so.

    Parameters
    ----------
    path : pathlib.Path
    encoding : str

    Yields
    ------
    text file
        Line ends are written as they are given.
    """
    with ExitStack() as stack:
        raw: Any = stack.enter_context(path.open("wb"))
        if packed := _PACKERS.get(path.suffix.lower()):
            raw = stack.enter_context(packed(raw))
        if path.suffix.lower() == ".zip":  # without a time, the same content makes the same file
            member = zipfile.ZipInfo(f"matrix{Path(path.stem).suffix}")
            member.compress_type = zipfile.ZIP_DEFLATED
            raw = stack.enter_context(raw.open(member, "w", force_zip64=True))
        yield stack.enter_context(io.TextIOWrapper(raw, encoding=encoding, newline=""))


_arrow = partial(import_optional, "pyarrow", extra="data")
_UNPACKERS: dict[str, Callable[[Any], Any]] = {
    ".gz": lambda content: gzip.GzipFile(fileobj=content),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": lambda content: _arrow(what="Reading .zst").CompressedInputStream(content, "zstd"),
}
_PACKERS: dict[str, Callable[[Any], Any]] = {
    # Without name and time, the same content makes the same file.
    ".gz": lambda raw: gzip.GzipFile("", "wb", fileobj=raw, mtime=0),
    ".bz2": lambda raw: bz2.BZ2File(raw, "wb"),
    ".xz": lambda raw: lzma.LZMAFile(raw, "wb"),  # noqa: SIM115 - a context manager itself
    ".zst": lambda raw: _arrow(what="Writing .zst").CompressedOutputStream(raw, "zstd"),
    ".zip": lambda raw: zipfile.ZipFile(raw, "w"),
}


def promised_separators(path: Path) -> str:
    """Return the separators that the extension of a text file promises; none if it is unknown.

    Examples
    --------
    >>> promised_separators(Path("a.CSV.gz"))
    ',;'
    """
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    return next((SEPARATORS[suffix] for suffix in suffixes if suffix in SEPARATORS), "")
