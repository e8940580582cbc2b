import time

import numpy as np
import pandas as pd
import pytest

from vaeimpute.experiments import run_experiment
from vaeimpute.imputers import GaussianImputer, MeanImputer
from vaeimpute.missingness import mcar
from vaeimpute.splits import split_rows


def imputers():
    return {"mean": MeanImputer(), "Gaussian": GaussianImputer(alpha=0.01)}


def test_one_tidy_row_for_every_cell_of_the_grid(cohort):
    table = run_experiment(cohort, imputers(), ["mcar_10", "mcar_30"], n_trials=3)
    assert list(table) == [
        "cohort", "scenario", "trial", "method", "mae", "rmse", "n_missing", "seconds",
    ]  # fmt: skip
    assert len(table) == len(table.drop_duplicates(["scenario", "trial", "method"])) == 12
    assert (table.loc[table.scenario == "mcar_10", "n_missing"] == 10 * 4).all()
    assert (table["mae"] <= table["rmse"]).all()


def test_errors_are_in_standard_deviations_of_the_training_rows(cohort):
    """The mean absolute deviation of a normal variable is sqrt(2/pi) standard deviations."""
    table = run_experiment(cohort, {"mean": MeanImputer()}, ["mcar_30"], n_trials=10)
    assert table["mae"].mean() == pytest.approx(np.sqrt(2 / np.pi), rel=0.15)


def test_methods_share_masks_and_the_better_one_wins(cohort):
    table = run_experiment(cohort, imputers(), ["mcar_10"], n_trials=5)
    errors = table.pivot(index="trial", columns="method", values="mae")
    assert (errors["Gaussian"] < errors["mean"] / 5).all()
    swapped = run_experiment(cohort, dict(reversed(imputers().items())), ["mcar_10"], n_trials=5)
    pd.testing.assert_frame_equal(
        errors, swapped.pivot(index="trial", columns="method", values="mae")
    )


def test_a_trial_does_not_depend_on_how_many_there_are(cohort):
    few = run_experiment(cohort, imputers(), ["mcar_10"], n_trials=2)
    many = run_experiment(cohort, imputers(), ["mcar_05", "mcar_10"], n_trials=4)
    kept = many[(many["scenario"] == "mcar_10") & (many["trial"] < 2)].reset_index(drop=True)
    pd.testing.assert_frame_equal(few.drop(columns="seconds"), kept.drop(columns="seconds"))


def test_a_scenario_with_other_parameters_is_taken_as_it_is(cohort):
    table = run_experiment(cohort, {"mean": MeanImputer()}, [mcar(0.5)], n_trials=1)
    assert table[["scenario", "n_missing"]].values.tolist() == [["mcar_50", 10 * 20]]


def test_an_unknown_scenario_lists_the_known_ones(cohort):
    with pytest.raises(ValueError, match=r"Unknown scenario 'mcar_99'; choose from .*mcar_10"):
        run_experiment(cohort, imputers(), ["mcar_99"])


class Recorder(MeanImputer):
    """Keeps what it was fitted to."""

    def fit(self, X, y=None):
        self.fitted_to = X.copy()
        return super().fit(X)


def test_test_rows_have_no_part_in_scaling_and_fitting(cohort):
    split = split_rows(50, seed=0)
    recorder = Recorder()
    run_experiment(cohort, {"mean": recorder}, ["mcar_10"], n_trials=1, split=split)
    train = cohort.values.to_numpy()[split.train]
    expected = (train - train.mean(axis=0)) / train.std(axis=0)
    np.testing.assert_allclose(recorder.fitted_to, expected, atol=1e-10)


def test_seconds_are_those_of_imputing(cohort):
    class Slow(MeanImputer):
        def fit(self, X, y=None):
            time.sleep(0.5)
            return super().fit(X)

        def transform(self, X):
            time.sleep(0.05)
            return super().transform(X)

    seconds = run_experiment(cohort, {"slow": Slow()}, ["mcar_10"], n_trials=2)["seconds"]
    assert (seconds >= 0.05).all()
    assert seconds.min() < 0.5
