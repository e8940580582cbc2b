"""One training, measured at several of its epochs: errors and interval coverage."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from vaeimpute.experiments import Calibration, Grid
from vaeimpute.experiments.along_training import AlongTraining
from vaeimpute.experiments.catalogue import EXPERIMENTS
from vaeimpute.experiments.reproduce import write_results
from vaeimpute.experiments.vae_variants import BETAS
from vaeimpute.imputers import AutoencoderImputer, MeanImputer, VAEImputer
from vaeimpute.profiles import read_profile

SIZES = {"hidden_sizes": (8,), "latent_dim": 2, "learning_rate": 1e-2, "random_state": 0}


@pytest.mark.parametrize("network", [VAEImputer, AutoencoderImputer])
def test_a_stage_is_what_a_shorter_training_ends_with(network):
    X = np.random.default_rng(0).normal(size=(40, 6))
    hidden = np.where(np.eye(40, 6, dtype=bool), np.nan, X)
    along = AlongTraining(network(**SIZES, n_epochs=9), epochs=(3, 6)).fit(X)
    assert list(along.stages_) == [3, 6, 9]
    for epoch, stage in along.stages_.items():
        alone = network(**SIZES, n_epochs=epoch).fit(X)
        np.testing.assert_array_equal(stage.transform(hidden), alone.transform(hidden))
    np.testing.assert_array_equal(along.transform(hidden), along.stages_[9].transform(hidden))
    assert (along.stages_[3].transform(hidden) != along.transform(hidden)).any()


def test_stages_have_rows_of_their_own_and_the_last_is_the_imputers(cohort):
    methods = {
        "VAE": AlongTraining(VAEImputer(**SIZES, n_epochs=4), epochs=(2,)),
        "mean": MeanImputer(),
    }
    results = Grid(cohort, methods, ["mcar_30"], n_trials=2, measure=Calibration()).run()
    table, epochs = results.table.set_index(["method", "trial"]), results.beside["epochs"]
    assert table.loc["mean", ["coverage_90", "coverage_95"]].isna().all(axis=None)
    assert epochs[["method", "trial", "epoch"]].values.tolist() == [
        ["VAE", 0, 2], ["VAE", 0, 4], ["VAE", 1, 2], ["VAE", 1, 4],
    ]  # fmt: skip
    measured = list(Calibration.columns)
    last = epochs[epochs["epoch"] == 4].set_index("trial")[measured]
    pd.testing.assert_frame_equal(last, table.loc["VAE", measured])
    assert (table["coverage_90"].dropna() <= table["coverage_95"].dropna()).all()


def test_coverage_is_counted_over_what_was_hidden():
    """Errors of 0, 1 and 1.8 standard deviations; the entry with the largest is not hidden."""

    class Stated(MeanImputer):
        def predict_std(self, X):
            return np.full(X.shape, 2.0)

    true, mask = np.array([[0.0, 2.0, 3.6, 99.0]]), np.array([[True, True, True, False]])
    row, beside = Calibration()(true, np.zeros((1, 4)), mask, 0, Stated())
    assert row["coverage_90"] == pytest.approx(2 / 3)
    assert row["coverage_95"] == 1
    assert row["mae"] == pytest.approx(5.6 / 3)
    assert not beside


def test_the_experiment_writes_a_table_of_epochs(cohort, tmp_path):
    profile = read_profile("quick", n_epochs=4, hidden_sizes=[4], latent_dim=2, n_trials=1)
    experiment = EXPERIMENTS["beta_calibration"]
    results = experiment.grid(cohort, profile, seed=0).run()
    path = write_results(results, experiment, cohort, profile, [0], tmp_path)
    epochs = pd.read_csv(path.with_stem("beta_calibration_epochs"))
    assert epochs.groupby("method")["epoch"].apply(list).to_dict() == {
        f"beta {beta:g}": [1, 2, 4] for beta in BETAS
    }
    assert pd.read_csv(path).set_index("method").loc["Gaussian", "coverage_95"] > 0.5


def test_a_part_of_the_features_is_drawn_anew_in_each_split(cohort):
    profile = read_profile("quick", n_epochs=1, hidden_sizes=[4], latent_dim=2, n_trials=1)
    few = replace(EXPERIMENTS["noise_schemes"], n_features=10)
    first, again, other = (few.grid(cohort, profile, seed) for seed in (0, 0, 1))
    assert first.train.shape == (40, 10)
    assert list(first.cohort.values) == list(again.cohort.values) != list(other.cohort.values)
    many = replace(few, n_features=99)
    assert many.grid(cohort, profile, 0).train.shape == (40, 40)
