"""Where rows are more than features: the same numbers from d x d systems as from n x n ones."""

import numpy as np
import pytest

from vaeimpute.imputers import GaussianImputer, _covariance_systems
from vaeimpute.imputers._backend import Algebra
from vaeimpute.imputers._covariance_systems import CovarianceSystems
from vaeimpute.imputers._kernel_systems import KernelSystems, LeftOut

RIDGES = np.array([0.6, 60.0])


def rows_near_a_plane(seed, n, d):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)) @ rng.normal(size=(3, d)) + 0.3 * rng.normal(size=(n, d))


def centred(n, d, share):
    """Training rows with holes as the imputer has them: less their means, and 0 in the holes."""
    Z = rows_near_a_plane(0, n, d)
    holes = np.random.default_rng(1).random((n, d)) < share
    holes[5] = holes[6]
    Z = np.where(holes, np.nan, Z)
    return np.nan_to_num(Z - np.nanmean(Z, axis=0)), holes


@pytest.fixture(params=[_covariance_systems._WORKING_BYTES, 1])
def block(request, monkeypatch):
    monkeypatch.setattr(_covariance_systems, "_WORKING_BYTES", request.param)


@pytest.mark.parametrize(("n", "d", "share"), [(60, 20, 0.1), (60, 20, 0.8), (40, 39, 0.5)])
def test_means_are_those_of_the_other_form_and_of_the_textbook(n, d, share, block):
    Z, _ = centred(n, d, share)
    X = np.random.default_rng(2).normal(size=(12, d))
    missing = np.random.default_rng(3).random(X.shape) < share
    missing[3], missing[4], missing[6] = True, missing[5], False
    ours = [*CovarianceSystems(Z, Algebra()).means(X, missing, RIDGES)]
    other = KernelSystems(Z, Algebra()).means(X, missing, RIDGES, tolerance=1e-13)
    for one, another, ridge in zip(ours, other, RIDGES, strict=True):
        np.testing.assert_allclose(one[missing], another[missing], rtol=1e-9, atol=1e-9)
        S = Z.T @ Z + ridge * np.eye(d)
        for row, x, m in zip(one, X, missing, strict=True):
            textbook = S[np.ix_(m, ~m)] @ np.linalg.inv(S[np.ix_(~m, ~m)]) @ x[~m]
            np.testing.assert_allclose(row[m], textbook, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("n", "d", "share"), [(60, 20, 0.1), (60, 20, 0.8), (40, 39, 0.5)])
def test_training_rows_are_predicted_from_the_others(n, d, share, block):
    Z, holes = centred(n, d, share)
    rows = np.flatnonzero(holes.any(axis=1))
    n_others = np.maximum((~holes).sum(axis=0) - 1, 1)
    arguments = Z[rows], holes[rows], RIDGES
    left_out = LeftOut(rows, -Z[rows] / n_others)
    ours = [*CovarianceSystems(Z, Algebra()).means(*arguments, left_out=left_out)]
    other = KernelSystems(Z, Algebra()).means(*arguments, left_out=left_out, tolerance=1e-13)
    for one, another, ridge in zip(ours, other, RIDGES, strict=True):
        np.testing.assert_allclose(one[holes[rows]], another[holes[rows]], rtol=1e-9, atol=1e-9)
        for row, z, s, i in zip(one, Z[rows], left_out.shift, rows, strict=True):
            others, m = np.delete(Z, i, axis=0) - s, holes[i]
            S = others.T @ others + ridge * np.eye(d)
            plain = s[m] + S[np.ix_(m, ~m)] @ np.linalg.solve(S[np.ix_(~m, ~m)], (z - s)[~m])
            np.testing.assert_allclose(row[m], plain, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_variances_are_those_of_the_textbook(share, block):
    Z, _ = centred(60, 20, 0.1)
    missing = np.random.default_rng(3).random((12, 20)) < share
    missing[3], missing[4], missing[6] = True, missing[5], False
    S = Z.T @ Z + np.eye(20)
    ours = CovarianceSystems(Z, Algebra()).variances(missing, 1.0)
    assert (ours[~missing] == 0).all()
    for row, m in zip(ours, missing, strict=True):
        across = S[np.ix_(m, ~m)]
        given = S[np.ix_(m, m)] - across @ np.linalg.solve(S[np.ix_(~m, ~m)], across.T)
        np.testing.assert_allclose(row[m], np.diag(given), rtol=1e-9)


def test_draws_have_the_covariance():
    Z, _ = centred(60, 5, 0.1)
    for kind in (CovarianceSystems, KernelSystems):
        draws = kind(Z, Algebra()).draws(np.random.default_rng(0), 100_000, 20.0)
        expected = Z.T @ Z + 20 * np.eye(5)
        np.testing.assert_allclose(draws.T @ draws / len(draws), expected, atol=3)


@pytest.mark.parametrize(("n", "kind"), [(30, KernelSystems), (31, CovarianceSystems)])
def test_the_smaller_dimension_is_taken(n, kind):
    imputer = GaussianImputer(alpha=0.1).fit(rows_near_a_plane(4, n, 30))
    assert isinstance(imputer._systems, kind)


def test_no_matrix_of_the_size_of_the_rows(monkeypatch):
    """What takes n x n anywhere takes 32 GB here."""
    X = rows_near_a_plane(6, 60_000, 6)
    X[np.random.default_rng(7).random(X.shape) < 0.1] = np.nan
    imputer = GaussianImputer(random_state=0)
    filled = imputer.fit_transform(X)
    some = np.r_[0:50]
    assert (imputer.predict_std(X[some]) > 0).any()
    draws = imputer.sample(X[some], n_draws=3)
    assert np.isfinite(filled).all()
    assert np.isfinite(draws).all()
