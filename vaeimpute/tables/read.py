"""Reading one matrix of numbers from a text or Parquet file, or saying where it is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.exceptions import (
    TableError,
    some,
)
from vaeimpute.tables.h5ad import layer_values, read_h5ad
from vaeimpute.tables.text import (
    EXTENSIONS,
    MISSING,
    _existing,
    _fields,
    _is_blank,
    choose_separator,
    open_text,
)

_NUMBER_WITH_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
# SEPT2 and MARCH1 become 2-Sep and 1-Mar when a spreadsheet opens the file.
_SPREADSHEET_DATE = re.compile(r"\d{1,2}-(Mar|Sep|Dec|Oct|Nov|Apr|Feb)", re.IGNORECASE)


def read_matrix(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    r"""Read a file of numbers whose rows and columns have ids.

    Parameters
    ----------
    path : pathlib.Path
        ``.csv``, ``.tsv`` or ``.txt``, each also with ``.gz``, or ``.parquet``. In a text file the
        first line holds the column ids and the first column the row ids; the first line may be one
        field shorter than the others, as R's ``write.table`` leaves it. In a Parquet file the row
        ids are the index or else the first column, if that holds text.

    Returns
    -------
    values : DataFrame
        float64, or float32 if a Parquet file holds that; ids are text. An empty field or one of
        `MISSING` is NaN.
    notes : tuple of str
        What a reader should know about how the file was read.

    Raises
    ------
    TableError
        If the file is no such matrix. The message names row, column and value where it can.
    ModuleNotFoundError
        If a Parquet file is given and pyarrow is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tiny.csv"
    ...     _ = path.write_text("gene,s1,s2\nTP53,0.5,NA\nEGFR,-1,2e-3\n")
    ...     values, notes = read_matrix(path)
    >>> values
            s1     s2
    TP53   0.5    NaN
    EGFR  -1.0  0.002
    """
    if path.suffix == ".parquet":
        return _parquet_matrix(path), ()
    return _read_text(path)


@dataclass(frozen=True)
class _Layout:
    """How a text file is divided, known before a single number is parsed."""

    separator: str
    header_line: int
    short_header: bool
    rows: pd.Index
    columns: pd.Index
    notes: tuple[str, ...]


def _read_text(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    layout = _scan(path)
    n_columns = len(layout.columns)
    # Positions, not names: pandas would rename repeated columns, and treat some ids as missing.
    options = {
        "sep": layout.separator,
        "header": None,
        "skiprows": layout.header_line,
        "names": range(n_columns + 1),
        "usecols": range(1, n_columns + 1),
        "na_values": ["", *MISSING],
        "keep_default_na": False,
        "low_memory": False,
    }
    try:
        # "round_trip" takes three times as long as the default and is exact: what was observed is
        # written back as it was read.
        frame = pd.read_csv(path, float_precision="round_trip", **options)
    except pd.errors.ParserError as error:
        raise TableError(f"{path} cannot be read: {error}.") from None
    if len(frame) != len(layout.rows):
        raise TableError(
            f"{path} has {len(layout.rows)} lines of data but reads as {len(frame)} rows. A "
            "quotation mark that is not closed does that; remove it."
        )
    # Types are inferred and not demanded: demanded, pandas turns True into 1 without a word.
    if all(dtype.kind in "iuf" for dtype in frame.dtypes):
        numbers = frame.to_numpy(dtype=np.float64)
    else:
        words = pd.read_csv(path, dtype=str, **options).to_numpy()
        numbers = _parsed(path, words, layout.rows, layout.columns)
    if layout.short_header and np.isnan(numbers[:, -1]).all():
        raise TableError(
            f"{path}: the first line is one field shorter than the others, and the others end with "
            "an empty field. Either name the column of row ids in the first line, or remove the "
            "separators at the ends of the lines."
        )
    return pd.DataFrame(numbers, layout.rows, layout.columns), layout.notes


def _scan(path: Path) -> _Layout:
    """Read ids and count fields, line by line.

    pandas fills a line that is cut short with NaN, and a file that broke off half-way would pass
    for one with missing values; so every line is counted here.
    """
    notes: tuple[str, ...] = ()
    header: list[str] = []
    rows: list[str] = []
    n_fields = 0
    separator = ""
    header_line = 0
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            line = line.rstrip("\r\n")
            if not separator:
                if not line.strip():
                    continue
                separator, notes = choose_separator(path, line)
                header, header_line = _fields(line, separator), number
                continue
            if _is_blank(line, separator):
                continue
            if "\0" in line:
                raise TableError(
                    f"{path}, line {number} has NUL bytes, as damaged files have: copy it again."
                )
            quoted = '"' in line
            fields = _fields(line, separator) if quoted else line.split(separator, 1)
            n_here = len(fields) if quoted else line.count(separator) + 1
            n_fields = n_fields or n_here
            if n_here != n_fields or n_fields - len(header) not in (0, 1):
                raise TableError(_ragged(path, number, n_here, len(header), n_fields, separator))
            rows.append(fields[0].strip())
    if not separator:
        raise TableError(f"{path} is empty.")
    if not rows:
        raise TableError(f"{path} has a first line with column ids but no rows below it.")
    columns = [name.strip() for name in header[-(n_fields - 1) :]] if n_fields > 1 else []
    if not columns:
        raise TableError(
            f"{path} has one column only; expected a column of row ids and at least one of numbers."
        )
    return _Layout(
        separator,
        header_line,
        len(header) < n_fields,
        _checked_ids(path, "row ids (first column)", rows),
        _checked_ids(path, "column ids (first line)", columns),
        notes,
    )


def _ragged(
    path: Path, number: int, n_here: int, n_header: int, n_fields: int, separator: str
) -> str:
    expected = n_header if n_here == n_fields else n_fields
    message = f"{path}: line {number} has {n_here} fields where {expected} are expected"
    if n_here > expected and separator == ",":
        return (
            f"{message}. If its numbers are written with decimal commas, separate the fields by "
            "semicolons or tabs and write decimal points."
        )
    if n_here < expected:
        return f"{message}; the line, or the file, is cut short."
    return f"{message}; the first line must name every column, with or without the row ids' own."


def _checked_ids(path: Path, what: str, ids: Sequence[object]) -> pd.Index:
    """Return ids as text, or say which are missing, repeated, or numbers in the wrong place."""
    labels = pd.Index([str(name) for name in ids], dtype=object)
    empty = np.flatnonzero(labels == "")
    if len(empty):
        raise TableError(
            f"{path}: {len(empty)} {what} are empty, the first is number {empty[0] + 1}. Name them."
        )
    numbers = pd.to_numeric(labels, errors="coerce")
    if not numbers.isna().any() and (numbers % 1 != 0).any():
        raise TableError(
            f"{path}: the {what} are numbers ({some(labels, 3)}). Expected ids in the first line "
            "and in the first column; add what is missing."
        )
    if not labels.is_unique:
        repeated = labels[labels.duplicated()].unique()
        dates = [name for name in repeated if _SPREADSHEET_DATE.fullmatch(name)]
        hint = f" A spreadsheet made dates of gene symbols ({dates[0]})." if dates else ""
        raise TableError(
            f"{path}: {len(repeated)} {what} occur more than once: {some(repeated)}. Merge or "
            f"rename them.{hint}"
        )
    return labels


def _parsed(path: Path, words: np.ndarray, rows: pd.Index, columns: pd.Index) -> np.ndarray:
    """Turn a matrix of text, NaN where missing, into numbers, or say what is none."""
    numbers = np.asarray(pd.to_numeric(words.ravel(), errors="coerce"), dtype=np.float64)
    numbers = numbers.reshape(words.shape)
    given = ~pd.isna(words)
    bad = given & np.isnan(numbers)
    # Spaces around a number do not matter, so they do not around what stands for none either.
    padded = bad.copy()
    padded[bad] = [word.strip() in ("", *MISSING) for word in words[bad]]
    given, bad = given & ~padded, bad & ~padded
    if bad.any():
        raise TableError(_not_numbers(path, words, rows, columns, given, bad))
    # pandas says what a number is, but rounds the last bit of some; Python reads them exactly.
    numbers[given] = [float(word) for word in words[given]]
    return numbers


def _not_numbers(
    path: Path,
    words: np.ndarray,
    rows: pd.Index,
    columns: pd.Index,
    given: np.ndarray,
    bad: np.ndarray,
) -> str:
    """Say which entries are no numbers, and what they look like."""
    row, column = np.argwhere(bad)[0]
    value = words[row, column]
    more = int(bad.sum()) - 1
    message = (
        f"{path}: the value {value!r} in row {rows[row]!r}, column {columns[column]!r} is not a "
        f"number{f', nor are {more} more' if more else ''}."
    )
    text_columns = bad.any(axis=0) & (bad == given).all(axis=0)
    text_rows = bad.any(axis=1) & (bad == given).all(axis=1)
    if _NUMBER_WITH_COMMA.fullmatch(value):
        return (
            f"{message} It has a decimal comma; write points, for example with pandas: "
            "read_csv(..., sep=';', decimal=',', index_col=0).to_csv('points.csv')."
        )
    for axis, text, names in (("column", text_columns, columns), ("row", text_rows, rows)):
        if text.any() and not text.all():
            return (
                f"{message} No number at all in {axis} {some(names[text])}: remove it, or keep it "
                "in the clinical table."
            )
    return f"{message} A missing value is an empty field or one of {', '.join(MISSING)}."


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file as it is, or say why that cannot be done.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    DataFrame
    """
    try:
        return pd.read_parquet(path)
    except ImportError:
        raise ModuleNotFoundError(
            f"Reading {path} needs pyarrow, which is not installed. Install it: pip install "
            "'vaeimpute[data]'.",
            name="pyarrow",
        ) from None
    except (ValueError, OSError) as error:  # what pyarrow raises for a damaged file
        raise TableError(f"{path} cannot be read as Parquet: {error}") from None


