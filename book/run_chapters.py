"""Execute the chapters in ``notebooks/`` with papermill: several at once, and only what changed.

What papermill leaves out is here: a parameter that no chapter has fails instead of warns, and
executed notebooks carry nothing of the machine and the hour.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import joblib
import nbformat
import papermill
from nbformat import NotebookNode

from vaeimpute.exceptions import ProfileError
from vaeimpute.files import write_atomically
from vaeimpute.profiles import read_profile

ROOT = Path(__file__).resolve().parents[1]
# Everything besides its own cells that a chapter's outputs depend on.
INPUTS = ("constraints.txt", "pyproject.toml", "vaeimpute/**/*", "results/**/*")
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
RECORD = "made_from"  # an executed notebook's entry with its fingerprint


def choose_parameters(
    chapters: Collection[Path], given: Mapping[str, str], profile: str | None = None
) -> dict[Path, dict[str, Any]]:
    """Give each chapter the parameters that it declares; those given prevail over a profile's.

    Parameters
    ----------
    chapters : collection of Path
    given : mapping of str to str
        Values as they were typed.
    profile : str, optional
        For `vaeimpute.profiles.read_profile`.

    Returns
    -------
    dict of Path to dict

    Raises
    ------
    SystemExit
        If none of the chapters declares one of those given: then its name is a mistake.
    """
    declared = {path: papermill.inspect_notebook(str(path)) for path in chapters}
    for name in given:
        if not any(name in known for known in declared.values()):
            lines = [f"{path.stem}: {', '.join(known)}" for path, known in declared.items()]
            raise SystemExit("\n  ".join([f"Unknown parameter '{name}'. There are:", *lines]))
    try:
        # "quick" is what the chapters do by themselves, and some have reasons to differ.
        sizes = {} if profile in (None, "quick") else read_profile(profile).parameters()
    except ProfileError as error:
        raise SystemExit(str(error)) from None
    return {
        path: {name: value for name, value in sizes.items() if name in known}
        | {
            name: convert(name, text, known[name]["inferred_type_name"])
            for name, text in given.items()
            if name in known
        }
        for path, known in declared.items()
    }


def convert(name: str, text: str, type_name: str) -> Any:
    """Turn the text of a parameter into a value of its declared type."""
    expected = {"int": int, "float": float, "bool": bool}.get(type_name)
    try:
        value = text if type_name == "str" else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if expected is float and type(value) is int:
        value = float(value)
    if expected and type(value) is not expected:
        raise SystemExit(f"Parameter '{name}' expects {type_name} but got '{text}'")
    return value


def fingerprint(chapter: NotebookNode, parameters: Mapping[str, Any], root: Path = ROOT) -> str:
    """Hash all that a chapter's outputs depend on, which its prose is not."""
    code = [(cell.id, cell.source) for cell in chapter.cells if cell.cell_type == "code"]
    place = [sys.version_info[:2], os.environ.get("VAEIMPUTE_DATA")]
    digest = hashlib.sha256(json.dumps([code, parameters, place], sort_keys=True).encode())
    for path in sorted(path for pattern in INPUTS for path in root.glob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"\0{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def reuse(chapter: NotebookNode, target: Path, digest: str) -> NotebookNode | None:
    """Return the chapter with the outputs of an earlier execution, if it was of the same code."""
    try:
        earlier = nbformat.read(target, as_version=4)
    except (OSError, ValueError):
        return None
    if earlier.metadata.get(RECORD) != digest:
        return None
    executed = {cell.id: cell for cell in earlier.cells if cell.cell_type == "code"}
    cells = []
    for cell in chapter.cells:
        cells.append(executed.pop(cell.id, cell))
        if "parameters" in cell.metadata.get("tags", []) and "injected-parameters" in executed:
            cells.append(executed.pop("injected-parameters"))
    return NotebookNode(earlier | {"cells": cells})


def clean(executed: NotebookNode, chapter: NotebookNode) -> NotebookNode:
    """Return an executed notebook with what its author wrote and its cells returned, no more.

    Times, versions, paths, widgets and what libraries say on standard error go.
    """
    executed = copy.deepcopy(executed)
    written = {cell.id: cell.metadata for cell in chapter.cells}
    for cell in executed.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            # papermill gives it a random id, and not the tags by which the author's is hidden.
            cell.id = "injected-parameters"
            (tags,) = (m.tags for m in written.values() if "parameters" in m.get("tags", []))
            written[cell.id] = {"tags": [cell.id, *(tag for tag in tags if tag != "parameters")]}
        metadata = written[cell.id]
        cell.metadata = {name: metadata[name] for name in ("tags", "mystnb") if name in metadata}
        if cell.cell_type == "code":
            cell.outputs = [
                output
                for output in cell.outputs
                if output.get("name") != "stderr"
                and "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
            ]
    return nbformat.from_dict(executed | {"metadata": METADATA})


def run(
    path: Path, target: Path, parameters: Mapping[str, Any], root: Path = ROOT
) -> tuple[str, float | None]:
    """Bring the executed form of one chapter up to date.

    Parameters
    ----------
    path : Path
        The notebook as its author wrote it.
    target : Path
        Where the executed one goes. If that is the same file it is executed in any case, and
        without a record of what it was made from: with each commit, that would be another.
    parameters : mapping
        Other values for its parameters.
    root : Path
        The repository.

    Returns
    -------
    name : str
    seconds : float or None
        None if it was up to date.

    Raises
    ------
    RuntimeError
        If a cell fails, with its traceback, or the kernel dies.
    """
    logging.getLogger("papermill").setLevel(logging.ERROR)
    chapter = nbformat.read(path, as_version=4)
    digest = fingerprint(chapter, parameters, root)
    notebook = None if path == target else reuse(chapter, target, digest)
    seconds = None
    if notebook is None:
        started = time.monotonic()
        try:
            executed = papermill.execute_notebook(
                str(path), None, parameters, kernel_name="python3", cwd=str(path.parent),
                progress_bar=False, start_timeout=120,
                extra_arguments=["--log-level=CRITICAL"],  # of the kernel: errors are shown here
            )  # fmt: skip
        except Exception as error:
            raise RuntimeError(f"{path.stem} failed: {error}") from None
        seconds = time.monotonic() - started
        notebook = clean(executed, chapter)
        if path != target:
            notebook.metadata |= {RECORD: digest, "seconds": round(seconds, 1)}
    text = nbformat.writes(notebook) + "\n"
    # Writing the same once more would make the page look changed to Sphinx.
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, text)
    return path.stem, seconds


