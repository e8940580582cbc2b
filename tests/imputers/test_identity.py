"""The fast imputers give the values of slow ones that are written down plainly.

All of it holds with numpy and, as on a GPU, with torch.
"""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.impute import KNNImputer as SklearnKNNImputer

from vaeimpute.imputers import (
    GaussianImputer,
    KNNImputer,
    SVDImputer,
    _kernel_systems,
)
from vaeimpute.imputers import (
    _backend as _devices,
)
from vaeimpute.imputers import knn as knn_module
from vaeimpute.imputers._backend import Algebra, TorchAlgebra

ALGEBRAS = {"numpy": Algebra(), "torch": TorchAlgebra("cpu")}
if torch.cuda.is_available():
    ALGEBRAS["a GPU"] = TorchAlgebra("cuda")


@pytest.fixture(autouse=True, params=ALGEBRAS)
def algebra(request, monkeypatch):
    """Let all imputers compute with one or the other."""
    monkeypatch.setattr(_devices, "find_algebra", lambda device: ALGEBRAS[request.param])


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


def conditional_mean(train, row, alpha):
    """Fill one row by the textbook, with the covariance of all features written out."""
    m = np.isnan(row)
    covariance = train.T @ train / len(train) + alpha * np.eye(len(row))
    weights = np.linalg.solve(covariance[np.ix_(~m, ~m)], row[~m])
    return np.where(m, covariance[:, ~m] @ weights, row)


def gaussian_reference(train, new, alpha):
    mean, unit = np.nanmean(train, axis=0), np.sqrt(np.nanvar(train, axis=0).mean())
    z = (train - mean) / unit
    zeros, filled = np.nan_to_num(z), np.nan_to_num(z)
    n_others = np.maximum((~np.isnan(z)).sum(axis=0) - 1, 1)
    for i in np.flatnonzero(np.isnan(z).any(axis=1)):
        shift = -zeros[i] / n_others
        others = np.delete(zeros, i, axis=0) - shift
        filled[i] = conditional_mean(others, z[i] - shift, alpha) + shift
    return mean + unit * np.array([conditional_mean(filled, x, alpha) for x in (new - mean) / unit])


@pytest.mark.parametrize("alpha", [0.01, 1.0])
def test_gaussian_is_the_textbooks(matrices, alpha):
    train, new = matrices
    ours = GaussianImputer(alpha=alpha, standardize=False).fit(train).transform(new)
    scale = np.nanstd(train, axis=0).mean()
    tolerance = 1e-8 if np.nanmax(np.abs(train)) < 1e7 else 1e-6
    difference = np.abs(ours - gaussian_reference(train, new, alpha)) / scale
    assert difference.max() < tolerance


@pytest.mark.parametrize("way", ["direct", "iterations", "either"])
@pytest.mark.parametrize("share_of_gaps", [0.0, 0.1])
def test_gaussian_is_the_textbooks_whichever_way_the_systems_are_solved(
    monkeypatch, way, share_of_gaps
):
    X = low_rank(3, n=220, d=200)
    train, new = holes_in(X[:200], 4, share_of_gaps), holes_in(X[200:], 5, 0.1)
    new[10:14] = np.where(np.isnan(new[9]), np.nan, X[10:14])  # rows that share a mask
    new[15, 1:] = np.nan
    new[16] = np.nan
    if way != "either":
        monkeypatch.setattr(_kernel_systems, "_ITERATIONS_PER_DIGIT", 0 if way != "direct" else 1e9)
    solved_directly = []
    one_by_one = _kernel_systems._Block._solve_directly

    def spy(self, rows, *arguments):
        solved_directly.append(len(rows))
        one_by_one(self, rows, *arguments)

    monkeypatch.setattr(_kernel_systems._Block, "_solve_directly", spy)
    imputer = GaussianImputer(alpha=0.3, standardize=False).fit(train)
    ours = imputer.transform(new)
    np.testing.assert_allclose(ours, gaussian_reference(train, new, 0.3), rtol=0, atol=1e-8)
    if way == "direct":
        assert max(solved_directly) >= 4  # shared masks once
    if way == "iterations":
        assert len(solved_directly) <= 2