def _parquet_matrix(path: Path) -> pd.DataFrame:
    frame = read_parquet(path)
    if has_id_column(frame):
        frame = frame.set_index(frame.columns[0])
    if frame.empty:
        raise TableError(f"{path} is empty: {frame.shape[0]} rows and {frame.shape[1]} columns.")
    rows = _checked_ids(path, "row ids", frame.index)
    columns = _checked_ids(path, "column ids", frame.columns)
    return pd.DataFrame(_numbers(path, frame, rows, columns), rows, columns)


def has_id_column(frame: pd.DataFrame) -> bool:
    """Tell whether the first column of a Parquet file holds the row ids.

    Parameters
    ----------
    frame : DataFrame
        From `read_parquet`.

    Returns
    -------
    bool

    Examples
    --------
    >>> has_id_column(pd.DataFrame({"gene": ["TP53"], "s1": [0.5]}))
    True
    """
    return (
        isinstance(frame.index, pd.RangeIndex) and frame.shape[1] > 0 and _is_text(frame.iloc[:, 0])
    )


def _is_text(column: pd.Series) -> bool:
    return not (
        pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)
    )


def _numbers(path: Path, frame: pd.DataFrame, rows: pd.Index, columns: pd.Index) -> np.ndarray:
    """Return a frame as one float array; float32 stays float32."""
    numeric = frame.dtypes.map(
        lambda dtype: pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
    )
    if not numeric.all():
        # Numbers that are stored as text or as decimals pass; True and dates do not.
        missing = frame.isna() | frame.isin(["", *MISSING])
        words = frame.astype(str).astype(object).mask(missing, np.nan).to_numpy()
        return _parsed(path, words, rows, columns)
    single = all(dtype in ("float32", "float16") for dtype in frame.dtypes)
    return frame.to_numpy(dtype=np.float32 if single else np.float64, na_value=np.nan)


