"""A grid that is interrupted, damaged or partly failing, and how it goes on."""

import json
import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from vaeimpute.experiments import Grid, GridError, run_experiment
from vaeimpute.experiments import grid as grid_module
from vaeimpute.experiments import units as units_module
from vaeimpute.experiments.store import UnitStore
from vaeimpute.imputers import GaussianImputer, KNNImputer, MeanImputer, VAEImputer
from vaeimpute.splits import split_rows

SCENARIOS = ["mcar_10", "mnar_low_values"]
N_TRIALS = 3
TIMES = ["seconds", "fit_seconds"]


def imputers(**more):
    vae = VAEImputer(hidden_sizes=(8,), latent_dim=2, n_epochs=3, random_state=0)
    return {"mean": MeanImputer(), "Gaussian": GaussianImputer(random_state=0), "VAE": vae} | more


@pytest.fixture
def grid(cohort):
    return Grid(cohort, imputers(), SCENARIOS, n_trials=N_TRIALS)


@pytest.fixture
def expected(grid):
    """The table of a run that nothing disturbs and that keeps nothing."""
    return grid.run().table


def assert_same(table, expected):
    pd.testing.assert_frame_equal(
        table.drop(columns=TIMES), expected.drop(columns=TIMES), check_exact=True
    )


def unit_files(store):
    """The files of finished cells, by path, without those of fits."""
    files = {path: json.loads(path.read_text()) for path in sorted(store.rglob("[!.]*.json"))}
    return {path: record for path, record in files.items() if record["key"]["unit"] == "impute"}


@pytest.fixture
def counted(monkeypatch):
    """Count the cells that are computed, and the imputers that are kept, in this process."""
    calls = []
    for module, name in ((grid_module, "impute_unit"), (units_module, "save_imputer")):
        function = getattr(module, name)

        def counting(*arguments, function=function, name=name):
            calls.append(name)
            return function(*arguments)

        monkeypatch.setattr(module, name, counting)
    return calls


# Stops for good in the middle of writing a file, after some are written.
PROGRAM = """
import os, pickle, signal, sys, time
from vaeimpute import files
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
with open(sys.argv[1], "rb") as file:
    grid = pickle.load(file)
left, replace = int(sys.argv[4]), os.replace
def stalling(source, target):
    global left
    left -= 1
    if left == 0:
        print("stalled", flush=True)
        time.sleep(600)
    replace(source, target)
if __name__ == "__main__":
    files.os.replace = stalling
    grid.run(store=sys.argv[2], n_jobs=int(sys.argv[3]))
"""


def start(tmp_path, grid, store, n_jobs, n_files):
    pickled = tmp_path / "grid.pickle"
    pickled.write_bytes(pickle.dumps(grid))
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, pickled, store, str(n_jobs), str(n_files)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    line = process.stdout.readline()
    assert line == "stalled\n", process.communicate()
    return process


@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_killed_run_goes_on_with_the_same_result(grid, expected, tmp_path, counted, n_jobs):
    store = tmp_path / "store"
    process = start(tmp_path, grid, store, n_jobs, n_files=14)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = unit_files(store)
    assert 0 < len(before) < len(grid.cells)
    assert list(store.rglob(".*.json-*"))  # it was killed while it wrote

    outcome = grid.run(store=store)
    assert outcome.failures.empty
    assert_same(outcome.table, expected)
    assert counted.count("impute_unit") == len(grid.cells) - len(before)
    assert {path: unit_files(store)[path] for path in before} == before
    # The old units bring the time that they took along.
    kept = {record["result"]["row"]["seconds"] for record in before.values()}
    assert kept <= set(outcome.table["seconds"])


@pytest.mark.slow
def test_ctrl_c_ends_it_and_keeps_what_is_finished(grid, expected, tmp_path):
    store = tmp_path / "store"
    process = start(tmp_path, grid, store, n_jobs=2, n_files=8)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=600)
    assert process.returncode not in (0, None), errors
    assert "KeyboardInterrupt" in errors
    assert not list(store.rglob(".*.json-*"))  # it had the time to clear away
    assert 0 < len(unit_files(store)) < len(grid.cells)
    assert_same(grid.run(store=store).table, expected)


def test_a_finished_run_computes_nothing_again(grid, expected, tmp_path, counted):
    assert_same(grid.run(store=tmp_path).table, expected)
    counted.clear()
    table = grid.run(store=tmp_path).table
    assert_same(table, expected)
    assert counted == []


