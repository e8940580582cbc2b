"""What a data frame brings along: names to match columns by, and values that are no numbers yet."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from vaeimpute.exceptions import FeatureOrderWarning, some
from vaeimpute.tables.features import match_features


def as_numbers(X: Any, who: str, missing: float | None = np.nan) -> Any:
    """Turn what is no plain array of numbers into floats; leave everything else as it is.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        A data frame of pandas, polars or Arrow, a masked array, objects, or anything else.
    who : str
        Names the imputer in messages.
    missing : float or None
        What a masked entry becomes.

    Returns
    -------
    array-like of shape (n_samples, n_features)
        A DataFrame of pandas if `X` is a data frame.

    Raises
    ------
    ValueError, TypeError
        If an entry is text and no number, or something else; the message names the first one and
        its place.
    """
    if np.ma.isMaskedArray(X):
        X = X if X.dtype.kind == "f" else X.astype(np.float64)
        return X.filled(np.nan if missing is None else missing)
    if hasattr(X, "collect"):
        raise ValueError(f"{who} expects a table in memory: collect() the {type(X).__name__}.")
    if isinstance(X, pd.DataFrame):
        return _frame_as_numbers(X, who)
    if _is_frame(X):
        names = X.columns if isinstance(X.columns[0], str) else X.column_names  # those of Arrow
        return _frame_as_numbers(pd.DataFrame({name: np.asarray(X[name]) for name in names}), who)
    array = np.asarray(X) if isinstance(X, list | tuple | np.ndarray) else None
    if array is not None and array.dtype.kind in "OSU" and array.ndim == 2:
        try:
            return _frame_as_numbers(pd.DataFrame(array), who).to_numpy()
        except TypeError:  # scikit-learn says it better
            return X
    return X


def _frame_as_numbers(X: pd.DataFrame, who: str) -> pd.DataFrame:
    numeric = pd.api.types.is_numeric_dtype
    strange = X.columns[
        [not numeric(dtype) or isinstance(dtype, pd.SparseDtype) for dtype in X.dtypes]
    ]
    if not len(strange):
        return X
    for name in strange.unique():
        if X[name].ndim == 1 and X[name].dtype.kind in "mM":  # it would turn into nanoseconds
            raise ValueError(
                f"{who} expects numbers but column {name!r} holds dates or durations "
                f"({X[name].dtype}). Drop it, or convert it before."
            )
    values = X.to_numpy(dtype=object)
    missing = pd.isna(values)
    numbers = pd.to_numeric(np.where(missing, np.nan, values).ravel(), errors="coerce")
    numbers = numbers.astype(np.float64).reshape(values.shape)
    wrong = np.isnan(numbers) & ~missing
    wrong[wrong] = [str(value).strip().lower() != "nan" for value in values[wrong]]
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        place = f"row {X.index.tolist()[row]!r}, column {X.columns.tolist()[column]!r}"
        kind = ValueError if isinstance(values[row, column], str) else TypeError
        raise kind(
            f"{who} expects numbers but got {values[row, column]!r} in {place}, and "
            f"{wrong.sum() - 1} more like it. Drop what is no measurement, and mark what is "
            "missing as NaN."
        )
    return pd.DataFrame(numbers, X.index, X.columns)


def in_kind(filled: Any, X: Any) -> Any:
    """Give the columns of a filled DataFrame nullable types where those of the input have them.

    Parameters
    ----------
    filled : DataFrame, or anything else
    X : array-like of shape (n_samples, n_features)

    Returns
    -------
    DataFrame, or `filled` itself
        Integers come back as floats: what is filled in is seldom whole.
    """
    if not (isinstance(filled, pd.DataFrame) and isinstance(X, pd.DataFrame)):
        return filled
    types = {}
    for name, dtype in X.dtypes.items():
        if getattr(dtype, "na_value", None) is pd.NA and dtype.kind in "fiub" and name in filled:
            floating = "float64[pyarrow]" if isinstance(dtype, pd.ArrowDtype) else "Float64"
            types[name] = dtype if dtype.kind == "f" else floating
    return filled.astype(types) if types else filled


def check_names(names: pd.Index | None, who: str) -> None:
    """Refuse names of features by which others could not be matched later.

    Parameters
    ----------
    names : Index of shape (n_features,), optional
        As `names_of` returns them.
    who : str
        Names the imputer in messages.

    Raises
    ------
    ValueError
        If names repeat, or are no text.
    """
    if names is None:
        return
    if not names.is_unique:
        repeated = names[names.duplicated()].unique()
        raise ValueError(
            f"{who} cannot tell features of the same name apart: {some(repeated)}. Merge or "
            "rename them."
        )
    strange = [name for name in names.tolist() if not isinstance(name, str)]
    if not strange:
        return
    if isinstance(names, pd.MultiIndex):
        advice = "X.columns = ['|'.join(map(str, name)) for name in X.columns]"
    else:
        advice = "X.columns = X.columns.astype(str)"
    raise ValueError(
        f"{who} matches features by names, which have to be text, but {len(strange)} of X are "
        f"not, the first of them {strange[0]!r}. Convert them, for example with {advice}."
    )


def match_columns(X: Any, features: np.ndarray | None, who: str) -> Any:
    """Bring the columns of a data frame into the order that they had at fit.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    features : array of str of shape (n_features,), optional
        The names at fit, if there were any.
    who : str
        Names the imputer in messages.

    Returns
    -------
    array-like of shape (n_samples, n_features)
        `X` itself where there is nothing to do.

    Raises
    ------
    ValueError
        If features are missing, not known or repeated; the message lists the first of them.

    Warns
    -----
    FeatureOrderWarning
        If the order was another one.
    """
    names = names_of(X)
    if names is None or features is None or np.array_equal(names, features):
        return X
    order = match_features(names, pd.Index(features), who)
    warnings.warn(
        f"The columns of X are in another order than those that {who} was fitted to. They were "
        "matched by name; what is returned has the order of the fit (get_feature_names_out).",
        FeatureOrderWarning,
        stacklevel=6,  # of transform, which scikit-learn wraps
    )
    return X[names[order].tolist()]


def names_of(X: Any) -> pd.Index | None:
    """Return the names of the columns of a data frame.

    Columns that are just counted have none.
    """
    if not _is_frame(X):
        return None
    names = X.columns if isinstance(X.columns, pd.Index) else pd.Index(list(X.columns))
    return None if np.array_equal(names, np.arange(len(names))) else names


def _is_frame(X: Any) -> bool:
    return hasattr(X, "columns") and hasattr(X, "shape")
