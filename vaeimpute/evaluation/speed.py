"""How long imputation takes, and how that grows with size.

The paper's own experiment, 100 samples beside 6600, is ``benchmarks/imputation_speed.py``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone


def time_imputers(
    imputers: Mapping[str, Any], train: np.ndarray, rows: np.ndarray
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Time what imputers compute before, for a batch of rows, and for one row at a time.

    Parameters
    ----------
    imputers : mapping of str to imputer
        Anything with ``fit`` and ``transform``. Each has filled a few rows of a few features before
        the clock runs, so that what it loads at its first use does not count.
    train : ndarray of shape (n_train, n_features)
    rows : ndarray of shape (n_rows, n_features)
        With missing values. The first five are also filled one at a time.

    Returns
    -------
    times : DataFrame
        ``method``, ``fit_seconds``, ``impute_seconds`` and, as a median, ``single_seconds``, by the
        clock.
    filled : dict of str to ndarray of shape (n_rows, n_features)

    Examples
    --------
    >>> from vaeimpute.imputers import MeanImputer
    >>> times, filled = time_imputers({"mean": MeanImputer()}, np.eye(3), np.full((2, 3), np.nan))
    >>> list(times.columns), filled["mean"].shape
    (['method', 'fit_seconds', 'impute_seconds', 'single_seconds'], (2, 3))
    """
    table, filled = [], {}
    for method, imputer in imputers.items():
        few = np.arange(60.0).reshape(12, 5) % 7
        clone(imputer).fit(few).transform(np.where(np.arange(5) == 0, np.nan, few))
        start = time.perf_counter()
        imputer.fit(train)
        fitted = time.perf_counter()
        filled[method] = imputer.transform(rows)
        seconds = [time.perf_counter()]
        for row in rows[:5]:
            imputer.transform(row[None])
            seconds.append(time.perf_counter())
        single = float(np.median(np.diff(seconds)))
        table.append((method, fitted - start, seconds[0] - fitted, single))
    columns = ["method", "fit_seconds", "impute_seconds", "single_seconds"]
    return pd.DataFrame(table, columns=columns), filled