def test_more_trials_need_no_new_fits(cohort, grid, tmp_path, counted):
    grid.run(store=tmp_path)
    counted.clear()
    run_experiment(cohort, imputers(), SCENARIOS, n_trials=N_TRIALS + 1, store=tmp_path)
    assert counted == ["impute_unit"] * len(SCENARIOS) * len(imputers())


def test_a_long_training_goes_on_from_its_checkpoint(cohort, grid, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(VAEImputer, "fit", lambda self, X, y=None: seen.append(self.checkpoint))
    grid.run(store=tmp_path)
    (path,) = seen
    assert path == str(UnitStore(tmp_path).path(grid.fit_key("VAE"), ".checkpoint"))
    assert grid.imputers["VAE"].checkpoint is None


def test_two_processes_give_the_same_table(grid, expected, tmp_path):
    assert_same(grid.run(n_jobs=2).table, expected)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: "null",
        lambda text: text.replace('"mae": ', '"mae": 1'),
        lambda text: text.replace('"trial": 0', '"trial": 1'),
    ],
)
def test_a_damaged_unit_is_computed_again(grid, expected, tmp_path, counted, caplog, damage):
    grid.run(store=tmp_path)
    path, _ = next((p, r) for p, r in unit_files(tmp_path).items() if r["key"]["trial"] == 0)
    original = path.read_text()
    path.write_text(damage(original))
    assert path.read_text() != original
    counted.clear()
    assert_same(grid.run(store=tmp_path).table, expected)
    assert counted == ["impute_unit"]
    assert "Computing a unit again" in caplog.text
    assert unit_files(tmp_path)[path]["key"] == json.loads(original)["key"]


def test_a_unit_under_the_name_of_another_is_computed_again(grid, expected, tmp_path, counted):
    grid.run(store=tmp_path)
    first, second = list(unit_files(tmp_path))[:2]
    first.write_bytes(second.read_bytes())
    counted.clear()
    assert_same(grid.run(store=tmp_path).table, expected)
    assert counted == ["impute_unit"]


def test_a_damaged_imputer_is_fitted_again(grid, expected, tmp_path, counted, caplog):
    grid.run(store=tmp_path)
    for path in tmp_path.rglob("*.safetensors"):
        content = bytearray(path.read_bytes())
        content[-1] ^= 1  # one bit: it can still be loaded
        path.write_bytes(content)
    for path in unit_files(tmp_path):
        path.unlink()
    counted.clear()
    assert_same(grid.run(store=tmp_path).table, expected)
    assert counted.count("save_imputer") == len(grid.imputers)
    assert "is damaged or not its own" in caplog.text


def test_what_determines_a_unit_is_in_its_key(cohort, grid, monkeypatch):
    def keys(**changed):
        given = {"imputers": {"KNN": KNNImputer()}, "n_trials": 1} | changed
        other = Grid(given.pop("cohort", cohort), scenarios=["mcar_10"], **given)
        return json.dumps([other.cell_key(cell) for cell in other.cells])

    first = keys()
    assert keys() == first
    assert keys(imputers={"another name": KNNImputer()}) == first
    assert keys(imputers={"KNN": KNNImputer(n_neighbors=3)}) != first
    assert keys(imputers={"KNN": MeanImputer()}) != first
    assert keys(seed=1) != first
    assert keys(seed=1, split=split_rows(50, seed=0)) != first  # the masks alone
    assert keys(cohort=cohort.select_features(cohort.values.columns[::-1])) != first
    monkeypatch.setattr(grid_module, "code_version", lambda *modules: "another")
    assert keys() != first


def faulty(what, when=0.2):
    """An imputer that does something wrong where more than a share of the values is missing."""

    class Faulty(MeanImputer):  # local, so that it travels to other processes by value
        def transform(self, X):
            share = np.isnan(X).mean()
            filled = super().transform(X)
            if share > when:
                if what == "NaN":
                    filled[:] = np.nan
                elif what == "MemoryError":
                    raise MemoryError("Unable to allocate 9 TiB")
                elif what == "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
                else:
                    raise ZeroDivisionError("of\ncourse")
            return filled

    return Faulty()


