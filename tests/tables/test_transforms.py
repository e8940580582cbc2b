import numpy as np
import pandas as pd
import pytest

from vaeimpute.tables import from_log, from_log_std, suggest_transforms
from vaeimpute.tables.orientation import describe_orientation


@pytest.mark.parametrize(("mean", "std"), [(2.0, 0.4), (0.5, 1.0), (6.0, 1e-6)])
def test_median_and_the_standard_deviation_about_it(mean, std):
    draws = np.expm1(np.random.default_rng(0).normal(mean, std, size=1_000_000))
    filled = from_log(np.array(mean))
    assert filled == pytest.approx(np.median(draws), rel=0.01)
    distance = np.sqrt(np.square(draws - filled).mean())
    assert from_log_std(np.array(mean), np.array(std)) == pytest.approx(distance, rel=0.01)


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
