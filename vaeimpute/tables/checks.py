"""What may be wrong with a matrix, and what may only look wrong."""

from __future__ import annotations

import pandas as pd

from vaeimpute.exceptions import some
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
