"""What the README, and the page on running, show and say must be so."""

import re
import shlex
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.main import get_command
from typer.testing import CliRunner

import readme  # in book/
from vaeimpute.cli import app
from vaeimpute.imputers._base import BaseImputer

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RUNNING = (ROOT / "book" / "running.md").read_text(encoding="utf-8")


def test_figure_verdicts_and_times_are_those_of_the_runs():
    with Image.open(readme.FIGURE) as figure:
        assert figure.text["Description"] == readme.described_numbers(), "python book/readme.py"
    assert readme.times().count("\n|") >= 4
    assert list(readme.SECTIONS) == [ROOT / "README.md", ROOT / "results" / "README.md"]
    for page in readme.SECTIONS:
        assert readme.up_to_date(page) == page.read_text(encoding="utf-8")


def test_files_and_targets_that_it_names_are_there():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    # In running text "make" is a word; in code it is the command.
    code = re.findall(r"```bash\n(.*?)```|`(make [^`]*)`", README, flags=re.DOTALL)
    targets = set(re.findall(r"\bmake ([a-z]+)", "\n".join(map("\n".join, code))))
    assert {"book", "test", "help"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    for path in re.findall(r"\]\((?!https?:)([^)]+)\)", README):
        assert (ROOT / path.partition("#")[0]).exists(), path


@pytest.fixture
def table(tmp_path, monkeypatch):
    """What the examples read, in the folder that they run in."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 40))
    values[rng.random(values.shape) < 0.2] = np.nan
    table = pd.DataFrame(values, [f"s{i}" for i in range(30)]).add_prefix("g")
    table.to_csv(tmp_path / "expression.csv")
    monkeypatch.chdir(tmp_path)
    return table


def test_its_example_runs(table):
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names = {}
    exec(code, names)
    assert names["filled"].notna().all(axis=None)
    pd.testing.assert_frame_equal(names["filled"].where(table.notna()), table)


def test_the_examples_on_running_run_one_after_another(table):
    np.save("large.npy", np.random.default_rng(0).normal(size=(60, 60)))
    names = {"new_samples": table}
    for code in re.findall(r"```python\n(.*?)```", RUNNING, flags=re.DOTALL):
        exec(code, names)
    pd.testing.assert_frame_equal(names["filled"].where(table.notna()), table)
    assert np.isfinite(names["filled_later"]).all()


def test_commands_take_the_options_that_pages_give_them():
    pages = README + RUNNING + (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    found = re.findall(
        r"[^`](?:\.venv/bin/)?\bvaeimpute (.+)",
        "".join(re.findall(r"```bash.*?```", pages, flags=re.DOTALL)),
    )
    found += re.findall(r"`vaeimpute ([^`]+)`", pages)
    assert len(found) > 8
    for line in found:
        name, *arguments = shlex.split(line, comments=True)
        command = get_command(app).commands[name]
        command.make_parser(command.context_class(command)).parse_args(arguments)


def test_its_command_runs(table):
    commands = re.findall(r"^vaeimpute (.*)$", README, flags=re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["check", "impute"]
    for command in commands:
        assert CliRunner().invoke(app, command.split()).exit_code == 0
    filled = pd.read_csv("filled.csv", index_col=0, float_precision="round_trip")
    assert filled.notna().all(axis=None)
    pd.testing.assert_frame_equal(filled.where(table.notna()), table, check_exact=True)


def test_the_imputer_that_contributing_adds_works():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"   ```python\n(.*?)   ```", text, flags=re.DOTALL)
    names = {"np": np, "BaseImputer": BaseImputer}
    exec(textwrap.dedent(code), names)
    imputer = names["MedianImputer"]().fit([[1.0, 2.0], [3.0, 2.5], [9.0, np.nan]])
    assert imputer.transform([[np.nan, 5.0]]).tolist() == [[3.0, 5.0]]
