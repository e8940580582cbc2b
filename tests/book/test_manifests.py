"""The files for those who certify, archive or cite: made of the tables, and up to date."""

import hashlib
import json
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

import manifests

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", manifests.FILES)
def test_files_are_up_to_date(name):
    written = (ROOT / name).read_text("utf-8")
    assert written == manifests.FILES[name](ROOT), "Run: python book/manifests.py"


def test_every_table_has_its_command_and_checksum():
    files = {str(f.relative_to(ROOT)) for f in (ROOT / "results").rglob("[!.]*.csv")}
    files = {f for f in files if not f.endswith(("_samples.csv", "_draws.csv", "_epochs.csv"))}
    check = yaml.safe_load((ROOT / "codecheck.yml").read_text("utf-8"))
    assert {entry["file"] for entry in check["manifest"]} == files
    commands = ("make ", "python ", "vaeimpute ", "a script that is not kept")
    assert all(entry["comment"].startswith(commands) for entry in check["manifest"])
    crate = json.loads((ROOT / "ro-crate-metadata.json").read_text("utf-8"))
    sums = {unquote(e["@id"]): e["sha256"] for e in crate["@graph"] if "sha256" in e}
    assert set(sums) == files
    for file, checksum in sums.items():
        assert hashlib.sha256((ROOT / file).read_bytes()).hexdigest() == checksum, file


def test_nobody_is_said_to_have_checked():
    check = yaml.safe_load((ROOT / "codecheck.yml").read_text("utf-8"))
    assert check["codechecker"] is None
    assert check["certificate"] is None