def test_gaussian_in_small_blocks_is_gaussian_in_one(monkeypatch):
    train, new = gaps_in_training_rows()
    whole = GaussianImputer(alpha=0.1).fit(train).transform(new)
    monkeypatch.setattr(_kernel_systems, "_WORKING_BYTES", 1)
    blocks = GaussianImputer(alpha=0.1).fit(train).transform(new)
    np.testing.assert_allclose(blocks, whole, rtol=0, atol=1e-8)


@pytest.mark.parametrize("noise", [0.05, 0.5, 3.0])
@pytest.mark.parametrize("share_of_gaps", [0.0, 0.1])
def test_gaussian_chooses_the_ridge_that_the_textbook_would(noise, share_of_gaps):
    X = holes_in(low_rank(6, n=300, d=80, noise=noise), 7, share_of_gaps)
    imputer = GaussianImputer(standardize=False, random_state=0).fit(X)
    X = X - np.nanmean(X, axis=0)
    X /= np.sqrt(np.nanvar(X, axis=0).mean())
    kept, true, hidden = imputer._hold_out(X)
    kept = np.nan_to_num(kept)
    errors = {
        alpha: np.mean(
            [
                np.abs(conditional_mean(kept, np.where(h, np.nan, t), alpha) - t)[h].sum()
                for t, h in zip(true, hidden, strict=True)
            ]
        )
        for alpha in 10.0 ** np.arange(-2, 3.5, 0.5)
    }
    assert errors[imputer.alpha_] < 1.0001 * min(errors.values())


def svd_reference(stacked, n_components, *, doubling=True, max_iter=16, tol=5e-4):
    """The paper's iterations, with a decomposition of the whole matrix in each of them."""
    missing = np.isnan(stacked)
    filled = np.where(missing, 0.0, stacked)
    n_iterations = 0
    for i in range(max_iter):
        rank = min(2**i if doubling else n_components, n_components, *filled.shape)
        u, s, vt = np.linalg.svd(filled, full_matrices=False)
        approximation = (u[:, :rank] * s[:rank]) @ vt[:rank]
        change = np.sum((approximation - filled)[missing] ** 2)
        converged = change < tol * np.sum(filled[missing] ** 2)
        filled[missing] = approximation[missing]
        n_iterations += 1
        if converged:
            break
    return filled, n_iterations


