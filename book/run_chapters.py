"""Execute the chapters in ``notebooks/``, checked, scrubbed, and only where something changed.

papermill executes; this adds what it leaves out: unknown parameters fail instead of warn, a failing
cell is shown with its traceback, and executed notebooks carry nothing of the machine they ran on.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import logging
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from tqdm.auto import tqdm

ROOT = Path(__file__).resolve().parents[1]
BUDGET = 60  # seconds that a chapter may take in the quick mode
# Everything besides its own cells that a chapter's outputs depend on.
INPUTS = ("constraints.txt", "pyproject.toml", "vaeimpute/**/*", "results/**/*", "data/*")
# How executed notebooks remember what they were made from; jupyter-book ignores the entry.
RECORD = "vaeimpute"
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# A bar that tqdm draws: "50%|#####     | 5/10 [00:01<00:01, 5.00it/s]"
PROGRESS = re.compile(r"\d+%\|.*\|\s*\S+/\S+\s*\[|\[\d\d:\d\d, .*\]")


class ChapterError(Exception):
    """A chapter that cannot be run or published; the message is for the reader of the terminal."""


def list_chapters(folder: Path, names: Iterable[str] = ()) -> list[Path]:
    """List the notebooks in a folder in the order of the book.

    Parameters
    ----------
    folder : Path
        Where the chapters are.
    names : iterable of str
        Chapters to choose, with or without ``.ipynb``; all of them if empty.

    Returns
    -------
    list of Path
    """
    chapters = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    if not chapters:
        raise ChapterError(f"No notebooks in {folder}")
    wanted = [name.removesuffix(".ipynb") for name in names]
    for name in wanted:
        if name not in chapters:
            raise ChapterError(f"Unknown chapter '{name}'; there are: {', '.join(chapters)}")
    return [path for stem, path in chapters.items() if not wanted or stem in wanted]


def known_parameters(chapter: Path) -> dict[str, str]:
    """Return the names and types of the parameters that a chapter declares."""
    inspected = papermill.inspect_notebook(read(chapter))
    return {name: entry["inferred_type_name"] for name, entry in inspected.items()}


def convert(name: str, text: str, type_name: str) -> Any:
    """Turn the text of a parameter into a value of its declared type.

    Raises
    ------
    ChapterError
        If the text does not denote such a value.
    """
    if type_name == "str":
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if type_name == "float" and type(value) is int:
        value = float(value)
    expected = {"int": int, "float": float, "bool": bool}.get(type_name)
    if expected is not None and type(value) is not expected:
        raise ChapterError(f"Parameter '{name}' expects {type_name} but got '{text}'")
    return value


def assign_parameters(
    chapters: Iterable[Path], given: Mapping[str, str]
) -> dict[Path, dict[str, Any]]:
    """Give each chapter those of the parameters that it declares.

    Parameters
    ----------
    chapters : iterable of Path
        The chapters that are about to run.
    given : mapping of str to str
        Parameters as they were typed.

    Returns
    -------
    dict of Path to dict

    Raises
    ------
    ChapterError
        If none of the chapters declares one of the parameters: then its name is a mistake.
    """
    known = {chapter: known_parameters(chapter) for chapter in chapters}
    for name in given:
        if not any(name in declared for declared in known.values()):
            lines = [f"Unknown parameter '{name}'. The chapters know:"]
            for chapter, declared in known.items():
                lines.append(f"  {chapter.stem}: {', '.join(declared) or 'none'}")
            raise ChapterError("\n".join(lines))
    return {
        chapter: {
            name: convert(name, text, declared[name])
            for name, text in given.items()
            if name in declared
        }
        for chapter, declared in known.items()
    }


def add_profile(assigned: Mapping[Path, dict[str, Any]], name: str) -> dict[Path, dict[str, Any]]:
    """Add those parameters of a profile that a chapter declares and that are not given already.

    Parameters
    ----------
    assigned : mapping of Path to dict
        As `assign_parameters` returns it.
    name : str
        For `vaeimpute.profiles.read_profile`.

    Returns
    -------
    dict of Path to dict

    Raises
    ------
    ChapterError
        If there is no such profile, or something is wrong with it.
    """
    # Here and not above: it takes seconds that runs without a profile need not wait for.
    from vaeimpute.exceptions import ProfileError
    from vaeimpute.profiles import read_profile

    try:
        profile = read_profile(name).parameters()
    except ProfileError as error:
        raise ChapterError(str(error)) from None
    added = {}
    for chapter, given in assigned.items():
        declared = known_parameters(chapter)
        added[chapter] = {key: profile[key] for key in profile if key in declared} | given
    return added


def fingerprint(notebook: NotebookNode, parameters: Mapping[str, Any], root: Path = ROOT) -> str:
    """Hash all that a chapter's outputs depend on, but not the prose between its code cells."""
    digest = hashlib.sha256()
    cells = [
        (cell.source, cell.metadata.get("tags", []))
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    environment = [list(sys.version_info[:2]), os.environ.get("VAEIMPUTE_DATA", "")]
    digest.update(json.dumps([cells, dict(parameters), environment], sort_keys=True).encode())
    for path in sorted(path for pattern in INPUTS for path in root.glob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"\0{path.relative_to(root).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def execute(
    chapter: Path, parameters: Mapping[str, Any], timeout: float = 900
) -> tuple[NotebookNode, float]:
    """Execute one chapter.

    Parameters
    ----------
    chapter : Path
        The notebook; it is not written to.
    parameters : mapping
        Replace the defaults of the chapter's parameters cell.
    timeout : float
        Seconds that one cell may take.

    Returns
    -------
    notebook : NotebookNode
        The executed notebook.
    seconds : float
        How long it took.

    Raises
    ------
    ChapterError
        If a cell fails: with the cell's number and source and with its traceback.
    """
    undeclared = set(parameters) - set(known_parameters(chapter))
    if undeclared:
        raise ChapterError(f"{chapter.stem} has no parameter '{min(undeclared)}'")
    # papermill logs what this program reports better.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    started = time.monotonic()
    try:
        notebook = papermill.execute_notebook(
            read(chapter),
            None,
            parameters=dict(parameters),
            kernel_name="python3",
            cwd=chapter.parent,
            progress_bar=False,
            start_timeout=120,
            execution_timeout=timeout,
            # A kernel that starts warns that its local port is not encrypted, and one that is
            # told to stop says so: what goes wrong in a cell is reported here in any case.
            extra_arguments=["--log-level=CRITICAL"],
        )
    except PapermillExecutionError as error:
        traceback = "\n".join(error.traceback) or f"{error.ename}: {error.evalue}"
        raise ChapterError(
            f"{chapter.stem}, cell {error.cell_index + 1} (In [{error.exec_count}]) failed:\n\n"
            f"{indent(error.source)}\n\n{traceback}"
        ) from error
    except (TimeoutError, RuntimeError) as error:
        # A cell that takes too long, or a kernel that died, mostly for want of memory.
        raise ChapterError(f"{chapter.stem} failed: {error}") from error
    return notebook, time.monotonic() - started


def indent(source: str) -> str:
    """Set a cell's source off from the message around it."""
    return "\n".join(f"    {line}" for line in source.splitlines())


def parameters_place(notebook: NotebookNode) -> int:
    """Return the index of the first cell with the tag ``parameters``."""
    tagged = ["parameters" in cell.metadata.get("tags", []) for cell in notebook.cells]
    return tagged.index(True)


def scrub(notebook: NotebookNode, original: NotebookNode) -> NotebookNode:
    """Leave in an executed notebook what its author wrote and what its cells returned.

    Parameters
    ----------
    notebook : NotebookNode
        As papermill returned it.
    original : NotebookNode
        As `read` returned it before execution; its cell ids and metadata are kept.

    Returns
    -------
    NotebookNode
        A new notebook without times, paths, widget states and progress bars.
    """
    clean = nbformat.from_dict(json.loads(json.dumps(notebook)))
    written = {cell.get("id"): cell for cell in original.cells}
    for cell in clean.cells:
        source = written.get(cell.get("id"))
        if source is not None:
            cell.metadata = nbformat.from_dict(dict(source.metadata))
        else:
            # The cell with the injected parameters: papermill gives it a random id, and drops the
            # author's tags, so that a hidden parameters cell would show up again.
            cell.id = "injected-parameters"
            tags = original.cells[parameters_place(original)].metadata.tags
            tags = [tag for tag in tags if tag != "parameters"]
            cell.metadata = NotebookNode(tags=["injected-parameters", *tags])
        for transient in ("execution", "papermill", "ExecuteTime", "collapsed", "scrolled"):
            cell.metadata.pop(transient, None)
        if cell.cell_type == "code":
            cell.outputs = [kept for kept in map(scrub_output, cell.outputs) if kept]
    # Versions of Python and of front ends go; `read` has put there all that is needed.
    clean.metadata = NotebookNode(
        (key, original.metadata[key]) for key in ("kernelspec", "language_info")
    )
    return clean


def scrub_output(output: NotebookNode) -> NotebookNode | None:
    """Return an output without its transient parts, or None if nothing is left of it."""
    if output.output_type == "stream" and output.name == "stderr":
        lines = re.split(r"[\r\n]+", ANSI.sub("", output.text))
        kept = [line for line in lines if line.strip() and not PROGRESS.search(line)]
        output.text = "\n".join(kept) + "\n"
        return output if kept else None
    if "data" in output:
        # The text beside a widget is a progress bar as well.
        if "application/vnd.jupyter.widget-view+json" in output.data:
            return None
        output.get("metadata", {}).pop("execution", None)
    output.pop("transient", None)
    return output


def refuse_machine_paths(notebook: NotebookNode, name: str, root: Path = ROOT) -> None:
    """Raise an error if an output shows where this repository or its user's home is."""
    places = {str(root)}
    # The home folder of a container's user can be "/", which says nothing and is everywhere.
    home = os.path.expanduser("~")
    if home != os.sep:
        places.add(home)
    for number, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            data = output.get("data", {}).items()
            shown = [value for kind, value in data if not kind.startswith("image/")]
            text = json.dumps([shown, {**output, "data": None}], ensure_ascii=False)
            for place in places:
                found = re.search(rf"{re.escape(place)}(?![\w.-]).{{,100}}", text)
                if found:
                    raise ChapterError(
                        f"{name}, cell {number} prints a path of this machine, which does not "
                        f"belong in a published notebook: {found[0]}\n\n{indent(cell.source)}"
                    )


def write_atomically(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook so that an interruption leaves either the old file or the new one."""
    text = nbformat.writes(notebook, version=4)
    if not text.endswith("\n"):
        text += "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path) -> NotebookNode:
    """Read a notebook, with the kernel of this environment whatever its author used."""
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells):
        # Before format 4.5 cells had no ids; random ones would change with each execution.
        cell.setdefault("id", f"cell-{number}")
    notebook.nbformat_minor = 5
    notebook.metadata.kernelspec = NotebookNode(
        display_name="Python 3", language="python", name="python3"
    )
    notebook.metadata.language_info = NotebookNode(name="python")
    return notebook


def reuse(original: NotebookNode, executed: Path, digest: str) -> NotebookNode | None:
    """Return a chapter with the outputs of an earlier execution, if these are still right.

    Prose may have changed since: it comes from the original, the outputs from the earlier run.
    """
    try:
        earlier = read(executed)
    except (OSError, ValueError):
        return None
    if earlier.metadata.get(RECORD, {}).get("fingerprint") != digest:
        return None
    merged = nbformat.from_dict(json.loads(json.dumps(original)))
    injected = [
        cell for cell in earlier.cells if "injected-parameters" in cell.metadata.get("tags", [])
    ]
    if injected:
        place = parameters_place(merged) + 1
        merged.cells[place:place] = injected
    theirs = [cell for cell in earlier.cells if cell.cell_type == "code"]
    mine = [cell for cell in merged.cells if cell.cell_type == "code"]
    for cell, old in zip(mine, theirs, strict=True):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
    merged.metadata = earlier.metadata
    return merged


def run(
    chapter: Path,
    target: Path,
    parameters: Mapping[str, Any],
    *,
    in_place: bool = False,
    timeout: float = 900,
    root: Path = ROOT,
) -> float | None:
    """Bring the executed form of one chapter up to date.

    Parameters
    ----------
    chapter : Path
        The notebook as its author wrote it.
    target : Path
        Where the executed one goes.
    parameters : mapping
        Other values for its parameters.
    in_place : bool
        Execute in any case, and write no record of what the outputs were made from: the notebook
        is to be committed, where a hash of the whole package would change with every commit.
    timeout : float
        Seconds that one cell may take.
    root : Path
        The repository.

    Returns
    -------
    float or None
        The seconds it took, or None if it was up to date.
    """
    original = read(chapter)
    digest = fingerprint(original, parameters, root)
    kept = None if in_place else reuse(original, target, digest)
    if kept is not None:
        # Rewriting the same bytes would make the page look changed to Sphinx.
        if nbformat.writes(kept) != nbformat.writes(read(target)):
            write_atomically(kept, target)
        return None
    notebook, seconds = execute(chapter, parameters, timeout)
    clean = scrub(notebook, original)
    refuse_machine_paths(clean, chapter.stem, root)
    if not in_place:
        clean.metadata[RECORD] = NotebookNode(fingerprint=digest, seconds=round(seconds, 1))
    write_atomically(clean, target)
    return seconds


def summary(seconds: Mapping[str, float | None]) -> str:
    """Return a table of the seconds that each chapter took, and what exceeds the budget."""
    width = max(map(len, seconds))
    lines = []
    for name, spent in seconds.items():
        if spent is None:
            lines.append(f"  {name:<{width}}  up to date, not executed again")
        else:
            over = f"  over the budget of {BUDGET} s" if spent > BUDGET else ""
            lines.append(f"  {name:<{width}}  {spent:6.1f} s{over}")
    return "\n".join(lines)


def command_line(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description="Execute the chapters of the book, the defaults being the quick mode."
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--output", type=Path, metavar="DIR", help="write executed chapters there")
    where.add_argument("--in-place", action="store_true", help="write them back, to be committed")
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks", metavar="DIR")
    parser.add_argument(
        "--chapter", action="append", default=[], metavar="NAME", help="only this one; repeatable"
    )
    parser.add_argument(
        "-p",
        nargs=2,
        action="append",
        default=[],
        dest="parameters",
        metavar=("NAME", "VALUE"),
        help="another value for a parameter, for the chapters that declare it; repeatable",
    )
    parser.add_argument(
        "--profile", metavar="NAME", help="the sizes to run in: quick, paper, or a .yml file"
    )
    parser.add_argument("--timeout", type=float, default=900, help="seconds that a cell may take")
    chosen = parser.parse_args(arguments)
    if chosen.in_place and (chosen.parameters or chosen.profile):
        parser.error(
            "-p or --profile with --in-place: committed chapters show what their defaults give"
        )
    return chosen


def main(arguments: list[str] | None = None) -> int:
    """Run the chapters and return the exit status."""
    chosen = command_line(arguments)
    seconds: dict[str, float | None] = {}
    try:
        chapters = list_chapters(chosen.notebooks, chosen.chapter)
        assigned = assign_parameters(chapters, dict(chosen.parameters))
        if chosen.profile:
            assigned = add_profile(assigned, chosen.profile)
        bar = tqdm(chapters, unit="chapter")
        for chapter in bar:
            bar.set_description(chapter.stem)
            seconds[chapter.stem] = run(
                chapter,
                chapter if chosen.in_place else chosen.output / chapter.name,
                assigned[chapter],
                in_place=chosen.in_place,
                timeout=chosen.timeout,
            )
    except ChapterError as error:
        text = str(error) if sys.stderr.isatty() else ANSI.sub("", str(error))
        print(f"\n{text}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the chapters finished so far are kept", file=sys.stderr)
        return 130
    print(summary(seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
