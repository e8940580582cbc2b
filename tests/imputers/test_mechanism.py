"""How the recommended imputer finds out how values were lost, and what it then does."""

from dataclasses import replace

import numpy as np
import pytest

from vaeimpute.imputers import AdaptiveImputer, load_imputer, save_imputer
from vaeimpute.imputers._mechanism import Predicted, Scale
from vaeimpute.imputers._moments import Scaler
from vaeimpute.imputers.detection import DetectionCurve

LIMIT, UNIT = 3.2, 2.0


@pytest.fixture(scope="module")
def matrix():
    """Return correlated values in units of their own, around 5."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(240, 4)) @ rng.normal(size=(4, 40)) / 2
    return 5 + UNIT * (factors + 0.4 * rng.normal(size=factors.shape))


@pytest.fixture(scope="module")
def complete(matrix):
    return AdaptiveImputer(refine=False, marginals="values", random_state=0).fit(matrix[:160])


def below_limit(values, rng):
    return (values < LIMIT) & (rng.random(values.shape) < 0.6)


def error(filled, true, lost):
    return np.abs(filled - true)[lost].mean()


class TestNewRows:
    def test_a_limit_is_found_and_corrected_for(self, matrix, complete):
        true = matrix[160:]
        lost = below_limit(true, np.random.default_rng(1))
        rows = np.where(lost, np.nan, true)
        curve = complete.detect(rows)
        assert curve.believed
        assert curve.units == "input"
        assert curve.threshold == pytest.approx(LIMIT, abs=0.1)
        assert curve.lost == pytest.approx(0.6, abs=0.1)
        assert curve.describe().startswith("values below 3.2 are lost with probability 0.")
        plain = AdaptiveImputer(**complete.get_params() | {"mechanism": "mcar"}).fit(matrix[:160])
        filled = complete.transform(rows)
        assert error(filled, true, lost) < 0.7 * error(plain.transform(rows), true, lost)
        np.testing.assert_array_equal(filled[~lost], true[~lost])
        low, high = complete.predict_interval(rows, 0.9)
        assert ((low <= true) & (true <= high))[lost].mean() == pytest.approx(0.9, abs=0.04)
        draws = complete.sample(rows, 40)
        std = complete.predict_std(rows)
        assert np.median(draws.std(axis=0)[lost] / std[lost]) == pytest.approx(1, abs=0.1)
        assert np.abs(np.median(draws, axis=0) - filled)[lost].mean() < 0.3 * std[lost].mean()

    def test_rows_that_miss_nothing_count_for_all_that_is_said(self, matrix, complete):
        true = matrix[160:]
        lost = below_limit(true, np.random.default_rng(1)) & (np.arange(80) % 2 == 0)[:, None]
        rows = np.where(lost, np.nan, true)
        filled = complete.transform(rows)
        low, high = complete.predict_interval(rows, 0.1)
        assert ((low <= filled) & (filled <= high))[lost].all()
        gappy = lost.any(axis=1)
        assert complete.detect(rows).lost < complete.detect(rows[gappy]).lost

    def test_without_a_seed_rows_are_filled_alike_each_time(self, matrix):
        imputer = AdaptiveImputer(refine=False, marginals="values").fit(matrix[:160])
        rows = np.where(below_limit(matrix, np.random.default_rng(1)), np.nan, matrix)[160:]
        np.testing.assert_array_equal(imputer.transform(rows), imputer.transform(rows))

    @pytest.mark.parametrize("unit", [1e-12, 1e12])
    def test_the_unit_does_not_matter(self, matrix, complete, unit):
        rows = np.where(below_limit(matrix, np.random.default_rng(1)), np.nan, matrix)[160:]
        other = AdaptiveImputer(**complete.get_params()).fit(unit * matrix[:160])
        assert other.detect(unit * rows).units == "input"
        np.testing.assert_allclose(other.transform(unit * rows) / unit, complete.transform(rows))

    def test_at_random_nothing_changes_to_the_bit(self, matrix, complete):
        rng = np.random.default_rng(2)
        rows = np.where(rng.random((80, 40)) < 0.1, np.nan, matrix[160:])
        plain = AdaptiveImputer(**complete.get_params() | {"mechanism": "mcar"}).fit(matrix[:160])
        assert not complete.detect(rows).believed
        np.testing.assert_array_equal(complete.transform(rows), plain.transform(rows))
        np.testing.assert_array_equal(complete.predict_std(rows), plain.predict_std(rows))
        np.testing.assert_array_equal(complete.sample(rows, 2), plain.sample(rows, 2))


class TestTrainingRows:
    @pytest.mark.parametrize("marginals", ["values", "ranks"])
    def test_a_limit_is_found_on_rows_held_out(self, matrix, marginals, tmp_path):
        lost = below_limit(matrix, np.random.default_rng(3))
        rows = np.where(lost, np.nan, matrix)
        imputer = AdaptiveImputer(refine=False, marginals=marginals, random_state=0)
        plain = AdaptiveImputer(**imputer.get_params() | {"mechanism": "mcar"}).fit_transform(rows)
        filled = imputer.fit_transform(rows)
        assert imputer.curve_.believed
        assert error(filled, matrix, lost) < 0.9 * error(plain, matrix, lost)
        save_imputer(imputer, tmp_path / "model.safetensors")
        again = load_imputer(tmp_path / "model.safetensors")
        assert again.curve_ == imputer.curve_
        np.testing.assert_array_equal(again.transform(rows), filled)

    def test_at_random_nothing_changes_to_the_bit(self, matrix):
        rng = np.random.default_rng(4)
        rows = np.where(rng.random(matrix.shape) < 0.1, np.nan, np.exp(matrix))
        imputer = AdaptiveImputer(refine=False, random_state=0).fit(rows)
        plain = AdaptiveImputer(refine=False, mechanism="mcar", random_state=0).fit(rows)
        assert not imputer.curve_.believed
        np.testing.assert_array_equal(imputer.transform(rows), plain.transform(rows))

    def test_a_curve_that_is_asked_for_is_used_in_any_case(self, matrix):
        rng = np.random.default_rng(5)
        rows = np.where(rng.random(matrix.shape) < 0.1, np.nan, matrix)
        options = {"refine": False, "marginals": "values", "random_state": 0}
        asked = AdaptiveImputer(mechanism="curve", **options).fit(rows)
        assert not asked.curve_.believed
        assert (asked.transform(rows) != AdaptiveImputer(**options).fit_transform(rows)).any()


def test_what_a_threshold_moves_far_stays_where_it_was_found_whatever_the_scale():
    # Scores are logarithms: half a score below the mean is not half a deviation.
    scale = Scale(np.log, np.exp, Scaler(np.array([3.0]), np.array([2.0])), "scores")
    prediction = Predicted(np.zeros((1, 1)), np.full((1, 1), 0.5), scale)
    limit = DetectionCurve(at_random=1e-6, lost=0.5, threshold=3.8, softness=1e-3)
    mean, std = prediction.in_units("input")
    found = limit.quantile(mean, std, 0.5)
    assert found < 3.8 < mean
    (value,) = replace(prediction, curve=limit).at(0.0)
    np.testing.assert_allclose(3 + 2 * value, found[0], rtol=1e-6)
    (at_random,) = replace(prediction, curve=replace(limit, at_random=0.1, lost=1e-9)).at(0.0)
    np.testing.assert_allclose(at_random, 1.0, atol=0.02)  # exp(0), the median on the scale


def test_what_a_gradual_loss_moves_is_as_many_steps_away_on_the_scale():
    scale = Scale(np.log, np.exp, Scaler(np.zeros(1), np.ones(1)), "scores")
    prediction = Predicted(np.zeros((1, 1)), np.full((1, 1), 0.5), scale)
    mean, std = prediction.in_units("input")
    gradual = DetectionCurve(at_random=1e-6, lost=0.9, threshold=mean[0, 0], softness=std[0, 0])
    steps = (gradual.quantile(mean, std, 0.5) - mean) / std
    assert steps < -0.2
    np.testing.assert_allclose(replace(prediction, curve=gradual).at(0.0), np.exp(0.5 * steps))


def test_a_feature_that_is_mostly_zeros_keeps_the_width_of_its_intervals():
    # A step either way leads to 0, the most frequent value, but two steps up do not.
    scale = Scale(
        lambda X: X, lambda X: np.maximum(X - 1, 0), Scaler(np.zeros(1), np.ones(1)), "scores"
    )
    curve = DetectionCurve(at_random=0.05, lost=0.5, threshold=-1.0, softness=1e-3)
    prediction = Predicted(np.zeros((1, 1)), np.ones((1, 1)), scale, curve)
    bounds = [prediction.at(sign * 1.96)[0, 0] for sign in (-1, 1)]
    np.testing.assert_allclose(bounds, [0, 0.96], atol=1e-6)


@pytest.mark.parametrize("lost_below", [0.5, 2.5])
def test_intervals_of_counts_hold_what_they_promise(matrix, lost_below):
    rng = np.random.default_rng(0)
    counts = rng.poisson(np.exp((matrix - 5) / 2)).astype(float)
    lost = (counts < lost_below) & (rng.random(counts.shape) < 0.6)
    rows = np.where(lost, np.nan, counts)
    imputer = AdaptiveImputer(refine=False, marginals="ranks", random_state=0).fit(rows)
    assert imputer.curve_.units == "input"
    filled = imputer.transform(rows)
    inner = filled, filled
    for level in (0.5, 0.9, 0.95, 0.99):
        low, high = imputer.predict_interval(rows, level)
        assert ((low <= inner[0] + 1e-6) & (inner[1] <= high + 1e-6)).all()
        inner = low, high
    draws = imputer.sample(rows, 20)
    low, high = imputer.predict_interval(rows, 0.9)
    assert ((low <= draws) & (draws <= high))[:, lost].mean() == pytest.approx(0.9, abs=0.04)
    assert ((low <= filled) & (filled <= high)).all()
