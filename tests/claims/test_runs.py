"""Runs are ordered by how close they are to the paper, and a claim is judged by the closest."""

import numpy as np
import pandas as pd
import pytest

from vaeimpute.claims import closest_run, judge, judge_closest, load_all_runs
from vaeimpute.files import write_table

NETWORKS = {"paper": ([6000, 2000], 200, 250), "quick": ([256], 32, 100)}


def errors(ratio, scenarios=("mcar_05", "mcar_10", "mcar_30"), n_splits=10):
    """Errors of a VAE that are those of KNN times a ratio."""
    rng = np.random.default_rng(0)
    rows = [
        (seed, scenario, method, error * (1 + rng.normal(0, 0.001)))
        for seed in range(n_splits)
        for scenario in scenarios
        for method, error in (("KNN", 0.5), ("SVD", 0.5), ("VAE", 0.5 * ratio))
    ]
    return pd.DataFrame(rows, columns=["seed", "scenario", "method", "mae"])


@pytest.fixture
def write(tmp_path):
    """Write a table as `vaeimpute reproduce` does; return the folder of results."""

    def write_one(cohort, profile, table, name="expression_errors", **changed):
        sizes = dict(zip(("hidden_sizes", "latent_dim", "n_epochs"),
                         NETWORKS[profile.partition(",")[0]], strict=True))  # fmt: skip
        parameters = {**sizes, "n_training_rows": 100, "batch_size": 250, **changed}
        path = tmp_path / cohort / profile / f"{name}.csv"
        write_table(table, path, {"parameters": parameters})
        return tmp_path

    return write_one


def test_the_closest_come_first(write):
    write("mine", "paper", errors(1))
    write("glioma-gliovis", "quick", errors(1))
    write("breast-gse1992", "paper", errors(1))
    write("breast-gse1992", "paper,n_epochs=750", errors(1, n_splits=1), n_epochs=750)
    folder = write("glioma-gliovis", "paper", errors(1), n_training_rows=553)
    runs = load_all_runs(folder)
    assert [(run.cohort, run.profile, run.steps, run.n_splits) for run in runs] == [
        ("glioma-gliovis", "paper", 750, "10 splits"),
        ("breast-gse1992", "paper,n_epochs=750", 750, "1 split"),
        ("breast-gse1992", "paper", 250, "10 splits"),
        ("mine", "paper", 250, "10 splits"),
        ("glioma-gliovis", "quick", 100, "10 splits"),
    ]


def test_the_closest_that_can_tell_decides(write):
    write("glioma-gliovis", "paper", errors(0.9, n_splits=1))  # no errors by sample
    folder = write("breast-gse1992", "quick", errors(0.9))
    runs = load_all_runs(folder)
    run, found = judge_closest("C15", runs)
    assert (run.name, found.verdict) == ("breast-gse1992, 256-32, 100 epochs (quick)", "holds")
    run, found = judge_closest("C15", runs[:1])
    assert (run.cohort, found.verdict) == (runs[0].name, "cannot be told")
    assert judge_closest("C25", runs) is None


def test_parts_of_a_claim_have_runs_of_their_own(write):
    scenarios = ["mcar_05", "mcar_10", "mcar_30"]
    expression = [*scenarios, "mnar_high_gc", "mnar_whole_genes", "mnar_low_values"]
    methylation = [*scenarios, "mnar_whole_sites", "mnar_low_coverage"]
    write("glioma-gliovis", "paper", errors(0.9, expression))
    folder = write("brain-gse74193", "paper", errors(1.2, methylation), "methylation_errors")
    run, found = judge_closest("C3", load_all_runs(folder))
    names = [
        f"{c}, 6000-2000-200, 250 epochs (paper)" for c in ("glioma-gliovis", "brain-gse74193")
    ]
    assert run.name == " and ".join(names)
    assert (found.verdict, found.count) == ("holds in part", "12 of 22")
    assert found.why.startswith("Not as claimed: 5 % at random, VAE / KNN; ")


def test_the_vae_that_is_shifted_is_called_so_and_the_fewer_cells_are_named(write):
    low = errors(1.2, ["mnar_low_values"])
    shifted = low[low["method"] == "VAE"].assign(method="VAE, shifted", mae=0.3)
    folder = write("mine", "paper", pd.concat([errors(1.2, ["mcar_05", "mcar_10"]), low, shifted]))
    (run,) = load_all_runs(folder)
    found = judge("C3", run)
    assert "VAE, shifted / KNN" in set(found.figures["compared"])
    assert found.why.startswith(
        "As claimed: low values, VAE, shifted / KNN; low values, VAE, shifted / SVD. Not known"
    )
    plain = judge("C16", run)  # as the paper means it, of a VAE that is not informed
    assert set(plain.figures["compared"]) == {"VAE / KNN"}


def test_the_closest_run_that_has_a_table_is_shown_or_that_there_is_none(write):
    write("mine", "paper", errors(0.9, n_splits=1), gc_source="simulated")
    write("mine", "paper", errors(0.9), "low_values")
    folder = write("breast-gse1992", "quick", errors(0.9))
    run = closest_run(folder, "expression_errors")
    assert list(run.tables) == ["expression_errors"]
    assert run.description == (
        "mine, 6000-2000-200, 250 epochs (paper), 250 steps, 1 split, simulated GC content"
    )
    none = closest_run(folder, "beta_vae")
    assert (none.tables, none.description) == ({}, "No run in results/ has beta_vae yet")


def test_methods_that_look_like_numbers_are_names(write):
    table = pd.concat(
        errors(1, ["mcar_10"]).replace({"VAE": rate, "KNN": "1e-05"})
        for rate in ("5e-05", "0.0001")
    )
    (run,) = load_all_runs(write("glioma-gliovis", "paper", table, "learning_rates"))
    assert set(run.tables["learning_rates"]["method"]) == {"1e-05", "5e-05", "0.0001", "SVD"}
    assert "0.0005 is not there" in judge_closest("C11", [run])[1].reason
    assert "5e-05 is not" not in judge_closest("C11", [run])[1].reason
