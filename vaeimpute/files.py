"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

_unfinished: set[Path] = set()


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Write a file elsewhere and put it in its place when it is complete.

    If the block ends with an exception, an interruption included, the file that was there stays as
    it was, and nothing is left beside it.

    Parameters
    ----------
    path : str or path
        An existing file is replaced, or the one that a link leads to; its folder is made if need
        be.

    Yields
    ------
    pathlib.Path
        An empty file in the same folder, with the same extensions, to be written to.

    Raises
    ------
    OSError
        If no file can be made there; it names `path`.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/note.txt") as unfinished:
    ...         _ = unfinished.write_text("done")
    ...     os.listdir(folder), Path(f"{folder}/note.txt").read_text()
    (['note.txt'], 'done')
    """
    # Of a link, what it leads to is replaced, as a program that writes to the link would do. Its
    # own extensions tell a writer what to write, whatever the other file is called.
    asked_for, path = Path(path), Path(os.path.realpath(path))
    for wrong, number in ((path.is_symlink(), errno.ELOOP), (path.is_dir(), errno.EISDIR)):
        if wrong:
            raise OSError(number, os.strerror(number), str(asked_for))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.name[:100]}-",
            suffix="".join(asked_for.suffixes)[-100:],
            dir=path.parent,
        )
    except OSError as error:  # it would speak of the temporary file
        raise type(error)(error.errno, error.strerror, str(asked_for)) from None
    temporary = Path(name)
    _unfinished.add(temporary)
    try:
        os.close(handle)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # or a power cut could leave the new name on an empty file
        temporary.chmod(0o666 & ~_umask())  # mkstemp's own is for its owner's eyes only
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
        _unfinished.discard(temporary)


def remove_unfinished() -> None:
    """Remove what `replacing` has not finished: the process ends without coming back to it."""
    for temporary in list(_unfinished):
        temporary.unlink(missing_ok=True)


def write_atomically(path: str | Path, content: str | bytes) -> None:
    """Write a file so that an interruption leaves either the old one or the new one.

    Parameters
    ----------
    path : str or path
        An existing file is replaced; its folder is made if need be.
    content : str or bytes
        Text is written as UTF-8.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(f"{folder}/new/note.txt", "α")
    ...     os.listdir(f"{folder}/new"), Path(f"{folder}/new/note.txt").read_text("utf-8")
    (['note.txt'], 'α')
    """
    with replacing(path) as unfinished:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


_PACKAGES = ("vaeimpute", "numpy", "scipy", "scikit-learn", "torch")
_ROOT = Path(__file__).resolve().parents[1]


def collect_provenance(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Collect what a result depends on besides the code that calls this.

    Parameters
    ----------
    parameters : mapping
        What was asked for; JSON must be able to hold it.

    Returns
    -------
    dict
        ``command`` and ``parameters`` (absolute paths cut down to their last part: they say where
        things are on one machine), ``versions``, ``python``, ``hardware``, ``commit`` (None outside
        a checkout of this project), ``modified`` (whether anything but results differed from that
        commit) and ``date``.

    Examples
    --------
    >>> sorted(collect_provenance({"seed": 0}))
    ['command', 'commit', 'date', 'hardware', 'modified', 'parameters', 'python', 'versions']
    """
    commit, modified = _commit()
    return {
        "command": " ".join([Path(sys.argv[0]).name, *map(_without_place, sys.argv[1:])]),
        "parameters": {
            name: _without_place(value) if isinstance(value, str) else value
            for name, value in parameters.items()
        },
        "versions": {name: metadata.version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "hardware": _hardware(),
        "commit": commit,
        "modified": modified,
        "date": date.today().isoformat(),
    }


def write_table(table: pd.DataFrame, path: str | Path, provenance: Mapping[str, Any]) -> None:
    """Write a tidy table and, beside it, where it comes from.

    Parameters
    ----------
    table : DataFrame
        Written without its index, numbers rounded to six digits after the point.
    path : str or path
        Ends in ``.csv``. The provenance goes to the same name with ``.provenance.json``.
    provenance : mapping
        As `collect_provenance` returns it. The table's checksum is added as ``sha256``: two files
        cannot be replaced at once, so it tells whether they belong together.
    """
    path = Path(path)
    text = table.round(6).to_csv(index=False)
    record = {**provenance, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    write_atomically(path, text)
    write_atomically(
        path.with_suffix(".provenance.json"),
        json.dumps(record, indent=1, ensure_ascii=False) + "\n",
    )


def _without_place(argument: str) -> str:
    option, equals, value = argument.rpartition("=")
    return option + equals + (Path(value).name if os.path.isabs(value) else value)


def machine_memory() -> float:
    """Return how many bytes of memory the machine has; infinite where it does not say."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", ()):  # Windows
        return math.inf
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _hardware() -> str:
    parts = [platform.machine(), f"{os.cpu_count()} processors"]
    if math.isfinite(memory := machine_memory()):
        parts.append(f"{memory / 2**30:.0f} GiB")
    torch = sys.modules.get("torch")  # without it, nothing ran on a GPU
    if torch is not None and torch.cuda.is_available():
        parts.append(torch.cuda.get_device_name())
    return ", ".join(parts)


def _commit() -> tuple[str | None, bool | None]:
    """Return the commit of this project's checkout, and whether files differ from it."""
    # An installed package can lie in a virtual environment inside somebody else's repository.
    if _git("ls-files", "--error-unmatch", str(Path(__file__).resolve())) is None:
        return None, None
    commit = _git("rev-parse", "HEAD")
    # Results are what the runs write: the first would make the tree look modified to the second.
    changes = _git("status", "--porcelain", "--", ".", ":(exclude)results")
    return commit, bool(changes)


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
