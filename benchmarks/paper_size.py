"""Train the paper's networks at full size on real tumours, and measure how well they impute.

Run by hand when a model or its training changes; `VAEIMPUTE_DATA` names the folder of the larger
cohorts::

    python benchmarks/paper_size.py            # all parts, hours on two cores
    python benchmarks/paper_size.py errors     # only that part

The parts are ``errors`` (the VAE against other methods), ``architectures`` (Figure S1),
``learning_rates`` (the paper's grid), ``beta`` (Figure 5, and autoencoders without probabilities)
and ``iterations`` (errors over twenty passes of imputation). Each writes
``results/<cohort>/paper_size_<part>.csv`` with its provenance. Models that are trained are kept in
``data/cache/paper_size``, and training goes on from a checkpoint there, so an interrupted run
loses ten minutes at most.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from vaeimpute.provenance import write_table

from vaeimpute.cohorts import Cohort, load_cohort, log_counts
from vaeimpute.evaluation import mean_absolute_error
from vaeimpute.experiments import run_experiment
from vaeimpute.imputers import (
    AutoencoderImputer,
    GaussianImputer,
    KNNImputer,
    MeanImputer,
    VAEImputer,
    load_imputer,
    save_imputer,
)
from vaeimpute.missingness import SCENARIOS, trial_rng
from vaeimpute.selection import LEARNING_RATES, paper_architectures
from vaeimpute.splits import Split, split_rows

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "data" / "cache" / "paper_size"
FOLDER = "tcga_small_cohorts_rnaseqv2"
N_EPOCHS, N_TRIALS, SEED = 250, 10, 0
MCAR = ("mcar_05", "mcar_10", "mcar_30")


def main(arguments: list[str] | None = None) -> None:
    """Run the parts that are named, or all, and write their tables."""
    parts: dict[str, Callable[[Cohort, Split], pd.DataFrame]] = {
        "errors": errors,
        "learning_rates": learning_rates,
        "beta": beta,
        "architectures": architectures,
        "iterations": iterations,
    }
    parser = argparse.ArgumentParser(description="The paper's networks at full size.")
    parser.add_argument("parts", nargs="*", choices=[*parts, []], metavar="PART")
    chosen = parser.parse_args(arguments).parts or list(parts)
    cohort = load_tumours()
    split = split_rows(len(cohort.values), strata=cohort.strata, seed=SEED)
    for part in chosen:
        table = parts[part](cohort, split)
        write_table(
            table.round(6),
            ROOT / "results" / cohort.name / f"paper_size_{part}.csv",
            {"part": part, "n_epochs": N_EPOCHS, "n_trials": N_TRIALS, "seed": SEED,
             "n_train": len(split.train), "n_tune": len(split.tune), "n_test": len(split.test),
             "n_features": cohort.values.shape[1], "samples": "without STAD"},
        )  # fmt: skip


def load_tumours() -> Cohort:
    """Load the small TCGA cohorts: the paper's platform, prepared as the paper prepares it."""
    folder = Path(os.environ["VAEIMPUTE_DATA"], FOLDER)
    cohort = load_cohort(
        str(folder / "expr_rsem_normalized.parquet"), clinical=folder / "clinical.csv"
    )
    # The stomach tumours are an early freeze from another centre.
    kept = cohort.clinical["cohort"] != "STAD"
    cohort = replace(
        cohort, name="tcga-small-cohorts", values=cohort.values[kept],
        clinical=cohort.clinical[kept], units="RSEM-normalised count", stratify_by="cohort",
    )  # fmt: skip
    return log_counts(cohort)


class Kept:
    """An imputer that is fitted once: what it learnt is kept in a file and read from there.

    Parameters
    ----------
    name : str
        Of the file.
    imputer : VAEImputer or AutoencoderImputer
    """

    def __init__(self, name: str, imputer: VAEImputer | AutoencoderImputer) -> None:
        self.path = CACHE / f"{name}.safetensors"
        checkpoint = self.path.with_suffix(".checkpoint")
        self.imputer = imputer.set_params(checkpoint=str(checkpoint), progress=True)

    def fit(self, X: np.ndarray) -> Kept:
        """Fit, or read what was learnt from the same number of rows with the same parameters."""
        if self.path.exists():
            kept = load_imputer(self.path)
            same = kept.get_params() == self.imputer.get_params()
            if same and np.allclose(kept._scaler.mean_, X.mean(axis=0)):
                self.imputer = kept
                return self
        print(f"training {self.path.stem} on {len(X)} rows", flush=True)
        self.imputer.fit(X)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        save_imputer(self.imputer, self.path, units="standard deviations")
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Impute."""
        return self.imputer.transform(X)


def vae(**parameters: object) -> VAEImputer:
    """Return the paper's network with some parameters changed."""
    return VAEImputer(n_epochs=N_EPOCHS, random_state=SEED).set_params(**parameters)


