"""What a table says about where it comes from."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from vaeimpute import files
from vaeimpute import files as provenance
from vaeimpute.files import collect_provenance, write_table


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with one commit of the package's file."""
    root = tmp_path / "checkout"
    source = root / "vaeimpute" / "provenance.py"
    source.parent.mkdir(parents=True)
    source.write_text("")

    def git(*arguments):
        identity = ["-c", "user.name=A", "-c", "user.email=a@b"]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "Begin")
    monkeypatch.setattr(provenance, "_ROOT", root)
    monkeypatch.setattr(provenance, "__file__", str(source))
    return root, git("rev-parse", "HEAD").strip()


def test_the_commit_of_a_checkout(checkout):
    root, commit = checkout
    assert provenance._commit() == (commit, False)
    (root / "results").mkdir()
    (root / "results" / "table.csv").write_text("a\n")
    assert provenance._commit() == (commit, False)
    (root / "vaeimpute" / "new.py").write_text("")
    assert provenance._commit() == (commit, True)


def test_the_repository_around_an_installed_package_is_not_ours(checkout, monkeypatch):
    root, _ = checkout
    installed = root / ".venv" / "provenance.py"
    installed.parent.mkdir()
    installed.write_text("")
    monkeypatch.setattr(provenance, "__file__", str(installed))
    assert provenance._commit() == (None, None)


def test_without_git(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance._commit() == (None, None)


def test_the_command_shows_no_place_on_this_machine(monkeypatch):
    arguments = ["/opt/bin/vaeimpute", "reproduce", "--cohort", "/home/me/a.csv", "--store=/x/y"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert collect_provenance({})["command"] == "vaeimpute reproduce --cohort a.csv --store=y"


def test_versions_and_parameters():
    found = collect_provenance({"seed": 3, "gc_source": "/home/me/gc.csv"})
    assert found["parameters"] == {"seed": 3, "gc_source": "gc.csv"}
    assert found["versions"]["numpy"] == np.__version__
    assert json.loads(json.dumps(found)) == found


def test_table_and_provenance_belong_together(tmp_path):
    table = pd.DataFrame({"mae": [1 / 3], "n": [1]})
    path = tmp_path / "cohort" / "errors.csv"
    write_table(table, path, {"seed": 1})
    assert path.read_text() == "mae,n\n0.333333,1\n"
    record = json.loads((tmp_path / "cohort" / "errors.provenance.json").read_text())
    assert record == {"seed": 1, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert len(list(path.parent.iterdir())) == 2


def test_an_interruption_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    files.write_atomically(path, "old")

    def interrupted(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(path, "new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "old")]


def test_others_may_read_what_is_written(tmp_path):
    (tmp_path / "usual").write_text("")
    files.write_atomically(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode
