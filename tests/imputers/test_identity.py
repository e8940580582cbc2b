"""The fast imputers give the values of slow ones that are written down plainly."""

import numpy as np
import pytest
from sklearn.impute import KNNImputer as SklearnKNNImputer

from vaeimpute.imputers import KNNImputer
from vaeimpute.imputers import knn as knn_module


def low_rank(seed, n=60, d=40, noise=0.3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 4)) @ rng.normal(size=(4, d)) + noise * rng.normal(size=(n, d))


def holes_in(X, seed, share=0.2):
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.nan, X)


def plain():
    X = low_rank(0)
    return X[:45], holes_in(X[45:], 1)


def gaps_in_training_rows():
    train, new = plain()
    return holes_in(train, 2, 0.15), new


def many_gaps_in_training_rows():
    train, new = plain()
    return holes_in(train, 2, 0.8), new


def constant_columns():
    train, new = gaps_in_training_rows()
    train[:, 3] = 5.0
    train[:, 4:6] = np.where(np.isnan(train[:, 4:6]), np.nan, 0.0)
    new[:, 3] = np.nan
    new[:4, 4] = 0.0
    return train, new


def duplicate_rows():
    train, new = plain()
    train[10:15] = train[9]
    new[2] = train[9]
    new[3] = train[4]
    new[2:4, 7:12] = np.nan
    return train, new


def a_row_without_values():
    train, new = gaps_in_training_rows()
    new[3] = np.nan
    train[5] = np.nan
    return train, new


def one_observed_value():
    train, new = gaps_in_training_rows()
    new[2] = new[5] = np.nan
    new[2, 6], new[5, 1] = 0.7, -40.0
    train[4, 1:] = np.nan
    train[4, 0] = 1.0
    return train, new


def a_large_offset():
    train, new = gaps_in_training_rows()
    return np.round(train, 6) + 1e8, np.round(new, 6) + 1e8


def uneven_units():
    train, new = gaps_in_training_rows()
    units = np.geomspace(1e-6, 1e6, train.shape[1])
    return train * units, new * units


def hardly_any_rows():
    train, new = plain()
    return train[:3], new


ADVERSARIAL = [
    plain,
    gaps_in_training_rows,
    many_gaps_in_training_rows,
    constant_columns,
    duplicate_rows,
    a_row_without_values,
    one_observed_value,
    a_large_offset,
    uneven_units,
    hardly_any_rows,
]


@pytest.fixture(params=ADVERSARIAL, ids=lambda make: make.__name__)
def matrices(request):
    return request.param()


def distance_from_differences(x, y, **_):
    """Measure as scikit-learn's documentation says, not as its code does, which loses digits."""
    both = ~np.isnan(x) & ~np.isnan(y)
    if not both.any():
        return np.nan
    return np.sqrt(np.sum((x - y)[both] ** 2) / both.sum() * len(x))


@pytest.mark.parametrize("weights", ["distance", "uniform"])
@pytest.mark.parametrize("n_neighbors", [1, 5, 300])
def test_knn_is_that_of_scikit_learn(matrices, weights, n_neighbors):
    train, new = matrices
    reference = SklearnKNNImputer(
        n_neighbors=n_neighbors, weights=weights, metric=distance_from_differences
    )
    ours = KNNImputer(n_neighbors=n_neighbors, weights=weights, standardize=False)
    expected = reference.fit(train).transform(new)
    scale = np.nanstd(train, axis=0) + 1e-300
    difference = np.abs(ours.fit(train).transform(new) - expected) / scale
    # At 1e8, an expected value itself is rounded to 1e-8.
    assert difference.max() < 1e-10 + 4 * np.max(np.spacing(np.abs(expected)) / scale)


@pytest.mark.parametrize("n_neighbors", [1, 4, 9])
@pytest.mark.parametrize("share_of_gaps", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_knn_breaks_ties_as_scikit_learn_does(n_neighbors, share_of_gaps, seed):
    rng = np.random.default_rng(seed)
    genotypes = rng.integers(0, 3, size=(80, 12)).astype(float)
    train, new = holes_in(genotypes[:60], seed, share_of_gaps), holes_in(genotypes[60:], seed + 9)
    reference = SklearnKNNImputer(n_neighbors=n_neighbors, weights="distance").fit(train)
    ours = KNNImputer(n_neighbors=n_neighbors, standardize=False).fit(train)
    np.testing.assert_allclose(ours.transform(new), reference.transform(new), rtol=0, atol=1e-12)


def test_knn_in_small_blocks_is_knn_in_one(monkeypatch):
    train, new = gaps_in_training_rows()
    imputer = KNNImputer(standardize=False).fit(train)
    whole = imputer.transform(new)
    monkeypatch.setattr(knn_module, "_WORKING_BYTES", 1)
    monkeypatch.setattr(knn_module, "_CHUNK", 1)
    np.testing.assert_allclose(imputer.transform(new), whole, rtol=1e-12)


def test_knn_in_float32_is_close():
    train, new = gaps_in_training_rows()
    double, single = (
        KNNImputer(precision=precision).fit(train).transform(new)
        for precision in ("float64", "float32")
    )
    np.testing.assert_allclose(single, double, rtol=0, atol=1e-5)
    assert KNNImputer(precision="float32").fit(train).train_.dtype == np.float32


def test_another_precision_is_refused():
    with pytest.raises(ValueError, match="'float64' or 'float32' but got 'half'"):
        KNNImputer(precision="half").fit(plain()[0])
