"""Prepared cohorts, kept in a folder of this machine so that they load at once."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pandas as pd

from vaeimpute.cohorts.cohort import Cohort

logger = logging.getLogger(__name__)

LAYOUT = 2  # raise it when the files below change their meaning
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
            if frame is not None:
                frame = frame.T if table in _TURNED else frame
                frame.to_parquet(half_done / f"{table}.parquet")
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
            tables[table] = frame.T if table in _TURNED else frame
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
