"""Errors over the masked entries: the paper's "RMSE" (a mean absolute error) and the RMSE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

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


def error_by_coverage(
    true: np.ndarray,
    imputed: np.ndarray,
    mask: np.ndarray,
    coverage: np.ndarray,
    edges: Sequence[int],
) -> pd.DataFrame:
    """Mean absolute error of the masked values, by the reads behind them.

    Parameters
    ----------
    true, imputed : array of shape (n_samples, n_features)
    mask : boolean array of shape (n_samples, n_features)
        True where a value was taken away.
    coverage : integer array of shape (n_samples, n_features)
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
        If shapes differ or the edges do not increase.

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
    differences, reads = _masked(true, imputed, mask, coverage)
    limits = np.asarray(edges)
    if limits.size == 0 or (np.diff(limits) <= 0).any():
        raise ValueError(f"Expected edges that increase but got {limits.tolist()}.")
    which = np.searchsorted(limits, reads, side="right") - 1
    counts = np.bincount(which[which >= 0], minlength=len(limits))
    sums = np.bincount(which[which >= 0], differences[which >= 0], minlength=len(limits))
    found = counts > 0
    return pd.DataFrame(
        {
            "reads": limits[found],
            "label": np.array(_labels(limits))[found],
            "n_values": counts[found],
            "mae": sums[found] / counts[found],
        }
    )


def coverage_and_error(
    true: np.ndarray,
    imputed: np.ndarray,
    mask: np.ndarray,
    coverage: np.ndarray,
    per: Literal["site", "sample"],
) -> pd.DataFrame:
    """Mean coverage and mean absolute error of every site or every sample.

    Parameters
    ----------
    true, imputed, mask, coverage
        As in `error_by_coverage`.
    per : {"site", "sample"}
        Columns or rows of the matrices.

    Returns
    -------
    DataFrame
        One row per site or sample that has a masked value, with its position as the index:
        ``mean_reads`` (over all its values), ``n_values`` (masked ones) and ``mae``.

    Raises
    ------
    ValueError
        If shapes differ, or `per` is something else.

    Examples
    --------
    >>> error = np.array([[0.4, 0.1], [0.2, 0.1]])
    >>> mask, reads = np.ones((2, 2), dtype=bool), np.array([[2, 20], [4, 20]])
    >>> coverage_and_error(np.zeros((2, 2)), error, mask, reads, per="site").round(2)
       mean_reads  n_values  mae
    0         3.0         2  0.3
    1        20.0         2  0.1
    """
    if per not in ("site", "sample"):
        raise ValueError(f"Expected per 'site' or 'sample' but got {per!r}.")
    differences, _ = _masked(true, imputed, mask, coverage)
    group = np.nonzero(mask)[1 if per == "site" else 0]
    mean_reads = np.asarray(coverage).mean(axis=0 if per == "site" else 1)
    counts = np.bincount(group, minlength=len(mean_reads))
    sums = np.bincount(group, differences, minlength=len(mean_reads))
    found = np.flatnonzero(counts)
    return pd.DataFrame(
        {
            "mean_reads": mean_reads[found],
            "n_values": counts[found],
            "mae": sums[found] / counts[found],
        },
        index=found,
    )


def _masked(
    true: np.ndarray, imputed: np.ndarray, mask: np.ndarray, coverage: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    shapes = [np.shape(array) for array in (true, imputed, mask, coverage)]
    if len(set(shapes)) > 1:
        raise ValueError(
            "Expected true, imputed, mask and coverage of one shape but got "
            f"{', '.join(map(str, shapes))}."
        )
    return np.abs(np.asarray(true) - imputed)[mask], np.asarray(coverage)[mask]


def _labels(edges: np.ndarray) -> list[str]:
    """Write the classes as a reader would: 1, 2-3, 4+."""
    ends = edges[1:] - 1
    pairs = zip(edges[:-1], ends, strict=True)
    inner = [f"{low}" if low == high else f"{low}-{high}" for low, high in pairs]
    return [*inner, f"{edges[-1]}+"]


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
