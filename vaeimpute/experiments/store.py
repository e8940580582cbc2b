"""Finished units of work on disk, under what determines them."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from vaeimpute.files import write_atomically

logger = logging.getLogger(__name__)

Key = Mapping[str, Any]


class UnitStore:
    """A folder with one small file per finished unit.

    A unit's key says all that its result depends on. The file is named after the key's hash, and
    holds the key, the result and a checksum over both; what is damaged, or holds another key than
    its name promises, counts as not there.

    Parameters
    ----------
    folder : str or path
        Made when the first unit is written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = UnitStore(folder)
    ...     store.write({"trial": 3}, {"mae": 0.25})
    ...     store.read({"trial": 3}), store.read({"trial": 4})
    ({'mae': 0.25}, None)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).absolute()

    def path(self, key: Key, suffix: str = ".json") -> Path:
        """Return where the file of a unit is or will be."""
        # Some file systems slow down with ten thousands of files in one folder.
        name = digest(key)
        return self.folder / name[:2] / f"{name}{suffix}"

    def write(self, key: Key, result: Mapping[str, Any]) -> None:
        """Keep the result of a unit."""
        body = {"key": key, "result": result}
        text = json.dumps(body | {"sha256": digest(body)}, indent=1)
        write_atomically(self.path(key), text + "\n")

    def read(self, key: Key) -> dict[str, Any] | None:
        """Return the result of a unit, or None if it is not there or cannot be trusted."""
        path = self.path(key)
        try:
            text = path.read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            logger.warning("Computing a unit again, %s cannot be read: %s", path.name, error)
            return None
        try:
            record = json.loads(text)
            body = {"key": record["key"], "result": record["result"]}
            trusted = record["sha256"] == digest(body) and digest(body["key"]) == digest(key)
        except (ValueError, KeyError, TypeError):
            trusted = False
        if not trusted:
            logger.warning("Computing a unit again, %s is damaged or not its own.", path.name)
            return None
        return body["result"]


def digest(value: Any) -> str:
    """Hash a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def array_digest(array: np.ndarray) -> str:
    """Hash the shape, the type and every bit of an array.

    Examples
    --------
    >>> array_digest(np.zeros(3)) == array_digest(np.zeros((3, 1)))
    False
    """
    head = f"{array.dtype.str} {array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def file_digest(path: Path) -> str:
    """Hash the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parameters_for_key(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Turn an estimator's parameters into what JSON can hold, different for different values."""
    return json.loads(json.dumps(dict(parameters), default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return {"type": type(value).__qualname__, "hash": joblib.hash(value)}
