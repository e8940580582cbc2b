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


def duration(seconds: float) -> str:
    """Say a time to two digits, in the largest unit of which there are at least two.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str

    Examples
    --------
    >>> [duration(s) for s in (0.0123, 100, 5000, 50_000)]
    ['0.012 seconds', '100 seconds', '83 minutes', '14 hours']
    """
    units = ((3600, "hours"), (60, "minutes"))
    size, unit = next(((s, u) for s, u in units if seconds >= 2 * s), (1, "seconds"))
    return f"{float(f'{seconds / size:.2g}'):g} {unit}"
