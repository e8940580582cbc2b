"""The folder that keeps finished units of work."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaeimpute.files import write_atomically

logger = logging.getLogger(__name__)


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

    def path(self, key: Mapping[str, Any], suffix: str = ".json") -> Path:
        """Return where the file of a unit is or will be."""
        # Some file systems slow down with ten thousands of files in one folder.
        name = digest(key)
        return self.folder / name[:2] / f"{name}{suffix}"

    def write(self, key: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Keep the result of a unit."""
        body = {"key": key, "result": result}
        text = json.dumps(body | {"sha256": digest(body)}, indent=1)
        write_atomically(self.path(key), text + "\n")

    def read(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the result of a unit, or None if it is not there or cannot be trusted."""
        path = self.path(key)
        try:
            record = json.loads(path.read_text("utf-8"))
            body = {"key": record["key"], "result": record["result"]}
            trusted = record["sha256"] == digest(body) and digest(body["key"]) == digest(key)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError):
            trusted = False
        if not trusted:
            logger.warning("Computing a unit again, %s is damaged or not its own.", path.name)
            return None
        return body["result"]


def digest(value: Any) -> str:
    """Hash a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Hash the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