def main(arguments: list[str] | None = None) -> None:
    """Run the chapters and print what each of them took."""
    parser = argparse.ArgumentParser(description="Execute chapters; the defaults are quick.")
    parser.add_argument("chapters", nargs="*", type=Path, metavar="CHAPTER", help="all if none")
    parser.add_argument("--output", type=Path, metavar="DIR", help="write there, not in place")
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    parser.add_argument("--profile", metavar="NAME", help="sizes: quick, paper, or a .yml file")
    parser.add_argument("--jobs", type=int, metavar="N", help="chapters at once")
    chosen = parser.parse_args(arguments)
    if not chosen.output and (chosen.p or chosen.profile):
        parser.error("-p and --profile need --output: in place, chapters show their defaults")
    chapters = chosen.chapters or sorted((ROOT / "notebooks").glob("*.ipynb"))
    for path in chapters:
        if not path.is_file():
            parser.error(f"no such chapter: {path}")
    # Other sizes than the quick ones may need all of the memory.
    jobs = chosen.jobs or (1 if chosen.profile else min(joblib.cpu_count(), 4))
    if not chosen.profile:
        # A network trained by two threads adds in another order than by one and ends with other
        # weights: what is executed alone must show the numbers of what is executed among others.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    parameters = choose_parameters(chapters, dict(chosen.p), chosen.profile)
    runs = (
        joblib.delayed(run)(
            path, chosen.output / path.name if chosen.output else path, parameters[path]
        )
        for path in chapters
    )
    try:
        # joblib gives each of them its share of the threads, where there is no other word on it.
        parallel = joblib.Parallel(jobs, return_as="generator_unordered")
        for name, seconds in parallel(runs):
            took = "up to date" if seconds is None else f"{seconds:6.1f} s"
            print(f"  {name:24} {took}", flush=True)
    except RuntimeError as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    main()
