"""The estimate is about right, and takes what is known into account."""

from types import SimpleNamespace

import pytest

from vaeimpute.experiments import Grid
from vaeimpute.experiments import reproduce as estimate
from vaeimpute.experiments.reproduce import estimate_seconds
from vaeimpute.imputers import MeanImputer


class Slow(MeanImputer):
    """Takes 10 s per epoch and 2 s per row, by a clock that only it moves."""

    now = 0.0

    def __init__(self, n_epochs=20):
        self.n_epochs = n_epochs

    def fit(self, X, y=None):
        Slow.now += 10 * self.n_epochs
        return super().fit(X)

    def transform(self, X):
        Slow.now += 2 * len(X)
        return super().transform(X)


def test_trials_are_short_and_scaled_up(cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(Slow, "now", 0.0)
    clock = SimpleNamespace(perf_counter=lambda: Slow.now)
    monkeypatch.setattr(estimate, "time", clock)
    grid = Grid(cohort, {"slow": Slow()}, ["mcar_10"], n_trials=10)
    fit, impute = 10 * 20, 10 * 2 * len(grid.test)
    assert estimate_seconds([grid], tmp_path) == pytest.approx(fit + impute)
    assert Slow.now == 10 * (1 + 1 + 2) + 2 * 5  # epochs and rows that were tried
    assert estimate_seconds([grid], tmp_path, n_jobs=2) == pytest.approx(fit + impute / 2)
    # A second experiment on the same masks adds nothing.
    assert estimate_seconds([grid, grid], tmp_path) == pytest.approx(fit + impute)


def test_what_is_finished_takes_no_time(cohort, tmp_path):
    grid = Grid(cohort, {"mean": MeanImputer()}, ["mcar_10"], n_trials=3)
    grid.run(store=tmp_path)
    assert estimate_seconds([grid], tmp_path) == 0
    more = Grid(cohort, {"mean": MeanImputer()}, ["mcar_10"], n_trials=5)
    known = [result["seconds"] for result in more.finished(tmp_path).values()]
    assert estimate_seconds([more], tmp_path) == pytest.approx(2 * sum(known) / 3)


def test_an_imputer_that_fails_in_the_trial(cohort, tmp_path):
    class Failing(MeanImputer):
        def fit(self, X, y=None):
            raise MemoryError

    grid = Grid(cohort, {"failing": Failing()}, ["mcar_10"], n_trials=1)
    assert estimate_seconds([grid], tmp_path) is None
