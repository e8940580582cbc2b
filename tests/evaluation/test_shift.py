"""Shifts for low values, for any method."""

import numpy as np
import pytest

from vaeimpute.evaluation.shift import residual_spread, shift_curve
from vaeimpute.imputers import MeanImputer


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
