"""Telling by their ids which side of a matrix the samples are on."""

from __future__ import annotations

import pandas as pd

from vaeimpute.exceptions import some
from vaeimpute.tables.known import names, patterns


def kind_of(ids: pd.Index) -> str | None:
    """Tell samples from features by what their ids look like, or return None.

    Parameters
    ----------
    ids : Index of str

    Returns
    -------
    {"samples", "features"} or None

    Examples
    --------
    >>> kind_of(pd.Index(["GSM1", "GSM2"])), kind_of(pd.Index(["cg00000029"]))
    ('samples', 'features')
    """
    looks = patterns("ids")
    if ids.str.match(looks["features"]).mean() >= 0.5:
        return "features"
    if ids.str.lower().isin(names("genes")).sum() >= 3:
        return "features"
    return "samples" if ids.str.match(looks["samples"]).mean() >= 0.5 else None


def rows_look_like(rows: pd.Index, columns: pd.Index) -> str | None:
    """Say whether the rows of a matrix look like samples or features, or return None.

    Parameters
    ----------
    rows, columns : Index of str

    Returns
    -------
    {"samples", "features"} or None
        None if nothing speaks for either, or something for both.
    """
    other = {"samples": "features", "features": "samples", None: None}
    says = {kind_of(rows), other[kind_of(columns)]} - {None}
    return says.pop() if len(says) == 1 else None


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
    if kind_of(samples) == "features":
        return f"{some(samples, 2)}, taken for samples, look like names of features"
    if kind_of(features) == "samples":
        return f"{some(features, 2)}, taken for features, look like names of samples"
    if len(samples) > len(features) and kind_of(features) != "features":
        return f"there are more samples ({len(samples)}) than features ({len(features)})"
    return None
