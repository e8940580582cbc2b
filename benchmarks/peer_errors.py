"""Measure the errors of other programs beside the methods of this package.

By hand, ``python benchmarks/peer_errors.py COHORT ...``: 1000 features of each cohort, drawn at
random; the test rows of one split lose a tenth of their values at random, whole features, or half
of their low values; and every program fills the same rows from the same training rows, in standard
deviations. Programs run in virtual environments of their own, one hour at most. They have their
default settings, but for ranks (20 of the factor models) and scikit-learn's regressions (on 100
features each, as its documentation advises for many features, in ten rounds).
``results/benchmarks/peer_errors.csv``; what is there stays, so it goes on where it was.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

from peers import PACKAGES, ROOT, Peers, say
from vaeimpute.cohorts import load_cohort
from vaeimpute.evaluation import mean_absolute_error
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.methods import METHODS
from vaeimpute.missingness import trial_masks
from vaeimpute.profiles import read_profile
from vaeimpute.seeding import generator
from vaeimpute.splits import split_rows

PATH = ROOT / "results" / "benchmarks" / "peer_errors.csv"
N_FEATURES = 1000
HOUR = 3600
SCENARIOS = {
    "expression": ("mcar_10", "mnar_whole_genes", "mnar_low_values"),
    "methylation": ("mcar_10", "mnar_whole_sites"),
}
OURS = ("mean", "knn", "svd", "svd_tuned", "gaussian", "recommended", "vae")
THEIRS: dict[str, dict[str, Any]] = {
    "scikit-learn IterativeImputer": {"rounds": 10, "nearest": 100},
    "imputation-methods SoftImpute": {},
    "vbpca-py VBPCA": {"rank": 20},
    "gcimpute copula": {"rank": 20},
    "pimms-learn VAE": {
        "hidden_sizes": [512], "latent_dim": 50, "n_epochs": 100, "batch_size": 64
    },
    "pyimputelcmd QRILC": {},
    "pyimputelcmd MinProb": {},
}  # fmt: skip


def main(cohorts: list[str]) -> None:
    """Measure what is missing in the table."""
    rows = pd.read_csv(PATH).to_dict("records") if PATH.exists() else []
    done = {(row["cohort"], row["scenario"], row["program"]) for row in rows}
    with tempfile.TemporaryDirectory() as folder:
        peers = Peers(Path(folder), HOUR)
        peers.install(*sorted({name.split()[0] for name in THEIRS} & set(PACKAGES)))
        for name in cohorts:
            for row in measure(name, peers, done):
                rows.append(row)
                say(" ".join(f"{value}" for value in row.values()))
                packages = {peer: PACKAGES[peer] for peer in PACKAGES if peer in str(THEIRS)}
                provenance = collect_provenance({"seed": 0, "threads": 1, "peers": packages})
                write_table(pd.DataFrame(rows), PATH, provenance)


def measure(cohort: str, peers: Peers, done: set[tuple[str, str, str]]) -> Iterator[dict[str, Any]]:
    """Yield one row for every way of losing values and program that is not done."""
    data = load_cohort(cohort)
    drawn = generator(0, "panel").choice(data.values.columns, N_FEATURES, replace=False)
    data = data.select_features(drawn)
    split = split_rows(len(data.values), strata=data.strata, seed=0)
    data = data.standardize(split.train)
    train, test = (data.values.to_numpy()[at] for at in (split.train, split.test))
    for scenario in SCENARIOS[data.data_type]:
        (mask,) = trial_masks(scenario, data, split.test, 1, 0)
        rows = np.where(mask, np.nan, test)
        matrix = peers.save(train, rows)
        for program in (*(METHODS[key].label for key in OURS), *THEIRS):
            if (cohort, scenario, program) not in done:
                if program in THEIRS:
                    found = theirs(program, peers, matrix)
                else:
                    found = ours(program, train, rows)
                filled = found.pop("filled", None)
                error = np.nan if filled is None else mean_absolute_error(test, filled, mask)
                place = {"cohort": cohort, "scenario": scenario, "program": program}
                yield place | {"mae": error} | {"seconds": np.nan, "note": ""} | found


def ours(label: str, train: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    """Fill rows by a method of this package, in the sizes of the quick profile."""
    (method,) = (one for one in METHODS.values() if one.label == label)
    begin = process_time()
    filled = method.build(read_profile("quick"), random_state=0).fit(train).transform(rows)
    return {"filled": filled, "seconds": process_time() - begin}


def theirs(program: str, peers: Peers, matrix: str) -> dict[str, Any]:
    """Fill rows by another program."""
    found = peers.measure(program, matrix=matrix, parameters=THEIRS[program], cold=True, keep=True)
    if "note" in found:
        return {"note": found["note"]}
    seconds = found["fit_seconds"] + found["impute_seconds"]
    return {"filled": np.load(peers.folder / "imputed.npy"), "seconds": seconds}


if __name__ == "__main__":
    main(sys.argv[1:] or ["breast-gse1992"])
