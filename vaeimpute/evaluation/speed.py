"""How time grows with size, and the paper's claims on the time that imputation takes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from vaeimpute.evaluation.claims import NOT_MEASURED

#: The claims of the section "Imputation time for new samples" by key.
TIME_CLAIMS = {
    "knn": "VAE imputes 100 new samples several orders of magnitude faster than KNN",
    "svd": "VAE imputes 100 new samples several orders of magnitude faster than SVD",
    "negligible": "once a VAE is trained, the time to impute a new sample is almost negligible",
    "matrix": "KNN and SVD require computing the entire matrix each time a new sample is given",
    "linear_knn": "the time of KNN grows linearly with the size of the data matrix",
    "linear_svd": "the time of SVD grows linearly with the size of the data matrix",
}


def fit_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> tuple[float, float]:
    """Fit ``seconds = c * size ** exponent`` by least squares of the logarithms.

    Parameters
    ----------
    sizes, seconds : sequence of float
        Positive, of the same length of at least 2.

    Returns
    -------
    exponent, standard_error : float
        The error is NaN for two sizes.

    Examples
    --------
    >>> exponent, error = fit_exponent([1, 2, 4, 8], [3.0, 12.0, 48.0, 192.0])
    >>> round(exponent, 6), abs(round(error, 6))
    (2.0, 0.0)
    """
    x, y = np.log(np.asarray(sizes, dtype=float)), np.log(np.asarray(seconds, dtype=float))
    x, y = x - x.mean(), y - y.mean()
    exponent = float(x @ y / (x @ x))
    if len(x) < 3:
        return exponent, float("nan")
    residual = np.sum((y - exponent * x) ** 2) / (len(x) - 2)
    return exponent, float(np.sqrt(residual / (x @ x)))


def time_imputers(
    imputers: Mapping[str, Any], train: np.ndarray, rows: np.ndarray, *, n_single: int = 5
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Time what imputers compute before, for a batch of rows, and for one row at a time.

    Parameters
    ----------
    imputers : mapping of str to imputer
        Anything with ``fit`` and ``transform``. Each has filled a few rows of a few features before
        the clock runs, so that what it loads at its first use does not count.
    train : ndarray of shape (n_train, n_features)
    rows : ndarray of shape (n_rows, n_features)
        With missing values.
    n_single : int
        Rows that are also filled one at a time; the time is their median.

    Returns
    -------
    times : DataFrame
        ``method``, ``fit_seconds``, ``impute_seconds`` and ``single_seconds``, by the clock.
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
        for row in rows[:n_single]:
            imputer.transform(row[None])
            seconds.append(time.perf_counter())
        single = float(np.median(np.diff(seconds)))
        table.append((method, fitted - start, seconds[0] - fitted, single))
    columns = ["method", "fit_seconds", "impute_seconds", "single_seconds"]
    return pd.DataFrame(table, columns=columns), filled


def judge_time_claims(
    times: pd.DataFrame, exponents: pd.DataFrame, *, orders: float = 2.0, tolerance: float = 0.2
) -> pd.Series:
    """Judge the paper's claims on time.

    - ``knn`` and ``svd``: the time to impute the batch, compared with every program that has the
      method. ``"holds"`` if each takes at least ``10 ** orders`` times as long as the VAE, ``"holds
      in part"`` if some do.
    - ``negligible``: the VAE imputes one sample in less than a second, and in less than a
      thousandth of its training time.
    - ``matrix``: does not hold if a method that needs the training rows only at fit (``"SVD,
      alone"``) imputes a sample in less time than KNN, which does need them; holds otherwise.
    - ``linear_knn`` and ``linear_svd``: the exponents of this package's KNN and of joint SVD, in
      rows and in features. ``"holds"`` if both are within `tolerance`, or two standard errors, of
      1; ``"holds in part"`` if one is.

    Parameters
    ----------
    times : DataFrame
        One row per ``method`` and ``program`` with ``fit_seconds``, ``impute_seconds`` (of the
        batch) and ``single_seconds``: ``results/benchmarks/imputation_time.csv``.
    exponents : DataFrame
        ``program``, ``varied``, ``quantity``, ``exponent``, ``standard_error``:
        ``results/benchmarks/imputation_exponents.csv``.
    orders : float
        Of magnitude, that count as several.
    tolerance : float
        Of an exponent.

    Returns
    -------
    Series of str
        Verdicts by the keys of `TIME_CLAIMS`; ``"not measured"`` where rows are missing.

    Examples
    --------
    >>> rows = [("KNN", "slow", 0.0, 900.0, 20.0), ("KNN", "fast", 0.0, 2.0, 0.1),
    ...         ("VAE", "fast", 9000.0, 1.0, 0.2)]
    >>> names = ["method", "program", "fit_seconds", "impute_seconds", "single_seconds"]
    >>> grows = pd.DataFrame(columns=["program", "varied", "quantity", "exponent"])
    >>> judge_time_claims(pd.DataFrame(rows, columns=names), grows).to_dict()
    {'knn': 'holds in part', 'svd': 'not measured', 'negligible': 'holds',
     'matrix': 'not measured', 'linear_knn': 'not measured', 'linear_svd': 'not measured'}
    """
    verdicts = dict.fromkeys(TIME_CLAIMS, NOT_MEASURED)
    measured = times.dropna(subset="impute_seconds")
    ours = measured.drop_duplicates("method").set_index("method")
    if "VAE" in ours.index:
        vae = ours.loc["VAE"]
        for key, method in (("knn", "KNN"), ("svd", "SVD")):
            others = measured.loc[measured["method"] == method, "impute_seconds"]
            if len(others):
                verdicts[key] = _in_words(others >= 10**orders * vae["impute_seconds"])
        single = vae["single_seconds"]
        if not np.isnan(single):
            quick = single < 1.0 and single < vae["fit_seconds"] / 1000
            verdicts["negligible"] = "holds" if quick else "does not hold"
    if {"KNN", "SVD, alone"} <= set(ours.index):
        singles = ours["single_seconds"]
        without = singles["SVD, alone"] < singles["KNN"]
        verdicts["matrix"] = "does not hold" if without else "holds"
    totals = exponents[exponents["quantity"] == "total_seconds"]
    for key, method in (("linear_knn", "KNN"), ("linear_svd", "SVD")):
        found = totals[(totals["program"] == method) & totals["varied"].isin(["n", "d"])]
        if len(found) == 2:
            margin = np.maximum(tolerance, 2 * found["standard_error"].fillna(0.0))
            verdicts[key] = _in_words((found["exponent"] - 1).abs() <= margin)
    return pd.Series(verdicts)


def _in_words(true: pd.Series) -> str:
    return "holds" if true.all() else "holds in part" if true.any() else "does not hold"
