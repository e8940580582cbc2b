"""Ctrl-C at any time: status 130, no traceback, and the old output or the new one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

# It says when it starts, and when it is where the test wants to interrupt it.
PROGRAM = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
from vaeimpute.__main__ import main
where = sys.argv.pop(1)
if where != "start":
    import importlib
    module, name = where.split(":")
    module = importlib.import_module(module)
    inner = getattr(module, name)
    def announced(*arguments, **options):
        print("here", flush=True)
        time.sleep(float(sys.stdin.readline()))
        return inner(*arguments, **options)
    setattr(module, name, announced)
else:
    print("here", flush=True)
main()
"""


def start(where, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, where, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "here\n", process.communicate()
    return process


def interrupt(process, after=0.0, pause=30):
    """Return the exit status and standard error of a process that is interrupted."""
    try:
        process.stdin.write(f"{pause}\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert "Traceback" not in errors
    assert [name for name in os.listdir() if name.startswith(".")] == []
    return process.returncode, errors


@pytest.mark.parametrize(
    "where",
    [
        "vaeimpute.cli.matrices:read",
        "vaeimpute.comparison.holdout:mean_absolute_error",
        "vaeimpute.tables:write_filled",
        "vaeimpute.tables.write:fill_text",
        "vaeimpute.models:train",
    ],
)
def test_in_every_part_of_the_work(matrix, folder, where):
    Path("out.csv").write_text("old")
    method = {"vaeimpute.models:train": "vae"}.get(where, "auto" if "holdout" in where else "knn")
    arguments = (matrix, "-o", "out.csv", "--force", "--method", method)
    status, errors = interrupt(start(where, "impute", *arguments), after=0.1)
    assert status == 130, errors
    assert "Interrupted. Files are written whole or not at all." in errors
    assert Path("out.csv").read_text() == "old"


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.0, 0.1, 0.4, 0.8, 1.5, 2.5, 4.0])
def test_at_any_time(folder, after):
    rng = np.random.default_rng(0)
    array = rng.normal(size=(60, 800))
    array[rng.random(array.shape) < 0.1] = np.nan
    pd.DataFrame(array).add_prefix("gene").rename(index="s{}".format).to_csv("in.csv")
    Path("out.csv").write_text("old")
    process = start("start", "impute", "in.csv", "-o", "out.csv", "--force")
    status, errors = interrupt(process, after)
    written = Path("out.csv").read_text()
    if status == 0:  # it was through
        assert pd.read_csv("out.csv").notna().all(axis=None)
    else:
        assert status == 130, errors
        assert written == "old" or written.count("\n") == 61
