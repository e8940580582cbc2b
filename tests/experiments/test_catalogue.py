"""What cohorts are given before an experiment."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from vaeimpute.claims import load_runs
from vaeimpute.cohorts import Cohort
from vaeimpute.evaluation import mean_absolute_error
from vaeimpute.experiments import run_experiment
from vaeimpute.experiments.catalogue import EXPERIMENTS, prepare_cohort
from vaeimpute.experiments.learning_curve import build_learning_curve
from vaeimpute.experiments.reproduce import write_results
from vaeimpute.imputers import MeanImputer
from vaeimpute.missingness import hide
from vaeimpute.profiles import read_profile


@pytest.fixture
def levels():
    rng = np.random.default_rng(0)
    sites = [f"chr22:{100 * site}" for site in range(20)]
    values = pd.DataFrame(rng.uniform(0.5, 0.9, size=(10, 20)), columns=sites).rename("s{}".format)
    clinical = pd.DataFrame(index=values.index)
    return Cohort("toy", values, clinical, "methylation level", "methylation")


def test_levels_become_logarithms_and_logarithms_stay(levels):
    """Those of levels from 0.5 to 0.9 look like levels."""
    profile = read_profile("quick")
    once = prepare_cohort(levels, profile, seed=0)
    np.testing.assert_allclose(once.values, -np.log(levels.values + 0.01))
    assert once.values.max(axis=None) < 1
    again = prepare_cohort(replace(once, coverage=None), profile, seed=0)
    pd.testing.assert_frame_equal(again.values, once.values)
    pd.testing.assert_frame_equal(again.coverage, once.coverage)
    assert prepare_cohort(once, profile, seed=0) is once


def test_the_variant_with_standard_settings_is_the_standard_network(cohort):
    """So that a store has its training already: the keys say all that a fit depends on."""
    genes = pd.Index(["TP53", "GAPDH", *cohort.values.columns[2:]])
    profile = read_profile("quick", learning_rates=[1e-4, 1e-3])
    named = prepare_cohort(
        replace(cohort, values=cohort.values.set_axis(genes, axis=1), features=None), profile, 0
    )
    keys = {
        name: EXPERIMENTS[name].grid(named, profile, seed=3).fit_key
        for name in ("expression_errors", "low_values", "beta_vae", "learning_rates", "batch_sizes")
    }
    vae = keys["expression_errors"]("VAE")
    assert keys["low_values"]("VAE") == keys["beta_vae"]("beta 1") == vae
    assert keys["beta_vae"]("beta 4") != vae
    assert keys["learning_rates"]("0.001") == keys["batch_sizes"]("batch 250") != vae
    assert keys["learning_rates"]("0.0001") != keys["learning_rates"]("0.001")


def test_the_learning_curve_is_of_all_rows_and_of_thirds_of_them():
    """Of 64 rows, a third is enough for ten neighbours, and a ninth is not."""
    profile = read_profile("quick", n_epochs=6, batch_size=16, hidden_sizes=[4], latent_dim=2)
    built = build_learning_curve(profile, 3, n_samples=64)
    third = {name for name in built if name.endswith(", 21 rows")}
    assert {f"{name}, 21 rows" for name in set(built) - third} == third
    assert built["VAE, 21 rows"].imputer.n_epochs == 12  # of 2 steps each, not 4
    rng = np.random.default_rng(0)
    values = rng.normal(size=(100, 3)) @ rng.normal(size=(3, 40))
    train, true = values[:64], values[64:]
    mask = hide(np.ones(true.shape, bool), 0.1, rng)
    gappy = np.where(mask, np.nan, true)
    errors = {
        name: mean_absolute_error(true, imputer.fit(train).transform(gappy), mask)
        for name, imputer in built.items()
    }
    assert errors["KNN"] < errors["KNN, 21 rows"]


def test_batches_of_the_same_steps_take_as_many(cohort):
    """Of 50 rows, 40 are for training; of these 32 to try on."""
    profile = read_profile("quick", n_epochs=20, batch_size=16, batch_sizes=[4, 8, 16])
    built = EXPERIMENTS["batch_sizes"].grid(cohort, profile, seed=0).imputers
    steps = {name: vae.n_epochs * 32 // vae.batch_size for name, vae in built.items()}
    assert steps == {
        "batch 16": 40,
        "batch 4, same epochs": 160, "batch 4, same steps": 40,
        "batch 8, same epochs": 80, "batch 8, same steps": 40,
    }  # fmt: skip


@pytest.mark.parametrize("source", ["simulated", "Ensembl"])
def test_claims_see_whether_the_gc_content_was_real(cohort, tmp_path, source):
    features = pd.DataFrame({"gc_content": 0.5, "gc_source": source}, cohort.values.columns)
    known = replace(cohort, features=features)
    results = run_experiment(known, {"mean": MeanImputer()}, ["mnar_high_gc"], n_trials=1)
    profile = read_profile("quick")
    path = write_results(results, EXPERIMENTS["expression_errors"], known, profile, [0], tmp_path)
    [run] = load_runs(path.parent).values()
    assert run.simulated_gc == (source == "simulated")


def test_a_method_outside_of_the_grid_is_there_if_it_is_named(cohort):
    grid = EXPERIMENTS["low_values"].grid(cohort, read_profile("quick"), 0, only=["recommended"])
    assert list(grid.imputers) == ["recommended"]
