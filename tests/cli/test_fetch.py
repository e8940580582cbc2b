"""`vaeimpute fetch`: what it prints, its exit status, and what an interruption leaves."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import asdict, replace

import pytest
from typer.testing import CliRunner

from vaeimpute.cli import app
from vaeimpute.cohorts import registry
from vaeimpute.cohorts.registry import COHORTS

NAMES = [
    "blueprint-wgbs",
    "brain-gse74193",
    "breast-gse1992",
    "breast-gse4335",
    "glioma-gliovis",
    "glioma-gliovis-uncentred",
    "pbmc68k-reduced",
    "simulated-glioma",
    "simulated-glioma-large",
    "simulated-methylome",
    "tcga-glioma",
    "tcga-small-cohorts",
]
CALLS = "chr22\t5\t5\t50\t1\t1\nchr22\t9\t9\t100\t3\t0\n"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEIMPUTE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def run(*arguments):
    return CliRunner().invoke(app, ["fetch", *map(str, arguments)])


@pytest.fixture
def served(file_server, cache, monkeypatch, tmp_path):
    """A small cohort in the place of the large one, from the test's own server."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.cov", CALLS)
        archive.writestr("b.cov", CALLS)
        archive.writestr("padding.bin", os.urandom(2_000_000))
    files = {
        "calls": file_server.add("data.zip", buffer.getvalue()),
        "samples": file_server.add("samples.tsv", b"id\tfile\na\ta.cov\nb\tb.cov\n"),
    }
    entry = replace(COHORTS["blueprint-wgbs"], files={"rnbeads": files})
    monkeypatch.setitem(COHORTS, "blueprint-wgbs", entry)
    return file_server


def test_the_list_says_all_there_is_to_know(cache):
    result = run("--list")
    assert result.exit_code == 0
    heads = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert [head.split()[0] for head in heads] == NAMES
    assert "gdc: 1.9 GB; xena: 21.6 MB and 1 file of unknown size" in result.stdout
    assert "about 45.0 GB" in result.stdout
    for label in ("title", "kind", "download", "licence", "citation"):
        assert result.stdout.count(f"\n    {label} ") == len(NAMES)
    assert not cache.exists()


def test_every_entry_is_complete():
    table = registry.list_cohorts()
    assert list(table.index) == NAMES
    assert table.notna().all(axis=None)
    assert (table != "").all(axis=None)
    for entry in COHORTS.values():
        assert (entry.kind == "download") == bool(entry.files)
        assert (entry.kind == "package") == bool(entry.package)
        for files in entry.files.values():
            assert all(file.url.startswith("https://") for file in files.values())
            assert all(file.md5 is None or len(file.md5) == 32 for file in files.values())


def test_the_list_knows_what_is_on_this_machine(served, cache):
    def here(name="blueprint-wgbs"):
        return registry.list_cohorts().loc[name, "here"]

    assert here() == "not downloaded"
    downloads = cache / "downloads" / "blueprint-wgbs"
    downloads.mkdir(parents=True)
    (downloads / "data.zip.part").write_bytes(b"PK")
    assert here() == "partly downloaded"
    (downloads / "data.zip").write_bytes(b"PK")
    (downloads / "samples.tsv").write_bytes(b"")
    assert here() == "downloaded (rnbeads)"
    assert run("blueprint-wgbs").exit_code == 0
    assert here() == "prepared"
    assert here("breast-gse1992") == "installed"
    assert run("breast-gse1992").exit_code == 0
    assert here("breast-gse1992") == "prepared"


def test_a_package_that_is_not_installed(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "SurvSet", None)
    assert registry.list_cohorts().loc["breast-gse1992", "here"] == "needs SurvSet"


def test_fetching(served, cache):
    result = run("blueprint-wgbs")
    assert result.exit_code == 0, result.output
    assert "<Cohort 'blueprint-wgbs': 2 samples x 2 features" in result.stdout
    assert "- 2 samples, -204 against the paper's 206." in result.stdout
    assert str(cache / "downloads" / "blueprint-wgbs") in result.stdout
    assert "Downloading 2.0 MB from 127.0.0.1" in result.stderr
    assert "Downloading" not in result.stdout
    assert run("blueprint-wgbs").exit_code == 0
    assert len(served.requests) == 2


