"""The cohorts that can be loaded by name."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection
from functools import partial
from importlib import import_module, metadata, util
from inspect import Parameter, signature
from typing import Any

import pandas as pd

from vaeimpute.cohorts.catalogue import COHORTS, LAYOUT, Entry, cache_dir, cached, find
from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.cohorts.download import describe_size
from vaeimpute.cohorts.own import looks_like_path, read_table_cohort
from vaeimpute.exceptions import OptionError


def load_cohort(name: str | os.PathLike[str], **options: Any) -> Cohort:
    """Load a cohort by name, from the cache where it has been prepared before, or from a file.

    What has to be downloaded for a named cohort is downloaded, after a log message that says what
    and how large that is.

    Parameters
    ----------
    name : str or path
        A row of `list_cohorts`, or the path of a matrix.
    **options
        What the cohort's loader takes, for example ``source="xena"`` for ``tcga-glioma``; for a
        path, what `vaeimpute.cohorts.own.read_table_cohort` takes.

    Returns
    -------
    Cohort

    Raises
    ------
    OptionError
        If there is no such cohort or option; the message lists those there are. It is a
        ValueError.
    ModuleNotFoundError
        If the package that holds the data is not installed.
    DownloadError
        If a file cannot be downloaded.

    Examples
    --------
    >>> load_cohort("breast-gse1992").values.shape
    (124, 15528)
    """
    if name not in COHORTS and looks_like_path(name):
        _refuse_unknown(
            "A matrix from a file", list(signature(read_table_cohort).parameters), options
        )
        return read_table_cohort(name, **options)
    entry = find(str(name))
    module, function = entry.loader.split(":")
    loader: Callable[..., Cohort] = getattr(import_module(module), function)
    options = _complete(entry.name, loader, options)
    if entry.kind == "folder":  # prepared in a second, and its files may change
        return loader(**options)
    try:
        key = _key(entry, options)
    except metadata.PackageNotFoundError:  # not installed: let the loader say what to do
        return loader(**options)
    return cached(cache_dir() / "cohorts" / key, partial(loader, **options))


def list_cohorts() -> pd.DataFrame:
    """List the named cohorts, with what is on this machine.

    Returns
    -------
    DataFrame
        One row per cohort, with columns ``title``, ``kind``, ``download`` (its size), ``here``
        (what is on this machine), ``licence`` and ``citation``.

    Examples
    --------
    >>> list_cohorts().loc["tcga-glioma", "download"]
    'gdc: 1.9 GB; xena: 21.6 MB and 1 file of unknown size'
    """
    rows = {
        name: {
            "title": entry.title,
            "kind": entry.kind,
            "download": _describe_download(entry),
            "here": _here(entry),
            "licence": entry.licence,
            "citation": entry.citation,
        }
        for name, entry in sorted(COHORTS.items())
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("cohort")


def _complete(name: str, loader: Callable[..., Cohort], options: dict) -> dict:
    """Add the loader's defaults, so that leaving one out and stating it share a cache entry."""
    takes = {
        parameter.name: parameter.default
        for parameter in signature(loader).parameters.values()
        if parameter.kind is not Parameter.VAR_KEYWORD
    }
    _refuse_unknown(f"Cohort {name!r}", takes, options)
    return takes | options


def _refuse_unknown(who: str, known: Collection[str], options: dict) -> None:
    for option in options:
        if option not in known:
            raise OptionError(
                f"{who} has no option {option!r}; it takes {', '.join(known) or 'none'}."
            )


def _key(entry: Entry, options: dict) -> str:
    """Name the cache entry after all that the prepared cohort depends on."""
    parts = [entry.name]
    if entry.package:
        parts.append(metadata.version(entry.package))
    if options:
        parts.append(hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:8])
    return "-".join([*parts, metadata.version("vaeimpute"), f"layout{LAYOUT}"])


def _describe_download(entry: Entry) -> str:
    sizes = [(source, describe_size(list(files.values()))) for source, files in entry.files.items()]
    if len(sizes) == 1:
        return sizes[0][1]
    return "; ".join(f"{source}: {size}" for source, size in sizes) or "none"


def _here(entry: Entry) -> str:
    """Say how much of a cohort is on this machine."""
    if any((cache_dir() / "cohorts").glob(f"{entry.name}-*")):
        return "prepared"
    if entry.kind == "simulated":
        return "made when asked for"
    if entry.kind == "folder":
        return "read from the folder VAEIMPUTE_DATA"
    if entry.package:
        return "installed" if util.find_spec(entry.package) else f"needs {entry.package}"
    for source, files in entry.files.items():
        if all((entry.folder / file.name).exists() for file in files.values()):
            return f"downloaded ({source})"
    return "partly downloaded" if any(entry.folder.glob("*")) else "not downloaded"
