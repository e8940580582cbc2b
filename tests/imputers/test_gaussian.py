import numpy as np
import pytest

from vaeimpute.imputers import GaussianImputer, MeanImputer


def textbook(train, new, alpha):
    """Conditional normal with the covariance written out: Anderson, section 2.5."""
    mean, sd = train.mean(axis=0), train.std(axis=0)
    z = (train - mean) / sd
    covariance = z.T @ z / len(z) + alpha * np.eye(z.shape[1])
    filled = (new - mean) / sd
    for row in filled:
        m = np.isnan(row)
        row[m] = covariance[np.ix_(m, ~m)] @ np.linalg.inv(covariance[np.ix_(~m, ~m)]) @ row[~m]
    return filled * sd + mean


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 1.0, 50.0])
@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
def test_equals_the_textbook(alpha, shape):
    rng = np.random.default_rng(0)
    train = rng.normal(size=shape) @ rng.normal(size=(shape[1], shape[1])) + 3
    new = rng.normal(size=(12, shape[1])) @ rng.normal(size=(shape[1], shape[1]))
    new[rng.random(new.shape) < 0.4] = np.nan
    new[3:6, :] = np.where(np.isnan(new[2]), np.nan, 1.0)  # rows that share a mask
    ours = GaussianImputer(alpha=alpha).fit(train).transform(new)
    np.testing.assert_allclose(ours, textbook(train, new, alpha), rtol=1e-8, atol=1e-8)


def low_rank(seed, n=80, d=60, noise=0.1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)) @ rng.normal(size=(3, d)) + noise * rng.normal(size=(n, d))


def test_restores_a_low_rank_matrix():
    X = low_rank(1)
    mask = np.random.default_rng(2).random((20, X.shape[1])) < 0.2
    holes = np.where(mask, np.nan, X[60:])
    errors = {
        type(imputer).__name__: np.abs(imputer.fit(X[:60]).transform(holes) - X[60:])[mask].mean()
        for imputer in (GaussianImputer(random_state=0), MeanImputer())
    }
    assert errors["GaussianImputer"] < 0.15  # the noise alone gives 0.08
    assert errors["GaussianImputer"] < errors["MeanImputer"] / 5


def test_auto_chooses_more_ridge_for_more_noise():
    clean = GaussianImputer(random_state=0).fit(low_rank(3, noise=0.01)).alpha_
    noisy = GaussianImputer(random_state=0).fit(low_rank(3, noise=5.0)).alpha_
    assert clean < noisy


@pytest.mark.parametrize("factor", [1e-6, 1e9])
def test_without_standardisation_the_units_do_not_matter_either(factor):
    X = low_rank(4)
    holes = np.where(np.random.default_rng(5).random((20, X.shape[1])) < 0.2, np.nan, X[60:])
    plain, scaled = (
        GaussianImputer(standardize=False, random_state=0).fit(X[:60] * k).transform(holes * k) / k
        for k in (1.0, factor)
    )
    np.testing.assert_allclose(scaled, plain, rtol=1e-6)


@pytest.mark.parametrize("n_samples", [7, 20, 40])
def test_auto_chooses_much_ridge_for_noise_alone(n_samples):
    alphas = [
        GaussianImputer(random_state=s)
        .fit(np.random.default_rng(s).normal(size=(n_samples, 500)))
        .alpha_
        for s in range(9)
    ]
    assert np.median(alphas) >= 10
