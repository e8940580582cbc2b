"""Time matrices of shapes that used to take minutes or did not end.

By hand, on a machine that does nothing else: ``python benchmarks/many_rows.py``, or some of the
shapes by name. Each runs in a process of its own, so that its peak of memory is known:

- ``rows-4000``, ``rows-20640``, ``rows-200000``: ``vaeimpute impute`` without a method, on 30, 8
  and 30 features.
- ``epic``: 865 918 features of 100 samples (a methylation array), filled with KNN in Python.
- ``gliomas``: ``vaeimpute impute`` on 702 x 11196 values as text, of a simulated matrix.
- ``small``: 300 x 20, to see that all of this runs.

A tenth of the values is missing. The table goes to ``_build/bench/many_rows.csv``.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.files import collect_provenance, write_table
from vaeimpute.imputers import KNNImputer

ROOT = Path(__file__).resolve().parents[1]
SHAPES = {
    "small": (300, 20),
    "rows-4000": (4000, 30),
    "rows-20640": (20_640, 8),
    "rows-200000": (200_000, 30),
    "epic": (100, 865_918),
    "gliomas": (702, 11_196),
}


def simulate(n_samples: int, n_features: int) -> np.ndarray:
    """Draw rows near a plane, with a tenth of the values missing."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, 3)) @ rng.normal(size=(3, n_features))
    X += 0.5 * rng.standard_normal(X.shape)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X


def measure(name: str) -> None:
    """Do one of the shapes in this process, and print seconds and gigabytes."""
    X = simulate(*SHAPES[name])
    who = resource.RUSAGE_SELF
    if name == "epic":
        started = time.perf_counter()
        KNNImputer().fit_transform(X)
        seconds = time.perf_counter() - started
    else:
        who = resource.RUSAGE_CHILDREN
        with tempfile.TemporaryDirectory() as folder:
            source, filled = f"{folder}/in.csv", f"{folder}/out.csv"
            table = pd.DataFrame(X).add_prefix("m").rename("s{}".format)
            table.to_csv(source, float_format="%.5f", index_label="id")
            started = time.perf_counter()
            command = [sys.executable, "-m", "vaeimpute", "impute", source, "-o", filled]
            subprocess.run(command, check=True)
            seconds = time.perf_counter() - started
    print(seconds, resource.getrusage(who).ru_maxrss / 1e6)


def main(names: list[str]) -> None:
    """Measure shapes one after the other."""
    rows = []
    for name in names:
        command = [sys.executable, __file__, "--measure", name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        seconds, gigabytes = map(float, done.stdout.split())
        n_samples, n_features = SHAPES[name]
        rows.append({"shape": name, "n_samples": n_samples, "n_features": n_features,
                     "seconds": round(seconds, 2), "gigabytes": round(gigabytes, 2)})  # fmt: skip
        print(rows[-1], flush=True)
    write_table(pd.DataFrame(rows), ROOT / "_build/bench/many_rows.csv", collect_provenance({}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="SHAPE", help=", ".join(SHAPES))
    parser.add_argument("--measure", choices=SHAPES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.chdir(ROOT)
    measure(arguments.measure) if arguments.measure else main(arguments.names or list(SHAPES))
