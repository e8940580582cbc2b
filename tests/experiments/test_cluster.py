"""The grid on a Dask cluster of two workers on this machine."""

import os
import signal

import numpy as np
import pandas as pd
import pytest

from vaeimpute.experiments import Grid
from vaeimpute.experiments.run import connected
from vaeimpute.imputers import GaussianImputer, MeanImputer, VAEImputer

distributed = pytest.importorskip(
    "distributed", reason="Dask is an extra: pip install 'vaeimpute[dask]'"
)


@pytest.fixture(scope="module")
def address():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


def imputers():
    vae = VAEImputer(hidden_sizes=(8,), latent_dim=2, n_epochs=3, random_state=0)
    return {"mean": MeanImputer(), "Gaussian": GaussianImputer(random_state=0), "VAE": vae}


@pytest.mark.slow
def test_the_table_is_the_one_of_this_process(cohort, address, tmp_path):
    grid = Grid(cohort, imputers(), ["mcar_10", "mcar_30"], n_trials=3)
    outcome = grid.run(scheduler=address, store=tmp_path)
    assert outcome.failures.empty
    pd.testing.assert_frame_equal(
        outcome.table.drop(columns=["seconds", "fit_seconds"]),
        grid.run().table.drop(columns=["seconds", "fit_seconds"]),
        check_exact=True,
    )
    assert len(grid.finished(tmp_path)) == len(grid.cells)


def test_both_workers_work(cohort, address, tmp_path):
    class Telling(MeanImputer):
        def transform(self, X):
            import time

            time.sleep(0.05)
            raise RuntimeError(f"process {os.getpid()}")

    grid = Grid(cohort, {"telling": Telling()}, ["mcar_10"], n_trials=6)
    causes = grid.run(scheduler=address, store=tmp_path).failures["cause"]
    assert len(causes) == 6
    assert causes.nunique() == 2
    assert f"RuntimeError: process {os.getpid()}" not in set(causes)


@pytest.mark.slow
def test_a_unit_that_kills_its_worker_costs_only_itself(cohort, address, tmp_path):
    class Deadly(MeanImputer):
        def transform(self, X):
            if np.isnan(X).mean() > 0.2:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().transform(X)

    methods = {"deadly": Deadly(), "mean": MeanImputer()}
    grid = Grid(cohort, methods, ["mcar_30", "mcar_10"], n_trials=1)
    outcome = grid.run(scheduler=address, store=tmp_path)
    assert outcome.failures[["method", "scenario"]].values.tolist() == [["deadly", "mcar_30"]]
    assert "was killed" in outcome.failures["cause"][0]
    assert len(outcome.table) == 3


def test_workers_with_other_code_are_refused(cohort, address, tmp_path, monkeypatch):
    monkeypatch.setattr("vaeimpute.experiments.grid.code_version", lambda: "newer")
    outcome = Grid(cohort, imputers(), ["mcar_10"], n_trials=1).run(
        scheduler=address, store=tmp_path
    )
    assert outcome.table.empty
    assert outcome.failures["cause"].str.contains("OtherCodeError.*Install the same").all()


def test_a_cluster_needs_a_store(cohort, address):
    with pytest.raises(ValueError, match="A scheduler needs a store"):
        Grid(cohort, imputers(), ["mcar_10"]).run(scheduler=address)


def test_a_store_that_is_not_shared_is_reported(cohort, address, tmp_path, monkeypatch):
    grid = Grid(cohort, imputers(), ["mcar_10"], n_trials=1)
    monkeypatch.setattr("vaeimpute.experiments.grid.Path.exists", lambda path: False)
    causes = grid.run(scheduler=address, store=tmp_path).failures["cause"]
    assert len(causes) == 3
    assert causes.str.contains("has to be a folder that all workers share").all()


def test_nobody_at_the_address():
    with (
        pytest.raises(OSError, match="No Dask scheduler answers at 127-0-0-1"),
        connected("127-0-0-1"),
    ):
        pass
