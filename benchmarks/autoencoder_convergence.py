"""Look for a training with which the iterations of a plain autoencoder do not converge.

Run by hand when the autoencoder or its training changes::

    python benchmarks/autoencoder_convergence.py
    python benchmarks/autoencoder_convergence.py --cohort glioma-gliovis --profile paper

Autoencoders of the profile's size learn at several rates for several numbers of epochs. Of each, 20
passes over the test rows are followed, with 30 and with 90 % of every row hidden, and the spectral
radius of a pass is measured where they end. It writes ``autoencoder_convergence.csv`` to the folder
of cohort and profile in ``results/``, with its provenance, after every training; those that are in
it already are not repeated. Some minutes in the quick mode's size; the paper's wants a GPU.
"""

from __future__ import annotations

import argparse
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
    device = next(imputer.model_.parameters()).device
    where = torch.from_numpy(filled).float().to(device), torch.from_numpy(mask).to(device)
    radii = spectral_radius(imputer.model_.reconstruct, *where)
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
    parser = argparse.ArgumentParser(description="Follow the iterations of plain autoencoders.")
    parser.add_argument("--cohort", default="breast-gse1992")
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--output", type=Path, default=ROOT / "results")
    options = parser.parse_args()
    profile, cohort = read_profile(options.profile), load_cohort(options.cohort)
    split = split_rows(len(cohort.values), strata=cohort.strata, seed=SEED)
    standardized = cohort.standardize(split.train)
    values = standardized.values.to_numpy()
    path = options.output / cohort.name / profile.name / "autoencoder_convergence.csv"
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
        run = {"cohort": cohort.name, "seed": SEED, "n_passes": N_PASSES}
        parameters = run | profile.parameters()
        for name in ("learning_rate", "n_epochs"):
            del parameters[name]
        write_table(pd.DataFrame(rows), path, collect_provenance(parameters))


if __name__ == "__main__":
    main()
