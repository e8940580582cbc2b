"""The cohorts that can be loaded by name, as `registry.toml` has them."""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module, metadata, resources, util
from inspect import signature
from pathlib import Path
from typing import Any

import pandas as pd

from vaeimpute.cohorts.cache import LAYOUT, cache_dir, cached
from vaeimpute.cohorts.cohort import Cohort, Truth
from vaeimpute.cohorts.download import RemoteFile, describe_size, download
from vaeimpute.cohorts.own import looks_like_path, read_table_cohort
from vaeimpute.exceptions import OptionError


@dataclass(frozen=True)
class Entry:
    """A named cohort.

    Attributes
    ----------
    name, title, licence, citation : str
        As in ``registry.toml``.
    kind : {"package", "download", "folder", "simulated"}
        Where the data come from.
    loader : str
        ``module:function``, a callable that returns the cohort, or a simulator that returns its
        truth as well.
    package : str or None
        The installed distribution that holds the data.
    files : mapping from source to mapping from role to RemoteFile
        What a download consists of. The first source is the default.
    """

    name: str
    title: str
    kind: str
    loader: str
    licence: str
    citation: str
    package: str | None = None
    files: Mapping[str, Mapping[str, RemoteFile]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its downloads are kept."""
        return cache_dir() / "downloads" / self.name

    def fetch(self, source: str) -> dict[str, Path]:
        """Download the files of one source that are not here yet.

        Parameters
        ----------
        source : str
            A key of `files`.

        Returns
        -------
        dict
            From role to path.

        Raises
        ------
        OptionError
            If there is no such source.
        DownloadError
            If a file cannot be had; the message says why and what to do.
        """
        if source not in self.files:
            known = ", ".join(self.files)
            raise OptionError(
                f"Cohort {self.name!r} has no source {source!r}; choose one of {known}."
            )
        files = self.files[source]
        return dict(zip(files, download(list(files.values()), self.folder), strict=True))


def _read_entries() -> dict[str, Entry]:
    text = (resources.files("vaeimpute.cohorts") / "registry.toml").read_text("utf-8")
    entries = {}
    for name, table in tomllib.loads(text).items():
        files = {
            source: {role: RemoteFile(**file) for role, file in roles.items()}
            for source, roles in table.pop("files", {}).items()
        }
        entries[name] = Entry(name, files=files, **table)
    return entries


COHORTS = _read_entries()


def find(name: str) -> Entry:
    """Return what is known about a cohort without loading it.

    Parameters
    ----------
    name : str

    Returns
    -------
    Entry

    Raises
    ------
    OptionError
        If there is no such cohort; the message lists those there are.

    Examples
    --------
    >>> find("breast-gse1992").package
    'SurvSet'
    """
    if name not in COHORTS:
        raise OptionError(f"Unknown cohort {name!r}; choose one of {', '.join(sorted(COHORTS))}.")
    return COHORTS[name]


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
        known = list(signature(read_table_cohort).parameters)
        _refuse_unknown("A matrix from a file", known, options)
        return read_table_cohort(name, **options)
    entry = find(str(name))
    module, function = entry.loader.split(":")
    loader = getattr(import_module(module), function)
    defaults = {name: given.default for name, given in signature(loader).parameters.items()}
    _refuse_unknown(f"Cohort {entry.name!r}", defaults, options)
    options = defaults | options  # leaving one out and stating its default share a cache entry
    prepare = partial(_prepare, entry, loader, options)
    # A folder is prepared in a second, and its files may change. If a package is not installed,
    # the loader says what to do.
    if entry.kind == "folder" or (entry.package and util.find_spec(entry.package) is None):
        return prepare()
    return cached(cache_dir() / "cohorts" / _key(entry, options), prepare)


def _prepare(
    entry: Entry, loader: Callable[..., Cohort | tuple[Cohort, Truth]], options: dict
) -> Cohort:
    made = loader(**options)
    cohort = made[0] if isinstance(made, tuple) else made  # without a simulator's truth
    citation = entry.citation
    if entry.package:
        version = metadata.version(entry.package)
        citation = citation.replace(entry.package, f"{entry.package} {version}")
    return replace(cohort, citation=citation, licence=entry.licence)


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
    sizes = {source: describe_size(list(files.values())) for source, files in entry.files.items()}
    if len(sizes) == 1:
        return next(iter(sizes.values()))
    return "; ".join(f"{source}: {size}" for source, size in sizes.items()) or "none"


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
