"""The formats of files in one table: what they are called, how they begin, and what they need."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from vaeimpute.exceptions import TableError
from vaeimpute.tables import delimited, h5ad, parquet, xlsx
from vaeimpute.tables.text import COMPRESSED, SEPARATORS


class Format(NamedTuple):
    """A format of files.

    Attributes
    ----------
    name : str
        What it is called.
    module : module
        With its `read`, `fill` and `write`.
    magic : bytes
        How its files begin.
    package, extra : str
        What it needs, and the extra of this package that brings it.
    """

    name: str
    module: ModuleType
    magic: bytes = b""
    package: str = ""
    extra: str = ""


#: By the extension of their files; text has many, and is what all else is taken for.
FORMATS = {
    "text": Format("text", delimited),
    "parquet": Format("Parquet", parquet, b"PAR1", "pyarrow", "data"),
    "h5ad": Format("AnnData", h5ad, b"\x89HDF\r\n", "anndata", "anndata"),
    "xlsx": Format("Excel", xlsx, b"PK", "openpyxl", "data"),
}
#: Extensions of the matrices that can be written; those of text also say whether to compress it.
EXTENSIONS = (
    *(suffix + packed for packed in ("", *COMPRESSED) for suffix in SEPARATORS),
    *(f".{extension}" for extension in FORMATS if extension != "text"),
)
#: What stands for standard input and standard output.
STANDARD = Path("-")

_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def existing(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file that is there, or say what is wrong with it.

    Parameters
    ----------
    path : str or path
        ``-`` is standard input.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    """
    path = Path(path)
    if path == STANDARD:
        return path
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name the file in it that is meant.")
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    return path


def named_format(path: Path) -> str:
    """Return the format that the extension of a path says; text if it says no other."""
    extension = path.suffix.lower()[1:]
    return extension if extension in FORMATS else "text"


def format_of(path: Path) -> str:
    """Return the format that a file has by its extension or its first bytes; text if it is none."""
    if (named := named_format(path)) != "text":
        return named
    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(8)
    begins = {key: one.magic for key, one in FORMATS.items() if one.magic}
    found = next((key for key, magic in begins.items() if head.startswith(magic)), "text")
    if found == "xlsx" and not _is_workbook(path):
        return "text"  # packed
    if head == _OLD_WORKBOOK:
        raise TableError(f"{path} is a workbook of an old kind; save it as .xlsx, or as CSV UTF-8.")
    return found


def _is_workbook(path: Path) -> bool:
    return zipfile.is_zipfile(path) and "xl/workbook.xml" in zipfile.ZipFile(path).namelist()
