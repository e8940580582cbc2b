"""Prepared cohorts, kept in a folder of this machine so that they load at once."""

from __future__ import annotations

import io
import json
import logging
import os
import zipfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pandas as pd

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.files import replacing

logger = logging.getLogger(__name__)

LAYOUT = 3  # raise it when the parts below change their meaning
_TABLES = ("values", "clinical", "features", "coverage")
# Parquet keeps a header per column, and there are far more features than samples.
_TURNED = ("values", "coverage")


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
    folder = os.environ.get("VAEIMPUTE_CACHE")
    if not folder:
        from platformdirs import user_cache_dir  # of the extra "data"

        folder = user_cache_dir("vaeimpute")
    return Path(folder).expanduser().absolute()


def save_cohort(cohort: Cohort, path: Path) -> None:
    """Write a cohort into one file, a zip archive of Parquet and JSON.

    Parameters
    ----------
    cohort : Cohort
    path : pathlib.Path
        Replaced if it exists.
    """
    card = {f.name: getattr(cohort, f.name) for f in fields(cohort) if f.name not in _TABLES}
    with replacing(path) as unfinished, zipfile.ZipFile(unfinished, "w") as archive:
        archive.writestr("card.json", json.dumps(card))
        for table in _TABLES:
            frame = getattr(cohort, table)
            if frame is not None:
                frame = frame.T if table in _TURNED else frame
                archive.writestr(table, frame.to_parquet())


def read_cohort(path: Path) -> Cohort:
    """Read a cohort that `save_cohort` wrote.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    Cohort

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    """
    with zipfile.ZipFile(path) as archive:
        card = json.loads(archive.read("card.json"))
        tables = {
            table: pd.read_parquet(io.BytesIO(archive.read(table)))
            for table in {*_TABLES} & {*archive.namelist()}
        }
    turned = {table: tables[table].T for table in _TURNED if table in tables}
    return Cohort(**(tables | turned), **(card | {"notes": tuple(card["notes"])}))


def cached(path: Path, prepare: Callable[[], Cohort]) -> Cohort:
    """Return the cohort in a file of the cache, preparing and storing it when it is not there.

    A file that cannot be read is prepared again, and one that cannot be written only costs the time
    that it would have saved.

    Parameters
    ----------
    path : pathlib.Path
    prepare : callable
        Makes the cohort from its source.

    Returns
    -------
    Cohort
    """
    try:
        return read_cohort(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except Exception as error:
        logger.warning("Preparing %s again, its cached copy is damaged: %s", path.name, error)
    cohort = prepare()
    try:
        save_cohort(cohort, path)
    except OSError as error:
        logger.warning("Could not keep %s in the cache %s: %s", cohort.name, path.parent, error)
    return cohort
