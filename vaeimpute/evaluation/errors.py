"""Errors over the masked entries: the paper's "RMSE" (a mean absolute error) and the RMSE."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def mean_absolute_error(true: ArrayLike, imputed: ArrayLike, mask: ArrayLike) -> float:
    """Mean absolute error over the masked entries.

    The paper prints ``sum(sqrt((x - x')^2)) / n`` and calls it RMSE (section "Evaluation
    methods"). The square root stands inside the sum, so this is what its figures show.

    Parameters
    ----------
    true, imputed : array-like of shape (n_samples, n_features)
    mask : boolean array-like of shape (n_samples, n_features)
        True where a value was taken away.

    Returns
    -------
    float
        In the units of `true`.

    Raises
    ------
    ValueError
        If shapes differ, nothing is masked, or a masked entry is NaN or infinite.

    Examples
    --------
    >>> mean_absolute_error([[1.0, 2.0]], [[1.0, 5.0]], [[False, True]])
    3.0
    """
    return float(np.abs(masked_differences(true, imputed, mask)).mean())


def root_mean_squared_error(true: ArrayLike, imputed: ArrayLike, mask: ArrayLike) -> float:
    """Root of the mean squared error over the masked entries: what the field calls RMSE.

    Parameters
    ----------
    true, imputed : array-like of shape (n_samples, n_features)
    mask : boolean array-like of shape (n_samples, n_features)
        True where a value was taken away.

    Returns
    -------
    float
        In the units of `true`.

    Raises
    ------
    ValueError
        If shapes differ, nothing is masked, or a masked entry is NaN or infinite.

    Examples
    --------
    >>> root_mean_squared_error([[1.0, 1.0]], [[4.0, 5.0]], [[True, True]])
    3.5355339059327378
    """
    return float(np.sqrt(np.square(masked_differences(true, imputed, mask)).mean()))


def masked_differences(true: ArrayLike, imputed: ArrayLike, mask: ArrayLike) -> np.ndarray:
    """Imputed minus true values at the masked entries, row by row; raises as the errors do."""
    true, imputed = np.asarray(true, dtype=float), np.asarray(imputed, dtype=float)
    mask = np.asarray(mask)
    if not true.shape == imputed.shape == mask.shape:
        raise ValueError(
            f"Expected three arrays of one shape but got true {true.shape}, imputed "
            f"{imputed.shape} and mask {mask.shape}."
        )
    if mask.dtype != bool:
        raise ValueError(f"Expected a boolean mask (True = missing) but got {mask.dtype}.")
    if not mask.any():
        raise ValueError("Nothing is masked, so there is no error to measure.")
    difference = imputed[mask] - true[mask]
    if not np.isfinite(difference).all():
        raise ValueError(
            f"{(~np.isfinite(difference)).sum()} of {mask.sum()} masked entries are "
            "NaN or infinite in the imputed or the true values."
        )
    return difference


def error_by_group(
    true: ArrayLike, imputed: ArrayLike, mask: ArrayLike, group: ArrayLike
) -> pd.DataFrame:
    """Mean absolute error over the masked entries of each group of entries.

    Parameters
    ----------
    true, imputed : array-like of shape (n_samples, n_features)
    mask : boolean array-like of shape (n_samples, n_features)
        True where a value was taken away.
    group : array-like
        Which group an entry belongs to. Of shape (n_features,) for groups of features, such as
        ``np.arange(n_features)``; of (n_samples, 1) for groups of samples; or of the full shape.

    Returns
    -------
    DataFrame
        Indexed by the groups that lost something, in order: ``n_values`` and ``mae``.

    Raises
    ------
    ValueError
        If shapes differ, nothing is masked, or a masked entry is NaN or infinite.

    Examples
    --------
    >>> error, mask = np.array([[1.0, 2.0], [3.0, 9.0]]), np.array([[True, True], [True, False]])
    >>> error_by_group(np.zeros((2, 2)), error, mask, ["a", "b"])["mae"].to_dict()
    {'a': 2.0, 'b': 2.0}
    >>> error_by_group(np.zeros((2, 2)), error, mask, [[0], [1]])["mae"].to_dict()
    {0: 1.5, 1: 3.0}
    """
    errors = np.abs(masked_differences(true, imputed, mask))
    groups = np.broadcast_to(group, np.shape(mask))[np.asarray(mask)]
    by_group = pd.Series(errors).groupby(groups)
    return pd.DataFrame({"n_values": by_group.size(), "mae": by_group.mean()})


def error_by_coverage(
    true: ArrayLike, imputed: ArrayLike, mask: ArrayLike, coverage: ArrayLike, edges: Sequence[int]
) -> pd.DataFrame:
    """Mean absolute error of the masked values, by the reads behind them.

    Parameters
    ----------
    true, imputed, mask
        As in `error_by_group`.
    coverage : integer array-like of shape (n_samples, n_features)
        Reads behind the true values.
    edges : sequence of int
        The least numbers of reads of the classes, increasing; the last class has no upper limit.
        What has fewer reads than the first is left out.

    Returns
    -------
    DataFrame
        One row per class that has a masked value: ``reads`` (its least number), ``label`` (such as
        ``"4-5"``), ``n_values`` and ``mae``, in the units of `true`.

    Raises
    ------
    ValueError
        As `error_by_group` does, or if the edges do not increase.

    Examples
    --------
    >>> error = np.array([[0.5, 0.3, 0.1, 9.0]])
    >>> mask = np.array([[True, True, True, False]])
    >>> reads = np.array([[1, 2, 7, 7]])
    >>> error_by_coverage(np.zeros((1, 4)), error, mask, reads, [1, 3])[["label", "mae"]]
      label  mae
    0   1-2  0.4
    1    3+  0.1
    """
    limits = np.asarray(edges)
    if limits.size == 0 or (np.diff(limits) <= 0).any():
        raise ValueError(f"Expected edges that increase but got {limits.tolist()}.")
    table = error_by_group(true, imputed, mask, np.searchsorted(limits, coverage, side="right") - 1)
    table = table[table.index >= 0]
    ends = [f"-{end - 1}" if end - 1 > start else "" for start, end in pairwise(edges)] + ["+"]
    labels = np.array([f"{start}{end}" for start, end in zip(edges, ends, strict=True)])
    table.insert(0, "reads", limits[table.index])
    table.insert(1, "label", labels[table.index])
    return table.reset_index(drop=True)


def error_per_feature(true: ArrayLike, imputed: ArrayLike, mask: ArrayLike) -> np.ndarray:
    """Mean absolute error of every feature over its masked entries (Table S1).

    Parameters
    ----------
    true, imputed, mask
        As in `error_by_group`, which says what is raised.

    Returns
    -------
    ndarray of shape (n_features,)
        In the units of `true`; NaN for features that lost nothing.

    Examples
    --------
    >>> error_per_feature([[1.0, 2.0], [3.0, 4.0]], [[1.0, 5.0], [3.0, 5.0]], [[False, True]] * 2)
    array([nan,  2.])
    """
    features = np.arange(np.shape(mask)[1])
    return error_by_group(true, imputed, mask, features)["mae"].reindex(features).to_numpy()


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
    long = errors.melt(ignore_index=False, var_name="method", value_name="mae")
    long["share_won"] = won.melt()["value"].to_numpy()
    parts = []
    for name, values in properties.items():
        bins = (pd.qcut(values, n_bins, labels=False, duplicates="drop") + 1).rename("bin")
        by_bin = values.groupby(bins).agg(middle="median", n_features="size")
        means = long.groupby([long.index.map(bins).rename("bin"), "method"], sort=False).mean()
        part = by_bin.join(means.sort_index(level="bin", sort_remaining=False)).reset_index()
        parts.append(part.assign(property=name))
    return pd.concat(parts, ignore_index=True)
