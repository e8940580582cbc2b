"""`vaeimpute reproduce`: what it writes and says, and its exit status."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from vaeimpute.cli import app
from vaeimpute.experiments import Grid, catalogue
from vaeimpute.experiments.catalogue import EXPERIMENTS
from vaeimpute.imputers import MeanImputer

SMALL = """
n_trials: 2
n_neighbors: 3
hidden_sizes: [8]
latent_dim: 2
n_epochs: 2
latent_dims: [2]
learning_rates: [0.001, 0.01]
batch_sizes: [250, 10]
betas: [0, 1]
gc_source: gc.csv
"""
TIMES = ["seconds", "fit_seconds"]
METHODS = ["random", "mean", "KNN", "SVD", "SVD, tuned", "Gaussian", "VAE", "VAE, shifted"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the command runs: with a matrix of genes, one of CpG sites, and a small profile."""
    rng = np.random.default_rng(0)
    samples = [f"s{i}" for i in range(40)]
    values = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 60))
    pd.DataFrame(values, samples).add_prefix("gene").to_csv(tmp_path / "expression.csv")
    levels = 1 / (1 + np.exp(-values))
    pd.DataFrame(levels, samples).add_prefix("cg").to_csv(tmp_path / "levels.csv")
    (tmp_path / "small.yml").write_text(SMALL)
    gc = [f"gene{i},{0.3 + 0.005 * i:.3f}" for i in range(60)]
    (tmp_path / "gc.csv").write_text("\n".join(["gene,gc", *gc]))
    monkeypatch.setenv("VAEIMPUTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, cohort="expression.csv", profile="small.yml"):
    options = ["--cohort", cohort, "--profile", profile]
    return CliRunner().invoke(app, ["reproduce", *options, *map(str, arguments)])


def table(path):
    return pd.read_csv(path)


def test_it_writes_every_experiment_that_applies(folder):
    result = run()
    assert result.exit_code == 0, result.output
    written = sorted(path.name for path in (folder / "results" / "expression" / "small").iterdir())
    experiments = EXPERIMENTS.values()
    names = sorted(
        e.name for e in experiments if e.data_type == "expression" and not e.needs_outcomes
    )
    beside = {"calibration": (), "beta_calibration": ("_epochs",)}  # other measures than errors
    assert written == sorted(
        f"{name}{of}.{end}"
        for name in names
        for of in ("", *beside.get(name, ("_samples",)))
        for end in ("csv", "provenance.json")
    )
    errors = table("results/expression/small/expression_errors.csv")
    assert list(errors) == [
        "cohort", "scenario", "trial", "method", "mae", "rmse", "n_missing", "seconds",
        "fit_seconds", "seed",
    ]  # fmt: skip
    scenarios = [scenario.key for scenario in EXPERIMENTS["expression_errors"].scenarios]
    assert len(scenarios) == 6
    expected = [(m, s, t) for m in METHODS for s in scenarios for t in (0, 1)]
    assert list(errors[["method", "scenario", "trial"]].itertuples(index=False)) == expected
    low = table("results/expression/small/low_values.csv")
    assert low["scenario"].unique().tolist() == [
        f"mnar_low_values{suffix}" for suffix in ("_05", "", "_20", "_30")
    ]


def test_a_clinical_table_brings_what_needs_one(folder):
    rng = np.random.default_rng(1)
    samples = [f"s{i}" for i in range(40)]
    columns = {"grade": rng.integers(1, 4, 40), "time": rng.integers(1, 90, 40), "event": 1}
    pd.DataFrame(columns, samples).to_csv(folder / "clinical.csv")
    result = run("clinical_concordance", "--clinical", "clinical.csv")
    assert result.exit_code == 0, result.output
    found = table("results/expression/small/clinical_concordance.csv")
    assert len(found) == len(METHODS) * 4 * 2
    assert (found[["n_grade", "n_survival", "n_events"]] == 8).all(axis=None)
    draws = table("results/expression/small/clinical_concordance_draws.csv")
    assert draws.groupby(["scenario", "method"]).size().unique().tolist() == [20]
    missing = found.loc[found["grade_concordance"].isna(), ["scenario", "method"]]
    assert missing.drop_duplicates().values.tolist() == [["mnar_whole_genes", "mean"]]


def test_the_provenance_says_what_was_run(folder):
    assert run("low_values", "--seed", 5).exit_code == 0
    provenance = folder / "results/expression/small/low_values.provenance.json"
    record = json.loads(provenance.read_text())
    parameters = record["parameters"]
    assert parameters["experiment"] == "low_values"
    assert (parameters["cohort"], parameters["seed"]) == ("expression", 5)
    assert (parameters["profile"], parameters["n_training_rows"]) == ("small", 32)
    assert (parameters["hidden_sizes"], parameters["n_trials"]) == ([8], 2)
    note = "GC content from gc.csv; 0 of 60 genes are not in the table."
    assert (parameters["cohort_notes"][-1], parameters["gc_source"]) == (note, "gc.csv")
    assert record["failed_units"] == 0
    assert str(folder) not in json.dumps(record)
    rows = table("results/expression/small/low_values.csv")
    fits = rows.groupby("method")["fit_seconds"].first()
    assert record["seconds"] == pytest.approx(rows["seconds"].sum() + fits.sum(), abs=0.06)
    # Another run takes the units from the store, with the times that they took.
    assert run("low_values", "--seed", 5).exit_code == 0
    again = json.loads((folder / "results/expression/small/low_values.provenance.json").read_text())
    assert again["seconds"] == record["seconds"]


def test_a_method_can_be_added_to_a_table_that_is_there(folder):
    place = folder / "results/expression/small"
    assert run("low_values", "--without", "KNN", "--splits", 2).exit_code == 0
    before = table(place / "low_values.csv")
    first = json.loads((place / "low_values.provenance.json").read_text())
    for _ in range(2):  # the second time, its rows are replaced
        result = run("low_values", "--add", "KNN", "--splits", 2)
        assert result.exit_code == 0, result.output
    for name in ("low_values", "low_values_samples"):
        both = table(place / f"{name}.csv")
        own = both["method"] == "KNN"
        assert not both.duplicated().any()
        if name == "low_values":
            pd.testing.assert_frame_equal(both[~own].reset_index(drop=True), before)
    record = json.loads((place / "low_values.provenance.json").read_text())
    kept = first.keys() - {"sha256"}
    assert {key: record[key] for key in kept} == {key: first[key] for key in kept}
    assert [part["methods"] for part in record["added"]] == [["KNN"]]
    together = both.drop_duplicates()
    assert run("low_values", "--splits", 2, "--output", "anew").exit_code == 0
    anew = table("anew/expression/small/low_values_samples.csv")
    order = ["seed", "method", "scenario", "sample"]
    pd.testing.assert_frame_equal(
        together.sort_values(order, ignore_index=True), anew.sort_values(order, ignore_index=True)
    )


def test_a_method_is_added_to_an_older_table_that_has_no_errors_by_sample(folder):
    place = folder / "results/expression/small"
    assert run("low_values", "--without", "KNN").exit_code == 0
    for file in place.glob("low_values_samples*"):
        file.unlink()
    assert run("low_values", "--add", "KNN").exit_code == 0
    assert "KNN" in set(table(place / "low_values.csv")["method"])
    assert not list(place.glob("low_values_samples*"))


def test_a_method_is_added_to_a_table_of_the_same_parameters_only(folder):
    result = run("low_values", "--add", "KNN")
    assert result.exit_code == 2
    assert "no results/expression/small/low_values.csv to add methods to" in result.output
    assert run("low_values", "--without", "KNN").exit_code == 0
    result = run("low_values", "--add", "KNN", "--splits", 2)
    assert "was made with other parameters (n_splits)" in result.output


def test_sizes_of_a_profile_can_be_changed(folder):
    result = run("batch_sizes", "--set", "n_epochs=3", "--set", "batch_sizes=[250, 20]")
    assert result.exit_code == 0, result.output
    [path] = (folder / "results/expression").glob("*/batch_sizes.csv")
    assert path.parent.name == "small,batch_sizes=250-20,n_epochs=3"
    names = ["batch 250", "batch 20, same epochs", "batch 20, same steps"]
    assert table(path)["method"].unique().tolist() == names
    parameters = json.loads(path.with_suffix(".provenance.json").read_text())["parameters"]
    assert (parameters["n_epochs"], parameters["batch_sizes"]) == (3, [250, 20])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("n_epoch=3", "unknown parameters: n_epoch. There are n_trials"),
        ("name=x", "unknown parameters: name."),
        ("n_epochs=many", "expected n_epochs as int but got 'many'."),
        ("n_trials=0", "expected n_trials above 0 but got 0."),
        ("learning_rate=5e-5", "write 5.0e-5."),
        ("n_epochs", "Expected NAME=VALUE, such as n_epochs=750"),
        ("betas=[0", "Expected NAME=VALUE"),
    ],
)
def test_a_size_that_cannot_be_is_refused(folder, change, message):
    result = run("low_values", "--set", change)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_methylation(folder):
    result = run("--data-type", "methylation", cohort="levels.csv")
    assert result.exit_code == 0, result.output
    found = table("results/levels/small/methylation_errors.csv")
    assert set(found["scenario"]) == {s.key for s in EXPERIMENTS["methylation_errors"].scenarios}
    notes = json.loads(
        (folder / "results/levels/small/methylation_errors.provenance.json").read_text()
    )
    assert "-ln(level" in str(notes["parameters"]["cohort_notes"])


