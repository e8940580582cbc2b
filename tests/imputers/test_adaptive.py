"""The parts of the recommended imputer against what a textbook says, and the whole of it."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import clone

from vaeimpute.imputers import (
    AdaptiveImputer,
    GaussianImputer,
    _calibration,
    load_imputer,
    save_imputer,
)
from vaeimpute.imputers._adaptive_ridge import AdaptiveRidge, Gain
from vaeimpute.imputers._calibration import conditional_variance, variance_by_axes
from vaeimpute.imputers._ranks import RankToNormal


def standardized(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


class TestRanks:
    def test_scores_are_normal_quantiles_of_ranks(self):
        values = np.random.default_rng(0).permutation(25)[:, None] ** 3.0
        expected = standardized(norm.ppf((np.argsort(np.argsort(values[:, 0])) + 0.5) / 25))
        np.testing.assert_allclose(
            RankToNormal.of(values).forward(values)[:, 0], expected, atol=1e-12
        )

    def test_what_was_seen_comes_back(self):
        rng = np.random.default_rng(1)
        X = np.exp(rng.normal(size=(40, 3)))
        X[:, 1] = np.maximum(X[:, 1] - 1, 0)  # many are 0, and share their rank
        X[:7, 2] = np.nan
        ranks, scores = RankToNormal.with_scores(X)
        np.testing.assert_allclose(ranks.forward(X), scores, rtol=1e-12)
        np.testing.assert_allclose(ranks.backward(scores), X, rtol=1e-12)

    def test_what_was_not_seen_goes_between_or_on_in_a_straight_line(self):
        X = np.arange(20.0)[:, None]
        ranks = RankToNormal.of(X)
        scores = ranks.forward(X)[:, 0]
        new = np.array([[3.5], [-0.5], [21.0], [1e9]])
        expected = [
            (scores[3] + scores[4]) / 2,
            scores[0] - 0.5 * (scores[1] - scores[0]),
            scores[-1] + 2 * (scores[-1] - scores[-2]),
            scores[-1] + 3,
        ]
        np.testing.assert_allclose(ranks.forward(new)[:, 0], expected)
        np.testing.assert_allclose(ranks.backward(ranks.forward(new))[:3], new[:3])

    def test_nothing_is_below_an_extreme_that_many_share(self):
        X = np.maximum(np.arange(-10.0, 30.0), 0)[:, None]
        low, high = RankToNormal.of(X).backward(np.array([[-9.0], [9.0]])).ravel()
        assert low == 0
        assert high > X.max()

    def test_features_of_few_values_or_of_one_stay(self):
        X = np.column_stack([np.arange(30.0), np.full(30, 0.0), np.full(30, np.nan)])
        X[:4, 2] = 1.0, 2.0, 5.0, 9.0
        ranks = RankToNormal.of(X)
        np.testing.assert_array_equal(ranks.forward(X)[:, 1:], X[:, 1:])
        np.testing.assert_array_equal(ranks.backward(np.zeros((1, 3)))[0, 1:], 0.0)


@pytest.mark.parametrize("shape", [(30, 50), (200, 8), (40, 300)])
@pytest.mark.parametrize(("ridge", "gain"), [(0.7, Gain(0.5, 3)), (2.0, Gain(4.0, 2))])
def test_regressions_are_weighted_ridge_regressions(shape, ridge, gain):
    rng = np.random.default_rng(0)
    n, d = shape
    Z = standardized(rng.normal(size=(n, 5)) @ rng.normal(size=(5, d)) + rng.normal(size=shape))
    X = rng.normal(size=(4, d))
    features = np.arange(d)[::3]
    adaptive = AdaptiveRidge(Z)
    (regressions,) = adaptive.fit(adaptive.neighbourhoods(features, [gain]), ridge)
    expected = []
    for feature in features:
        powers = np.abs(np.corrcoef(Z.T)[feature]) ** gain.power
        powers[feature] = 0.0
        weights = 1 + gain.mean * powers / powers.mean()
        weights[np.argsort(powers)[:-100]] = 1.0  # no neighbours
        others = np.delete(np.arange(d), feature)
        system = Z[:, others].T @ Z[:, others] / n + ridge * np.diag(1 / weights[others])
        coefficients = np.linalg.solve(system, Z[:, others].T @ Z[:, feature] / n)
        expected.append(X[:, others] @ coefficients)
    np.testing.assert_allclose(regressions.predict(X), np.transpose(expected), atol=1e-5)


def modules(n, d, rng, *, heavy=False):
    """Rows of features in modules of five, about factors that all share."""
    factors = rng.normal(size=(n, 3)) @ rng.normal(size=(3, d))
    own = np.repeat(rng.normal(size=(n, -(-d // 5))), 5, axis=1)[:, :d]
    X = factors + 2 * own + 0.5 * rng.normal(size=(n, d))
    return np.sinh(X) if heavy else X


def test_switched_off_it_is_the_gaussian():
    rng = np.random.default_rng(2)
    X = modules(60, 40, rng)
    new = np.where(rng.random((5, 40)) < 0.2, np.nan, X[:5])
    plain = AdaptiveImputer(marginals="values", refine=False, random_state=0).fit(X)
    alpha = plain._models[0].gaussian.alpha_
    expected = GaussianImputer(alpha=alpha).fit(X).transform(new)
    np.testing.assert_allclose(plain.transform(new), expected, rtol=1e-6)


@pytest.mark.parametrize("heavy", [False, True])
def test_each_part_pays_where_it_is_made_for(heavy):
    rng = np.random.default_rng(3)
    X = modules(600, 60, rng, heavy=heavy)
    holes = rng.random((500, 60)) < 0.1
    train, new = X[:100], X[100:]
    scale = train.std(axis=0)

    def error(**parameters):
        imputer = AdaptiveImputer(random_state=0, **parameters).fit(train)
        found = imputer.transform(np.where(holes, np.nan, new))
        return np.abs((found - new) / scale)[holes].mean(), imputer

    plain, _ = error(marginals="values", refine=False)
    whole, chosen = error()
    assert whole < (0.95 if heavy else 1.0) * plain
    assert chosen.marginals_ != ("values" if heavy else "ranks")
    assert chosen.errors_[chosen.marginals_] < chosen.errors_["values, not refined"]


@pytest.mark.parametrize("heavy", [False, True])
def test_intervals_hold_the_share_that_they_promise(heavy):
    rng = np.random.default_rng(4)
    X = modules(300, 60, rng, heavy=heavy)
    holes = rng.random((150, 60)) < 0.1
    imputer = AdaptiveImputer(random_state=0).fit(X[:150])
    gappy = np.where(holes, np.nan, X[150:])
    for level, slack in ((0.95, 0.03), (0.5, 0.1)):
        low, high = imputer.predict_interval(gappy, level)
        assert ((low <= X[150:]) & (X[150:] <= high))[holes].mean() == pytest.approx(
            level, abs=slack
        )
        np.testing.assert_array_equal(low[~holes], X[150:][~holes])
    std = imputer.predict_std(gappy)
    assert (std[holes] > 0).all()
    assert not std[~holes].any()
    draws = imputer.sample(gappy, 200)
    np.testing.assert_array_equal(draws[0][~holes], gappy[~holes])
    ratio = draws.std(axis=0)[holes] / std[holes]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.2)


def test_intervals_hold_for_rows_that_it_was_fitted_to(tmp_path):
    """A model knows what is hidden in these to see how odd a row is."""
    rng = np.random.default_rng(5)
    X = modules(100, 400, rng)
    holes = rng.random(X.shape) < 0.1
    gappy = np.where(holes, np.nan, X)
    imputer = AdaptiveImputer(random_state=0, mechanism="mcar").fit(gappy)
    std = imputer.predict_std(gappy)
    z = np.abs(imputer.transform(gappy) - X)[holes] / std[holes]
    assert (z < norm.ppf(0.95)).mean() == pytest.approx(0.9, abs=0.03)
    save_imputer(imputer, tmp_path / "saved.safetensors")
    loaded = load_imputer(tmp_path / "saved.safetensors")
    np.testing.assert_array_equal(loaded.predict_std(gappy[::2]), std[::2])


def test_rows_without_values_and_features_of_few_get_an_honest_spread():
    rng = np.random.default_rng(6)
    X = modules(80, 25, rng)
    X[3:, 0] = np.nan
    imputer = AdaptiveImputer(random_state=0).fit(X)
    new = np.full((1, 25), np.nan)
    assert np.isfinite(imputer.transform(new)).all()
    std = imputer.predict_std(new)[0]
    assert (std[1:] > 0.7 * np.nanstd(X, axis=0)[1:]).all()
    assert std[0] > 0


def test_a_copy_that_is_fitted_again_is_the_same():
    X = modules(40, 10, np.random.default_rng(7))
    X[::3, ::2] = np.nan
    first, second = (clone(AdaptiveImputer(random_state=1)).fit(X).predict_std(X) for _ in "ab")
    np.testing.assert_array_equal(first, second)


def test_intervals_of_counts_hold_their_zeros():
    X = np.maximum(modules(150, 30, np.random.default_rng(8)), 0)  # half of the values are 0
    holes = np.random.default_rng(9).random((50, 30)) < 0.1
    imputer = AdaptiveImputer(marginals="ranks", random_state=0, min_value=0.0).fit(X[:100])
    low, high = imputer.predict_interval(np.where(holes, np.nan, X[100:]))
    assert ((low <= X[100:]) & (X[100:] <= high))[holes].mean() > 0.9


@pytest.mark.parametrize("shape", [(60, 150), (150, 60)])
def test_spreads_by_axes_are_those_of_the_textbook(shape, monkeypatch):
    rng = np.random.default_rng(10)
    Z = standardized(modules(*shape, rng))
    principal = AdaptiveRidge(Z).principal
    missing = rng.random((20, shape[1])) < 0.2
    missing[0] = True
    expected = conditional_variance(Z, missing, 0.5)
    np.testing.assert_allclose(variance_by_axes(*principal, missing, 0.5), expected, rtol=1e-3)
    monkeypatch.setattr(_calibration, "_MOST_AXES", 40)  # of 60
    found = variance_by_axes(*principal, missing, 0.5)
    np.testing.assert_allclose(found, expected, rtol=0.2)


@pytest.mark.parametrize("shape", [(1, 3), (2, 3), (3, 1), (20, 1), (5, 40)])
def test_few_rows_or_features(shape):
    X = np.random.default_rng(11).normal(size=shape)
    X[-1, 0] = np.nan if len(X) > 1 else 0.0
    imputer = AdaptiveImputer(random_state=0).fit(X)
    new = np.where(np.arange(X.size).reshape(shape) % 2 == 0, np.nan, X)
    low, high = imputer.predict_interval(new)
    filled = imputer.transform(new)
    assert np.isfinite(filled).all()
    assert ((low <= filled) & (filled <= high)).all()
    assert np.isfinite(imputer.predict_std(new)).all()
    assert np.isfinite(imputer.sample(new, 2)).all()


def test_both_scales_together_impute_what_their_intervals_hold():
    rng = np.random.default_rng(1)
    factors = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 30)) / 2
    counts = rng.poisson(np.exp(factors + 0.4 * rng.normal(size=factors.shape))).astype(float)
    rows = np.where(rng.random(counts.shape) < 0.1, np.nan, counts)
    options = {"marginals": "both", "refine": False, "mechanism": "mcar", "random_state": 0}
    imputer = AdaptiveImputer(**options).fit(rows)
    filled = imputer.transform(rows)
    low, high = imputer.predict_interval(rows, 0.99)
    assert ((low - 1e-6 <= filled) & (filled <= high + 1e-6)).all()
    assert filled.min() > -1e-6  # the ranks know that nothing is below 0
