"""The advice on whether to use a VAE is what the tables say."""

from pathlib import Path

import numpy as np
import pandas as pd

import which
from vaeimpute.claims import load_all_runs
from vaeimpute.imputers import GaussianImputer, KNNImputer, MeanImputer, SVDImputer, VAEImputer
from vaeimpute.imputers.storage import save_imputer

ROOT = Path(__file__).resolve().parents[2]
TABLES = which.error_tables(load_all_runs(ROOT / "results"))


def test_the_gaussian_or_the_tuned_svd_err_least_unless_low_values_are_missing():
    assert TABLES
    for run, table in TABLES:
        means = table.groupby(["scenario", "method"])["mae"].mean().unstack()[list(which.SERIOUS)]
        best = means.drop(index=means.filter(like="low", axis=0).index).idxmin(axis=1)
        assert set(best) <= {"Gaussian", "SVD, tuned"}, (run.name, best)


def test_counts_are_of_errors_within_two_percent():
    table = pd.DataFrame(
        [("a", "KNN", 1.0), ("a", "SVD", 1.01), ("a", "VAE", 1.03), ("b", "SVD, tuned", 0.5),
         ("b", "VAE", 0.5)],
        columns=["scenario", "method", "mae"],
    )  # fmt: skip
    said = which.counts(which.mean_errors([(None, table)]))
    assert said.startswith("There are 2 comparisons")
    assert said.endswith("KNN 1; SVD 1; SVD, tuned 1; Gaussian 0; VAE 1.\n")


def test_more_training_rows_help_and_the_recommended_method_is_ahead():
    curves = which.learning_curves(load_all_runs(ROOT / "results"))
    assert curves
    for curve in curves:
        assert (curve.iloc[-1] < curve.iloc[0])[["KNN", "Gaussian", "recommended", "VAE"]].all()
        assert curve["recommended"].iloc[-1] < curve["Gaussian"].iloc[-1]
    assert [curve.index[-1] for curve in curves] == sorted(curve.index[-1] for curve in curves)


def test_who_holds_training_rows(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 9))
    imputers = {
        "mean": MeanImputer(),
        "SVD, alone": SVDImputer(n_components=2, joint=False),
        "VAE": VAEImputer(hidden_sizes=(4,), latent_dim=2, n_epochs=1),
        "KNN": KNNImputer(),
        "Gaussian": GaussianImputer(),
    }
    sizes = {}
    for rows in (X, np.repeat(X, 50, axis=0)):
        for name, imputer in imputers.items():
            save_imputer(imputer.fit(rows), tmp_path / "model.safetensors")
            sizes.setdefault(name, []).append((tmp_path / "model.safetensors").stat().st_size)
    grows = {name: large > 1.5 * small for name, (small, large) in sizes.items()}
    assert grows == which.KEEPS_ROWS


def test_intervals_are_those_of_the_chapter():
    covered = which.interval_coverage(ROOT / "notebooks" / "12_impute_your_data.ipynb")
    assert set(covered.index) == {"recommended", "Gaussian", "VAE"}
    assert abs(covered["Gaussian"] - 0.9) < abs(covered["VAE"] - 0.9)
    assert covered["VAE"] < 0.75
