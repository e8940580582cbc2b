"""What is published on the package index, in an environment that has nothing else."""

import ast
import re
import shlex
import subprocess
import sys
import tarfile
import venv
from importlib.metadata import distribution
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


def build(kind, source, out):
    """Build a release of one kind; return its file."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", out]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = out.iterdir()
    return built


def needed_by(*requirements):
    """Name the packages that some need, those that these need, and so on."""
    found, waiting = set(), list(map(Requirement, requirements))
    while waiting:
        asked = waiting.pop()
        for extra in asked.extras or {""}:
            for needed in map(Requirement, distribution(asked.name).requires or ()):
                applies = needed.marker is None or needed.marker.evaluate({"extra": extra})
                if applies and (needed.name, *needed.extras) not in found:
                    found.add((needed.name, *needed.extras))
                    waiting.append(needed)
    return {name for name, *_ in found}


def environment(folder, wheel, packages):
    """Make an environment of a wheel and links to packages that are installed here.

    Nothing is downloaded. Return the folder of its programs.
    """
    venv.create(folder, with_pip=False)
    (place,) = folder.glob("lib/python*/site-packages")
    for package in map(distribution, packages):
        for part in {file.parts[0] for file in package.files if file.parts[0] != ".."}:
            if part != "__pycache__" and not (place / part).exists():
                (place / part).symlink_to(package.locate_file(part))
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", wheel]
    subprocess.run(install, check=True, capture_output=True)
    return python.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Make the wheel of the source distribution, as whoever packages it would."""
    folder = tmp_path_factory.mktemp("release")
    with tarfile.open(build("sdist", ROOT, folder / "sdist")) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.glob("vaeimpute-*")
    return build("wheel", source, folder / "wheel")


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """Programs of an environment with the release and what it needs, no more."""
    return environment(tmp_path_factory.mktemp("venv"), wheel, needed_by("vaeimpute"))


@pytest.fixture
def run(programs, tmp_path):
    """Run a command line there, in a folder with the matrix of the README's examples."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 40))
    values[rng.random(values.shape) < 0.2] = np.nan
    table = pd.DataFrame(values, [f"s{i}" for i in range(30)]).add_prefix("g")
    table.to_csv(tmp_path / "expression.csv")

    def start(*command):
        command = [programs / command[0], *command[1:]]
        return subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True)

    return start


def test_the_commands_of_the_readme_run(run, tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in re.findall(r"^vaeimpute .*$", text, flags=re.MULTILINE):
        done = run(*line.split())
        assert done.returncode == 0, done.stderr
    assert pd.read_csv(tmp_path / "filled.csv", index_col=0).notna().all(axis=None)


def test_the_example_of_the_readme_runs(run):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    done = run("python", "-c", f"{code}\nassert filled.notna().all(axis=None)")
    assert done.returncode == 0, done.stderr


def test_what_an_extra_is_for_is_named_without_it(run):
    assert run("python", "-c", "import matplotlib").returncode == 1
    done = run("vaeimpute", "impute", "expression.csv", "-o", "f.csv", "--report", "report.html")
    assert done.returncode != 0
    assert "vaeimpute[report]" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_cell_for_colab_installs_what_chapters_import(wheel, tmp_path):
    sources = [
        cell.source
        for path in ROOT.glob("notebooks/*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code" and cell.source[:2] != "%%"
    ]
    lines = re.findall(r"^ *%pip install --quiet (.*)$", "\n".join(sources), flags=re.MULTILINE)
    (line,) = set(lines)
    asked = [f"vaeimpute{item[2:]}" if item[:2] == ".." else item for item in shlex.split(line)]
    packages = needed_by(*asked) | {item for item in asked if "[" not in item}
    magic = re.compile(r"^( *)%.*$", flags=re.MULTILINE)
    cells = [ast.parse(magic.sub(r"\1pass", source)) for source in sources]
    imports = {ast.unparse(node) for cell in cells for node in ast.walk(cell)
               if isinstance(node, (ast.Import, ast.ImportFrom))}  # fmt: skip
    programs = environment(tmp_path / "venv", wheel, packages)
    done = subprocess.run(
        [programs / "python", "-c", "\n".join(sorted(imports))], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
