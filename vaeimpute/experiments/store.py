"""What a unit of work depends on, and the folder that keeps the finished ones."""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import sys
import uuid
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib
import numpy as np

import vaeimpute
from vaeimpute.files import write_atomically

logger = logging.getLogger(__name__)

_PACKAGE = Path(vaeimpute.__file__).parent
# Nothing that an experiment does comes from these: imports go the other way.
_LATER = ("claims", "cli", "comparison", "plots")
_LIBRARIES = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "torch": "torch"}


@lru_cache  # once in a process: what it has imported does not change when a file does
def code_version() -> str:
    """Identify the code that computes a unit.

    Returns
    -------
    str
        A hash of the package's source files, and the versions of the libraries that compute.
    """
    files = [f for f in _PACKAGE.rglob("*.py") if f.relative_to(_PACKAGE).parts[0] not in _LATER]
    # torch appends the build, which may be another on a machine with a GPU.
    versions = [
        f"{name} {metadata.version(name).partition('+')[0]}" for name in _LIBRARIES.values()
    ]
    return ", ".join([_files_digest(files)[:16], *versions])


def describe(value: Any, nested: bool = False) -> Any:
    """Turn an estimator, or a parameter, into what JSON can hold: its values and its code.

    Parameters
    ----------
    value : object
        Of an estimator, its class, the source of the class if it is not of this package, and the
        parameters, described in turn.
    nested : bool
        Whether it is a parameter itself. Of an estimator that is one, what it has learnt counts as
        well: what wraps it may use it as it is.

    Returns
    -------
    object
        Equal for what computes the same; what is typed at a prompt is never equal to anything.

    Examples
    --------
    >>> from vaeimpute.imputers import MeanImputer
    >>> described = describe(MeanImputer(min_value=0.0))
    >>> described["class"], described["parameters"]["min_value"]
    ('vaeimpute.imputers.simple.MeanImputer', 0.0)
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [describe(part, nested=True) for part in value]
    if isinstance(value, dict):
        return {str(key): describe(part, nested=True) for key, part in value.items()}
    what = value if isinstance(value, type) or inspect.isroutine(value) else type(value)
    described: dict[str, Any] = {
        "class": f"{what.__module__}.{what.__qualname__}",
        "source": _foreign_source(what),
    }
    is_estimator = what is not value and hasattr(value, "get_params")
    if is_estimator:
        described["parameters"] = describe(value.get_params(deep=False))
    if what is not value and (nested or not is_estimator):
        described["state"] = joblib.hash(value)
    return described


def _foreign_source(what: Any) -> str:
    """Return a hash of the source of a class or function, and of what it inherits from.

    Empty for what is in `code_version`: this package and the libraries. Of others, all files count
    that lie beside the one in question, which may use them.
    """
    parts = inspect.getmro(what) if isinstance(what, type) else (what,)
    names = [(part.__module__ or "builtins", part) for part in parts]
    sources = [
        _source_of_module(name) or _own_source(part)
        for name, part in names
        if name.split(".")[0] not in ("vaeimpute", *_LIBRARIES, *sys.builtin_module_names)
    ]
    return digest(sources)[:16] if sources else ""


@lru_cache
def _source_of_module(name: str) -> str:
    file = getattr(sys.modules.get(name), "__file__", None)
    return "" if file is None else _files_digest({Path(file), *Path(file).parent.glob("*.py")})


def _own_source(what: Any) -> str:
    try:
        return inspect.getsource(what)
    except (OSError, TypeError):
        return uuid.uuid4().hex  # nobody can tell what it is, so nothing of it is trusted later


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


def _files_digest(files: Any) -> str:
    return digest([[file.name, file_digest(file)] for file in sorted(files)])
