"""Matrices in Parquet files: read, written, and filled with every column keeping its type."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError, import_optional
from vaeimpute.tables.cells import Cells
from vaeimpute.tables.numerals import POINTS, to_numbers

if TYPE_CHECKING:
    from vaeimpute.tables.read import Source

_EXACT = 2**53  # up to here, every integer is a float


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file as it is, or say why that cannot be done.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    DataFrame
    """
    import_optional("pyarrow", f"Reading {path}", "data")
    try:
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:  # what pyarrow raises for a damaged file
        raise TableError(f"{path} cannot be read as Parquet: {error}") from None


def read(path: Path, na: Sequence[str] = ()) -> Cells:
    """Read a matrix; row ids are the index, or the first column if that holds text.

    Parameters
    ----------
    path : pathlib.Path
    na : sequence of str
        Text that stands for a missing value, besides `vaeimpute.tables.text.MISSING`.

    Returns
    -------
    Cells
    """
    frame = read_parquet(path)
    if _has_id_column(frame):
        frame = frame.set_index(frame.columns[0])
    if frame.empty:
        raise TableError(f"{path} is empty: {frame.shape[0]} rows and {frame.shape[1]} columns.")
    rows, columns = [*map(str, frame.index)], [*map(str, frame.columns)]
    corner = None if frame.index.name is None else str(frame.index.name)
    table = frame.set_axis(range(len(columns)), axis=1).reset_index(drop=True)
    return Cells(to_numbers(table, POINTS, na), rows, columns, corner)  # of text and decimals, too


def _has_id_column(frame: pd.DataFrame) -> bool:
    if not isinstance(frame.index, pd.RangeIndex) or not frame.shape[1]:
        return False
    first = frame.iloc[:, 0]
    return not (pd.api.types.is_numeric_dtype(first) or pd.api.types.is_datetime64_any_dtype(first))


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a matrix alone."""
    table.to_parquet(path)


def fill(source: Source, target: Path, missing: np.ndarray, filled: np.ndarray) -> None:
    """Write a file again with numbers in the place of missing values.

    Parameters
    ----------
    source : Source
    target : pathlib.Path
    missing : boolean array of shape (n_rows, n_columns)
        Where to put numbers; rows and columns as in the file.
    filled : array of shape (n_rows, n_columns)
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(source.path) as file:
        table, file_metadata = file.read(), file.metadata
    frame = table.to_pandas()
    metadata = dict(table.schema.metadata or {})
    # The index of pandas is a column of the file, and of the frame none.
    indices = json.loads(metadata.get(b"pandas", b"{}")).get("index_columns", [])
    places = [place for place, name in enumerate(table.column_names) if name not in indices]
    n_before = int(_has_id_column(frame))
    arrays, fields = table.columns, [*table.schema]
    retyped = False
    for column in np.flatnonzero(missing.any(axis=0)):
        rows = missing[:, column]
        place, position = places[n_before + column], n_before + column
        series = _fill_column(frame.iloc[:, position], rows, filled[rows, column])
        array = _to_arrow(series, fields[place].type)
        if array.type != fields[place].type:
            retyped = True
            fields[place] = fields[place].with_type(array.type)
            frame.isetitem(position, series)
        arrays[place] = array
    if retyped and b"pandas" in metadata:  # which says of what type every column is
        metadata |= pa.Schema.from_pandas(frame).metadata
    groups = [file_metadata.row_group(i) for i in range(file_metadata.num_row_groups)]
    codecs = {
        group.column(i).path_in_schema: group.column(i).compression.replace("UNCOMPRESSED", "NONE")
        for group in groups[:1]
        for i in range(group.num_columns)
    }
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata)),
        target,
        compression=codecs if len(set(codecs.values())) > 1 else next(iter(codecs.values())),
        row_group_size=groups[0].num_rows,
        store_schema=b"ARROW:schema" in (file_metadata.metadata or {}),
    )


def _to_arrow(series: pd.Series, type_: Any) -> Any:
    """Return a column for the file, of the type that it had if that can hold it."""
    import pyarrow as pa

    try:
        return pa.Array.from_pandas(series, type=type_)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.Array.from_pandas(series)


def _fill_column(column: pd.Series, rows: np.ndarray, numbers: np.ndarray) -> pd.Series:
    """Put numbers into some rows of a column, in the type that the column has."""
    column = column.copy()
    entries: Any = numbers
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        entries = numbers.astype(column.dtype)
    elif pd.api.types.is_integer_dtype(column.dtype):  # of pandas' types that know missing values
        limits = np.iinfo(column.dtype.numpy_dtype)
        can_hold = (numbers >= limits.min) & (numbers <= limits.max) & (np.abs(numbers) < _EXACT)
        if (can_hold & (numbers % 1 == 0)).all():
            entries = pd.array(numbers.astype(np.int64), dtype=column.dtype)
        elif column[~rows].between(-_EXACT, _EXACT).all():
            column = column.astype("Float64")
        else:  # what was observed would lose its last digits
            whole = [min(max(round(n), limits.min), limits.max) for n in numbers.tolist()]
            entries = pd.array(whole, dtype=column.dtype)
    elif not pd.api.types.is_numeric_dtype(column.dtype):
        if rows.all():  # no type of its own: nothing was observed
            return pd.Series(numbers, column.index)
        # Numbers as text or as decimals: what is put in becomes the same, or the file could not
        # be written.
        kind = type(column[~rows].iloc[0])
        entries = [kind(repr(float(number))) for number in numbers]
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.cat.add_categories(sorted(set(entries) - set(column.cat.categories)))
    column.iloc[np.flatnonzero(rows)] = entries
    return column
