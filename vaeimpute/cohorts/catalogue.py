"""What is known about every named cohort without loading it: `registry.toml`, read."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path

import pandas as pd

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.cohorts.download import RemoteFile, download
from vaeimpute.exceptions import (
    OptionError,
)

logger = logging.getLogger(__name__)

LAYOUT = 2  # raise it when the files below change their meaning
_TABLES = ("values", "clinical", "features", "coverage")


def cache_dir() -> Path:
    """Return the folder that prepared cohorts and downloads are kept in.

    ``VAEIMPUTE_CACHE`` sets it; without that it is the operating system's folder for caches.

    Returns
    -------
    pathlib.Path

    Examples
    --------
    >>> cache_dir().is_absolute()
    True
    """
    # The function that pooch.os_cache calls. Importing pooch within a notebook prints a warning.
    from platformdirs import user_cache_dir

    folder = os.environ.get("VAEIMPUTE_CACHE") or user_cache_dir("vaeimpute")
    return Path(folder).expanduser().absolute()


def save_cohort(cohort: Cohort, folder: Path) -> None:
    """Write a cohort into a new folder, all of it or nothing.

    Parameters
    ----------
    cohort : Cohort
    folder : pathlib.Path
        Replaced if it exists.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    half_done = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for table in _TABLES:
            frame = getattr(cohort, table)
            if frame is None:
                continue
            # Parquet keeps a header per column, and there are far more features than samples.
            wide = table in ("values", "coverage")
            (frame.T if wide else frame).to_parquet(half_done / f"{table}.parquet")
        card = {f.name: getattr(cohort, f.name) for f in fields(cohort) if f.name not in _TABLES}
        (half_done / "card.json").write_text(json.dumps(card, indent=1))
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(half_done, folder)
    finally:
        shutil.rmtree(half_done, ignore_errors=True)


def read_cohort(folder: Path) -> Cohort:
    """Read a cohort that `save_cohort` wrote.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    Cohort

    Raises
    ------
    FileNotFoundError
        If the folder is not there.
    ValueError
        If it is damaged.
    """
    card = json.loads((folder / "card.json").read_text())
    tables = {}
    for table in _TABLES:
        path = folder / f"{table}.parquet"
        if path.exists():
            frame = pd.read_parquet(path)
            tables[table] = frame.T if table in ("values", "coverage") else frame
    return Cohort(**tables, **(card | {"notes": tuple(card["notes"])}))


def cached(folder: Path, prepare: Callable[[], Cohort]) -> Cohort:
    """Return the cohort in a cache folder, preparing and storing it when it is not there.

    A folder that cannot be read is prepared again, and a folder that cannot be written only costs
    the time that it would have saved.

    Parameters
    ----------
    folder : pathlib.Path
    prepare : callable
        Makes the cohort from its source.

    Returns
    -------
    Cohort
    """
    try:
        return read_cohort(folder)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except Exception as error:
        logger.warning("Preparing %s again, its cached copy is damaged: %s", folder.name, error)
    cohort = prepare()
    try:
        save_cohort(cohort, folder)
    except OSError as error:
        logger.warning("Could not keep %s in the cache %s: %s", cohort.name, folder.parent, error)
    return cohort


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
