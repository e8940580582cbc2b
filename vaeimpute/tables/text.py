"""Reading files that may be gzipped, with an error that says so when they are cut short."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pandas as pd

from vaeimpute.exceptions import CohortError, TableError

#: The separator that a text file is expected to use, by its extension.
SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


@contextmanager
def unzipped(stream: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    """Read a stream through gzip if that is what it holds, whatever it is called.

    Parameters
    ----------
    stream : binary file
        Closed at the end.
    name : str
        What to call it in errors.

    Yields
    ------
    binary file

    Raises
    ------
    CohortError
        If the compressed data are cut short or damaged.

    Examples
    --------
    >>> with unzipped(io.BytesIO(gzip.compress(b"chr22")), "calls") as content:
    ...     content.read()
    b'chr22'
    """
    with stream, io.BufferedReader(stream, 1 << 20) as buffered:  # type: ignore[type-var]
        try:
            zipped = buffered.peek(2)[:2] == b"\x1f\x8b"
            yield gzip.GzipFile(fileobj=buffered) if zipped else buffered  # type: ignore[misc]
        except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
            raise CohortError(
                f"{name} is cut short or damaged: {error}. Delete it and fetch it again."
            ) from error


#: Extensions that can be read; the text formats also with ``.gz``.
EXTENSIONS = (*SEPARATORS, *(f"{suffix}.gz" for suffix in SEPARATORS), ".parquet", ".h5ad")


_SAMPLE_ID = re.compile(r"TCGA[-.]\w{2}[-.]|TARGET-|GTEX-|ACH-\d{6}|(.*:)?GSM\d|[SED]RR\d")


_FEATURE_ID = re.compile(
    r"ENS[A-Z]{0,4}[GTP]\d{6}|cg\d{8}|ch\.\w+\.\d+|rs\d+|(chr)?(\d{1,2}|[XYM])[:_]\d+"
    r"|.*_at$|.+\|\d+$|[NX][MR]_\d+|ILMN_\d+|A_\d+_P\d+"
)


# Enough of any genome-wide matrix is among these, whatever the platform; Trp53 is the mouse's.
_KNOWN_GENES = frozenset(
    ("ACTB", "AKT1", "APOE", "B2M", "BRAF", "BRCA1", "CD4", "CDKN2A", "EGFR", "ESR1", "GAPDH",
     "IDH1", "KRAS", "MKI67", "MYC", "NOTCH1", "PTEN", "RB1", "TNF", "TP53", "TRP53", "VEGFA")
)  # fmt: skip


def _existing(path: str | os.PathLike[str], extensions: tuple[str, ...] = ()) -> Path:
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name the file in it that is meant.")
    if extensions and not path.name.endswith(extensions):
        raise TableError(
            f"{path} has an extension that is not known; expected one of {', '.join(extensions)}. "
            "From a spreadsheet, save the sheet as CSV UTF-8."
        )
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    return path


def _kind(ids: pd.Index) -> str | None:
    """Tell samples from features by what their ids look like, or return None."""
    if ids.str.match(_FEATURE_ID).mean() >= 0.5 or ids.str.upper().isin(_KNOWN_GENES).sum() >= 3:
        return "features"
    return "samples" if ids.str.match(_SAMPLE_ID).mean() >= 0.5 else None


#: What stands for a missing value in a matrix, besides an empty field.
MISSING = (
    *("NA", "na", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NAN"),
    *("NULL", "Null", "null", "None", "none", "-", "--", ".", "?"),
)


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """Open a text file, compressed or not, and turn what goes wrong into a `TableError`.

    Parameters
    ----------
    path : pathlib.Path

    Yields
    ------
    text file
        Decoded as UTF-8; a byte order mark is skipped.
    """
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
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
    except (EOFError, zlib.error) as error:
        raise TableError(
            f"{path} is damaged or breaks off before its end ({error}). Copy or download it again."
        ) from None
    except gzip.BadGzipFile as error:
        raise TableError(
            f"{path} is not compressed with gzip ({error}). Remove .gz from its name if it is "
            "plain text."
        ) from None


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
    expected = SEPARATORS[Path(path.name.removesuffix(".gz")).suffix]
    if expected in header:
        return expected, ()
    found = max(names, key=header.count)
    if found not in header:
        raise TableError(
            f"{path} has no {', '.join(names.values())} in its first line {header[:60]!r}; "
            f"expected column ids separated by {names[expected]}."
        )
    return found, (f"{path.name!r} is separated by {names[found]}, not by {names[expected]}.",)


def _fields(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator))


def _is_blank(line: str, separator: str) -> bool:
    """Tell whether pandas skips the line."""
    return not line.strip(" \t".replace(separator, ""))


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
