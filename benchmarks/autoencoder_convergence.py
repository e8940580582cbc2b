"""Look for a training with which the iterations of a plain autoencoder do not converge.

Run by hand when the autoencoder or its training changes::

    python benchmarks/autoencoder_convergence.py

Autoencoders of the quick mode's size learn at several rates for several numbers of epochs. Of each,
20 passes over the test rows of breast-gse1992 are followed, with 30 and with 90 % of every row
hidden, and the spectral radius of a pass is measured where they end. It writes
``results/breast-gse1992/quick/autoencoder_convergence.csv`` with its provenance, after every
training; those that are in it already are not repeated. Some minutes.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from vaeimpute.cohorts import load_cohort
from vaeimpute.evaluation import mean_absolute_error
from vaeimpute.evaluation.convergence import spectral_radius
from vaeimpute.experiments.vae_variants import build_betas
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.imputers import AutoencoderImputer
from vaeimpute.missingness import mcar, trial_rng
from vaeimpute.profiles import read_profile
from vaeimpute.splits import split_rows

ROOT = Path(__file__).resolve().parents[1]
COHORT = "breast-gse1992"
RATES = (1e-4, 1e-3, 1e-2)
EPOCHS = (30, 100, 300)
SHARES = (0.3, 0.9)
N_PASSES = 20
SEED = 0


def follow(imputer: AutoencoderImputer, true: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
    """Follow the passes of a fitted imputer over test rows."""
    X = np.where(mask, np.nan, true)
    changes = imputer.follow_iterations(X, N_PASSES)["mean_change"]
    filled = imputer.set_params(n_iterations=N_PASSES).transform(X)
    radii = spectral_radius(
        imputer.model_.reconstruct, torch.from_numpy(filled).float(), torch.from_numpy(mask)
    )
    return {
        "first_change": changes.iloc[0],
        "last_change": changes.iloc[-1],
        "mae": mean_absolute_error(true, filled, mask),
        "mae_mean": mean_absolute_error(true, np.zeros_like(true), mask),
        "radius": np.median(radii),
        "largest_radius": radii.max(),
    }


def main() -> None:
    """Train, follow and write the table."""
    profile = read_profile("quick")
    cohort = load_cohort(COHORT)
    split = split_rows(len(cohort.values), strata=cohort.strata, seed=SEED)
    standardized = cohort.standardize(split.train)
    values = standardized.values.to_numpy()
    path = ROOT / "results" / cohort.name / profile.name / "autoencoder_convergence.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    done = {(row["learning_rate"], row["n_epochs"]) for row in rows}
    for rate, n_epochs in product(RATES, EPOCHS):
        if (rate, n_epochs) in done:
            continue
        imputer = build_betas(profile, SEED)["autoencoder"]
        imputer.set_params(learning_rate=rate, n_epochs=n_epochs).fit(values[split.train])
        for share in SHARES:
            scenario = mcar(share)
            mask = scenario.mask(standardized, split.test, trial_rng(SEED, scenario.key, 0))
            loss = imputer.history_["loss"].iloc[-1] / values.shape[1]
            case = {"learning_rate": rate, "n_epochs": n_epochs, "training_mse": loss,
                    "share": share}  # fmt: skip
            rows.append(case | follow(imputer, values[split.test], mask))
        parameters = {"cohort": COHORT, "seed": SEED, "n_passes": N_PASSES} | profile.parameters()
        for name in ("learning_rate", "n_epochs"):
            del parameters[name]
        write_table(pd.DataFrame(rows), path, collect_provenance(parameters))


if __name__ == "__main__":
    main()
