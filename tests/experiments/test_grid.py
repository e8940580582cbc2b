import numpy as np
import pandas as pd
import pytest

from vaeimpute.experiments import run_experiment, units
from vaeimpute.imputers import GaussianImputer, MeanImputer, RandomImputer
from vaeimpute.missingness import mcar, trial_masks
from vaeimpute.splits import split_rows


def imputers():
    return {"mean": MeanImputer(), "Gaussian": GaussianImputer(alpha=0.01)}


def test_one_tidy_row_for_every_cell_of_the_grid(cohort):
    table = run_experiment(cohort, imputers(), ["mcar_10", "mcar_30"], n_trials=3).table
    assert list(table) == [
        "cohort", "scenario", "trial", "method", "mae", "rmse", "n_missing", "seconds",
        "fit_seconds", "seed",
    ]  # fmt: skip
    assert len(table) == len(table.drop_duplicates(["scenario", "trial", "method"])) == 12
    assert (table.loc[table.scenario == "mcar_10", "n_missing"] == 10 * 4).all()
    assert (table["mae"] <= table["rmse"]).all()


def test_errors_are_in_standard_deviations_of_the_training_rows(cohort):
    """The mean absolute deviation of a normal variable is sqrt(2/pi) standard deviations."""
    table = run_experiment(cohort, {"mean": MeanImputer()}, ["mcar_30"], n_trials=10).table
    assert table["mae"].mean() == pytest.approx(np.sqrt(2 / np.pi), rel=0.15)


def test_methods_share_masks_and_the_better_one_wins(cohort):
    table = run_experiment(cohort, imputers(), ["mcar_10"], n_trials=5).table
    errors = table.pivot(index="trial", columns="method", values="mae")
    assert (errors["Gaussian"] < errors["mean"] / 5).all()
    swapped = run_experiment(
        cohort, dict(reversed(imputers().items())), ["mcar_10"], n_trials=5
    ).table
    pd.testing.assert_frame_equal(
        errors, swapped.pivot(index="trial", columns="method", values="mae")
    )


def test_a_trial_does_not_depend_on_how_many_there_are(cohort):
    few = run_experiment(cohort, imputers(), ["mcar_10"], n_trials=2).table
    many = run_experiment(cohort, imputers(), ["mcar_05", "mcar_10"], n_trials=4).table
    kept = many[(many["scenario"] == "mcar_10") & (many["trial"] < 2)].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        few.drop(columns=["seconds", "fit_seconds"]), kept.drop(columns=["seconds", "fit_seconds"])
    )


def test_a_scenario_with_other_parameters_is_taken_as_it_is(cohort):
    table = run_experiment(cohort, {"mean": MeanImputer()}, [mcar(0.5)], n_trials=1).table
    assert table[["scenario", "n_missing"]].values.tolist() == [["mcar_50", 10 * 20]]


def test_an_unknown_scenario_lists_the_known_ones(cohort):
    with pytest.raises(ValueError, match=r"Unknown scenario 'mcar_99'; choose from .*mcar_10"):
        run_experiment(cohort, imputers(), ["mcar_99"])


class Recorder(MeanImputer):
    """Keeps what it was fitted to, and what was missing in what it filled."""

    def fit(self, X, y=None):
        self.fitted_to, self.masks = X.copy(), []
        return super().fit(X)

    def transform(self, X):
        self.masks.append(np.isnan(X))
        return super().transform(X)


def test_masks_are_those_that_trial_masks_draws(cohort):
    """What a chapter shows of a trial is what the table of its experiment was computed from."""
    recorder = Recorder()
    run_experiment(cohort, {"mean": recorder}, ["mnar_low_values"], n_trials=3, seed=5)
    split = split_rows(len(cohort.values), seed=5)
    standardized = cohort.standardize(split.train)
    masks = trial_masks("mnar_low_values", standardized, split.test, 3, seed=5)
    np.testing.assert_array_equal(recorder.masks, masks)
    assert (masks[0] != masks[1]).any()


def test_test_rows_have_no_part_in_scaling_and_fitting(cohort):
    split = split_rows(50, seed=0)
    recorder = Recorder()
    run_experiment(cohort, {"mean": recorder}, ["mcar_10"], n_trials=1, split=split)
    train = cohort.values.to_numpy()[split.train]
    expected = (train - train.mean(axis=0)) / train.std(axis=0)
    np.testing.assert_allclose(recorder.fitted_to, expected, atol=1e-10)


def test_errors_by_sample_add_up_to_the_whole(cohort):
    results = run_experiment(cohort, imputers(), ["mcar_30", "mnar_low_values"], n_trials=3)
    samples = results.samples
    assert list(samples) == [
        "cohort", "scenario", "method", "sample", "mae", "mse", "n_missing", "seed",
    ]  # fmt: skip
    assert set(samples["sample"]) == {f"s{i}" for i in split_rows(50, seed=0).test}
    whole = results.table.set_index(["scenario", "method"])
    for place, part in samples.groupby(["scenario", "method"]):
        rows = whole.loc[[place]]
        assert part["n_missing"].sum() == rows["n_missing"].sum()
        for by_sample, by_trial in ((part["mae"], rows["mae"]), (part["mse"], rows["rmse"] ** 2)):
            expected = np.average(by_trial, weights=rows["n_missing"])
            assert np.average(by_sample, weights=part["n_missing"]) == pytest.approx(expected)


def test_every_split_has_rows_of_its_own(cohort):
    def build(seed):
        return {"mean": MeanImputer(), "random": RandomImputer(random_state=seed)}

    results = run_experiment(cohort, build, ["mcar_10"], n_trials=2, seed=3, n_splits=2)
    assert results.table.groupby("seed").size().to_dict() == {3: 4, 4: 4}
    for seed in (3, 4):
        alone = run_experiment(cohort, build(seed), ["mcar_10"], n_trials=2, seed=seed)
        for table, part in ((results.table, alone.table), (results.samples, alone.samples)):
            of_seed = table[table["seed"] == seed].reset_index(drop=True)
            kept = [name for name in table if "seconds" not in name]
            pd.testing.assert_frame_equal(of_seed[kept], part[kept])


def test_seconds_are_those_of_imputing(cohort, monkeypatch):
    now = 0.0

    class Slow(MeanImputer):
        def fit(self, X, y=None):
            nonlocal now
            now += 500
            return super().fit(X)

        def transform(self, X):
            nonlocal now
            now += 3
            return super().transform(X)

    monkeypatch.setattr(units.time, "perf_counter", lambda: now)
    table = run_experiment(cohort, {"slow": Slow()}, ["mcar_10"], n_trials=2).table
    assert (table["seconds"] == 3).all()
    assert (table["fit_seconds"] == 500).all()
