"""Measure how long a genome-wide text file takes to be read, beside pandas.

Run by hand when `vaeimpute.cohorts` reads tables in another way::

    python benchmarks/reading.py

A file of the size of the paper's (20531 genes x 350 samples, tab separated) is read by
`read_table_cohort`, which checks it and finds out its orientation, and by `pandas.read_csv`, in
turns. It writes ``results/benchmarks/reading.csv`` with its provenance. A minute.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.cohorts.own import read_table_cohort
from vaeimpute.files import collect_provenance, write_table

N_GENES, N_SAMPLES, TURNS = 20531, 350, 3
OUT = Path(__file__).resolve().parents[1] / "results" / "benchmarks" / "reading.csv"


def main() -> None:
    """Read in turns and write the table."""
    rng = np.random.default_rng(0)
    genes = [f"g{number}|{number}" for number in range(N_GENES)]
    table = pd.DataFrame(rng.normal(size=(N_GENES, N_SAMPLES)), genes).add_prefix("GSM")
    programs: dict[str, Callable[[Path], object]] = {
        "vaeimpute": read_table_cohort,
        "pandas": lambda path: pd.read_csv(path, sep="\t", index_col=0),
    }
    seconds: dict[str, list[float]] = {program: [] for program in programs}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "matrix.tsv")
        table.to_csv(path, sep="\t", float_format="%.4f")
        for _ in range(TURNS):
            for program, read in programs.items():
                start = time.process_time()
                read(path)
                seconds[program].append(time.process_time() - start)
    medians = pd.Series({program: np.median(turns) for program, turns in seconds.items()})
    result = medians.rename_axis("program").rename("seconds").reset_index()
    result["times_as_long_as_pandas"] = result["seconds"] / medians["pandas"]
    parameters = {"n_genes": N_GENES, "n_samples": N_SAMPLES, "turns": TURNS}
    write_table(result, OUT, collect_provenance(parameters))


if __name__ == "__main__":
    main()
