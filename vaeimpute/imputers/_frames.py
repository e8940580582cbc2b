"""What a data frame brings along: names to match columns by, and values that are no numbers yet."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from vaeimpute.exceptions import FeatureOrderWarning, some
from vaeimpute.tables.features import match_features


def as_numbers(X: Any, who: str) -> Any:
    """Turn the text and objects of a data frame into floats; leave everything else as it is.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
    who : str
        Names the imputer in messages.

    Returns
    -------
    array-like of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        If an entry is no number; the message names the first one and its place.
    """
    if not isinstance(X, pd.DataFrame):
        return X
    strange = X.columns[[not pd.api.types.is_numeric_dtype(dtype) for dtype in X.dtypes]]
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
        raise ValueError(
            f"{who} expects numbers but got {values[row, column]!r} in {place}, and "
            f"{wrong.sum() - 1} more like it. Drop what is no measurement, and mark what is "
            "missing as NaN."
        )
    return pd.DataFrame(numbers, X.index, X.columns)


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
        stacklevel=5,  # of transform, which scikit-learn wraps
    )
    return X[names[order].tolist()]


def names_of(X: Any) -> pd.Index | None:
    """Return the names of the columns of a data frame, of pandas or another library.

    Columns that are just counted have none.
    """
    columns = getattr(X, "columns", None)
    if columns is None or not hasattr(X, "shape"):
        return None
    names = columns if isinstance(columns, pd.Index) else pd.Index(list(columns))
    return None if np.array_equal(names, np.arange(len(names))) else names
