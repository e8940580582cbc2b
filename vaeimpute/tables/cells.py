"""What a file holds, before any of it is taken for a number, a sample or a feature."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vaeimpute.tables.checks import check_ids, refuse_words


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a file and the ids beside them.

    Attributes
    ----------
    table : DataFrame of shape (n_rows, n_columns)
        Rows and columns by position, NaN where missing. A column of numbers has a type of numbers,
        any other holds text, as `vaeimpute.tables.numerals.to_numbers` leaves it.
    rows, columns : list of str
        Ids as in the file: they may be empty, or repeat.
    corner : str or None
        What the file calls its row ids; None if it does not.
    notes : tuple of str
        What a reader should know about how the file was read.
    obs, var : DataFrame or None
        What an AnnData file says about its samples and features.
    layout : object
        What the module that read the file needs to write it again.
    """

    table: pd.DataFrame
    rows: list[str]
    columns: list[str]
    corner: str | None = None
    notes: tuple[str, ...] = ()
    layout: Any = None
    obs: pd.DataFrame | None = None
    var: pd.DataFrame | None = None

    def without(self, rows: np.ndarray, columns: np.ndarray) -> Cells:
        """Return the cells that are not in rows and columns of a mask."""
        if not rows.any() and not columns.any():
            return self
        return replace(
            self,
            table=self.table.loc[~rows, ~columns],
            rows=[name for name, out in zip(self.rows, rows, strict=True) if not out],
            columns=[name for name, out in zip(self.columns, columns, strict=True) if not out],
        )

    @property
    def numeric(self) -> np.ndarray:
        """Which columns have a type of numbers."""
        dtypes = self.table.dtypes
        kinds = {dtype: is_number(dtype) for dtype in set(dtypes)}
        return np.array([kinds[dtype] for dtype in dtypes], dtype=bool)


def is_number(dtype: object) -> bool:
    """Tell a type of numbers; True and False are none."""
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)


def to_numbers(path: Path, cells: Cells) -> pd.DataFrame:
    """Turn cells into numbers with ids, exactly, or say what is none.

    Parameters
    ----------
    path : pathlib.Path
        For errors.
    cells : Cells

    Returns
    -------
    DataFrame of shape (n_rows, n_columns)
        float32 if all columns are, else float64.

    Raises
    ------
    TableError
        If an id is empty, or an entry no number; the message names the first.
    """
    rows = check_ids(path, "row ids", cells.rows)
    columns = check_ids(path, "column ids", cells.columns)
    table = cells.table
    if not cells.numeric.all():
        table = table.apply(pd.to_numeric, errors="coerce")
        bad = (table.isna() & cells.table.notna()).to_numpy()
        if bad.any():
            refuse_words(path, cells.table, rows, columns, bad)
    single = all(dtype in ("float32", "float16") for dtype in set(table.dtypes))
    numbers = table.to_numpy(np.float32 if single else np.float64, na_value=np.nan)
    return pd.DataFrame(numbers, rows, columns)
