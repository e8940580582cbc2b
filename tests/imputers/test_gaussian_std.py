"""Predictive standard deviations and draws of the Gaussian imputer."""

import numpy as np
import pandas as pd
import pytest

from vaeimpute.imputers import GaussianImputer, load_imputer, save_imputer
from vaeimpute.imputers._calibration import calibrate, conditional_variance


def low_rank(seed, n=160, d=60, noise=0.5):
    """Rows near a plane of three dimensions, with features of uneven noise and units."""
    rng = np.random.default_rng(seed)
    noise = noise * np.geomspace(0.3, 3, d)
    X = rng.normal(size=(n, 3)) @ np.random.default_rng(0).normal(size=(3, d))
    return (X + noise * rng.normal(size=(n, d))) * np.geomspace(0.01, 100, d)[::-1]


@pytest.fixture(scope="module")
def split():
    X = low_rank(1)
    return X[:100], X[100:], np.random.default_rng(2).random((60, 60)) < 0.2


@pytest.mark.parametrize("alpha", [1e-2, 1.0, 30.0])
@pytest.mark.parametrize("shape", [(20, 8), (8, 20)])
def test_the_variance_is_that_of_the_textbook(alpha, shape):
    """Diagonal of S_mm - S_mo S_oo^-1 S_om: Anderson, section 2.5."""
    rng = np.random.default_rng(0)
    Z = rng.normal(size=shape) @ rng.normal(size=(shape[1], shape[1]))
    S = Z.T @ Z / len(Z) + alpha * np.eye(shape[1])
    missing = rng.random((9, shape[1])) < 0.4
    missing[4], missing[5], missing[6] = missing[3], False, True
    ours = conditional_variance(Z, missing, alpha)
    assert (ours[~missing] == 0).all()
    for row, m in zip(ours, missing, strict=True):
        S_mo = S[np.ix_(m, ~m)]
        given = S[np.ix_(m, m)] - S_mo @ np.linalg.solve(S[np.ix_(~m, ~m)], S_mo.T)
        np.testing.assert_allclose(row[m], np.diag(given), rtol=1e-7)


@pytest.mark.parametrize("alpha", [0.1, "auto", 100.0])
@pytest.mark.parametrize("holes_in_training", [0.0, 0.3])
def test_errors_are_as_large_as_it_says(split, alpha, holes_in_training):
    train, true, mask = split
    lost = np.random.default_rng(3).random(train.shape) < holes_in_training
    imputer = GaussianImputer(alpha=alpha, random_state=0).fit(np.where(lost, np.nan, train))
    holes = np.where(mask, np.nan, true)
    std = imputer.predict_std(holes)
    assert (std[~mask] == 0).all()
    z = ((imputer.transform(holes) - true)[mask]) / std[mask]
    assert np.sqrt(np.mean(z**2)) == pytest.approx(1, abs=0.1)
    assert np.mean(np.abs(z) < 1.645) == pytest.approx(0.9, abs=0.03)


def test_noisy_features_are_known_to_be_so(split):
    train, _, mask = split
    std = GaussianImputer(random_state=0).fit(train).predict_std(np.where(mask, np.nan, train[:60]))
    relative = np.where(mask, std / train.std(axis=0), np.nan)
    assert np.nanmean(relative[:, :20]) < 0.6 * np.nanmean(relative[:, -20:])


def test_more_is_uncertain_where_less_is_observed(split):
    train, true, _ = split
    imputer = GaussianImputer(random_state=0).fit(train)
    most, few = true[:2].copy()
    most[1:], few[:3] = np.nan, np.nan
    first, second = imputer.predict_std(np.stack([most, few]))
    assert (first[1:3] > second[1:3]).all()
    nothing = imputer.predict_std(np.full((1, 60), np.nan))[0]
    # About the mean of a hundred values, and with Student's distribution of as many.
    np.testing.assert_allclose(nothing, 1.02 * train.std(axis=0), rtol=0.02)


def test_a_constant_feature_is_more_certain_than_all_others(split):
    train = np.column_stack([split[0], np.full(100, 5.0)])
    std = GaussianImputer(random_state=0).fit(train).predict_std(np.full((1, 61), np.nan))[0]
    assert 0 < std[60] < std[:60].min()


