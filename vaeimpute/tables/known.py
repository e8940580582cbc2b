"""What programs write and what ids look like, as data: `known.yml`, read once."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

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
