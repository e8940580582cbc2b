"""Render the book from chapters that are already executed, with warnings as errors."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from importlib.resources import as_file, files
from pathlib import Path

import nbformat

from vaeimpute.claims import CLAIMS, VERDICTS

ROOT = Path(__file__).resolve().parents[1]
# Of the whole of MathJax: what the pages load at once, and what a formula may make that load.
MATHJAX = ("tex-mml-chtml.js", "input/tex/extensions", "output/chtml/fonts")


def glued(chapter: Path) -> dict[str, str]:
    """Return the texts on claims that a chapter glued, by their keys."""
    found = {}
    for cell in nbformat.read(chapter, as_version=4).cells:
        for output in cell.get("outputs", []):
            scrap = output.get("metadata", {}).get("scrapbook", {"name": ""})
            if re.fullmatch(r"(verdict|basis)_C\d+", scrap["name"]):
                text = output["data"][f"{scrap['mime_prefix']}text/plain"]
                found[scrap["name"]] = ast.literal_eval(text)
    return found


def verdicts(chapters: Iterable[Path]) -> str:
    """Return a table in Markdown of the claims that chapters judge, and how many have each verdict.

    A chapter glues ``verdict_C15``, and what it rests on, such as cohort and splits, as
    ``basis_C15``.

    Raises
    ------
    ValueError
        If something else than a verdict is glued, or two chapters judge the same claim.
    """
    rows: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for chapter in chapters:
        texts = glued(chapter)
        for key, verdict in texts.items():
            kind, id = key.split("_")
            if kind == "basis":
                continue
            if verdict not in VERDICTS or id not in CLAIMS or id in rows:
                raise ValueError(f"{chapter.stem} glues {verdict!r} as {key}, which cannot be.")
            counts[verdict] += 1
            words = CLAIMS[id].words[0].upper() + CLAIMS[id].words[1:]
            link = f"{{doc}}`{int(chapter.stem[:2])} <../notebooks/{chapter.stem}>`"
            basis = texts.get(f"basis_{id}", "")
            rows[id] = f"| {words} | **{verdict}** | {basis} | {link} |"
    said = "; ".join(f"{verdict}: {counts[verdict]}" for verdict in VERDICTS if counts[verdict])
    head = ["| The paper claims | Verdict | Judged by | Chapter |", "|---|---|---|---|"]
    ordered = [rows[id] for id in CLAIMS if id in rows]
    return "\n".join([f"Of the paper's {len(CLAIMS)} claims, the chapters judge {len(rows)}. "
                      f"{said.capitalize()}.", "", *head, *ordered, ""])  # fmt: skip


def stage(source: Path) -> None:
    """Lay out what jupyter-book reads beside the executed chapters in ``source/notebooks``.

    Chapters that were not executed show what they were committed with. Files keep their times, by
    which Sphinx tells what changed.
    """
    pages = shutil.ignore_patterns("*.py", "__pycache__", "_static")
    shutil.copytree(ROOT / "book", source / "book", ignore=pages, dirs_exist_ok=True)
    # jupyter-book links every style sheet that it finds in _static beside the configuration.
    shutil.copytree(ROOT / "book" / "_static", source / "_static", dirs_exist_ok=True)
    (source / "notebooks").mkdir(exist_ok=True)
    for path in [*ROOT.glob("_*.yml"), *ROOT.glob("notebooks/*.ipynb")]:
        target = source / path.relative_to(ROOT)
        if path.suffix == ".yml" or not target.exists():
            shutil.copy2(path, target)
    names = sorted(path.name for path in ROOT.glob("notebooks/*.ipynb"))
    table = verdicts(source / "notebooks" / name for name in names)
    (source / "book" / "_verdicts.md").write_text(table, encoding="utf-8")
    # Beside the pages: from its usual place, MathJax would need a network to be read.
    with as_file(files("mathjax") / "static" / "mathjax" / "es5") as mathjax:
        for name in MATHJAX:
            target = source / "_extra" / "mathjax" / name
            if (mathjax / name).is_dir():
                shutil.copytree(mathjax / name, target, dirs_exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(mathjax / name, target)


def render(source: Path) -> subprocess.CompletedProcess[str]:
    """Run jupyter-book over a staged folder; ``_build/source`` becomes ``_build/html``.

    Returns
    -------
    subprocess.CompletedProcess
        With everything that jupyter-book printed.
    """
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "-q", str(source)]
    command += ["--path-output", str(source.parents[1]), "-W", "-n", "--keep-going"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    if done.returncode:
        # Sphinx remembers the pages it has read, but not the warnings they gave: without this, a
        # second attempt would pass.
        shutil.rmtree(source.parent / ".doctrees", ignore_errors=True)
    return done


if __name__ == "__main__":
    source = ROOT / "_build" / "source"
    stage(source)
    done = render(source)
    if done.returncode:
        sys.exit(f"{done.stdout}\nThe book was not rendered: warnings count as errors.")
    print(f"The book is ready: {ROOT / '_build' / 'html' / 'index.html'}")
