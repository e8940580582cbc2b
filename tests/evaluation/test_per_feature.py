"""Errors of single features, and where each method wins."""

import numpy as np
import pandas as pd
import pytest

from vaeimpute.evaluation import mean_absolute_error
from vaeimpute.evaluation.errors import (
    describe_features,
    error_per_feature,
    errors_by_property,
    strongest_correlation,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_it_is_the_error_of_every_feature_by_itself(rng):
    true, imputed = rng.normal(size=(2, 9, 11))
    mask = rng.random((9, 11)) < 0.5
    mask[:, 4] = False
    errors = error_per_feature(true, imputed, mask)
    assert np.flatnonzero(np.isnan(errors)).tolist() == [4]
    for j in set(range(11)) - {4}:
        expected = mean_absolute_error(true[:, [j]], imputed[:, [j]], mask[:, [j]])
        assert errors[j] == pytest.approx(expected)
    total = np.nansum(errors * mask.sum(axis=0)) / mask.sum()
    assert total == pytest.approx(mean_absolute_error(true, imputed, mask))


def test_what_is_not_masked_does_not_count(rng):
    true = rng.normal(size=(3, 2))
    mask = np.array([[True, False]] * 3)
    imputed = np.where(mask, true + 1, np.nan)
    np.testing.assert_allclose(error_per_feature(true, imputed, mask), [1, np.nan])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"imputed": np.zeros((2, 4))}, r"true \(2, 3\), imputed \(2, 4\)"),
        ({"mask": np.zeros((2, 3))}, "boolean mask"),
        ({"imputed": np.full((2, 3), np.nan)}, "6 of 6 masked entries are NaN"),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {"true": np.zeros((2, 3)), "imputed": np.zeros((2, 3)),
                 "mask": np.ones((2, 3), dtype=bool)} | change  # fmt: skip
    with pytest.raises(ValueError, match=message):
        error_per_feature(**arguments)


def test_strongest_correlation_equals_numpy(rng):
    values = rng.normal(size=(20, 6)) @ rng.normal(size=(6, 700))
    values[:, 3] = 2.0
    with np.errstate(invalid="ignore"):
        expected = np.abs(np.nan_to_num(np.corrcoef(values.T)))
    np.fill_diagonal(expected, 0)
    chosen = rng.permutation(700)[:600]  # more than are computed at a time
    found = strongest_correlation(values, chosen)
    np.testing.assert_allclose(found, expected[chosen].max(axis=1), atol=1e-12)
    assert strongest_correlation(values, [3]) == 0


def test_features_are_described_in_their_own_units(rng):
    values = pd.DataFrame(rng.normal(5, 2, size=(30, 4)), columns=list("abcd"))
    values["d"] = 3 * values["b"] + 1
    described = describe_features(values, pd.Index(["d", "a"]))
    assert described.index.tolist() == ["d", "a"]
    assert described.loc["d", "mean"] == pytest.approx(3 * values["b"].mean() + 1)
    assert described.loc["d", "variance"] == pytest.approx(9 * values["b"].var())
    assert described["correlation"]["d"] == pytest.approx(1)
    assert described["correlation"]["a"] < 0.9


def test_bins_show_where_a_method_wins(rng):
    level = pd.Series(1.0 * rng.permutation(100), index=[f"g{i}" for i in range(100)])
    errors = pd.DataFrame({"KNN": np.where(level < 50, 0.1, 0.9), "VAE": 0.5}, index=level.index)
    table = errors_by_property(errors, level.to_frame("mean"), n_bins=4)
    assert table["n_features"].eq(25).all()
    wide = table.pivot(index="bin", columns="method", values=["mae", "share_won"])
    np.testing.assert_allclose(wide["mae", "KNN"], [0.1, 0.1, 0.9, 0.9])
    np.testing.assert_allclose(wide["share_won", "VAE"], [0, 0, 1, 1])
    assert table.query("method == 'KNN'")["middle"].is_monotonic_increasing


def test_equal_winners_share():
    errors = pd.DataFrame({"KNN": [1.0, 2.0], "SVD": [1.0, 1.0], "VAE": [1.0, 3.0]})
    table = errors_by_property(errors, pd.DataFrame({"mean": [0.0, 1.0]}), n_bins=1)
    assert table.set_index("method")["share_won"].to_dict() == pytest.approx(
        {"KNN": 1 / 6, "SVD": 4 / 6, "VAE": 1 / 6}
    )
    with pytest.raises(ValueError, match="the same features"):
        errors_by_property(errors, pd.DataFrame({"mean": [0.0, 1.0]}, index=[1, 0]))
