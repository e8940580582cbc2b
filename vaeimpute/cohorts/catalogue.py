"""What is known about every named cohort without loading it: `registry.toml`, read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from vaeimpute.cohorts.cache import cache_dir
from vaeimpute.cohorts.download import RemoteFile, download
from vaeimpute.exceptions import (
    OptionError,
)


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
        ``module:function``, a callable that returns the cohort.
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
    package: str | None
    files: Mapping[str, Mapping[str, RemoteFile]]

    @property
    def folder(self) -> Path:
        """Where its downloads are kept."""
        return cache_dir() / "downloads" / self.name

    def check_source(self, source: str) -> None:
        """Raise OptionError unless the cohort can be had from this source."""
        if source not in self.files:
            raise OptionError(
                f"Cohort {self.name!r} has no source {source!r}; choose one of "
                f"{', '.join(self.files)}."
            )

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
        self.check_source(source)
        files = self.files[source]
        return dict(zip(files, download(list(files.values()), self.folder), strict=True))


def find(name: str) -> Entry:
    """Return what is known about a cohort.

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


def _read() -> dict[str, Entry]:
    text = (resources.files("vaeimpute.cohorts") / "registry.toml").read_text("utf-8")
    return {name: _entry(name, table) for name, table in tomllib.loads(text).items()}


def _entry(name: str, table: dict) -> Entry:
    files, sources = table.pop("files", []), table.pop("sources", [])
    return Entry(
        name=name,
        package=table.pop("package", None),
        files={
            source: {
                file["role"]: RemoteFile(
                    name=file["name"],
                    url=file["url"],
                    md5=file.get("md5"),
                    size=file.get("bytes"),
                    about_size=file.get("about_bytes"),
                )
                for file in files
                if source in file.get("sources", sources)
            }
            for source in sources
        },
        **table,
    )


COHORTS = _read()
