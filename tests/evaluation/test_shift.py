"""Shifts for low values, for any method."""

import numpy as np
import pytest

from vaeimpute.evaluation import mean_absolute_error
from vaeimpute.evaluation.shift import residual_spread, shift_curve, vae_shift_curve
from vaeimpute.imputers import MeanImputer, VAEImputer


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_spread_of_the_mean_is_the_distance_from_it(rng):
    train, values = rng.normal(size=(2, 40, 5)) * [1, 2, 3, 4, 5]
    spread = residual_spread(MeanImputer().fit(train), values, rng)
    np.testing.assert_allclose(spread, np.sqrt(((values - train.mean(axis=0)) ** 2).mean(axis=0)))


def test_the_best_shift_is_found_where_values_lie_that_far_below(rng):
    spread = np.array([0.5, 1.0, 2.0])
    imputed = rng.normal(size=(30, 3))
    true = imputed - 1.5 * spread
    curve = shift_curve(true, imputed, spread, np.ones((30, 3), dtype=bool))
    assert curve["shift"][curve["mae"].idxmin()] == 1.5
    assert curve["mae"].min() == pytest.approx(0, abs=1e-12)
    assert curve["mae"][0] == pytest.approx(1.5 * spread.mean())


def test_the_curve_of_a_vae_is_that_of_the_shifts_that_it_was_not_fitted_with(rng):
    X = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 15)) + 0.3 * rng.normal(size=(50, 15))
    quantile = np.quantile(X, 0.1)
    mask = quantile > X
    network = {"hidden_sizes": (8,), "latent_dim": 2, "n_epochs": 20, "learning_rate": 1e-2}
    plain = VAEImputer(**network, random_state=0).fit(X)
    shifted = VAEImputer(**network, random_state=0, shift=1.3).fit(X)
    curve = vae_shift_curve(plain, X, mask, [0.0, 1.3])
    incomplete = np.where(mask, np.nan, X)
    expected = [mean_absolute_error(X, one.transform(incomplete), mask) for one in (plain, shifted)]
    assert curve["mae"].tolist() == pytest.approx(expected)
    assert plain.shift_ == 0  # not changed


def test_a_vae_that_has_learnt_its_shift_has_no_curve(rng):
    X = rng.normal(size=(30, 6))
    network = {"hidden_sizes": (4,), "latent_dim": 2, "n_epochs": 2, "random_state": 0}
    imputer = VAEImputer(**network, shift=1.0, train_shift=True).fit(X)
    with pytest.raises(ValueError, match="train_shift is True, so that no other shift"):
        vae_shift_curve(imputer, X, X < 0, [0.0, 1.0])
