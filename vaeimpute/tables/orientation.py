"""Telling by their ids which side of a matrix the samples are on."""

from __future__ import annotations

import re

import pandas as pd

from vaeimpute.exceptions import some

_SAMPLE_ID = re.compile(r"TCGA[-.]\w{2}[-.]|TARGET-|GTEX-|ACH-\d{6}|(.*:)?GSM\d|[SED]RR\d")
_FEATURE_ID = re.compile(
    r"ENS[A-Z]{0,4}[GTP]\d{6}|cg\d{8}|ch\.\w+\.\d+|rs\d+|(chr)?(\d{1,2}|[XYM])[:_]\d+"
    r"|.*_at$|.+\|\d+$|[NX][MR]_\d+|ILMN_\d+|A_\d+_P\d+"
)
# Enough of any genome-wide matrix is among these, whatever the platform; Trp53 is the mouse's.
_KNOWN_GENES = frozenset(
    ("ACTB", "AKT1", "APOE", "B2M", "BRAF", "BRCA1", "CD4", "CDKN2A", "EGFR", "ESR1", "GAPDH",
     "IDH1", "KRAS", "MKI67", "MYC", "NOTCH1", "PTEN", "RB1", "TNF", "TP53", "TRP53", "VEGFA")
)  # fmt: skip


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
    if ids.str.match(_FEATURE_ID).mean() >= 0.5 or ids.str.upper().isin(_KNOWN_GENES).sum() >= 3:
        return "features"
    return "samples" if ids.str.match(_SAMPLE_ID).mean() >= 0.5 else None


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
