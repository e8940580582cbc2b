"""Ids that occur more than once: refused, or what is done about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.exceptions import some
from vaeimpute.tables.checks import refuse_repeated

#: What can be done about ids that occur more than once, and how that is said.
DUPLICATES = {
    "error": "refused",
    "first": "the first of each is imputed, the others are left as they are",
    "mean": "the mean of each is imputed, and fills what is missing of any",
    "suffix": "each is imputed by itself, numbered",
}


def resolve_repeated(
    path: Path, values: pd.DataFrame, how: str
) -> tuple[pd.DataFrame, list[np.ndarray], list[str]]:
    """Make ids unique, rows and columns.

    Parameters
    ----------
    path : pathlib.Path
        For errors.
    values : DataFrame of shape (n_rows, n_columns)
    how : str
        A key of `DUPLICATES`.

    Returns
    -------
    values : DataFrame
    positions : list of two arrays of int
        Where each row and column has come to be; -1 where it is left as it is.
    notes : list of str

    Raises
    ------
    TableError
        If ids repeat and that is an error.

    Examples
    --------
    >>> values = pd.DataFrame({"s1": [1.0, 3.0, 5.0]}, index=["TP53", "TP53", "EGFR"])
    >>> found, positions, notes = resolve_repeated(Path("a.csv"), values, "mean")
    >>> found["s1"].to_dict(), positions[0].tolist()
    ({'TP53': 2.0, 'EGFR': 5.0}, [0, 0, 1])
    """
    positions, notes = [], []
    for axis, what in enumerate(("row ids", "column ids")):
        ids = values.axes[axis]
        where = np.arange(len(ids))
        if not ids.is_unique:
            if how == "error":
                refuse_repeated(path, what, ids)
            again = ids.duplicated()
            notes.append(
                f"{ids[again].nunique()} {what} occur more than once, such as "
                f"{some(ids[again].unique(), 3)}: {DUPLICATES[how]}."
            )
            if how == "suffix":
                values = values.set_axis(numbered(ids), axis=axis)
            else:
                codes, _ = pd.factorize(ids)
                where = codes if how == "mean" else np.where(again, -1, codes)
                if how == "first":
                    values = values.loc[~again] if axis == 0 else values.loc[:, ~again]
                else:
                    along = values if axis == 0 else values.T
                    merged = along.groupby(level=0, sort=False).mean()
                    values = merged if axis == 0 else merged.T
        positions.append(where)
    return values, positions, notes


def numbered(ids: pd.Index) -> pd.Index:
    """Make ids unique.

    Examples
    --------
    >>> list(numbered(pd.Index(["a", "a", "b"])))
    ['a', 'a.1', 'b']
    """
    taken, names = set(ids), []
    for name, number in zip(ids, ids.to_series().groupby(level=0).cumcount(), strict=True):
        new = name
        while number and new in taken:
            new, number = f"{name}.{number}", number + 1
        taken.add(new)
        names.append(new)
    return pd.Index(names, dtype=object)
