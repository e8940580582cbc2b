"""The grid on a Dask cluster of two workers on this machine."""

import os
import signal
import time

import numpy as np
import pandas as pd
import pytest

from vaeimpute.experiments import Grid
from vaeimpute.experiments.run import connected
from vaeimpute.experiments.store import UnitStore
from vaeimpute.experiments.units import Fitted, impute_unit
from vaeimpute.imputers import GaussianImputer, MeanImputer, VAEImputer

distributed = pytest.importorskip(
    "distributed", reason="Dask is an extra: pip install 'vaeimpute[dask]'"
)
dask = pytest.importorskip("dask")


@pytest.fixture(scope="module")
def address():
    patient = {f"distributed.comm.timeouts.{of}": "600s" for of in ("connect", "tcp")}
    with (
        dask.config.set(patient),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
    ):
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
    assert len(grid.finished(UnitStore(tmp_path))) == len(grid.cells)


def test_both_workers_work(cohort, address, tmp_path):
    class Telling(MeanImputer):
        def transform(self, X):
            """Wait until two processes have been here."""
            (tmp_path / f"process-{os.getpid()}").touch()
            while len(list(tmp_path.glob("process-*"))) < 2:
                time.sleep(0.01)
            return super().transform(X)

    grid = Grid(cohort, {"telling": Telling()}, ["mcar_10"], n_trials=6)
    assert len(grid.run(scheduler=address, store=tmp_path / "store").table) == 6
    assert not (tmp_path / f"process-{os.getpid()}").exists()


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
    monkeypatch.setattr("vaeimpute.experiments.grid.code_version", lambda *modules: "newer")
    outcome = Grid(cohort, imputers(), ["mcar_10"], n_trials=1).run(
        scheduler=address, store=tmp_path
    )
    assert outcome.table.empty
    assert outcome.failures["cause"].str.contains("OtherCodeError.*Install the same").all()


def test_a_cluster_needs_a_store(cohort, address):
    with pytest.raises(ValueError, match="A scheduler needs a store"):
        Grid(cohort, imputers(), ["mcar_10"]).run(scheduler=address)


def test_a_store_that_is_not_shared_is_reported(tmp_path):
    fitted = Fitted(tmp_path / "elsewhere.safetensors", seconds=1.0)
    with pytest.raises(FileNotFoundError, match="has to be a folder that all workers share"):
        impute_unit(fitted, np.zeros((2, 4)), np.packbits(np.eye(2, 4) > 0), 0, None, None)


def test_nobody_at_the_address():
    with (
        pytest.raises(OSError, match="No Dask scheduler answers at 127-0-0-1"),
        connected("127-0-0-1"),
    ):
        pass