_LARGEST = 1e100  # squares and their sums have to stay finite


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
        What a reader should know about how the file was read.
    """

    path: Path
    values: pd.DataFrame
    features_in_rows: bool
    layer: str | None
    notes: tuple[str, ...]
    _state: tuple[int, int]

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
    path: str | Path, *, features_in_rows: bool = False, layer: str | None = None
) -> Source:
    r"""Read a matrix in order to fill its holes.

    Parameters
    ----------
    path : str or path
        ``.csv``, ``.tsv``, ``.txt`` (each also ``.gz``), ``.parquet`` or ``.h5ad``; see
        `vaeimpute.tables.read.read_matrix` for what is expected in it.
    features_in_rows : bool
        Whether rows of the file are features. In AnnData they are samples.
    layer : str, optional
        Layer of an AnnData file instead of its ``X``.

    Returns
    -------
    Source

    Raises
    ------
    TableError
        If the file cannot be understood, ids repeat, or a value is infinite. The message names the
        place.
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
    path = _existing(Path(path), EXTENSIONS)
    state = _state(path)
    notes: tuple[str, ...] = ()
    if path.suffix == ".h5ad":
        if features_in_rows:
            raise ValueError(
                f"{path}: AnnData keeps samples in rows; transpose the object before writing it."
            )
        values = layer_values(path, read_h5ad(path), layer)
        _check_unique(path, values)
    else:
        if layer is not None:
            raise ValueError(f"{path}: only AnnData files have layers, got layer={layer!r}.")
        values, notes = read_matrix(path)
    if features_in_rows:
        values = values.T
    if values.empty:
        raise TableError(f"{path} holds {values.shape[0]} samples x {values.shape[1]} features.")
    # In one memory layout, so that the last bits of what is computed do not depend on the file's.
    array = np.ascontiguousarray(values.to_numpy())
    values = pd.DataFrame(array, values.index, values.columns, copy=False)
    _check_finite(path, values)
    return Source(path, values, features_in_rows, layer, notes, state)


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _check_unique(path: Path, values: pd.DataFrame) -> None:
    for what, ids in (("sample", values.index), ("feature", values.columns)):
        if not ids.is_unique:
            repeated = ids[ids.duplicated()].unique()
            raise TableError(
                f"{path}: {len(repeated)} {what} names occur more than once, among them "
                f"{repeated[0]!r}. Merge or rename them, for example with "
                f"{'obs' if what == 'sample' else 'var'}_names_make_unique()."
            )


def _check_finite(path: Path, values: pd.DataFrame) -> None:
    infinite = np.isinf(values.to_numpy())
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        more = int(infinite.sum()) - 1
        raise TableError(
            f"{path}: the value of sample {values.index[row]!r}, feature "
            f"{values.columns[column]!r} is infinite ({values.iloc[row, column]})"
            f"{f', and so are {more} more' if more else ''}. If it stands for a missing value, "
            "leave the field empty."
        )
    large = np.abs(values.to_numpy()) > np.float64(_LARGEST)  # which float32 cannot hold
    if large.any():
        row, column = np.argwhere(large)[0]
        raise TableError(
            f"{path}: the value {values.iloc[row, column]:g} of sample {values.index[row]!r}, "
            f"feature {values.columns[column]!r} is too large to compute "
            "with. Correct it, or divide the values by a power of ten."
        )
