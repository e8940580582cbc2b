import numpy as np
import pandas as pd
import pytest

from vaeimpute.tables.describe import describe_orientation
from vaeimpute.tables.transforms import (
    Scale,
    guess_bounds,
    suggest_scale,
    suggest_transforms,
)


@pytest.mark.parametrize(("mean", "std"), [(2.0, 0.4), (0.5, 1.0), (6.0, 1e-6)])
def test_median_and_the_standard_deviation_about_it(mean, std):
    draws = np.expm1(np.random.default_rng(0).normal(mean, std, size=1_000_000))
    filled = Scale("log").back(np.array(mean))
    assert filled == pytest.approx(np.median(draws), rel=0.01)
    distance = np.sqrt(np.square(draws - filled).mean())
    assert Scale("log").back_std(np.array(mean), np.array(std)) == pytest.approx(distance, rel=0.01)


@pytest.fixture
def logs():
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(8, 2, size=(30, 40)).clip(0))


def test_values_that_are_logarithms_ask_for_nothing(logs):
    assert suggest_transforms(logs, log=False, zscore=True) == []


def test_counts_ask_for_the_logarithm_and_logarithms_not_for_another(logs):
    (suggestion,) = suggest_transforms(np.exp2(logs), log=False, zscore=True)
    assert "consider --log" in suggestion
    assert suggest_transforms(np.exp2(logs), log=True, zscore=True) == []
    (suggestion,) = suggest_transforms(logs, log=True, zscore=True)
    assert "taken already" in suggestion


def test_features_of_other_units_ask_for_zscores(logs):
    logs.iloc[:, :10] *= 1000
    assert suggest_transforms(logs - 8000, log=False, zscore=True) == []
    (suggestion,) = suggest_transforms(logs - 8000, log=False, zscore=False)
    assert "--zscore" in suggestion


def test_names_tell_the_orientation_before_the_shape_does():
    genes = ["TP53", "EGFR", "PTEN", "MYC", "KRAS"]
    samples = [f"TCGA-{i:02d}-" for i in range(9)]
    upright = pd.DataFrame(0.0, samples, genes)
    assert describe_orientation(upright) is None  # more samples than features, but named so
    assert "look like names of features" in describe_orientation(upright.T)
    unknown = upright.set_axis(range(9), axis=0).set_axis(list("abcde"), axis=1)
    assert "more samples (9) than features (5)" in describe_orientation(unknown.rename(str))


@pytest.mark.parametrize("scale", [Scale(), Scale("log"), Scale("log", 0.02), Scale("logit", 1e-3)])
def test_scales_go_there_and_back(scale):
    values = np.array([0.0, 1e-6, 0.2, 0.5, 1.0])
    frame = pd.DataFrame(values[None])
    np.testing.assert_allclose(scale.back(scale.forward(frame).to_numpy()[0]), values, atol=1e-12)
    assert Scale.parse(str(scale)) == scale
    for bound in (0.0, 0.25, 1.0):
        assert scale.back(np.array(scale.limit(bound))) == pytest.approx(bound, abs=1e-12)
    assert scale.limit(-np.inf) == -np.inf
    assert scale.limit(np.inf) == np.inf


@pytest.mark.parametrize("scale", [Scale("log", 0.5), Scale("logit", 1e-3)])
def test_standard_deviations_on_a_scale_are_those_of_draws(scale):
    center, std = np.array([-1.0, 0.5, 2.0]), np.array([0.3, 0.8, 0.5])
    draws = center + std * np.random.default_rng(0).normal(size=(200_000, 3))
    expected = np.sqrt(np.mean(np.square(scale.back(draws) - scale.back(center)), axis=0))
    np.testing.assert_allclose(scale.back_std(center, std), expected, rtol=0.03)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.2, 0.7], (0, 1)),
        ([0.0, 1.7], (0, np.inf)),
        ([0.0, 50.0, 100.0], (0, 100)),
        ([20.0, 100.0], (0, np.inf)),
        ([-1.0, 1.0], (-np.inf, np.inf)),
        ([-2.0, -1.0, 0.0, 1.0, 2.0] * 50, (-2, 2)),
        ([0.0, 1.0, 2.0] * 50, (0, 2)),
        ([1.0, 2.0, 500.0] * 50, (0, np.inf)),
    ],
)
def test_bounds_that_are_guessed(values, expected):
    frame = pd.DataFrame({"a": [*values, np.nan]})
    bounds = guess_bounds(frame)
    assert bounds[:2] == expected
    assert bounds.guessed == np.isfinite(expected).any()
    assert guess_bounds(frame, -7.0, 700.0) == (-7.0, 700.0, False)


@pytest.mark.parametrize("values", [[0.0, 0.0], [-1.0, 500.0], [0.5], [12.0, 15.0, 22.0]])
def test_nothing_asks_for_a_scale(values):
    assert suggest_scale(pd.DataFrame({"a": values})) is None
