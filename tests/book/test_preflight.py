"""The check that runs before everything says in one line what is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import preflight

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "book" / "preflight.py"


def run(*arguments, code=None, **environment):
    command = [sys.executable, "-B", *(["-c", code] if code else [str(SCRIPT)]), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}
    )


def only_line(done):
    """The one line on standard error, after checking that it is one and that nothing else was."""
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.strip()


def test_a_python_that_will_do_passes_in_silence():
    done = run("--goal", "book", VAEIMPUTE_MIN_FREE_GB="0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_old_python_is_named_with_the_way_out():
    code = f"""
import runpy, sys
sys.version_info = (3, 9, 18, "final", 0)
sys.argv = [{str(SCRIPT)!r}, "--goal", "test"]
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""
    done = run(code=code)
    assert done.returncode == 1
    line = only_line(done)
    assert line.startswith("Python 3.11 or newer is needed, found 3.9.18 (")
    assert line.endswith("make test PYTHON=python3.12")


def test_an_old_python_can_read_the_script():
    # No old Python is at hand everywhere; what it would stumble over is known.
    source = SCRIPT.read_text(encoding="ascii")
    for newer in ('f"', "f'", ") -> ", ": str", ":=", "from pathlib", "nonlocal ", "yield from"):
        assert newer not in source, newer


def test_a_missing_venv_is_named():
    code = f"""
import runpy, sys
sys.modules["ensurepip"] = None
sys.argv = [{str(SCRIPT)!r}]
runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
"""
    done = run(code=code)
    assert done.returncode == 1
    assert "ensurepip is missing" in only_line(done)
    assert "python3-venv" in done.stderr


def test_too_little_room_says_how_much_where_and_what_to_do():
    done = run("--goal", "book", VAEIMPUTE_MIN_FREE_GB="123456789")
    assert done.returncode == 1
    line = only_line(done)
    assert line.startswith("Too little room on the disk: ")
    assert f"GB free in {ROOT}, 123456789.00 GB needed" in line
    assert "VAEIMPUTE_MIN_FREE_GB" in line


def test_installing_needs_more_room_than_building(monkeypatch):
    monkeypatch.delenv(preflight.OVERRIDE, raising=False)
    monkeypatch.setattr(preflight, "free_gb", lambda folder: 1.5)
    assert preflight.disk_problem(installed=True) is None
    assert "3.00 GB needed" in preflight.disk_problem(installed=False)


def test_the_temporary_folder_needs_room_as_well(monkeypatch):
    monkeypatch.delenv(preflight.OVERRIDE, raising=False)
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    monkeypatch.setattr(
        preflight, "free_gb", lambda folder: 0.5 if folder == "/elsewhere" else 50.0
    )
    assert "0.50 GB free in /elsewhere, 1.00 GB needed" in preflight.disk_problem(installed=False)


def test_watch_passes_a_command_through():
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    done = run("--watch", sys.executable, "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")


def test_watch_ends_with_one_line_if_the_disk_ran_full():
    code = "raise OSError(28, 'No space left on device')"
    done = run("--watch", sys.executable, "-c", code)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("The disk is full (")
    assert last.endswith("free some space and run make again")
