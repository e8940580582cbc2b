"""Errors of single features, and which kinds of features a method is good at: Table S1."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from vaeimpute.evaluation.errors import masked_differences


def error_per_feature(true: ArrayLike, imputed: ArrayLike, mask: ArrayLike) -> np.ndarray:
    """Mean absolute error of every feature over its masked entries.

    Parameters
    ----------
    true, imputed : array-like of shape (n_samples, n_features)
    mask : boolean array-like of shape (n_samples, n_features)
        True where a value was taken away.

    Returns
    -------
    ndarray of shape (n_features,)
        In the units of `true`; NaN for features that lost nothing.

    Raises
    ------
    ValueError
        If shapes differ, the mask is not boolean, nothing is masked, or a masked entry is NaN or
        infinite.

    Examples
    --------
    >>> error_per_feature([[1.0, 2.0], [3.0, 4.0]], [[1.0, 5.0], [3.0, 5.0]], [[False, True]] * 2)
    array([nan,  2.])
    """
    differences = np.abs(masked_differences(true, imputed, mask))
    mask = np.asarray(mask)
    n_masked = mask.sum(axis=0)
    sums = np.bincount(np.nonzero(mask)[1], differences, minlength=mask.shape[1])
    return np.divide(sums, n_masked, out=np.full(len(sums), np.nan), where=n_masked > 0)


def strongest_correlation(values: ArrayLike, features: ArrayLike) -> np.ndarray:
    """Largest absolute correlation of some features with any other feature.

    Only the rows of the correlation matrix that are asked for are computed.

    Parameters
    ----------
    values : array-like of shape (n_samples, n_features)
        Without missing values.
    features : integer array-like of shape (n_chosen,)
        Positions of the features to ask for.

    Returns
    -------
    ndarray of shape (n_chosen,)
        Between 0 and 1; 0 for a feature that is constant.

    Examples
    --------
    >>> values = [[1.0, -2.0, 5.0], [2.0, -4.0, 1.0], [3.0, -6.0, 3.0]]
    >>> strongest_correlation(values, [0]).round(3)
    array([1.])
    """
    z = np.asarray(values, dtype=float)
    z = z - z.mean(axis=0)
    length = np.linalg.norm(z, axis=0)
    z = np.divide(z, length, out=np.zeros_like(z), where=length > 1e-12)
    chosen = np.asarray(features)
    strongest = np.empty(len(chosen))
    for start in range(0, len(chosen), 500):  # so that no matrix is larger than 500 x n_features
        part = chosen[start : start + 500]
        correlations = np.abs(z[:, part].T @ z)
        correlations[np.arange(len(part)), part] = 0.0  # with itself
        strongest[start : start + 500] = correlations.max(axis=1)
    return strongest


def describe_features(values: pd.DataFrame, features: pd.Index) -> pd.DataFrame:
    """Describe features by what may decide how well they can be imputed.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
        The training rows, in their own units and without missing values.
    features : Index
        The features to describe.

    Returns
    -------
    DataFrame
        Indexed by `features`: ``mean``, ``variance``, and ``correlation``, the largest absolute
        one with any other feature.

    Examples
    --------
    >>> values = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [2.0, 4.0, 6.0], "c": [5.0, 1.0, 5.0]})
    >>> describe_features(values, pd.Index(["b"])).round(3).values.tolist()
    [[4.0, 4.0, 1.0]]
    """
    chosen = values[features]
    return pd.DataFrame(
        {
            "mean": chosen.mean(),
            "variance": chosen.var(),
            "correlation": strongest_correlation(values, values.columns.get_indexer(features)),
        }
    )


def errors_by_property(
    errors: pd.DataFrame, properties: pd.DataFrame, n_bins: int = 5
) -> pd.DataFrame:
    """Sum up the errors of single features in bins of each of their properties.

    Parameters
    ----------
    errors : DataFrame of shape (n_features, n_methods)
        From `error_per_feature`, a column per method.
    properties : DataFrame of shape (n_features, n_properties)
        From `describe_features`, with the same index.
    n_bins : int
        Bins with the same number of features, as far as ties allow.

    Returns
    -------
    DataFrame
        One row per property, bin and method: ``property``, ``bin`` (from 1), ``middle`` (median of
        the property in the bin), ``n_features``, ``method``, ``mae`` (mean over the features), and
        ``share_won`` (of the features, those where no method has a smaller error; equal winners
        share).

    Examples
    --------
    >>> errors = pd.DataFrame({"KNN": [1.0, 1.0, 3.0, 3.0], "VAE": [2.0, 2.0, 2.0, 2.0]})
    >>> properties = pd.DataFrame({"mean": [0.0, 1.0, 5.0, 6.0]})
    >>> table = errors_by_property(errors, properties, n_bins=2)
    >>> table.pivot(index="bin", columns="method", values="share_won").values.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    if not errors.index.equals(properties.index):
        raise ValueError("Expected errors and properties of the same features in the same order.")
    best = errors.eq(errors.min(axis=1), axis=0)
    won = best.div(best.sum(axis=1), axis=0)
    parts = []
    for name, values in properties.items():
        bins = pd.qcut(values, n_bins, labels=False, duplicates="drop") + 1
        by_bin = [table.groupby(bins).mean() for table in (errors, won)]
        by_bin = [table.rename_axis(index="bin", columns="method") for table in by_bin]
        part = by_bin[0].reset_index().melt(id_vars="bin", value_name="mae")
        part["share_won"] = by_bin[1].reset_index().melt(id_vars="bin")["value"]
        part.insert(0, "property", name)
        part.insert(2, "middle", part["bin"].map(values.groupby(bins).median()))
        part.insert(3, "n_features", part["bin"].map(values.groupby(bins).size()))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
