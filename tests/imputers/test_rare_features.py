"""Standard deviations of features that were observed a few times, among others observed often."""

import numpy as np
import pytest
from scipy import integrate, stats

from vaeimpute.imputers import AdaptiveImputer, GaussianImputer, VAEImputer
from vaeimpute.imputers._pooling import pool_variances, predictive_variance

COUNTS = (1, 2, 3, 5, 10)


def proteins(seed, noise=0.5, n_samples=40, n_features=90):
    """Log intensities; three features each were observed in 1, 2, 3, 5 and 10 samples."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(n_samples, 2)) @ rng.normal(size=(2, n_features)) + 20
    true += noise * rng.normal(size=true.shape)
    mask = rng.random(true.shape) < 0.1
    counts = np.full(n_features, n_samples)
    counts[:15] = np.repeat(COUNTS, 3)
    for feature in range(15):
        mask[:, feature] = True
        mask[rng.permutation(n_samples)[: counts[feature]], feature] = False
    return true, mask, counts


def coverages(make, seeds, noise):
    """Return by count, for every feature, the share of true values in its 95 % intervals."""
    found = {count: [] for count in (*COUNTS, 40)}
    for seed in seeds:
        true, mask, counts = proteins(seed, noise)
        holes = np.where(mask, np.nan, true)
        imputer = make().fit(holes)
        std = imputer.predict_std(holes)
        assert (std[mask] > 0).all()
        inside = np.abs(imputer.transform(holes) - true) < 1.96 * std
        for feature in np.flatnonzero(mask.any(axis=0)):
            found[counts[feature]].append(inside[mask[:, feature], feature].mean())
    return found


@pytest.mark.parametrize("noise", [0.5, 1.5])
def test_the_gaussians_intervals_hold_what_they_say_however_often_a_feature_was_seen(noise):
    """Values of one feature stand and fall together, so the features are what is counted."""
    found = coverages(lambda: GaussianImputer(random_state=0), range(25), noise)
    for count, shares in found.items():
        binomial = np.sqrt(0.95 * 0.05 / 75)
        assert np.mean(shares) == pytest.approx(0.95, abs=0.02 + 2 * binomial), count


def test_so_do_the_networks():
    def make():
        return VAEImputer(
            hidden_sizes=(64,), latent_dim=8, learning_rate=1e-3, n_epochs=100, device="cpu",
            random_state=0,
        )  # fmt: skip

    found = coverages(make, range(6), 0.5)
    for count in COUNTS:
        binomial = np.sqrt(0.95 * 0.05 / 18)
        assert np.mean(found[count]) == pytest.approx(0.95, abs=0.02 + 2 * binomial), count


@pytest.mark.parametrize(
    "imputer",
    [
        GaussianImputer(random_state=0),
        VAEImputer(
            hidden_sizes=(16,), latent_dim=4, learning_rate=1e-3, n_epochs=20, device="cpu",
            random_state=0,
        ),
    ],
    ids=["Gaussian", "VAE"],
)  # fmt: skip
def test_draws_spread_as_the_standard_deviations_say(imputer):
    true, mask, counts = proteins(0)
    holes = np.where(mask, np.nan, true)
    draws = imputer.fit(holes).sample(holes, n_draws=300)
    std = imputer.predict_std(holes)
    for count in COUNTS:
        rare = mask & (counts == count)
        assert (draws.std(axis=0)[rare] > 0).all()
        assert draws.std(axis=0)[rare].mean() == pytest.approx(std[rare].mean(), rel=0.1)


def test_pooled_variances_are_those_of_an_integral():
    """The mean of the logarithm under its posterior, with everything known, by quadrature."""
    rng = np.random.default_rng(0)
    df = rng.permutation(np.repeat([0, 1, 2, 4, 9, 30], 3000))
    true = np.exp(rng.normal(1.0, 0.8, size=len(df)))
    sample = true * np.where(df > 0, rng.chisquare(np.maximum(df, 1)) / np.maximum(df, 1), 0.0)
    pooled = pool_variances(sample, df)
    np.testing.assert_allclose(pooled.variance[df == 0], np.exp(1.0), rtol=0.05)
    for d in (1, 2, 4, 9, 30):
        # Less is left to know of the logarithm than the prior or the values alone leave.
        features = np.flatnonzero(df == d)
        error = np.std(np.log(pooled.variance / true)[features])
        assert error < min(0.8, np.std(np.log(sample[features] / true[features])))

        some, x = features[:60], np.linspace(-6, 8, 2001)
        likelihood = stats.chi2.pdf(d * sample[some, None] / np.exp(x), d) / np.exp(x)
        posterior = likelihood * stats.norm.pdf(x, 1.0, 0.8)
        exact = integrate.trapezoid(posterior * x, x) / integrate.trapezoid(posterior, x)
        # Normal in place of chi-squared: good to a part of what is left to know. A logarithm of one
        # degree of freedom is far from normal, so single features may be further off.
        off = np.log(pooled.variance[some]) - exact
        assert np.sqrt(np.mean(off**2)) < 0.6 * error, d


def test_the_moments_are_those_of_limma():
    """Smyth 2004, section 6.2: how much the logarithms differ, whatever the number of values."""
    rng = np.random.default_rng(1)
    df = rng.permutation(np.repeat([2, 5, 20], 4000))
    true = 6 * 2.0 / rng.chisquare(6, size=len(df))  # a prior of 2 with 6 degrees of freedom
    sample = true * rng.chisquare(df) / df
    pooled = pool_variances(sample, df)
    expected = (6 * 2.0 + df * sample) / (6 + df)  # `squeezeVar` with the true prior
    assert np.mean(np.log(pooled.variance / expected)) == pytest.approx(0, abs=0.15)
    assert np.std(np.log(pooled.variance / expected)) < 0.3
    for d in (2, 5, 20):
        assert pooled.df[df == d].mean() == pytest.approx(6 + d, rel=0.1)


def test_units_of_features_do_not_matter_where_values_are_many():
    rng = np.random.default_rng(2)
    squares = rng.chisquare(60, size=300) * np.geomspace(1e-6, 1e6, 300)
    expected = squares / 60 * (1 + 1 / 61)
    assert predictive_variance(squares, np.full(300, 61)) == pytest.approx(expected, rel=0.15)


def test_features_that_vary_alike_have_one_variance():
    df = np.repeat([1, 2, 3], 500)
    pooled = pool_variances(np.full(1500, 2.0), df)
    assert np.isinf(pooled.df).all()
    assert np.ptp(pooled.variance) == 0


def test_constants_and_single_values_have_a_spread_too():
    count = np.array([1, 2, 50, 50, 50])
    squares = np.array([0.0, 0.0, 0.0, 40.0, 60.0])
    variance = predictive_variance(squares, count)
    assert (variance > 0).all()
    assert variance[2] < 0.01 * variance[3]
    assert (predictive_variance(np.zeros(3), np.array([1, 1, 1])) == 0).all()


@pytest.mark.parametrize("imputer", [GaussianImputer, AdaptiveImputer, VAEImputer])
def test_a_feature_that_was_empty_at_fit_is_known_where_it_is_observed(imputer):
    X = np.random.default_rng(0).normal(size=(60, 4))
    X[:, 0] = np.nan
    fitted = imputer(keep_empty_features=True, random_state=0).fit(X)
    rows = X[:2].copy()
    rows[0, 0] = 7.0
    std = fitted.predict_std(rows)
    assert std[0, 0] == 0
    assert np.isnan(std[1, 0])
    if hasattr(fitted, "predict_interval"):
        for bound in fitted.predict_interval(rows):
            assert bound[0, 0] == 7
            assert np.isnan(bound[1, 0])