def errors(cohort: Cohort, split: Split) -> pd.DataFrame:
    """Compare the paper's VAE with other methods in the scenarios that need no annotation."""
    imputers = {
        "mean": MeanImputer(),
        "KNN": KNNImputer(),
        "Gaussian": GaussianImputer(random_state=SEED),
        "VAE": Kept("vae", vae()),
    }
    scenarios = [*MCAR, "mnar_whole_genes", "mnar_low_values"]
    return grid(cohort, split, imputers, scenarios)


def architectures(cohort: Cohort, split: Split) -> pd.DataFrame:
    """Figure S1: six networks on the validation rows."""
    networks = paper_architectures(cohort.values.shape[1])
    return tuning(cohort, split, {name: vae(**network) for name, network in networks.items()})


def learning_rates(cohort: Cohort, split: Split) -> pd.DataFrame:
    """Compare the paper's learning rates on the validation rows."""
    return tuning(cohort, split, {f"{r:g}": vae(learning_rate=r) for r in LEARNING_RATES})


def beta(cohort: Cohort, split: Split) -> pd.DataFrame:
    """Figure 5: beta-VAEs, and beside them autoencoders without probabilities."""
    plain = AutoencoderImputer(n_epochs=N_EPOCHS, random_state=SEED)
    imputers = {
        "beta 0": Kept("beta_0", vae(beta=0.0)),
        "beta 1": Kept("vae", vae()),
        "beta 4": Kept("beta_4", vae(beta=4.0)),
        "beta 10": Kept("beta_10", vae(beta=10.0)),
        "autoencoder": Kept("autoencoder", plain),
    }
    return grid(cohort, split, imputers, MCAR)


def iterations(cohort: Cohort, split: Split, n_iterations: int = 20) -> pd.DataFrame:
    """Follow the error and the change of the imputed values over the passes."""
    plain = AutoencoderImputer(n_epochs=N_EPOCHS, random_state=SEED)
    standardized = cohort.standardize(split.train)
    values = standardized.values.to_numpy()
    true = values[split.test]
    mask = SCENARIOS["mcar_10"].mask(standardized, split.test, trial_rng(SEED, "mcar_10", 0))
    rows = []
    for method, kept in {
        "VAE": Kept("vae", vae()),
        "autoencoder": Kept("autoencoder", plain),
    }.items():
        imputer = kept.fit(values[split.train]).imputer
        for init in ("random", "mean"):
            before = None
            for n in range(1, n_iterations + 1):
                imputer.set_params(init=init, n_iterations=n)
                filled = imputer.transform(np.where(mask, np.nan, true))
                rows.append({
                    "cohort": cohort.name, "method": method, "init": init, "iteration": n,
                    "mae": mean_absolute_error(true, filled, mask),
                    "mean_change": np.nan if before is None
                    else float(np.abs(filled - before)[mask].mean()),
                })  # fmt: skip
                before = filled
    return pd.DataFrame(rows)


def grid(
    cohort: Cohort, split: Split, imputers: dict[str, object], scenarios: Iterable[str]
) -> pd.DataFrame:
    """Run all trials of some scenarios."""
    return run_experiment(
        cohort, imputers, scenarios, n_trials=N_TRIALS, seed=SEED, split=split, progress=True
    )


def tuning(cohort: Cohort, split: Split, candidates: dict[str, VAEImputer]) -> pd.DataFrame:
    """Compare settings on the validation rows."""
    kept = {
        name: Kept(f"tune_{'_'.join(name.replace(',', '').split())}", imputer)
        for name, imputer in candidates.items()
    }
    return grid(cohort, split.for_tuning(), kept, ["mcar_10"])


if __name__ == "__main__":
    main()