CAUSES = {
    "NaN": r"ValueError: 120 of 120 masked entries are NaN",
    "MemoryError": r"MemoryError: Unable to allocate 9 TiB$",
    "exception": r"ZeroDivisionError: of course$",
}


@pytest.mark.parametrize("what", CAUSES)
def test_a_unit_that_fails_costs_only_itself(cohort, tmp_path, counted, what):
    scenarios = ["mcar_30", "mcar_10"]
    grid = Grid(cohort, imputers(faulty=faulty(what)), scenarios, n_trials=2)
    outcome = grid.run(store=tmp_path)
    assert outcome.failures[["method", "scenario", "trial"]].values.tolist() == [
        ["faulty", "mcar_30", 0],
        ["faulty", "mcar_30", 1],
    ]
    assert outcome.failures["cause"].str.contains(CAUSES[what]).all()
    assert "faulty on mcar_30, trials 0, 1: " in outcome.describe_failures()
    assert "Traceback" in outcome.failures["traceback"][0]
    assert len(outcome.table) == len(grid.cells) - 2
    assert len(outcome.table.query("method == 'faulty'")) == 2

    counted.clear()
    grid.run(store=tmp_path)  # what failed is tried again, and nothing else
    assert counted == ["impute_unit", "impute_unit"]


@pytest.mark.slow
def test_a_unit_that_kills_its_process_costs_only_itself(cohort):
    """As the system does when memory runs out."""
    methods = {"faulty": faulty("killed"), "mean": MeanImputer()}
    grid = Grid(cohort, methods, ["mcar_30", "mcar_10"], n_trials=1)
    outcome = grid.run(n_jobs=2)
    assert outcome.failures[["method", "scenario"]].values.tolist() == [["faulty", "mcar_30"]]
    assert "killed, most likely because memory ran out" in outcome.failures["cause"][0]
    assert len(outcome.table) == 3


def test_an_imputer_that_cannot_be_fitted(cohort, tmp_path):
    methods = imputers(faulty=VAEImputer(n_epochs=0))
    outcome = Grid(cohort, methods, SCENARIOS, n_trials=N_TRIALS).run(store=tmp_path)
    (failure,) = outcome.failures.to_dict("records")
    assert failure["method"] == "faulty"
    assert pd.isna(failure["scenario"])
    assert pd.isna(failure["trial"])
    assert "'n_epochs' parameter of VAEImputer" in failure["cause"]
    assert "1 unit failed:\n  fitting faulty: Invalid" in outcome.describe_failures()
    assert set(outcome.table["method"]) == {"mean", "Gaussian", "VAE"}


def test_run_experiment_raises_after_the_rest_is_done(cohort):
    methods = {"faulty": faulty("exception"), "mean": MeanImputer()}
    with pytest.raises(GridError, match=r"2 units failed:\n  faulty on mcar_30") as caught:
        run_experiment(cohort, methods, ["mcar_30", "mcar_10"], n_trials=2)
    assert len(caught.value.results.table) == 6


def test_a_scenario_that_masks_nothing_is_a_failure(cohort):
    from vaeimpute.missingness import mcar

    grid = Grid(cohort, {"mean": MeanImputer()}, [mcar(0.0)], n_trials=1)
    outcome = grid.run()
    assert outcome.failures["cause"].tolist() == [
        "ValueError: Nothing is masked, so there is no error to measure."
    ]
    assert outcome.table.empty


def test_workers_share_the_processors(cohort, monkeypatch):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)

    class Counting(MeanImputer):
        def transform(self, X):
            import torch
            from threadpoolctl import threadpool_info

            threads = [pool["num_threads"] for pool in threadpool_info()]
            raise RuntimeError(f"threads={max(torch.get_num_threads(), *threads)}")

    outcome = Grid(cohort, {"counting": Counting()}, ["mcar_10"], n_trials=1).run(n_jobs=2)
    (cause,) = outcome.failures["cause"]
    assert int(cause.partition("threads=")[2]) <= max((os.cpu_count() or 1) // 2, 1)


def test_a_store_does_not_run_what_it_holds(tmp_path):
    """A unit is JSON: nothing in it is executed, and it has to be under its own name."""
    store = UnitStore(tmp_path)
    path = store.path({"a": 1})
    path.parent.mkdir()
    path.write_bytes(pickle.dumps({"key": {"a": 1}, "result": {}}))
    assert store.read({"a": 1}) is None
