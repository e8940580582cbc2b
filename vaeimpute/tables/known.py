"""What programs write and what ids look like, as data: `known.yml`, read once."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

import pandas as pd
import yaml


@cache
def _data() -> dict:
    return yaml.safe_load((resources.files("vaeimpute.tables") / "known.yml").read_text("utf-8"))


def plain(name: str) -> str:
    """Return a name as it is compared: R writes ``Protein.IDs`` for ``Protein IDs``.

    Examples
    --------
    >>> plain("Protein.IDs") == plain("Protein IDs")
    True
    """
    return re.sub(r"[^a-z0-9#%]", "", name.lower())


@cache
def names(*keys: str) -> frozenset[str]:
    """Return all names under some keys, plain.

    Examples
    --------
    >>> "genelength" in names("features"), "genelength" in names("samples")
    (True, False)
    """
    found = (_data()[key] for key in keys)
    lists = (one for part in found for one in (part.values() if isinstance(part, dict) else [part]))
    return frozenset(plain(name) for one in lists for name in one)


@cache
def patterns(key: str) -> dict[str, re.Pattern[str]]:
    """Return the patterns under a key by what they stand for, or by themselves.

    Examples
    --------
    >>> [kind for kind, begins in patterns("no tables").items() if begins.match(">chr1")]
    ['sequences']
    """
    found = _data()[key]
    by_word = found if isinstance(found, dict) else dict(zip(found, found, strict=True))
    return {word: re.compile(pattern, re.I) for word, pattern in by_word.items()}


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
