"""Measure how the errors on values missing at random depend on the split into training and test.

Run by hand when an imputer changes::

    python benchmarks/mcar_by_split.py

It repeats the experiment of notebooks/04_expression_rmse.ipynb, with the parameters that stand
there, for several seeds, each of which gives another split, other masks and another model. It
writes ``results/breast-gse1992/mcar_by_split.csv`` with its provenance. Some minutes.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pandas as pd
import papermill

from vaeimpute.cohorts import load_cohort
from vaeimpute.experiments import run_experiment
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.imputers import GaussianImputer, KNNImputer, MeanImputer, VAEImputer

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = ROOT / "notebooks" / "04_expression_rmse.ipynb"
SEEDS = range(10)
VAE = ("hidden_sizes", "latent_dim", "n_epochs", "learning_rate", "n_iterations")


def main() -> None:
    """Run all seeds and write the table."""
    inspected = papermill.inspect_notebook(str(CHAPTER))
    chapter = {name: ast.literal_eval(entry["default"]) for name, entry in inspected.items()}
    cohort = load_cohort(chapter["cohort"])
    tables = []
    for seed in SEEDS:
        imputers = {
            "mean": MeanImputer(),
            "KNN": KNNImputer(n_neighbors=chapter["n_neighbors"]),
            "Gaussian": GaussianImputer(random_state=seed),
            "VAE": VAEImputer(**{name: chapter[name] for name in VAE}, random_state=seed),
        }
        table = run_experiment(
            cohort,
            imputers,
            ["mcar_05", "mcar_10", "mcar_30"],
            n_trials=chapter["n_trials"],
            seed=seed,
            progress=True,
        ).table
        tables.append(table.drop(columns=["seconds", "fit_seconds"]))
    path = ROOT / "results" / cohort.name / "mcar_by_split.csv"
    provenance = collect_provenance(chapter | {"seeds": list(SEEDS)})
    write_table(pd.concat(tables), path, provenance)


if __name__ == "__main__":
    main()