@pytest.mark.parametrize("shape", [(40, 90), (90, 12), (30, 30)])
@pytest.mark.parametrize("n_components", [1, 5, 11, 415])
@pytest.mark.parametrize("schedule", ["doubling", "fixed"])
@pytest.mark.parametrize("train_share", [0.0, 0.15])
def test_svd_is_decompositions_of_the_whole_matrix(shape, n_components, schedule, train_share):
    X = low_rank(1, *shape, noise=0.5)
    X[:-9] -= X[:-9].mean(axis=0)
    train, new = holes_in(X[:-9], 2, train_share), holes_in(X[-9:], 3)
    new[3] = X[-6]  # complete: it takes no part
    mean = np.nanmean(train, axis=0)
    rows = np.isnan(new).any(axis=1)
    expected, n_iterations = svd_reference(
        np.vstack([train, new[rows]]) - mean, n_components, doubling=schedule == "doubling"
    )
    imputer = SVDImputer(n_components=n_components, schedule=schedule, standardize=False).fit(train)
    filled = imputer.transform(new)
    np.testing.assert_allclose(filled[rows], expected[len(train) :] + mean, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(filled[3], new[3])
    if n_components == 1:
        assert 1 < n_iterations < 16  # the rule of stopping is compared as well


@pytest.mark.parametrize("columns_missing", [0.1, 1.0])
def test_svd_is_it_too_where_only_some_features_have_missing_values(columns_missing):
    rng = np.random.default_rng(5)
    X = low_rank(5, 50, 80)
    train, new = X[:40], X[40:].copy()
    train -= train.mean(axis=0)
    new[:, rng.random(80) < columns_missing] = np.nan
    if columns_missing == 1.0:
        new[:5, :40] = X[40:45, :40]
    expected, _ = svd_reference(np.vstack([train, new]), 16)
    filled = SVDImputer(n_components=16, standardize=False).fit(train).transform(new)
    np.testing.assert_allclose(filled, expected[40:], rtol=0, atol=1e-8)


def test_svd_of_rows_of_the_training_matrix_is_that_of_it_alone():
    """Every row twice has the singular vectors of every row once."""
    X = holes_in(low_rank(7, 30, 50), 7)
    mean = np.nanmean(X, axis=0)
    expected, _ = svd_reference(X - mean, 8)
    filled = SVDImputer(n_components=8, standardize=False).fit_transform(X)
    np.testing.assert_allclose(filled, expected + mean, rtol=0, atol=1e-8)


@pytest.mark.parametrize("n_components", [1, 5, 415])
@pytest.mark.parametrize("n_features", [40, 12])
def test_svd_is_it_too_on_awkward_matrices(matrices, n_components, n_features):
    train, new = (X[:, :n_features] for X in matrices)
    new = new[np.isnan(new).any(axis=1)]
    mean = np.nanmean(train, axis=0)
    expected, _ = svd_reference(np.vstack([train, new]) - mean, n_components)
    imputer = SVDImputer(n_components=n_components, standardize=False).fit(train)
    difference = np.abs(imputer.transform(new) - mean - expected[len(train) :])
    # At 1e8, a value itself is rounded to 1e-8; of units that differ, the largest counts.
    scale = np.nanmax(np.nanstd(train, axis=0))
    assert difference.max() < 1e-8 * scale + 4 * np.max(np.spacing(np.abs(mean)))


@pytest.mark.parametrize("imputer", [KNNImputer(), GaussianImputer(alpha=0.1)])
def test_float32_keeps_its_digits_beside_an_offset(imputer):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 30)) + 1e8
    holes = np.where(rng.random(X.shape) < 0.1, np.nan, X)
    double, single = (
        clone(imputer).set_params(precision=precision).fit(X).transform(holes)
        for precision in ("float64", "float32")
    )
    np.testing.assert_allclose(single, double, rtol=0, atol=1e-3)


@pytest.mark.parametrize("imputer", [KNNImputer(), GaussianImputer(alpha=0.3), SVDImputer()])
def test_float32_is_close(imputer):
    train, new = gaps_in_training_rows()
    double, single = (
        clone(imputer).set_params(precision=precision).fit(train)
        for precision in ("float64", "float32")
    )
    assert single.train_.dtype == np.float32
    assert double.train_.dtype == np.float64
    np.testing.assert_allclose(single.transform(new), double.transform(new), rtol=0, atol=1e-3)


@pytest.mark.parametrize("alpha", [1e-3, 1e-4])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_float32_is_close_where_the_ridge_is_small(alpha, share):
    """Small residuals say little then, so that iterations in float32 would end too early."""
    rng = np.random.default_rng(0)
    train = rng.normal(size=(300, 300))
    new = holes_in(rng.normal(size=(20, 300)), 1, share)
    imputer = GaussianImputer(alpha=alpha)
    double = imputer.fit(train).transform(new)
    single = imputer.set_params(precision="float32").fit(train).transform(new)
    np.testing.assert_allclose(single, double, rtol=0, atol=0.02)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("alpha", 10.0 ** np.arange(-30, -5, 3))
def test_gaussian_never_ends_with_nan(alpha, precision):
    X = holes_in(low_rank(8, n=100, d=12), 9)

    def fill():
        try:
            return GaussianImputer(alpha=alpha, precision=precision).fit(X).transform(X), None
        except ValueError as error:
            return X[:0], str(error)

    filled, refusal = fill()
    assert np.isfinite(filled).all()
    assert refusal is None or "Choose a larger alpha" in refusal
