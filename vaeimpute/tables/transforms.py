"""The logarithm and what comes back from it, and when the values ask for one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError

# Log2 of anything that sequencers or scanners measure stays below 30.
_COUNTS_LOOK_LIKE = 100.0


def to_log(values: pd.DataFrame) -> pd.DataFrame:
    """Take ln(x + 1), as the paper does.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
        From zero up; NaN means missing.

    Returns
    -------
    DataFrame

    Raises
    ------
    TableError
        If a value is negative; the message names the first.

    Examples
    --------
    >>> to_log(pd.DataFrame({"TP53": [0.0, np.e - 1]})).round(6)["TP53"].tolist()
    [0.0, 1.0]
    """
    negative = (values < 0).to_numpy()
    if negative.any():
        row, column = np.argwhere(negative)[0]
        raise TableError(
            f"The logarithm needs values from zero up, but {negative.sum()} are negative, the "
            f"first of them {values.iloc[row, column]:g} in sample {values.index[row]!r}, feature "
            f"{values.columns[column]!r}. Is it taken already?"
        )
    return np.log1p(values)


def from_log(logs: np.ndarray) -> np.ndarray:
    """Invert `to_log`.

    If y is normal, exp(y) - 1 has this value of the mean of y as its median: half of the
    distribution is below and half is above, whatever the standard deviation. What would become
    negative, which no measured value was, becomes zero.

    Parameters
    ----------
    logs : array

    Returns
    -------
    ndarray

    Examples
    --------
    >>> from_log(np.array([0.0, np.log(3.0), -0.2])).round(6).tolist()
    [0.0, 2.0, 0.0]
    """
    with np.errstate(over="ignore"):
        return np.expm1(np.maximum(logs, 0.0))


def from_log_std(logs: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return how far exp(y) - 1 typically is from `from_log` of the mean of y, for normal y.

    Parameters
    ----------
    logs, std : array
        Mean and standard deviation of y.

    Returns
    -------
    ndarray
        The root of the mean squared distance.

    Notes
    -----
    One convention for both: `from_log` fills in the median, which does not depend on whether a
    standard deviation is known, and this is the standard deviation about the value filled in, not
    about the mean. exp(y) is log-normal with mean ``exp(mu + s^2 / 2)`` and variance
    ``exp(2 mu + s^2) (exp(s^2) - 1)``; the squared distance of mean and median adds to the latter.

    Examples
    --------
    >>> from_log_std(np.array([0.0, 2.0]), np.array([0.01, 0.4])).round(2)
    array([0.01, 3.39])
    """
    variance = np.square(std)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.exp(logs + variance / 2)
        return np.hypot(mean * np.sqrt(np.expm1(variance)), mean - 1 - from_log(logs))


def suggest_transforms(values: pd.DataFrame, *, log: bool, zscore: bool) -> list[str]:
    """Say which transforms the values ask for. Nothing is transformed.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
    log, zscore : bool
        What is done already.

    Returns
    -------
    list of str

    Examples
    --------
    >>> counts = pd.DataFrame(np.random.default_rng(0).lognormal(5, 2, size=(20, 9)))
    >>> suggest_transforms(counts, log=False, zscore=True)
    ['The values look like counts or intensities (from zero up, a few very large): consider --log.']
    """
    array = values.to_numpy()
    observed = array[~np.isnan(array)]
    suggestions = []
    largest = observed.max()
    skewed = largest > _COUNTS_LOOK_LIKE and largest > 20 * max(float(np.median(observed)), 1.0)
    if not log and observed.min() >= 0 and skewed:
        suggestions.append(
            "The values look like counts or intensities (from zero up, a few very large): consider "
            "--log."
        )
    if log and 0 < largest < 25:
        suggestions.append(
            f"The largest value is {largest:.3g}: the logarithm seems to be taken already. "
            "Consider leaving --log out."
        )
    if not zscore:
        spread = values.std().dropna()
        spread = spread[spread > 0]
        if len(spread) > 1 and spread.quantile(0.95) > 10 * spread.quantile(0.05):
            suggestions.append(
                "Some features vary more than ten times as much as others, and without --zscore "
                "they decide which samples are alike: consider --zscore."
            )
    return suggestions
