import numpy as np
import pytest
from sklearn.impute import KNNImputer as SklearnKNNImputer

from vaeimpute.imputers import KNNImputer


def matrices(seed, *, n_train=40, n_new=15, n_features=30, train_missing=0.2, offset=0.0):
    rng = np.random.default_rng(seed)
    train = rng.normal(size=(n_train, n_features)) * rng.uniform(0.1, 10, n_features) + offset
    new = rng.normal(size=(n_new, n_features)) + offset
    train[rng.random(train.shape) < train_missing] = np.nan
    new[rng.random(new.shape) < 0.3] = np.nan
    return train, new


@pytest.mark.parametrize("weights", ["distance", "uniform"])
@pytest.mark.parametrize("train_missing", [0.0, 0.2, 0.7])
@pytest.mark.parametrize("n_neighbors", [1, 10, 100])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equals_scikit_learn(weights, train_missing, n_neighbors, seed):
    train, new = matrices(seed, train_missing=train_missing)
    reference = SklearnKNNImputer(n_neighbors=n_neighbors, weights=weights).fit(train)
    ours = KNNImputer(n_neighbors=n_neighbors, weights=weights, standardize=False).fit(train)
    np.testing.assert_allclose(
        ours.transform(new), reference.transform(new), rtol=1e-10, atol=1e-10
    )


def test_equals_scikit_learn_when_a_row_shares_no_feature_with_any_neighbour():
    train, new = matrices(5)
    train[:, :3] = np.nan
    train[0, :3] = 1.0  # a row that the new one below can be compared with, but only just
    new[2, 3:] = np.nan
    reference = SklearnKNNImputer(n_neighbors=4, weights="distance").fit(train)
    ours = KNNImputer(n_neighbors=4, standardize=False).fit(train)
    np.testing.assert_allclose(ours.transform(new), reference.transform(new), rtol=1e-10)


def test_a_common_offset_costs_no_digits():
    train, new = matrices(7, train_missing=0.1)
    plain = KNNImputer(standardize=False).fit(train).transform(new)
    shifted = KNNImputer(standardize=False).fit(train + 2.0**27).transform(new + 2.0**27)
    np.testing.assert_allclose(shifted - 2.0**27, plain, atol=1e-5)


def test_a_twin_settles_it():
    train = np.array([[0.0, 0.0, 5.0], [1.0, 1.0, 9.0], [0.2, 0.0, -3.0]])
    imputer = KNNImputer(n_neighbors=3, standardize=False).fit(train)
    assert imputer.transform([[1.0, 1.0, np.nan]])[0, 2] == 9.0


@pytest.mark.parametrize("n_neighbors", [1, 3])
def test_neighbours_far_behind_the_nearest_rows_are_found(n_neighbors):
    """Of many rows, those that are sorted first have none of the feature."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5))
    X[np.argsort(np.abs(X[:, 0]))[:-7], 4] = np.nan  # the farthest from the middle have it
    ours = KNNImputer(n_neighbors=n_neighbors, standardize=False).fit_transform(X)
    theirs = SklearnKNNImputer(n_neighbors=n_neighbors, weights="distance").fit_transform(X)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
