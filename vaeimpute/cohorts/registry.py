"""The cohorts that can be loaded by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from vaeimpute.cohorts import packaged
from vaeimpute.cohorts.cache import cache_dir, cached
from vaeimpute.cohorts.cohort import Cohort


@dataclass(frozen=True)
class Source:
    """Where a named cohort comes from.

    Attributes
    ----------
    prepare : callable
        Returns the cohort, read from its source.
    package : str
        The installed distribution that holds the data; its version is part of the cache key.
    """

    prepare: Callable[[], Cohort]
    package: str


SOURCES = {
    "breast-gse1992": Source(packaged.breast_gse1992, "SurvSet"),
    "brain-gse74193": Source(packaged.brain_gse74193, "EpigeneticPacemaker"),
}


def load_cohort(name: str) -> Cohort:
    """Load a cohort by name, from the cache where it has been prepared before.

    Parameters
    ----------
    name : str
        A key of `SOURCES`.

    Returns
    -------
    Cohort

    Raises
    ------
    ValueError
        If there is no such cohort; the message lists those there are.
    ModuleNotFoundError
        If the package that holds the data is not installed.

    Examples
    --------
    >>> load_cohort("breast-gse1992").values.shape
    (124, 15528)
    """
    if name not in SOURCES:
        raise ValueError(f"Unknown cohort {name!r}; choose one of {', '.join(sorted(SOURCES))}.")
    source = SOURCES[name]
    try:
        key = f"{name}-{metadata.version(source.package)}-{metadata.version('vaeimpute')}"
    except metadata.PackageNotFoundError:  # not installed: let the loader say what to do
        return source.prepare()
    return cached(cache_dir() / "cohorts" / key, source.prepare)
