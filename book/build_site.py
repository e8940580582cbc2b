"""Render the book from chapters that are already executed."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Of the whole of MathJax: what the pages load at once, and what a formula may make that load.
MATHJAX = ("tex-mml-chtml.js", "input/tex/extensions", "output/chtml/fonts")


def stage(executed: Path, source: Path, root: Path = ROOT) -> None:
    """Lay out what jupyter-book reads: configuration, pages and executed chapters.

    The committed notebooks are no part of it, so that rendering can't touch them. Files keep their
    times, by which Sphinx tells what changed.

    Parameters
    ----------
    executed : Path
        Folder with the executed chapters; may be the one they belong in already.
    source : Path
        Folder to lay out.
    root : Path
        The repository.
    """
    source.mkdir(parents=True, exist_ok=True)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy2(root / name, source)
    shutil.rmtree(source / "book", ignore_errors=True)
    shutil.copytree(
        root / "book",
        source / "book",
        ignore=shutil.ignore_patterns("*.py", "__pycache__", ".*", "_static"),
    )
    # jupyter-book links every style sheet that it finds in _static beside the configuration.
    shutil.copytree(root / "book" / "_static", source / "_static", dirs_exist_ok=True)
    copy_mathjax(source / "_extra" / "mathjax")
    chapters = source / "notebooks"
    chapters.mkdir(exist_ok=True)
    current = {path.name for path in (root / "notebooks").glob("*.ipynb")}
    for path in chapters.glob("*.ipynb"):
        if path.name not in current:
            path.unlink()
    if executed.resolve() != chapters.resolve():
        for path in executed.glob("*.ipynb"):
            shutil.copy2(path, chapters)
    # Where only some chapters were executed, the others show what they were committed with.
    for name in current:
        if not (chapters / name).exists():
            shutil.copy2(root / "notebooks" / name, chapters)


def copy_mathjax(target: Path) -> None:
    """Put MathJax beside the pages: from its usual place it would need a network to be read."""
    if target.exists():
        return
    mathjax = Path(str(files("mathjax"))) / "static" / "mathjax" / "es5"
    target.mkdir(parents=True)
    for name in MATHJAX:
        if (mathjax / name).is_dir():
            shutil.copytree(mathjax / name, target / name)
        else:
            shutil.copy2(mathjax / name, target / name)


def render(source: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """Run jupyter-book over a staged folder, with warnings as errors.

    Parameters
    ----------
    source : Path
        Folder that ``stage`` laid out.
    output : Path
        Folder that the site goes into, as ``html/index.html``. Its name must be ``_build``, which
        jupyter-book appends by itself.

    Returns
    -------
    subprocess.CompletedProcess
        With everything that jupyter-book printed.
    """
    if output.name != "_build":
        raise ValueError(f"Expected a folder named '_build' but got '{output}'")
    command = [Path(sys.executable).with_name("jupyter-book"), "build", source]
    command += ["--path-output", output.parent, "-W", "-n", "--keep-going"]
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    # jupyter-book colours what it prints, whether or not that goes to a terminal.
    done.stdout = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    if done.returncode:
        # Sphinx remembers the pages it has read, but not the warnings they gave: without this, a
        # second attempt would pass.
        shutil.rmtree(output / ".doctrees", ignore_errors=True)
    return done


def main() -> int:
    """Render, print the path of the site, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executed", type=Path, required=True, metavar="DIR")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    chosen = parser.parse_args()
    output = chosen.output.resolve()
    stage(chosen.executed, output / "source")
    done = render(output / "source", output)
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        print("The book was not rendered. Warnings count as errors:", file=sys.stderr)
        for line in re.findall(r".*\b(?:WARNING|ERROR|CRITICAL)\b.*", done.stdout):
            print(f"  {line}", file=sys.stderr)
        return 1
    print(f"The book is ready: {output / 'html' / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
