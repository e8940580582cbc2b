"""Where a table comes from: what was asked for, and what it ran on."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from vaeimpute.files import write_atomically

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


def _hardware() -> str:
    parts = [platform.machine(), f"{os.cpu_count()} processors"]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
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
