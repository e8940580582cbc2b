"""Measure how much longer training helps the VAE on DNA methylation.

Run by hand when the VAE changes::

    python benchmarks/methylation_training.py

It repeats two scenarios of notebooks/06_methylation.ipynb, with the parameters that stand there,
for several numbers of epochs. It writes ``results/brain-gse74193/methylation_training.csv`` with
its provenance. Some minutes.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd
import papermill

from vaeimpute.cohorts import draw_samples, load_cohort, negative_log, with_simulated_coverage
from vaeimpute.experiments import run_experiment
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.imputers import KNNImputer, SVDImputer, VAEImputer
from vaeimpute.missingness import mnar_low_coverage

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = ROOT / "notebooks" / "06_methylation.ipynb"
EPOCHS = (100, 400)
VAE = ("hidden_sizes", "latent_dim", "learning_rate", "batch_size", "n_iterations")


def main() -> None:
    """Train with every number of epochs and write the table."""
    inspected = papermill.inspect_notebook(str(CHAPTER))
    chapter = {name: ast.literal_eval(entry["default"]) for name, entry in inspected.items()}
    seed = chapter["seed"]
    levels = draw_samples(load_cohort(chapter["cohort"]), chapter["n_samples"], seed=seed)
    cohort = with_simulated_coverage(negative_log(levels), seed=seed)
    vae = {name: chapter[name] for name in VAE}
    imputers = {
        "KNN": KNNImputer(n_neighbors=chapter["n_neighbors"]),
        "SVD": SVDImputer(),
        **{f"VAE, {n} epochs": VAEImputer(**vae, n_epochs=n, random_state=seed) for n in EPOCHS},
    }
    table = run_experiment(
        cohort,
        imputers,
        ["mcar_10", mnar_low_coverage(fraction=0.5)],
        n_trials=chapter["n_trials"],
        seed=seed,
        progress=True,
    ).table
    table = table.drop(columns=["seconds", "fit_seconds", "seed"])
    n_epochs = table["method"].str.extract(r"(\d+) epochs", expand=False)
    table["method"] = table["method"].str.partition(",")[0]
    path = ROOT / "results" / cohort.name / "methylation_training.csv"
    provenance = collect_provenance(chapter | {"n_epochs": list(EPOCHS)})
    write_table(table.assign(n_epochs=pd.to_numeric(n_epochs).astype("Int64")), path, provenance)


if __name__ == "__main__":
    main()
