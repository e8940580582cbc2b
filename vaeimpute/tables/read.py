"""The one way in: a matrix in any format, with what is needed to write it back as it was."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError
from vaeimpute.tables import delimited, h5ad, parquet
from vaeimpute.tables.cells import to_numbers
from vaeimpute.tables.checks import check_finite
from vaeimpute.tables.notes import check_guesses

#: Formats that are no text, by the extensions of their files and by their first bytes. Each has a
#: module of its own with `read`, `fill` and `write`; that of text is `delimited`.
_MAGIC = {"parquet": b"PAR1", "h5ad": b"\x89HDF\r\n"}


#: What stands for standard input and standard output.
STANDARD = Path("-")


@dataclass(frozen=True, eq=False)
class Source:
    """A matrix as it was read, and how the file lays it out.

    Attributes
    ----------
    path : pathlib.Path
    values : DataFrame of shape (n_samples, n_features)
        NaN where missing; ids are text. float32 if the file holds that, else float64.
    features_in_rows : bool
        Whether the file has features in its rows.
    layer : str or None
        Of an AnnData file; None for its ``X``.
    notes : tuple of str
        What a reader should know about how the file was read; a `vaeimpute.tables.notes.Guess`
        where the file leaves it open.
    obs, var : DataFrame or None
        What an AnnData file says about its samples and features.
    format : {"text", "parquet", "h5ad"}
    layout : object
        What the module of the format needs to write the file again.
    """

    path: Path
    values: pd.DataFrame
    features_in_rows: bool
    layer: str | None
    notes: tuple[str, ...]
    obs: pd.DataFrame | None
    var: pd.DataFrame | None
    format: str
    layout: Any
    _state: tuple[int, int]

    def transposed(self) -> Source:
        """Return the same matrix with its rows taken for features, or for samples again.

        Raises
        ------
        ValueError
            If the file says itself which is which, as AnnData does.
        """
        if self.format == "h5ad":
            raise ValueError(
                f"{self.path}: AnnData keeps samples in rows; transpose the object before writing "
                "it."
            )
        return replace(
            self, values=_in_order(self.values.T), features_in_rows=not self.features_in_rows
        )

    def as_in_file(self, array: np.ndarray) -> np.ndarray:
        """Turn an array of samples x features the way that the file has it."""
        return array.T if self.features_in_rows else array

    def check_unchanged(self) -> None:
        """Raise a `TableError` if the file is no longer the one that was read."""
        if _state(self.path) != self._state:
            raise TableError(
                f"{self.path} was changed while its values were being imputed. Run it again."
            )


def read_source(
    path: str | os.PathLike[str],
    *,
    features_in_rows: bool = False,
    layer: str | None = None,
    na: Sequence[str] = (),
    strict: bool = False,
) -> Source:
    r"""Read a matrix of numbers whose rows and columns have ids.

    Parameters
    ----------
    path : str or path
        Text under any name, compressed or not, Parquet or AnnData; see the `read` of
        `vaeimpute.tables.delimited`, `parquet` and `h5ad` for what is expected in it. ``-`` is
        standard input.
    features_in_rows : bool
        Whether rows of the file are features. In AnnData they are samples.
    layer : str, optional
        Layer of an AnnData file instead of its ``X``.
    na : sequence of str
        Text that stands for a missing value, besides an empty field and the usual spellings.
    strict : bool
        Whether to refuse a file of which something has to be guessed.

    Returns
    -------
    Source

    Raises
    ------
    TableError
        If the file cannot be understood, ids repeat, a value is infinite, or something is guessed
        that may not be. The message names the place.
    FileNotFoundError, IsADirectoryError, PermissionError
        If there is no such file to read.
    ModuleNotFoundError
        If pyarrow (for Parquet) or anndata (for AnnData) is needed and not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tiny.csv"
    ...     _ = path.write_text("sample,TP53,EGFR\ns1,0.5,NA\ns2,-1,2\n")
    ...     read_source(path).values
        TP53  EGFR
    s1   0.5   NaN
    s2  -1.0   2.0
    """
    path = _to_be_read_twice(existing(path))
    state, format_ = _state(path), format_of(path)
    obs = var = layout = None
    notes: tuple[str, ...] = ()
    if format_ == "h5ad":
        values, obs, var = h5ad.read(path, layer)
    elif layer is not None:
        raise ValueError(f"{path}: only AnnData files have layers, got layer={layer!r}.")
    else:
        cells = (parquet if format_ == "parquet" else delimited).read(path, na)
        values, notes, layout = to_numbers(path, cells), cells.notes, cells.layout
    if values.empty:
        raise TableError(f"{path} holds {values.shape[0]} rows x {values.shape[1]} columns.")
    check_finite(path, values)
    if strict:
        check_guesses(path, notes)
    source = Source(path, values, False, layer, notes, obs, var, format_, layout, state)
    return source.transposed() if features_in_rows else replace(source, values=_in_order(values))


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
    return extension if extension in _MAGIC else "text"


def format_of(path: Path) -> str:
    """Return the format that a file has by its extension or its first bytes; text if it is none."""
    if (named := named_format(path)) != "text":
        return named
    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(8)
    return next((name for name, magic in _MAGIC.items() if head.startswith(magic)), "text")


def _to_be_read_twice(path: Path) -> Path:
    """Copy what comes once only, as from another program, to a file; return where it is."""
    if path != STANDARD and (path.is_file() or not path.exists()):
        return path
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    copy = Path(folder.name, "stdin" if path == STANDARD else path.name)
    with copy.open("wb") as file, contextlib.ExitStack() as stack:
        stream = sys.stdin.buffer if path == STANDARD else stack.enter_context(path.open("rb"))
        shutil.copyfileobj(stream, file)
    return copy


def _in_order(values: pd.DataFrame) -> pd.DataFrame:
    """Bring values into one memory layout: last bits must not depend on the file's."""
    array = np.ascontiguousarray(values.to_numpy())
    return pd.DataFrame(array, values.index, values.columns, copy=False)


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
