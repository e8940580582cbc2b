"""What identifies the code that computes a unit: of the package only what takes part."""

from __future__ import annotations

import ast
import inspect
import sys
import uuid
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib
import numpy as np

import vaeimpute
from vaeimpute.experiments.store import digest, file_digest

_PACKAGE = Path(vaeimpute.__file__).parent
# Nothing that an experiment does comes from these: imports go the other way.
_LATER = ("claims", "cli", "comparison", "plots")
_LIBRARIES = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "torch": "torch"}


@lru_cache  # once in a process: what it has imported does not change when a file does
def code_version(*modules: str) -> str:
    """Identify the code that computes a unit.

    Parameters
    ----------
    *modules : str
        Of the package, such as ``"vaeimpute.imputers.knn"``: only they count, and all that they
        import of it. Without any, all of the package counts.

    Returns
    -------
    str
        A hash of the source files, and the versions of the libraries that compute.

    Examples
    --------
    >>> code_version("vaeimpute.imputers.knn") == code_version("vaeimpute.imputers.svd")
    False
    """
    files = (
        {_file(module) for module in _with_imports(modules)}
        if modules
        else {f for f in _PACKAGE.rglob("*.py") if f.relative_to(_PACKAGE).parts[0] not in _LATER}
    )
    # torch appends the build, which may be another on a machine with a GPU.
    versions = [
        f"{name} {metadata.version(name).partition('+')[0]}" for name in _LIBRARIES.values()
    ]
    return ", ".join([_files_digest(files)[:16], *versions])


def _with_imports(modules: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imports(module)
    return found


def _imports(module: str) -> Iterator[str]:
    """Yield the modules of the package that one imports, wherever in it, but not for types only."""
    tree = ast.parse(_file(module).read_bytes())
    for part in ast.walk(tree):
        if isinstance(part, ast.If) and ast.unparse(part.test) == "TYPE_CHECKING":
            part.body = []
    for part in ast.walk(tree):
        if isinstance(part, ast.ImportFrom) and part.module and _is_ours(part.module):
            for name in part.names:
                yield _home(part.module, name.name)
        elif isinstance(part, ast.Import):
            yield from (name.name for name in part.names if _is_ours(name.name))


def _home(module: str, name: str) -> str:
    """Return the module that a name comes from: packages only pass on those of their modules."""
    if _file(f"{module}.{name}").exists():
        return f"{module}.{name}"
    if _file(module).name == "__init__.py":
        for part in ast.parse(_file(module).read_bytes()).body:
            if isinstance(part, ast.ImportFrom) and name in [given.name for given in part.names]:
                return _home(part.module or "", name)
    return module


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == "vaeimpute"


def _file(module: str) -> Path:
    place = _PACKAGE.joinpath(*module.split(".")[1:])
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


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
        "source": _source(what),
    }
    is_estimator = what is not value and hasattr(value, "get_params")
    if is_estimator:
        described["parameters"] = describe(value.get_params(deep=False))
    if what is not value and (nested or not is_estimator):
        described["state"] = joblib.hash(value)
    return described


def _source(what: Any) -> str:
    """Return a hash of the source of a class or function, and of what it inherits from.

    Of this package, what the module imports counts as well. Of others, all files count that lie
    beside the one in question, which may use them, and all of this package, which they may use.
    Empty for libraries.
    """
    if _is_ours(what.__module__ or ""):
        return code_version(what.__module__)
    parts = inspect.getmro(what) if isinstance(what, type) else (what,)
    names = [(part.__module__ or "builtins", part) for part in parts]
    sources = [
        _source_of_module(name) or _own_source(part)
        for name, part in names
        if name.split(".")[0] not in ("vaeimpute", *_LIBRARIES, *sys.builtin_module_names)
    ]
    return digest([code_version(), *sources])[:16] if sources else ""


@lru_cache
def _source_of_module(name: str) -> str:
    file = getattr(sys.modules.get(name), "__file__", None)
    return "" if file is None else _files_digest({Path(file), *Path(file).parent.glob("*.py")})


def _own_source(what: Any) -> str:
    try:
        return inspect.getsource(what)
    except (OSError, TypeError):
        return uuid.uuid4().hex  # nobody can tell what it is, so nothing of it is trusted later


def _files_digest(files: Any) -> str:
    return digest([[file.name, file_digest(file)] for file in sorted(files)])
