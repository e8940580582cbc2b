"""The one way in: a matrix in any format, with what is needed to write it back as it was."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vaeimpute.exceptions import Guess, TableError, check_guesses, some
from vaeimpute.tables.annotation import NONE, find_annotation, name_rows
from vaeimpute.tables.cells import Cells, to_numbers
from vaeimpute.tables.checks import check_finite, check_numeric_ids, spreadsheet_ids
from vaeimpute.tables.codes import find_codes
from vaeimpute.tables.formats import FORMATS, STANDARD, existing, format_of
from vaeimpute.tables.repeated import numbered, resolve_repeated
from vaeimpute.tables.unlike import refuse_mixture, set_unlike_aside


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
        What a reader should know about how the file was read; a `vaeimpute.exceptions.Guess`
        where the file leaves it open.
    obs, var : DataFrame of shape (n_samples, any) and (n_features, any)
        What the file says of its samples and features: annotation, or AnnData's tables.
    format : {"text", "parquet", "h5ad", "xlsx"}
    layout : object
        What the module of the format needs to write the file again.
    """

    path: Path
    values: pd.DataFrame
    features_in_rows: bool
    layer: str | None
    notes: tuple[str, ...]
    obs: pd.DataFrame
    var: pd.DataFrame
    format: str
    layout: Any
    _holes: np.ndarray
    _positions: tuple[np.ndarray, np.ndarray]
    _state: tuple[int, int]

    def in_file(self, filled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where in the file numbers are to be put, and numbers for every place.

        Parameters
        ----------
        filled : array of shape (n_samples, n_features)
            NaN stays missing.

        Returns
        -------
        missing : boolean array of shape (n_rows, n_columns)
            Rows and columns as in the file; those of annotation have nothing to be filled.
        filled : array of shape (n_rows, n_columns)
        """
        own = self.values.to_numpy()  # of ids that repeat, one may fill another
        array = np.where(np.isnan(own), filled, own)
        array = np.pad(array.T if self.features_in_rows else array, (0, 1), constant_values=np.nan)
        array = array[np.ix_(*self._positions)]  # that of what is left as it is, -1, is padded
        return self._holes & ~np.isnan(array), array

    def check_unchanged(self) -> None:
        """Raise a `TableError` if the file is no longer the one that was read."""
        if _state(self.path) != self._state:
            raise TableError(
                f"{self.path} was changed while its values were being imputed. Run it again."
            )


def read_source(
    path: str | os.PathLike[str],
    *,
    features_in_rows: bool | Callable[[Cells], bool] = False,
    layer: str | None = None,
    na: Sequence[str] = (),
    annotation: Sequence[str] | None = None,
    missing_values: Sequence[float] = (),
    duplicates: str = "error",
    strict: bool = False,
) -> Source:
    r"""Read a matrix of numbers whose rows and columns have ids.

    Parameters
    ----------
    path : str or path
        Text under any name, compressed or not, Parquet, AnnData or an Excel workbook; see the
        `read` of `vaeimpute.tables.delimited`, `parquet`, `h5ad` and `xlsx` for what is expected in
        it. ``-`` is standard input.
    features_in_rows : bool or callable
        Whether rows of the file are features, or what tells it of the `Cells`. In AnnData they are
        samples.
    layer : str, optional
        Layer of an AnnData file instead of its ``X``.
    na : sequence of str
        Text that stands for a missing value, besides an empty field and the usual spellings.
    annotation : sequence of str, optional
        Rows and columns that are neither samples nor features and stay as they are: names, or
        patterns such as ``"Peptides *"``; ``["none"]`` for none. By default they are looked for.
    missing_values : sequence of float
        Numbers that stand for a missing value, besides what is no number.
    duplicates : {"error", "first", "mean", "suffix"}
        What to do with ids that occur more than once.
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
        If pyarrow (for Parquet), anndata (for AnnData) or openpyxl (for Excel) is needed and not
        installed.

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
    if format_ == "h5ad":
        cells = FORMATS[format_].module.read(path, layer)
        if annotation and [*annotation] != [NONE]:
            raise TableError(
                f"{path}: what AnnData has in obs and var is no value, and stays as it is; what in "
                "its matrix is no sample or feature has to be taken out there, not named."
            )
        annotation = [NONE]
    elif layer is not None:
        raise ValueError(f"{path}: only AnnData files have layers, got layer={layer!r}.")
    else:
        cells = FORMATS[format_].module.read(path, na)
    if callable(features_in_rows):
        features_in_rows = features_in_rows(cells)
    if format_ == "h5ad" and features_in_rows:
        raise ValueError(
            f"{path}: AnnData keeps samples in rows; transpose the object before writing it."
        )
    if cells.table.empty:
        raise TableError(f"{path} holds {len(cells.rows)} rows x {len(cells.columns)} columns.")
    values, positions, notes = _numbers(
        path, cells, features_in_rows, annotation, missing_values, duplicates
    )
    holes = np.zeros(cells.table.shape, dtype=bool)
    holes[np.ix_(*positions)] = values.isna().to_numpy()
    values, merged, more = resolve_repeated(path, values, duplicates)
    codes = [(str if code.next is None else Guess)(code) for code in find_codes(values.to_numpy())]
    notes = [*cells.notes, *notes, *more, *codes]
    if strict:
        check_guesses(path, notes)
    places = []
    for size, kept, new in zip(cells.table.shape, positions, merged, strict=True):
        place = np.full(size, -1)
        place[kept] = new
        places.append(place)
    of_rows, of_columns = _beside(cells, values, places)
    obs, var = (of_columns, of_rows) if features_in_rows else (of_rows, of_columns)
    return Source(
        path, _in_order(values.T if features_in_rows else values), features_in_rows, layer,
        tuple(notes), obs, var, format_, cells.layout, holes, (places[0], places[1]), state,
    )  # fmt: skip


def _beside(
    cells: Cells, values: pd.DataFrame, places: list[np.ndarray]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what is said of each row and of each column of a matrix."""
    if cells.obs is not None and cells.var is not None:
        return cells.obs, cells.var
    kept = []
    for place in places:  # of rows that are merged, the first speaks for all
        new, first = np.unique(place, return_index=True)
        kept.append(first[new >= 0])
    aside = [np.flatnonzero(place < 0) for place in places]
    of_rows = cells.table.iloc[kept[0], aside[1]].set_axis(values.index)
    of_columns = cells.table.iloc[aside[0], kept[1]].T.infer_objects().set_axis(values.columns)
    of_rows.columns = numbered(pd.Index([cells.columns[i] for i in aside[1]], dtype=object))
    of_columns.columns = numbered(pd.Index([cells.rows[i] for i in aside[0]], dtype=object))
    return of_rows, of_columns


def _numbers(
    path: Path,
    cells: Cells,
    features_in_rows: bool,
    asked: Sequence[str] | None,
    missing_values: Sequence[float],
    duplicates: str,
) -> tuple[pd.DataFrame, tuple[np.ndarray, np.ndarray], list[str]]:
    """Return the numbers of samples and features, the rows and columns they are in, and notes."""
    aside, notes = find_annotation(path, cells, features_in_rows=features_in_rows, asked=asked)
    cells, more = name_rows(cells, aside[1]) if duplicates == "error" else (cells, [])
    values = to_numbers(path, cells.without(*aside))
    notes += more
    notes += check_numeric_ids(path, values.index, values.columns, cells.corner)
    for number in missing_values:
        coded = values.to_numpy() == values.to_numpy().dtype.type(number)
        values = values.mask(coded)
        notes.append(f"{coded.sum()} values are {number:g}, and are taken for missing.")
    check_finite(path, values)
    if asked != [NONE]:
        refuse_mixture(path, values if features_in_rows else values.T)
        unlike, more = set_unlike_aside(values, features_in_rows=features_in_rows, asked=asked)
        if unlike[0].any() or unlike[1].any():
            values = values.loc[~unlike[0], ~unlike[1]]
        notes += more
        for mask, new in zip(aside, unlike, strict=True):
            mask[np.flatnonzero(~mask)[new]] = True
    dates = spreadsheet_ids(values.axes[0 if features_in_rows else 1])
    if dates:
        notes.append(f"A spreadsheet seems to have made dates or numbers of ids: {some(dates, 3)}.")
    return values, (np.flatnonzero(~aside[0]), np.flatnonzero(~aside[1])), notes


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
