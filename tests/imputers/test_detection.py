"""The detection curve, against numerical integration, its limits, and curves that are known."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import approx_fprime, brentq
from scipy.stats import norm

from vaeimpute.imputers.detection import (
    DetectionCurve,
    Errors,
    Evidence,
    Predictions,
    detect,
)

CURVES = [
    DetectionCurve(0.1, 0.0, 0.0, 1.0),
    DetectionCurve(1e-6, 0.5, -1.0, 1e-4),
    DetectionCurve(0.02, 0.5, -1.0, 0.3),
    DetectionCurve(0.05, 0.9, 0.5, 2.0),
    DetectionCurve(0.3, 0.7 - 1e-6, 0.0, 1e-3),
]
MEANS = np.array([-1.0, 0.0, 1.0, -1.1, 0.7, 3.0])
STDS = np.array([0.3, 1.0, 0.7, 0.05, 2.0, 0.5])


def integral(curve, mean, std, upper=np.inf):
    """Integrate the curve times a normal density, in pieces at the threshold."""

    def integrand(x):
        return norm.pdf(x, mean, std) * curve(x)

    low, high = mean - 10 * std, min(mean + 10 * std, upper)
    steep = curve.threshold + curve.softness * np.array([-30, -5, 0, 5, 30])
    edges = np.unique(np.clip([low, *np.linspace(low, high, 5), *steep, high], low, high))
    return sum(quad(integrand, *edge)[0] for edge in pairwise(edges))


@pytest.mark.parametrize("curve", CURVES, ids=str)
class TestAgainstIntegration:
    def test_chance(self, curve):
        expected = [integral(curve, *one) for one in zip(MEANS, STDS, strict=True)]
        np.testing.assert_allclose(curve.chance(MEANS, STDS), expected, rtol=0.01, atol=1e-7)

    def test_likelihood(self, curve):
        observed = np.array([-0.5, 0.2, 1.4])
        ones = np.ones(len(MEANS))
        evidence = Evidence(observed, ones[:3], MEANS, STDS, ones, Errors(), np.zeros((1, 1)))
        missing = sum(np.log(integral(curve, *one)) for one in zip(MEANS, STDS, strict=True))
        expected = missing + np.log(1 - curve(observed)).sum()
        assert evidence.log_likelihood(curve) == pytest.approx(expected, abs=0.01)

    @pytest.mark.parametrize("level", [0.5, 0.1])
    def test_quantile(self, curve, level):
        found = curve.quantile(MEANS, STDS, level)
        for mean, std, one in zip(MEANS, STDS, found, strict=True):
            total = integral(curve, mean, std)
            expected = brentq(
                lambda x, at=(mean, std), total=total: integral(curve, *at, x) / total - level,
                mean - 8 * std, mean + 8 * std,
            )  # fmt: skip
            assert one == pytest.approx(expected, abs=0.03 * std)

    def test_std(self, curve):
        for mean, std, found in zip(MEANS, STDS, curve.std(MEANS, STDS), strict=True):
            x = np.linspace(mean - 9 * std, mean + 9 * std, 200_001)
            density = norm.pdf(x, mean, std) * curve(x)
            variance = np.average(x**2, weights=density) - np.average(x, weights=density) ** 2
            assert found == pytest.approx(np.sqrt(variance), abs=0.03 * std)


class TestLimits:
    def test_at_random_is_the_prediction_itself(self):
        curve = DetectionCurve(0.1, 0.0, 0.0, 1.0)
        np.testing.assert_allclose(curve.quantile(MEANS, STDS, 0.5), MEANS, atol=2e-3)
        np.testing.assert_allclose(curve.std(MEANS, STDS), STDS, rtol=5e-3)

    def test_a_sharp_threshold_truncates(self):
        curve = DetectionCurve(1e-6, 0.9, 0.0, 1e-6)
        mean, std = np.array([-3.0, 0.0, 1.0]), np.ones(3)
        below = norm.ppf(norm.cdf(0, mean, std) / 2, mean, std)
        np.testing.assert_allclose(curve.quantile(mean, std, 0.5), below, atol=0.01)

    def test_far_above_the_threshold_a_value_was_lost_at_random(self):
        curve = DetectionCurve(0.01, 0.9, 0.0, 1e-3)
        assert curve.quantile(np.array([6.0]), np.array([1.0]), 0.5) == pytest.approx(6, abs=0.02)

    def test_uniform_levels_are_draws(self):
        curve, rng = CURVES[2], np.random.default_rng(0)
        n = 50_000
        drawn = curve.quantile(np.zeros(n), np.ones(n), rng.random(n))
        x = np.linspace(-9, 9, 20_001)
        weights = norm.pdf(x) * curve(x)
        assert drawn.mean() == pytest.approx(np.average(x, weights=weights), abs=0.02)
        assert drawn.std() == pytest.approx(curve.std(np.zeros(1), np.ones(1))[0], abs=0.02)


def simulate(rng, n_rows=300, n_features=100, skew=None):
    """Return correlated values, and predictions of each of them that hide it."""
    factors = rng.normal(size=(n_rows, 5)) @ rng.normal(size=(5, n_features)) / np.sqrt(5)
    noise = 0.5 + 0.3 * rng.random(n_features)
    values = factors + noise * rng.normal(size=factors.shape)
    if skew is not None:
        values = factors + noise * skew(rng, factors.shape)
    scale = values.std(axis=0)
    return values / scale, factors / scale, np.broadcast_to(noise / scale, factors.shape)


def split(values, mean, std, lost, rng, n_parts=3):
    """Return what is observed, missing, and hidden at random in parts by feature."""
    hidden = ~lost & (rng.random(lost.shape) < 0.15)
    part = np.arange(values.shape[1]) % n_parts
    return (
        values[~lost],
        Predictions(mean[lost], std[lost]),
        [
            Predictions(mean[at], std[at], values[at])
            for at in (hidden & (part == number) for number in range(n_parts))
        ],
    )


LOW = -1.28
KNOWN = {
    "threshold": (1e-6, 0.5, 1e-3),
    "soft": (1e-6, 0.5, 0.3),
    "softer": (1e-6, 0.5, 0.6),
    "mixture": (0.05, 0.5, 1e-3),
}


class TestRecovery:
    @pytest.mark.parametrize("name", KNOWN)
    def test_a_known_curve(self, name):
        at_random, lost, softness = KNOWN[name]
        true = DetectionCurve(at_random, lost, LOW, softness)
        rng = np.random.default_rng(1)
        values, mean, std = simulate(rng, n_features=200)
        gone = rng.random(values.shape) < true(values)
        found = detect(*split(values, mean, std, gone, rng))
        assert found.believed
        assert found.at_random == pytest.approx(at_random, abs=0.01)
        x = np.array([-2.5, -2.0, -1.5, -0.5, 0.0])
        np.testing.assert_allclose(found(x), true(x), atol=0.06)
        if softness < 0.01:
            assert found.threshold == pytest.approx(LOW, abs=0.02)
            assert found.softness < 0.02
        else:
            assert found.softness == pytest.approx(softness, rel=0.4)
        missing = mean[gone], std[gone]
        error = np.abs(found.quantile(*missing, 0.5) - values[gone]).mean()
        oracle = np.abs(true.quantile(*missing, 0.5) - values[gone]).mean()
        assert error < 1.03 * oracle

    def test_thresholds_that_differ_between_features_look_soft(self):
        rng = np.random.default_rng(2)
        values, mean, std = simulate(rng)
        limits = np.quantile(values, 0.1, axis=0) + 0.2 * rng.normal(size=values.shape[1])
        gone = (values < limits) & (rng.random(values.shape) < 0.5)
        found = detect(*split(values, mean, std, gone, rng))
        assert found.believed
        assert 0.03 < found.softness < 0.4
        plain = np.abs(mean - values)[gone].mean()
        assert (
            np.abs(found.quantile(mean[gone], std[gone], 0.5) - values[gone]).mean() < 0.7 * plain
        )

    def test_what_the_null_gains_as_well_is_not_believed(self):
        """Below a floor nothing is observed, whatever is predicted: much seems to be lost."""
        rng = np.random.default_rng(3)
        values, mean, std = simulate(rng)
        values = np.maximum(values, -0.7)
        gone = rng.random(values.shape) < 0.1
        found = detect(*split(values, mean, std, gone, rng))
        assert min(found.gain, found.null_gain) > 0.1
        assert not found.believed

    def test_a_soft_curve_is_found_through_errors_that_are_not_normal(self):
        rng = np.random.default_rng(4)
        values, mean, std = simulate(rng, skew=lambda rng, size: rng.standard_t(4, size) / 1.4)
        true = DetectionCurve(1e-6, 0.5, LOW, 0.3)
        gone = rng.random(values.shape) < true(values)
        found = detect(*split(values, mean, std, gone, rng))
        assert found.believed
        assert found.softness == pytest.approx(0.3, rel=0.4)


class TestEvidence:
    def test_bins_change_little(self):
        rng = np.random.default_rng(5)
        values, mean, std = simulate(rng)
        true = CURVES[2]
        gone = rng.random(values.shape) < true(values)
        observed, missing = values[~gone], (mean[gone], std[gone])
        binned = Evidence.binned(observed, Predictions(*missing)).log_likelihood(true)
        exact = np.log(true.chance(*missing)).sum() + np.log(1 - true(observed)).sum()
        assert binned == pytest.approx(exact, rel=2e-3)

    @pytest.mark.parametrize("curve", CURVES[:4])
    def test_slopes_are_those_of_the_log_likelihood(self, curve):
        rng = np.random.default_rng(6)
        values, mean, std = simulate(rng)
        gone = rng.random(values.shape) < 0.1
        evidence = Evidence.binned(values[~gone], Predictions(mean[gone], std[gone]))
        names = ("at_random", "lost", "threshold", "softness")

        def at(parameters):
            changed = dict(zip(names, parameters, strict=True))
            return evidence.log_likelihood(replace(curve, **changed))

        here = np.array([getattr(curve, name) for name in names])
        expected = approx_fprime(here, at, 1e-6 * np.abs(here))
        np.testing.assert_allclose(evidence.slope(curve), expected, rtol=1e-3, atol=1e-2)

    def test_few_missing_values_tell_nothing(self):
        few = Predictions(np.zeros(49), np.ones(49), np.zeros(49))
        assert not detect(np.zeros(1000), few, [few]).believed
