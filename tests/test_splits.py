import numpy as np
import pandas as pd
import pytest

from vaeimpute.seeding import generator
from vaeimpute.splits import split_rows


def test_parts_are_disjoint_and_complete():
    split = split_rows(667, seed=4)
    assert sorted(np.concatenate([split.train, split.test])) == list(range(667))
    assert sorted(np.concatenate([split.tune, split.validation])) == list(split.train)
    assert len(split.test) == 134
    assert len(split.validation) == 107


def test_proportions_of_the_strata_are_kept():
    strata = pd.Series(["LGG"] * 513 + ["GBM"] * 154)
    split = split_rows(667, strata=strata, seed=1)
    for rows in (split.train, split.tune, split.validation, split.test):
        assert (strata.iloc[rows] == "GBM").mean() == pytest.approx(154 / 667, abs=0.005)


def test_same_seed_same_split_and_another_seed_another():
    first, second, third = (split_rows(100, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.test, second.test)
    assert not np.array_equal(first.test, third.test)


def test_rare_and_missing_strata_do_not_stop_the_split():
    strata = pd.Series([1.0] * 60 + [2.0] * 35 + [3.0] * 2 + [np.nan] * 3)
    split = split_rows(100, strata=strata)
    assert len(split.test) == 20
    assert (strata.iloc[split.test] == 1.0).sum() == pytest.approx(12, abs=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"n_samples": 3}, "at least 5 rows"), ({"n_samples": 9, "strata": [1]}, "Expected 9 strata")],
)
def test_impossible_splits_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        split_rows(**arguments)


def test_named_streams_differ_and_repeat():
    draws = {
        names: generator(0, *names).random()
        for names in [("mask", "a", 1), ("mask", "a", 2), ("mask", "b", 1), ("mask", "a", "1")]
    }
    assert len(set(draws.values())) == 4
    assert draws["mask", "a", 1] == generator(0, "mask", "a", 1).random()


@pytest.mark.parametrize("n_strata", [5, 8, 11])
def test_more_strata_than_validation_rows_do_not_stop_the_split(n_strata):
    split = split_rows(5 * n_strata, strata=np.repeat(np.arange(n_strata), 5))
    assert len(split.test) == n_strata
