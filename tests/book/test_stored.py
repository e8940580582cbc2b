"""Every stored table is listed, with a command that the program takes and a run that writes it."""

import shlex
from pathlib import Path

from typer.main import get_command

import stored
from vaeimpute.cli import app
from vaeimpute.experiments.catalogue import EXPERIMENTS
from vaeimpute.profiles import parse_overrides, read_profile

RESULTS = Path(__file__).resolve().parents[2] / "results"


def test_all_tables_are_listed():
    page = (RESULTS / "README.md").read_text(encoding="utf-8")
    for path in RESULTS.rglob("*.csv"):
        if not path.stem.endswith(("_samples", "_draws", "_epochs", ".failures")):
            assert f"| `{path.relative_to(RESULTS)}` |" in page


def test_the_commands_write_the_tables_that_they_stand_for():
    commands = {path: stored.command_for(path, r) for path, r in stored.stored_tables(RESULTS)}
    reproduce = get_command(app).commands["reproduce"]
    for path, command in (
        (path, one) for path, all in commands.items() for one in all.split(" && ")
    ):
        program, *arguments = shlex.split(command) or [""]
        if program != "vaeimpute":
            continue
        options = reproduce.make_context("reproduce", arguments[1:]).params
        profile = read_profile(options["profile"], **parse_overrides(options["changes"] or []))
        assert set(options["experiments"]) <= set(EXPERIMENTS)
        assert options["cohort"] == path.parents[1].name
        # What an older table is of besides its folder's name is in its command.
        assert profile.name.startswith(path.parent.name.partition(",")[0])


def test_a_table_of_a_benchmark_is_made_by_its_script():
    table = RESULTS / "glioma-gliovis" / "authors_program.csv"
    record = {"command": "authors_program.py --genes 9; authors_program.py --output out --genes 5"}
    first, second = stored.command_for(table, {"parameters": {}, **record}).split(" && ")
    assert first == "python benchmarks/authors_program.py --genes 9"
    assert second == "python benchmarks/authors_program.py --genes 5"
    assert (RESULTS.parent / first.split()[1]).exists()


def test_a_command_has_what_was_changed():
    table = RESULTS / "breast-gse1992" / "paper,n_epochs=750" / "low_values.csv"
    record = {
        "command": "vaeimpute reproduce low_values --without VAE, shifted --splits 3",
        "parameters": {**read_profile("paper", n_epochs=750).parameters(),
                       "cohort": "breast-gse1992", "n_splits": 3, "seed": 2},
    }  # fmt: skip
    assert stored.command_for(table, record) == (
        "vaeimpute reproduce low_values --cohort breast-gse1992 --profile paper --set n_epochs=750 "
        "--without 'VAE, shifted' --splits 3 --seed 2"
    )


def test_what_was_added_is_added_again():
    table = RESULTS / "breast-gse1992" / "quick,n_trials=1" / "low_values.csv"
    record = {
        "command": "vaeimpute reproduce low_values --without VAE", "seconds": 3600.0,
        "parameters": read_profile("quick").parameters() | {"cohort": "breast-gse1992"},
        "added": [{"methods": ["recommended"], "seconds": 1800.0}, {"methods": ["VAE"]}],
    }  # fmt: skip
    command = "vaeimpute reproduce low_values --cohort breast-gse1992 --profile quick"
    assert stored.command_for(table, record).split(" && ") == [
        f"{command} --without VAE", f"{command} --add recommended --add VAE",
    ]  # fmt: skip
