import logging

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import Cohort
from vaeimpute.cohorts.cache import cached


@pytest.fixture
def cohort():
    values = pd.DataFrame(
        np.random.default_rng(0).normal(size=(4, 3)),
        pd.Index(list("abcd"), name="sample"),
        pd.Index(["g1", "g2", "g3"], name="gene"),
    )
    values.iloc[1, 2] = np.nan
    return Cohort(
        name="toy",
        values=values,
        clinical=pd.DataFrame({"grade": [1.0, 2.0, np.nan, 3.0]}, values.index),
        features=pd.DataFrame({"gc_content": [0.4, 0.5, 0.6]}, values.columns),
        coverage=(values * 10).round().fillna(0).astype(int),
        units="log2 ratio",
        data_type="methylation",
        is_log=True,
        stratify_by="grade",
        citation="someone",
        licence="CC0",
        notes=("one", "two"),
    )


def assert_same(ours, theirs):
    for table in ("values", "clinical", "features", "coverage"):
        pd.testing.assert_frame_equal(getattr(ours, table), getattr(theirs, table))
    for name in ("name", "units", "data_type", "is_log", "stratify_by", "citation", "notes"):
        assert getattr(ours, name) == getattr(theirs, name)


def test_prepared_once(cohort, tmp_path):
    assert_same(cached(tmp_path / "toy", lambda: cohort), cohort)
    assert_same(cached(tmp_path / "toy", lambda: pytest.fail("prepared twice")), cohort)


@pytest.mark.parametrize("left", [0, 20, 2000])
def test_a_damaged_copy_is_prepared_again(cohort, tmp_path, left, caplog):
    path = tmp_path / "toy"
    cached(path, lambda: cohort)
    path.write_bytes(path.read_bytes()[:left])
    with caplog.at_level(logging.WARNING):
        assert_same(cached(path, lambda: cohort), cohort)
    assert "damaged" in caplog.text
    assert_same(cached(path, lambda: pytest.fail("prepared again")), cohort)


def test_a_failed_write_leaves_nothing_behind(cohort, tmp_path, monkeypatch, caplog):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    assert_same(cached(tmp_path / "toy", lambda: cohort), cohort)
    assert "No space left" in caplog.text
    assert list(tmp_path.iterdir()) == []
