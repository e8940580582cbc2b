"""Writing a matrix back: what was observed as it was, holes filled, all of it or nothing."""

from __future__ import annotations

import csv
import io
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError
from vaeimpute.files import replacing
from vaeimpute.tables.h5ad import import_anndata, read_h5ad
from vaeimpute.tables.read import has_id_column, read_parquet
from vaeimpute.tables.text import (
    EXTENSIONS,
    SEPARATORS,
    _fields,
    _has_mark,
    _is_blank,
    choose_separator,
    open_for_text,
    open_text,
)

if TYPE_CHECKING:
    from vaeimpute.tables.read import Source


def fill_text(
    source: Path, target: Path, missing: np.ndarray, filled: np.ndarray, separator: str | None
) -> None:
    """Copy a text file, with numbers in the place of missing values.

    Parameters
    ----------
    source : pathlib.Path
        A file that `vaeimpute.tables.read.read_matrix` has read.
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


_EXACT = 2**53  # up to here, every integer is a float


def check_output(
    path: str | Path, *, force: bool, extensions: tuple[str, ...] = EXTENSIONS
) -> Path:
    """See to it that a file can be written, before hours are spent on what it is to hold.

    Parameters
    ----------
    path : str or path
    force : bool
        Whether a file that exists may be replaced.
    extensions : tuple of str
        Those that are known; any if empty.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    TableError
        If the extension is not known.
    ModuleNotFoundError
        If the format needs a package that is not installed.
    OSError
        If the file exists, or nothing can be written there.
    """
    path = Path(path)
    if extensions and not path.name.endswith(extensions):
        raise TableError(
            f"{path} has an extension that is not known; expected one of {', '.join(extensions)}."
        )
    if path.suffix == ".parquet":
        _import_pyarrow(path)
    elif path.suffix == ".h5ad":
        import_anndata(f"Writing {path}")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it.")
    if path.exists() and not path.is_file():
        raise FileExistsError(f"{path} is a device or the like and not a file; name a file.")
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists. Choose another name, or replace it with --force.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} to write {path.name} to.")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"Nothing can be written to the folder {path.parent}.")
    return path


def write_filled(source: Source, filled: np.ndarray, path: str | Path) -> None:
    r"""Write the matrix of a file again, with numbers where it has none.

    In the format of the file that it came from, everything else stays as it is: the text of
    observed values, types, row ids, further columns and layers. In another format, the matrix alone
    is written.

    Parameters
    ----------
    source : Source
    filled : array of shape (n_samples, n_features)
        Entries that are missing in `source` are taken from here; NaN stays missing.
    path : str or path
        Its extension says the format. Replaced if it exists.

    Raises
    ------
    TableError
        If the source was changed in the meantime.
    OSError
        If it cannot be written; what was there stays.

    Examples
    --------
    >>> import tempfile
    >>> from vaeimpute.tables import read_source
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     holes, whole = Path(folder) / "holes.csv", Path(folder) / "whole.csv"
    ...     _ = holes.write_text("sample,TP53,EGFR\ns1,0.50,NA\ns2,-1,2\n")
    ...     write_filled(read_source(holes), np.full((2, 2), 7.5), whole)
    ...     print(whole.read_text())
    sample,TP53,EGFR
    s1,0.50,7.5
    s2,-1,2
    """
    path = Path(path)
    values = source.values.to_numpy()
    missing = np.isnan(values) & ~np.isnan(filled)
    source.check_unchanged()
    before, after = _format(source.path), _format(path)
    with _named(path), replacing(path) as unfinished:
        if before == after == "text":
            separator = _separator(path)
            fill_text(
                source.path, unfinished, source.as_in_file(missing), source.as_in_file(filled),
                None if separator == _separator(source.path) else separator,
            )  # fmt: skip
        elif before == after == "parquet":
            _fill_parquet(
                source.path, unfinished, source.as_in_file(missing), source.as_in_file(filled)
            )
        elif before == after == "h5ad":
            _fill_h5ad(source, unfinished, missing, filled)
        else:
            whole = np.where(missing, filled, values).astype(values.dtype)
            _write(source, whole, unfinished)


def write_table(source: Source, array: np.ndarray, path: str | Path) -> None:
    """Write another matrix with the ids and the orientation of a file, such as standard deviations.

    Parameters
    ----------
    source : Source
    array : array of shape (n_samples, n_features)
    path : str or path
        Replaced if it exists.

    Raises
    ------
    OSError
        If it cannot be written; what was there stays.
    """
    with _named(Path(path)), replacing(path) as unfinished:
        _write(source, array, unfinished)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say which file an error of the operating system is about, if it does not say so itself."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(
            f"{path} cannot be written: {error.strerror or error}. What was there before is "
            "unchanged."
        ) from error


def _format(path: Path) -> str:
    return path.suffix[1:] if path.suffix in (".parquet", ".h5ad") else "text"


def _separator(path: Path) -> str:
    return SEPARATORS[Path(path.name.removesuffix(".gz")).suffix]


def _write(source: Source, array: np.ndarray, path: Path) -> None:
    """Write a matrix alone, in the format that the extension says."""
    if path.suffix == ".h5ad":  # samples in rows whatever the source was like
        anndata = import_anndata(f"Writing {path}")
        ids = source.values
        obs, var = pd.DataFrame(index=ids.index), pd.DataFrame(index=ids.columns)
        anndata.AnnData(array, obs=obs, var=var).write_h5ad(path)
        return
    table = pd.DataFrame(array, source.values.index, source.values.columns)
    if source.features_in_rows:
        table = table.T
    table.index.name = "feature" if source.features_in_rows else "sample"
    if path.suffix == ".parquet":
        _import_pyarrow(path)
        table.to_parquet(path)
    else:
        with open_for_text(path) as output:
            table.to_csv(output, sep=_separator(path), lineterminator="\n")


def _import_pyarrow(path: Path) -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise ModuleNotFoundError(
            f"Writing {path} needs pyarrow, which is not installed. Install it: pip install "
            "'vaeimpute[data]'.",
            name="pyarrow",
        ) from None


def _fill_parquet(source: Path, target: Path, missing: np.ndarray, filled: np.ndarray) -> None:
    frame = read_parquet(source)
    n_before = int(has_id_column(frame))
    columns = [frame.iloc[:, position] for position in range(frame.shape[1])]
    for column in np.flatnonzero(missing.any(axis=0)):
        rows = missing[:, column]
        position = n_before + column
        columns[position] = _fill_column(columns[position], rows, filled[rows, column])
    names = frame.columns
    frame = pd.concat(columns, axis=1)
    frame.columns = names
    frame.to_parquet(target)


def _fill_column(column: pd.Series, rows: np.ndarray, numbers: np.ndarray) -> pd.Series:
    """Put numbers into some rows of a column, in the type that the column has."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        array = column.to_numpy(copy=True)
        array[rows] = numbers
        return pd.Series(array, column.index)
    if pd.api.types.is_numeric_dtype(column.dtype):  # pandas' own types that know missing values
        column = column.copy()
        if pd.api.types.is_integer_dtype(column.dtype):
            if column[~rows].between(-_EXACT, _EXACT).all():
                column = column.astype("Float64")
            else:  # what was observed would lose its last digits
                limits = np.iinfo(column.dtype.numpy_dtype)
                whole = [min(max(round(n), limits.min), limits.max) for n in numbers.tolist()]
                numbers = pd.array(whole, dtype=column.dtype)
        column.iloc[np.flatnonzero(rows)] = numbers
        return column
    if rows.all():  # no type of its own: nothing was observed
        return pd.Series(numbers, column.index)
    # Numbers as text or as decimals: what is put in becomes the same, or the file could not be
    # written.
    kind = type(column[~rows].iloc[0])
    entries = [kind(repr(float(number))) for number in numbers]
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.add_categories(sorted(set(entries) - set(column.cat.categories)))
    column = column.copy()
    column.iloc[np.flatnonzero(rows)] = entries
    return column


def _fill_h5ad(source: Source, target: Path, missing: np.ndarray, filled: np.ndarray) -> None:
    data = read_h5ad(source.path)
    array = data.X if source.layer is None else data.layers[source.layer]
    if hasattr(array, "tocoo"):  # sparse: a missing value is a stored NaN
        places = array.tocoo()
        holes = np.isnan(array.data)
        holes[holes] = missing[places.row[holes], places.col[holes]]
        array.data[holes] = filled[places.row[holes], places.col[holes]]
    else:
        array = np.array(array)
        array[missing] = filled[missing]
    if source.layer is None:
        data.X = array
    else:
        data.layers[source.layer] = array
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about columns of obs that are not ours to change
        data.write_h5ad(target)