def test_it_says_what_it_will_do_and_does_nothing_twice(folder, monkeypatch):
    arguments = ("low_values", "--output", "out", "--store", "store")
    first = run(*arguments)
    counts = (
        f"8 methods ({', '.join(METHODS)}) x 4 scenarios x 2 trials; 32 samples to train on and 8 "
        "to test on, 60 features."
    )
    assert f"low_values: 1 x {counts}" in first.stdout
    assert "out/expression/small/low_values.csv: 64 rows" in first.stdout
    before = (folder / "out/expression/small/low_values.csv").read_bytes()
    units = set((folder / "store").rglob("*.json"))
    # The 10 % scenario of one experiment is that of the other.
    assert run("expression_errors", *arguments[1:]).exit_code == 0
    assert len(set((folder / "store").rglob("*.json")) - units) == 96 - 16
    monkeypatch.setattr("vaeimpute.experiments.grid.impute_unit", None)
    assert run(*arguments).exit_code == 0
    assert (folder / "out/expression/small/low_values.csv").read_bytes() == before
    assert not (folder / "cache").exists()


def test_several_splits(folder):
    result = run("low_values", "--splits", 2, "--seed", 5, "--without", "VAE, shifted")
    assert result.exit_code == 0, result.output
    assert "low_values: 2 x 7 methods" in result.stdout
    found = table("results/expression/small/low_values.csv")
    assert found.groupby("seed").size().to_dict() == {5: 56, 6: 56}
    assert set(table("results/expression/small/low_values_samples.csv")["seed"]) == {5, 6}
    assert run("low_values", "--seed", 6, "--output", "six", "--store", "none").exit_code == 0
    alone = table("six/expression/small/low_values.csv").query("method != 'VAE, shifted'")
    pd.testing.assert_frame_equal(
        found[found["seed"] == 6].drop(columns=TIMES).reset_index(drop=True),
        alone.drop(columns=TIMES).reset_index(drop=True),
    )
    record = folder / "results/expression/small/low_values.provenance.json"
    provenance = json.loads(record.read_text())
    assert (provenance["parameters"]["seed"], provenance["parameters"]["n_splits"]) == (5, 2)


