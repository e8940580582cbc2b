"""Words for messages."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def some(names: pd.Index | Sequence, most: int = 5) -> str:
    """Name a few of many.

    Parameters
    ----------
    names : Index or sequence
    most : int
        How many to name.

    Returns
    -------
    str

    Examples
    --------
    >>> some(["TP53", "EGFR", "MYC"], most=2)
    "'TP53', 'EGFR' and 1 more"
    >>> some([])
    'none'
    """
    if not len(names):
        return "none"
    return ", ".join(map(repr, names[:most])) + (
        f" and {len(names) - most} more" if len(names) > most else ""
    )
