"""Other programs beside ours: they fill in the same values, and no job is done twice."""

import numpy as np
import pytest

import peer_errors  # in benchmarks/
from peer_errors import OURS, SCENARIOS, THEIRS, measure
from vaeimpute.methods import METHODS
from worker import PROGRAMS

COHORT = "simulated-glioma"


class Means:
    """Stands in for `peers.Peers`: the first program fills in means, the others fail."""

    def __init__(self, folder):
        self.folder = folder

    def save(self, train, rows):
        means = np.broadcast_to(train.mean(axis=0), rows.shape)
        np.save(self.folder / "imputed.npy", np.where(np.isnan(rows), means, rows))
        return "matrix.npz"

    def measure(self, program, **job):
        if program != next(iter(THEIRS)):
            return {"note": "not done after 3600 s"}
        return {"fit_seconds": 2.0, "impute_seconds": 0.5}


@pytest.fixture
def peers(tmp_path, monkeypatch):
    monkeypatch.setattr(peer_errors, "N_FEATURES", 30)
    monkeypatch.setattr(peer_errors, "OURS", ("mean",))
    return Means(tmp_path)


def test_all_fill_the_same_values(peers):
    rows = list(measure(COHORT, peers, set()))
    assert [row["scenario"] for row in rows[:: 1 + len(THEIRS)]] == [*SCENARIOS["expression"]]
    for ours, first, second in zip(*(rows[k :: 1 + len(THEIRS)] for k in range(3)), strict=True):
        assert first["mae"] == pytest.approx(ours["mae"])
        assert first["seconds"] == 2.5
        assert np.isnan(second["mae"])
        assert second["note"] == "not done after 3600 s"


def test_what_is_done_is_not_done_again(peers):
    rows = measure(COHORT, peers, set())
    done = {(row["cohort"], row["scenario"], row["program"]) for row in rows}
    assert not list(measure(COHORT, peers, done))
    first = min(done)
    (again,) = measure(COHORT, peers, done - {first})
    assert (again["cohort"], again["scenario"], again["program"]) == first


def test_programs_are_there():
    assert set(THEIRS) <= set(PROGRAMS)
    assert set(OURS) <= set(METHODS)
