"""The estimate is about right, and takes what is known into account."""

import time

import pytest

from vaeimpute.experiments import Grid
from vaeimpute.experiments.estimate import estimate_seconds
from vaeimpute.imputers import MeanImputer


class Slow(MeanImputer):
    """Takes 10 ms per epoch and 2 ms per row."""

    def __init__(self, n_epochs=20):
        self.n_epochs = n_epochs

    def fit(self, X, y=None):
        time.sleep(0.01 * self.n_epochs)
        return super().fit(X)

    def transform(self, X):
        time.sleep(0.002 * len(X))
        return super().transform(X)


def test_trials_are_short_and_scaled_up(cohort, tmp_path):
    grid = Grid(cohort, {"slow": Slow()}, ["mcar_10"], n_trials=10)
    start = time.perf_counter()
    estimate = estimate_seconds([grid], tmp_path)
    assert time.perf_counter() - start < 0.15
    true = 0.01 * 20 + 10 * 0.002 * len(grid.test)
    assert true < estimate < 2 * true
    assert estimate_seconds([grid], tmp_path, n_jobs=2) < 0.9 * estimate
    # A second experiment on the same masks adds nothing.
    assert estimate_seconds([grid, grid], tmp_path) == pytest.approx(estimate, rel=0.3)


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