def test_few_rows_are_drawn_towards_what_is_typical():
    Z = low_rank(0, n=10, d=300) / np.geomspace(0.01, 100, 300)[::-1]
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    many = low_rank(0, n=400, d=300)
    many = (many - many.mean(axis=0)) / many.std(axis=0)

    def powers(rows):
        count, variance = np.full(300, len(rows)), np.ones(300)
        return calibrate(
            rows, np.zeros(rows.shape, bool), 1.0, count=count, variance=variance
        ).power

    few, enough = powers(Z), powers(many)
    assert few.std() < enough.std()
    assert (powers(Z[:1]) == 1).all()


def test_labels_and_file(split, tmp_path):
    train, true, mask = (
        pd.DataFrame(one).add_prefix("gene").rename(index="s{}".format) for one in split
    )
    holes = true.mask(mask.to_numpy())
    imputer = GaussianImputer(random_state=0).set_output(transform="pandas").fit(train)
    std = imputer.predict_std(holes)
    pd.testing.assert_index_equal(std.index, holes.index)
    pd.testing.assert_index_equal(std.columns, holes.columns)
    save_imputer(imputer, tmp_path / "gaussian.safetensors")
    loaded = load_imputer(tmp_path / "gaussian.safetensors")
    np.testing.assert_allclose(loaded.predict_std(holes), std, rtol=1e-12)


def test_a_new_fit_is_calibrated_anew(split):
    train, true, mask = split
    holes = np.where(mask, np.nan, true)
    imputer = GaussianImputer(random_state=0).fit(train)
    before = imputer.predict_std(holes)
    after = imputer.fit(train * 10).predict_std(holes * 10)
    np.testing.assert_allclose(after, before * 10, rtol=1e-6)
    noisy = train + train.std(axis=0) * np.random.default_rng(0).normal(size=train.shape)
    assert imputer.fit(noisy).predict_std(holes).mean() > 1.1 * before.mean()


def test_draws_have_the_mean_and_the_spread_that_are_predicted(split):
    train, true, mask = split
    holes = np.where(mask, np.nan, true)[:6]
    mask = mask[:6]
    imputer = GaussianImputer(random_state=0).fit(train)
    draws = imputer.sample(holes, n_draws=600)
    assert draws.shape == (600, 6, 60)
    np.testing.assert_array_equal(draws[:, ~mask], np.tile(true[:6][~mask], (600, 1)))
    std = imputer.predict_std(holes)[mask]
    off = (draws.mean(axis=0) - imputer.transform(holes))[mask] / std
    assert np.abs(off).max() < 0.2
    ratio = draws.std(axis=0)[mask] / std
    assert ratio.mean() == pytest.approx(1, abs=0.01)
    assert ratio.std() < 0.05
    np.testing.assert_array_equal(draws, imputer.sample(holes, n_draws=600))


def test_features_that_vary_together_are_drawn_together():
    rng = np.random.default_rng(0)
    twins = rng.normal(size=(200, 1)) + 0.1 * rng.normal(size=(200, 2))
    X = np.column_stack([twins, rng.normal(size=(200, 5))])
    holes = X[:1].copy()
    holes[0, :2] = np.nan
    draws = GaussianImputer(alpha=0.01, random_state=0).fit(X).sample(holes, n_draws=500)
    assert np.corrcoef(draws[:, 0, 0], draws[:, 0, 1])[0, 1] > 0.9
    assert abs(np.corrcoef(draws[:, 0, 0], rng.normal(size=500))[0, 1]) < 0.15


@pytest.mark.parametrize("shape", [(1, 5), (2, 5), (5, 1)])
def test_the_smallest_matrices_have_a_spread_too(shape):
    X = np.random.default_rng(0).normal(size=shape)
    imputer = GaussianImputer(random_state=0).fit(X)
    holes = np.full((2, shape[1]), np.nan)
    assert np.isfinite(imputer.predict_std(holes)).all()
    assert np.isfinite(imputer.sample(holes, n_draws=2)).all()


def test_units_without_standardisation(split):
    train, true, mask = split
    holes = np.where(mask, np.nan, true)
    imputer = GaussianImputer(standardize=False, random_state=0).fit(train)
    z = ((imputer.transform(holes) - true)[mask]) / imputer.predict_std(holes)[mask]
    assert np.sqrt(np.mean(z**2)) == pytest.approx(1, abs=0.3)
