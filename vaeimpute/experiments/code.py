"""A hash of the source code that the results of an estimator or a measure depend on."""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Iterable
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import vaeimpute

_PACKAGE = Path(vaeimpute.__file__).parent
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch")
# What every unit does besides calling the imputer and the measure.
_SHARED = ("vaeimpute.experiments.units",)


def code_version(cls: type) -> str:
    """Identify the code behind a class of imputers or measures.

    Only what the class imports counts, so a change to one imputer leaves the finished units of the
    others alone.

    Parameters
    ----------
    cls : type

    Returns
    -------
    str
        A hash of those modules of this package that the class imports, directly or through others,
        and the versions of the package and of the libraries that compute. A class that comes from
        elsewhere has its `foreign_source` as well.

    Examples
    --------
    >>> from vaeimpute.imputers import KNNImputer, MeanImputer
    >>> code_version(KNNImputer) == code_version(MeanImputer)
    False
    """
    own = [base.__module__ for base in cls.__mro__ if base.__module__.startswith("vaeimpute")]
    # torch appends the build, which may be another on a machine with a GPU.
    versions = [
        f"{name} {metadata.version(name).partition('+')[0]}" for name in ("vaeimpute", *_LIBRARIES)
    ]
    return f"{_hash_of_modules(tuple(own))[:16]}, {', '.join(versions)}"


def foreign_source(cls: type) -> str:
    """Return a hash of the source of a class that is not from this package, if it can be read.

    Parameters
    ----------
    cls : type

    Returns
    -------
    str
        Empty for the classes of this package.
    """
    if cls.__module__.startswith("vaeimpute"):
        return ""
    try:
        return hashlib.sha256(inspect.getsource(cls).encode()).hexdigest()[:16]
    except (OSError, TypeError):  # typed at a prompt, or compiled
        return ""


@lru_cache  # once in a process: what it has imported does not change when a file does
def _hash_of_modules(modules: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for module in sorted(imported_modules(modules) | set(_SHARED)):
        file = _file(module)
        if file is not None:
            digest.update(f"\0{module}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def imported_modules(modules: Iterable[str]) -> set[str]:
    """Return modules of this package and those that they import, directly or through others.

    Parameters
    ----------
    modules : iterable of str

    Returns
    -------
    set of str
        With the given ones. Imports inside functions count too.

    Examples
    --------
    >>> sorted(imported_modules(["vaeimpute.cohorts.cohort"]))
    ['vaeimpute.cohorts.cohort', 'vaeimpute.exceptions']
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        file = _file(module)
        if module in found or file is None:
            continue
        found.add(module)
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                # What is imported may be a module itself.
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def _file(module: str) -> Path | None:
    name, *parts = module.split(".")
    if name != "vaeimpute":
        return None
    path = _PACKAGE.joinpath(*parts)
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in candidates if file.is_file()), None)
