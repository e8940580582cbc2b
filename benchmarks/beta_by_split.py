"""Measure how the errors of beta-VAEs and autoencoders depend on the split and the initial weights.

Run by hand when a model or its training changes::

    python benchmarks/beta_by_split.py

It repeats the experiment of notebooks/09_beta_vae.ipynb, in the quick mode, for several seeds, each
of which gives another split, other masks and other initial weights. A few masks per split are
enough: they matter far less than the split. It writes
``results/breast-gse1992/beta_by_split.csv`` with its provenance, after every seed. With a folder as
argument, what is finished is kept there and not computed again. A quarter of an hour.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from vaeimpute.cohorts import load_cohort
from vaeimpute.experiments import run_experiment
from vaeimpute.experiments.settings import build_betas
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.profiles import read_profile

ROOT = Path(__file__).resolve().parents[1]
COHORT = "breast-gse1992"
SCENARIOS = ["mcar_05", "mcar_10", "mcar_30"]
SEEDS = range(6)
N_TRIALS = 3


def main(store: str | None = None) -> None:
    """Run all seeds and write the table."""
    profile = read_profile("quick")
    cohort = load_cohort(COHORT)
    parameters = {"cohort": COHORT} | profile.parameters() | {"n_trials": N_TRIALS}
    path = ROOT / "results" / cohort.name / "beta_by_split.csv"
    tables: list[pd.DataFrame] = []
    for seed in SEEDS:
        imputers = build_betas(profile, seed)
        table = run_experiment(
            cohort, imputers, SCENARIOS, n_trials=N_TRIALS, seed=seed, progress=True, store=store
        ).table
        tables.append(table.drop(columns=["seconds", "fit_seconds"]))
        provenance = collect_provenance(parameters | {"seeds": list(SEEDS[: len(tables)])})
        write_table(pd.concat(tables), path, provenance)


if __name__ == "__main__":
    main(*sys.argv[1:2])
