"""Ctrl-C at any time: status 130, no traceback, and the old output or the new one.

Who interrupts by the clock tests who is quicker. Here, the process interrupts itself, at a place
that is named or counted.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

START = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
from vaeimpute.__main__ import main
where = sys.argv.pop(1)
"""
# At the call of a function.
AT_CALL = f"""{START}
import importlib
module, name = where.split(":")
module = importlib.import_module(module)
inner = getattr(module, name)
def interrupted(*arguments, **options):
    signal.raise_signal(signal.SIGINT)
    return inner(*arguments, **options)
setattr(module, name, interrupted)
main()
"""
# During a call of a library that does not come back to Python. No signal wakes up who waits for a
# lock of the C library, and ctypes lets other threads go on meanwhile.
IN_LIBRARY = f"""{START}
import ctypes, importlib, os, threading, time
module, name = where.split(":")
module = importlib.import_module(module)
library, lock = ctypes.CDLL(None), ctypes.create_string_buffer(256)
library.pthread_mutex_lock(lock)
def stuck(*arguments, **options):
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    library.pthread_mutex_lock(lock)
setattr(module, name, stuck)
main()
"""
# After it has heard of the signal.
TIDYING_UP = IN_LIBRARY.replace(
    "    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n",
    "    try:\n"
    "        signal.raise_signal(signal.SIGINT)\n"
    "    except KeyboardInterrupt:\n"
    "        pass\n",
)
# When so many modules have been imported and files opened, in whatever library that happens.
AT_EVENT = f"""{START}
number = 0
def count(event, arguments):
    global number
    if event in ("import", "open"):
        number += 1
        if number == int(where):
            signal.raise_signal(signal.SIGINT)
sys.addaudithook(count)
try:
    main()
finally:
    print(number)
"""


def run(program, where, *arguments):
    """Return exit status, standard output and standard error of an interrupted command."""
    command = [sys.executable, "-c", program, str(where), "impute", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert [name for name in os.listdir() if name.startswith(".")] == []
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "where",
    [
        "vaeimpute.cli.matrices:read",
        "vaeimpute.comparison.holdout:mean_absolute_error",
        "vaeimpute.tables:write_filled",
        "vaeimpute.tables.delimited:fill",
        "vaeimpute.models:train",
    ],
)
def test_in_every_part_of_the_work(matrix, folder, where):
    Path("out.csv").write_text("old")
    method = {"vaeimpute.models:train": "vae"}.get(where, "auto" if "holdout" in where else "knn")
    arguments = (matrix, "-o", "out.csv", "--force", "--method", method)
    status, _, errors = run(AT_CALL, where, *arguments)
    assert status == 130, errors
    assert "Interrupted. Files are written whole or not at all." in errors
    assert Path("out.csv").read_text() == "old"


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is that of its C library")
@pytest.mark.parametrize("program", [IN_LIBRARY, TIDYING_UP], ids=["deaf", "tidying up"])
@pytest.mark.parametrize("where", ["vaeimpute.cli.matrices:fill", "os:fsync"])
def test_within_a_call_that_never_ends(matrix, folder, where, program):
    Path("out.csv").write_text("old")
    arguments = (matrix, "-o", "out.csv", "--force", "--method", "mean")
    status, _, errors = run(program, where, *arguments)
    assert status == 130, errors
    assert errors.count("Interrupted. Files are written whole or not at all.") == 1
    assert Path("out.csv").read_text() == "old"


@pytest.mark.slow
def test_at_any_time(folder):
    rng = np.random.default_rng(0)
    array = rng.normal(size=(60, 80))
    array[rng.random(array.shape) < 0.1] = np.nan
    pd.DataFrame(array).add_prefix("gene").rename(index="s{}".format).to_csv("in.csv")
    arguments = ("in.csv", "-o", "out.csv", "--force")
    status, output, errors = run(AT_EVENT, 0, *arguments)  # never
    assert status == 0, errors
    n_events = int(output)
    Path("out.csv").write_text("old")
    for share in (0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.95):
        status, _, errors = run(AT_EVENT, 1 + int(share * n_events), *arguments)
        assert status == 130, (share, errors)
        assert Path("out.csv").read_text() == "old"
