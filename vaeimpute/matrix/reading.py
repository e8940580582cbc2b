"""A matrix with the file that it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.cohorts.annotated import layer_values, read_h5ad
from vaeimpute.cohorts.matrix_files import read_matrix
from vaeimpute.cohorts.tables import EXTENSIONS, _existing
from vaeimpute.exceptions import TableError

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
        `vaeimpute.cohorts.matrix_files.read_matrix` for what is expected in it.
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
