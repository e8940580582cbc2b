"""Render the book from chapters that are already executed, with warnings as errors."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

import configure
import programs
import reference
import verdicts
import which

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = ("_config.yml", "_toc.yml", "conf.py", "index.md")
# Of the whole of MathJax: what the pages load at once, and what a formula may make that load.
MATHJAX = ("tex-mml-chtml.js", "input/tex/extensions", "output/chtml/fonts")


def stage(source: Path) -> None:
    """Lay out what jupyter-book reads beside the executed chapters in ``source/notebooks``.

    Chapters that were not executed show what they were committed with. Files keep their times, by
    which Sphinx tells what changed.
    """
    shutil.copytree(
        ROOT / "book", source / "book", ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )  # fmt: skip
    (source / "notebooks").mkdir(exist_ok=True)
    for name in CONFIGURATION:
        shutil.copy2(ROOT / name, source)
    for path in ROOT.glob("notebooks/*.ipynb"):
        target = source / path.relative_to(ROOT)
        if not target.exists():
            shutil.copy2(path, target)
    names = sorted(path.name for path in ROOT.glob("notebooks/*.ipynb"))
    chapters = tuple(source / "notebooks" / name for name in names)
    for page in (verdicts, which):  # after the pages are copied: one of them is a template
        page.write_parts(ROOT / "results", chapters, source / "book")
    programs.write_parts(ROOT / "results", source / "book")
    reference.write_parts(ROOT, chapters, configure.repository(ROOT), source / "book")
    # Beside the pages: from its usual place, MathJax would need a network to be read.
    with as_file(files("mathjax") / "static" / "mathjax" / "es5") as mathjax:
        for name in MATHJAX:
            target = source / "_extra" / "mathjax" / name
            if (mathjax / name).is_dir():
                shutil.copytree(mathjax / name, target, dirs_exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(mathjax / name, target)


def render(source: Path, *, plain: bool = False) -> subprocess.CompletedProcess[str]:
    """Run jupyter-book over a staged folder; ``_build/source`` becomes ``_build/html``.

    Parameters
    ----------
    source : Path
        A folder from `stage`.
    plain : bool
        With Sphinx alone, which reads ``conf.py``, into ``_build/plain``.

    Returns
    -------
    subprocess.CompletedProcess
        With everything that was printed.
    """
    build, program = source.parent, Path(sys.executable)
    if plain:
        command = [str(program), "-m", "sphinx", "-q", str(source), str(build / "plain")]
    else:
        command = [str(program.with_name("jupyter-book")), "build", "-q", str(source)]
        command += ["--path-output", str(build.parent)]
    command += ["-W", "-n", "--keep-going"]
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