def test_the_list():
    result = run("--list")
    assert result.exit_code == 0
    heads = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert heads == [*EXPERIMENTS, "profile quick", "profile paper"]
    assert "hidden_sizes=[6000, 2000]" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (["figure_9"], {}, "Unknown experiment 'figure_9'; choose from expression_errors,"),
        ([], {"cohort": "glioma"}, "Unknown cohort 'glioma'; choose one of blueprint-wgbs,"),
        ([], {"profile": "full"}, "Unknown profile 'full'; choose quick or paper"),
        ([], {"profile": "bad.yml"}, "unknown parameters: n_trails, cohort. There are n_trials,"),
        (["clinical_concordance"], {}, "needs a clinical table with the column 'grade', or with"),
        (["methylation_errors"], {}, "applies to methylation, not to expression as in cohort"),
        (["--jobs", "0"], {}, "Expected --jobs as 1 or more"),
        (["--data-type", "methylation"], {"cohort": "breast-gse1992"}, "no option 'data_type'"),
    ],
)
def test_wrong_usage_ends_with_2(folder, arguments, options, message):
    (folder / "bad.yml").write_text("n_trails: 3\ncohort: a\n")
    result = run(*arguments, **options)
    assert result.exit_code == 2
    said = " ".join(result.stderr.replace("│", " ").split())
    assert message in said
    assert not (folder / "results").exists()


def test_a_scenario_that_does_not_apply_is_an_error_of_one_line(folder):
    counts = pd.read_csv("expression.csv", index_col=0)
    counts[:] = 0.0
    counts.to_csv("zeros.csv")
    result = run("low_values", cohort="zeros.csv")
    assert result.exit_code == 2
    assert "low_values: Cohort 'zeros' has no value below its" in result.stderr
    assert "Traceback" not in result.output