def test_options_reach_the_cohort(served):
    result = run("blueprint-wgbs", "--chromosome", "chr7")
    assert result.exit_code == 1
    assert "a.cov has no line that begins with chr7" in result.stderr


def test_another_cache(served, cache, tmp_path):
    result = run("blueprint-wgbs", "--cache-dir", tmp_path / "elsewhere")
    assert result.exit_code == 0, result.output
    assert any((tmp_path / "elsewhere" / "cohorts").iterdir())
    assert not cache.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["glioma"], f"Unknown cohort 'glioma'; choose one of {', '.join(NAMES)}"),
        ([], "Which cohort?"),
        (["tcga-glioma", "--source", "ebi"], "no source 'ebi'; choose one of gdc, xena"),
        (["breast-gse1992", "--source", "gdc"], "no option 'source'; it takes none"),
        (["tcga-glioma", "--chromosome", "1"], "no option 'chromosome'"),
    ],
)
def test_wrong_usage_ends_with_2(cache, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not cache.exists()


def test_an_error_is_one_line_and_ends_with_1(served, cache):
    served.faults["data.zip"] = ["page"]
    result = run("blueprint-wgbs")
    assert result.exit_code == 1
    assert "Error: 127.0.0.1:" in result.stderr
    assert "sent a web page instead of data.zip" in result.stderr
    assert "Traceback" not in result.output
    assert list((cache / "downloads" / "blueprint-wgbs").iterdir()) == []


def test_debug_shows_where_an_error_comes_from(served):
    served.faults["data.zip"] = ["page"]
    result = run("blueprint-wgbs", "--debug")
    assert type(result.exception).__name__ == "DownloadError"


def test_a_missing_package_is_an_error_of_one_line(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "SurvSet", None)
    result = run("breast-gse1992")
    assert result.exit_code == 1
    assert "Error: This cohort needs SurvSet, which is not installed" in result.stderr


def test_without_the_data_extra(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    monkeypatch.delenv("VAEIMPUTE_CACHE")
    result = run("--list")
    assert result.exit_code == 1
    assert "platformdirs" in result.stderr
    assert "pip install 'vaeimpute[data]'" in result.stderr


PROGRAM = """
import json, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
from vaeimpute.cohorts.download import RemoteFile
from vaeimpute.cohorts.registry import COHORTS
from dataclasses import replace
files = {role: RemoteFile(**file) for role, file in json.loads(sys.argv.pop(1)).items()}
entry = replace(COHORTS["blueprint-wgbs"], files={"rnbeads": files})
COHORTS["blueprint-wgbs"] = entry
from vaeimpute.cli import app
app()
"""


def start(*arguments):
    files = {role: asdict(f) for role, f in COHORTS["blueprint-wgbs"].files["rnbeads"].items()}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(files), "fetch", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_keeps_what_has_arrived_and_nothing_else(served, cache):
    served.faults["data.zip"] = ["stall"]
    size = len(served.files["data.zip"])
    downloads = cache / "downloads" / "blueprint-wgbs"
    process = start("blueprint-wgbs")
    part, patience = downloads / "data.zip.part", time.monotonic() + 600
    try:
        while not (part.exists() and part.stat().st_size > size // 3):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < patience
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=600)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Interrupted. What has been downloaded is kept" in errors
    assert "Traceback" not in errors
    assert sorted(p.name for p in downloads.iterdir()) == ["data.zip.part", "data.zip.part.version"]
    kept = part.stat().st_size

    output, errors = start("blueprint-wgbs").communicate(timeout=600)
    assert "<Cohort 'blueprint-wgbs': 2 samples x 2 features" in output, errors
    assert ("data.zip", f"bytes={kept}-") in served.requests
    assert sorted(p.name for p in downloads.iterdir()) == ["data.zip", "samples.tsv"]


def test_the_loaders_import_no_torch():
    code = (
        "import sys, vaeimpute.cohorts, vaeimpute.cohorts.tcga, vaeimpute.cohorts.wgbs; "
        "print('torch' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"
