"""Compare `SVDImputer` with the software that the paper used, fancyimpute's `IterativeSVD`.

Run by hand when the imputer changes::

    VAEIMPUTE_DATA=<folder> python benchmarks/svd_against_fancyimpute.py --environment <folder>

fancyimpute does not run with today's scikit-learn, so it gets a virtual environment of its own,
which is created if it is not there. Both programs fill the same test rows of the same real
matrices, on one thread each, in turns; seconds are those of the processor. The table
``results/benchmarks/svd_against_fancyimpute.csv`` has the errors of both, the fastest of their
runs, and in ``times_faster`` the ratio of the seconds; the provenance is next to it. Without
VAEIMPUTE_DATA, only the breast tumours are compared and nothing is written. About ten minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.cohorts import Cohort, load_cohort
from vaeimpute.evaluation import mean_absolute_error, root_mean_squared_error
from vaeimpute.missingness import SCENARIOS, trial_rng
from vaeimpute.splits import split_rows

ROOT = Path(__file__).resolve().parents[1]
WORKER = Path(__file__).with_name("svd_worker.py")
OUT = ROOT / "results" / "benchmarks"
REQUIREMENTS = ["fancyimpute==0.7.0", "scikit-learn<1.8"]
SCENARIO = "mcar_10"
# The paper's rank; on fewer samples, fancyimpute needs one below their number.
RANKS = {"breast-gse1992": 100, "glioma_gliovis": 415}


def main() -> None:
    """Run both programs on every cohort and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environment", type=Path, required=True, help="for fancyimpute")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each program")
    options = parser.parse_args()
    peer = _python_with_fancyimpute(options.environment)
    cohorts = _cohorts()
    rows = []
    for name, cohort in cohorts.items():
        rows.append({"cohort": name} | _compare(cohort, RANKS[name], peer, options.repeats))
        print(json.dumps(rows[-1], indent=1), flush=True)
    if set(cohorts) == set(RANKS):
        _write(pd.DataFrame(rows), options, peer)


def _python_with_fancyimpute(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
    return python


def _cohorts() -> dict[str, Cohort]:
    cohorts = {"breast-gse1992": load_cohort("breast-gse1992")}
    data = os.environ.get("VAEIMPUTE_DATA")
    if data:
        folder = Path(data) / "glioma_gliovis"
        cohorts["glioma_gliovis"] = load_cohort(folder / "expr_all_affy.parquet")
    return cohorts


def _compare(cohort: Cohort, rank: int, peer: Path, repeats: int) -> dict:
    split = split_rows(len(cohort.values), strata=cohort.strata, seed=0)
    standardized = cohort.standardize(split.train)
    values = standardized.values.to_numpy()
    train, true = values[split.train], values[split.test]
    mask = SCENARIOS[SCENARIO].mask(standardized, split.test, trial_rng(0, SCENARIO, 0))
    row = {
        "scenario": SCENARIO,
        "n_train": len(train),
        "n_test": len(true),
        "n_features": true.shape[1],
        "n_missing": int(mask.sum()),
        "rank": rank,
    }
    programs = {"vaeimpute": Path(sys.executable), "fancyimpute": peer}
    seconds: dict[str, list[float]] = {program: [] for program in programs}
    imputed = {}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/matrix.npz", train=train, rows=np.where(mask, np.nan, true), rank=rank)
        for _ in range(repeats):
            for program, python in programs.items():
                subprocess.run(
                    [python, WORKER, program, folder],
                    check=True,
                    env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                )
                with np.load(f"{folder}/{program}.npz") as result:
                    imputed[program] = result["imputed"]
                    seconds[program].append(float(result["seconds"]))
    for program in programs:
        row[f"{program}_mae"] = mean_absolute_error(true, imputed[program], mask)
        row[f"{program}_rmse"] = root_mean_squared_error(true, imputed[program], mask)
        row[f"{program}_seconds"] = min(seconds[program])
    row["largest_difference"] = float(np.abs(np.subtract(*imputed.values())).max())
    row["times_faster"] = row["fancyimpute_seconds"] / row["vaeimpute_seconds"]
    return row


def _write(table: pd.DataFrame, options: argparse.Namespace, peer: Path) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    table.to_csv(OUT / "svd_against_fancyimpute.csv", index=False, float_format="%.6g")
    code = (
        "from importlib.metadata import version; import json; print(json.dumps("
        "{n: version(n) for n in ('fancyimpute', 'numpy', 'scikit-learn', 'scipy')}))"
    )
    theirs = subprocess.run([peer, "-c", code], capture_output=True, text=True, check=True)
    provenance = {
        "command": "python svd_against_fancyimpute.py --environment <folder> "
        f"--repeats {options.repeats}",
        "parameters": {
            "n_components": RANKS,
            "schedule": "doubling",
            "max_iter": 16,
            "tol": 5e-4,
            "threads": 1,
            "repeats": options.repeats,
            "seconds": "processor time of the fastest run, fit included, start of the program not",
            "seed": 0,
        },
        "versions": {
            name: version(name) for name in ("vaeimpute", "numpy", "scikit-learn", "scipy")
        },
        "peer_versions": json.loads(theirs.stdout),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors",
        "commit": subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip(),
        "date": date.today().isoformat(),
    }
    text = json.dumps(provenance, indent=1) + "\n"
    (OUT / "svd_against_fancyimpute.provenance.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