def test_a_file_that_is_not_there_ends_with_1(folder):
    result = run(cohort="none.csv")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "none.csv" in result.stderr


@pytest.fixture
def faulty(monkeypatch):
    class Faulty(MeanImputer):
        def transform(self, X):
            if np.isnan(X).mean() > 0.25:
                raise MemoryError("Unable to allocate 9 TiB")
            return super().transform(X)

    methods = {"mean": MeanImputer(), "faulty": Faulty()}
    monkeypatch.setattr(catalogue, "build_methods", lambda profile, seed: methods)


def test_failed_units_are_listed_and_end_with_1(folder, faulty, monkeypatch):
    result = run("expression_errors")
    assert result.exit_code == 1
    assert "expression_errors: 2 units failed:" in result.stderr
    assert "faulty on mcar_30, trials 0, 1: MemoryError: Unable to allocate 9 TiB" in result.stderr
    assert "What failed is tried again by the same command" in result.stderr
    assert "Traceback" not in result.output
    assert len(table("results/expression/small/expression_errors.csv")) == 22
    failures = table("results/expression/small/expression_errors.failures.csv")
    assert failures["cause"].tolist() == ["MemoryError: Unable to allocate 9 TiB"] * 2
    record = json.loads(
        (folder / "results/expression/small/expression_errors.provenance.json").read_text()
    )
    assert record["failed_units"] == 2
    assert "Traceback (most recent call last)" in run("expression_errors", "--debug").stderr

    methods = {"mean": MeanImputer()}
    monkeypatch.setattr(catalogue, "build_methods", lambda profile, seed: methods)
    assert run("expression_errors").exit_code == 0
    assert not (folder / "results/expression/small/expression_errors.failures.csv").exists()


def test_ctrl_c_ends_with_130(folder, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(Grid, "run", interrupted)
    result = run("low_values")
    assert result.exit_code == 130
    assert "Interrupted. The units that are finished are kept: the same command goes" in (
        result.stderr
    )


def test_without_dask(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = run("low_values", "--scheduler", "tcp://127.0.0.1:1")
    assert result.exit_code == 1
    assert "pip install 'vaeimpute[dask]'" in result.stderr
    assert "data extra" not in result.stderr


PROGRAM = """
import os, signal, sys, time
from vaeimpute import files
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
left, replace = 23, os.replace
def stalling(source, target):
    global left
    left -= 1
    if left == 0:
        print("stalled", flush=True)
        time.sleep(600)
    replace(source, target)
files.os.replace = stalling
from vaeimpute.cli import app
app()
"""


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_command_goes_on(folder, way):
    arguments = ["reproduce", "low_values", "--cohort", "expression.csv", "--profile", "small.yml"]
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    for line in process.stdout:
        if line == "stalled\n":
            break
    process.send_signal(way)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == (130 if way == signal.SIGINT else -signal.SIGKILL), errors
    assert "Traceback" not in errors
    assert not (folder / "results").exists()
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("cache/units/*/[!.]*.json")}
    assert len(kept) == 14  # of the first 22 files, eight are the imputers that were fitted

    assert run("low_values").exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert run("low_values", "--store", "another", "--output", "undisturbed").exit_code == 0
    pd.testing.assert_frame_equal(
        table("results/expression/small/low_values.csv").drop(columns=TIMES),
        table("undisturbed/expression/small/low_values.csv").drop(columns=TIMES),
        check_exact=True,
    )


def test_methods_can_be_left_out(folder):
    result = run("low_values", "--without", "SVD", "--without", "VAE, shifted")
    assert result.exit_code == 0, result.output
    left = [name for name in METHODS if name not in ("SVD", "VAE, shifted")]
    assert table("results/expression/small/low_values.csv")["method"].unique().tolist() == left
    result = run("low_values", "--without", "magic")
    assert result.exit_code == 2
    assert "no method 'magic' in ['random'" in " ".join(result.stderr.replace("│", " ").split())


def test_hyper_parameters_are_chosen_without_the_test_rows(folder):
    """Of 40 rows, 32 are for training; of these 25 to try on and 7 to choose on."""
    result = run("architectures", "learning_rates")
    assert result.exit_code == 0, result.output
    assert "architectures: 1 x 2 methods (3 layers, latent 2, 5 layers, latent 2)" in result.stdout
    errors = table("results/expression/small/architectures.csv")
    assert errors["n_missing"].unique().tolist() == [7 * 6]
    rates = table("results/expression/small/learning_rates.csv")["method"]
    assert rates.unique().tolist() == [0.001, 0.01]
