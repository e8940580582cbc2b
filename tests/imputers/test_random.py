import numpy as np
import pytest
from scipy import stats

from vaeimpute.imputers import RandomImputer


@pytest.fixture
def train():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 8)) * np.geomspace(0.1, 100, 8) + 3
    X[rng.random(X.shape) < 0.2] = np.nan
    X[:, 5] = 7.0
    X[1:, 6] = np.nan
    X[0, 6] = -2.0
    return X


@pytest.fixture
def new():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(4000, 8))
    X[:, 1:] = np.nan  # rows that differ in one value
    return X


def test_every_draw_is_a_training_value_of_its_feature(train, new):
    filled = RandomImputer(random_state=0).fit(train).transform(new)
    for column in range(1, 8):
        assert np.isin(filled[:, column], train[:, column]).all()
    assert (filled[:, 5] == 7.0).all()
    assert (filled[:, 6] == -2.0).all()


def test_every_training_value_is_as_likely_as_the_others():
    train = np.column_stack([np.linspace(-3, 3, 999), np.arange(999.0) % 20])
    train[:199, 1] = np.nan
    new = np.column_stack([np.linspace(-3.01, 3.01, 4000), np.full(4000, np.nan)])
    rows = np.unique(np.searchsorted(train[:, 0], new[:, 0]), return_index=True)[1]
    drawn = np.concatenate(
        [
            RandomImputer(random_state=seed).fit(train).transform(new[rows])[:, 1]
            for seed in range(4)
        ]
    )
    counts = np.bincount(drawn.astype(int), minlength=20)
    assert counts.sum() == 4 * len(rows)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_draws_of_several_features_are_independent():
    rng = np.random.default_rng(2)
    train = np.repeat(rng.normal(size=(2000, 1)), 3, axis=1)  # copies of one another
    new = np.column_stack([rng.normal(size=2000), np.full((2000, 2), np.nan)])
    filled = RandomImputer(random_state=0).fit(train).transform(new)
    correlation = np.corrcoef(filled, rowvar=False)
    assert np.abs(correlation - np.eye(3)).max() < 0.1


def test_another_seed_gives_other_draws_and_the_same_seed_the_same(train):
    new = np.full((1, 8), np.nan)
    first, again, second = (
        RandomImputer(random_state=seed).fit(train).transform(new) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != second).any()


def test_a_row_is_filled_alike_wherever_it_stands_and_in_whatever_units(train):
    rng = np.random.default_rng(3)
    new = rng.normal(size=(30, 8)) + 3
    new[rng.random(new.shape) < 0.4] = np.nan
    imputer = RandomImputer(random_state=0).fit(train)
    filled = imputer.transform(new)
    np.testing.assert_array_equal(imputer.transform(new[::-1])[::-1], filled)
    np.testing.assert_array_equal(imputer.transform(new[[7]]), filled[[7]])
    np.testing.assert_array_equal(imputer.transform(new * (1 + 1e-13))[np.isnan(new)],
                                  filled[np.isnan(new)])  # fmt: skip
    doubled = RandomImputer(random_state=0).fit(2 * train).transform(2 * new)
    np.testing.assert_array_equal(doubled, 2 * filled)


def test_without_a_seed_two_fits_differ_and_numpys_global_state_is_left_alone(train):
    new = np.full((1, 8), np.nan)
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - it is what must not change
    first, second = (RandomImputer().fit(train).transform(new) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
