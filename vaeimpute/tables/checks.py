"""What may be wrong with a matrix, and what may only look wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError, some
from vaeimpute.tables.text import _kind


def empty_features(values: pd.DataFrame) -> pd.Index:
    """Return the features that no sample has a value of.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    Index

    Examples
    --------
    >>> list(empty_features(pd.DataFrame({"TP53": [1.0, 2.0], "EGFR": [None, None]})))
    ['EGFR']
    """
    return values.columns[values.isna().all(axis=0)]


def empty_samples(values: pd.DataFrame) -> pd.Index:
    """Return the samples that have no value at all.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    Index
    """
    return values.index[values.isna().all(axis=1)]


def describe_orientation(values: pd.DataFrame) -> str | None:
    """Say why a matrix looks as if its rows were features, or return None.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    str or None

    Examples
    --------
    >>> genes = pd.Index(["TP53", "EGFR", "PTEN", "MYC"])
    >>> describe_orientation(pd.DataFrame(0.0, genes, [f"s{i}" for i in range(9)]))
    "'TP53', 'EGFR' and 2 more, taken for samples, look like names of features"
    >>> describe_orientation(pd.DataFrame(0.0, [f"s{i}" for i in range(4)], genes))
    """
    samples, features = values.index, values.columns
    if _kind(samples) == "features":
        return f"{some(samples, 2)}, taken for samples, look like names of features"
    if _kind(features) == "samples":
        return f"{some(features, 2)}, taken for features, look like names of samples"
    if len(samples) > len(features) and _kind(features) != "features":
        return f"there are more samples ({len(samples)}) than features ({len(features)})"
    return None


def match_features(values: pd.DataFrame, features: pd.Index) -> tuple[pd.DataFrame, str | None]:
    """Bring the features of new samples into the order that a model knows them in.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
    features : Index
        The model's.

    Returns
    -------
    values : DataFrame
    note : str or None
        What was done, if anything.

    Raises
    ------
    TableError
        If a feature is lacking, or the model does not know one.

    Examples
    --------
    >>> values = pd.DataFrame({"TP53": [1.0], "EGFR": [2.0]})
    >>> ordered, note = match_features(values, pd.Index(["EGFR", "TP53"]))
    >>> list(ordered)
    ['EGFR', 'TP53']
    """
    ours = values.columns
    if ours.equals(features):
        return values, None
    lacking, unknown = features.difference(ours, sort=False), ours.difference(features, sort=False)
    if len(lacking) or len(unknown):
        parts = []
        if len(lacking):
            parts.append(
                f"{len(lacking)} of the model's {len(features)} are not in the file: "
                f"{some(lacking)}"
            )
        if len(unknown):
            parts.append(f"the model does not know {len(unknown)}: {some(unknown)}")
        raise TableError(
            f"The model was fitted to other features: {'; '.join(parts)}. Add a feature that is "
            "lacking as a column without values, and take out those that the model does not know "
            "(--keep-empty leaves those without any value empty)."
        )
    note = "The features are in another order than those of the model; matched by name."
    return values[features], note


_COUNTS_LOOK_LIKE = 100.0  # log2 of anything that sequencers or scanners measure stays below 30


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
            f"--log needs values from zero up, but {negative.sum()} are negative, the first of "
            f"them {values.iloc[row, column]:g} in sample {values.index[row]!r}, feature "
            f"{values.columns[column]!r}. Is the logarithm taken already?"
        )
    return np.log1p(values)


def from_log(logs: np.ndarray) -> np.ndarray:
    """Invert `to_log`; what would become negative, which no measured value was, becomes zero.

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
    """Return the standard deviation of exp(y) - 1 for normal y.

    Parameters
    ----------
    logs, std : array
        Mean and standard deviation of y.

    Returns
    -------
    ndarray

    Notes
    -----
    exp(y) is log-normal then: its variance is ``exp(2 mu + s^2) (exp(s^2) - 1)``.

    Examples
    --------
    >>> from_log_std(np.array([0.0]), np.array([0.01])).round(4)
    array([0.01])
    """
    variance = np.square(std)
    with np.errstate(over="ignore"):
        return np.exp(logs + variance / 2) * np.sqrt(np.expm1(variance))


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
