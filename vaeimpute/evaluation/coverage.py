"""Whether values that few reads stand behind are imputed worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd


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
