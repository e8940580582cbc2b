"""Choosing a method by hiding values."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cli.options import Resemblance
from vaeimpute.comparison import choose, compare_on
from vaeimpute.comparison.holdout import HOLD_OUTS, draw_mask, guess_scenario
from vaeimpute.exceptions import NothingToHideError
from vaeimpute.imputers import GaussianImputer, KNNImputer, MeanImputer, RandomImputer
from vaeimpute.methods import build_own


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    array = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 50)) * 7 + 100
    array[rng.random(array.shape) < 0.1] = np.nan
    return pd.DataFrame(array, [f"s{i}" for i in range(40)]).add_prefix("g")


def test_the_command_line_knows_the_scenarios():
    assert list(get_args(Resemblance)) == ["auto", *HOLD_OUTS]


@pytest.mark.parametrize("scenario", HOLD_OUTS)
def test_only_observed_values_are_hidden_and_every_feature_keeps_one(values, scenario):
    values.iloc[1:, 0] = np.nan
    mask = draw_mask(values, scenario, seed=0, trial=0)
    observed = values.notna().to_numpy()
    assert mask.any()
    assert not (mask & ~observed).any()
    assert (observed & ~mask).any(axis=0).all()
    np.testing.assert_array_equal(mask, draw_mask(values, scenario, seed=0, trial=0))
    assert (mask != draw_mask(values, scenario, seed=0, trial=1)).any()


def test_what_is_hidden(values):
    observed = values.notna().to_numpy()
    mask = draw_mask(values, "random", seed=0, trial=0)
    assert mask.sum() == round(0.1 * observed.sum())
    mask = draw_mask(values, "features", seed=0, trial=0)
    rows, columns = mask.any(axis=1), mask.any(axis=0)
    assert (rows.sum(), columns.sum()) == (8, 12)
    assert mask[np.ix_(rows, columns)].sum() == observed[np.ix_(rows, columns)].sum()
    mask = draw_mask(values, "low", seed=0, trial=0)
    z = ((values - values.mean()) / values.std(ddof=0)).to_numpy()
    assert (z[mask] < np.nanquantile(z, 0.1)).all()


def test_at_least_one_value_is_hidden_if_that_can_be():
    tiny = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, np.nan]})
    assert draw_mask(tiny, "random", seed=0, trial=0).sum(axis=0).tolist() == [1, 0]
    with pytest.raises(NothingToHideError, match="No feature has two values"):
        draw_mask(tiny.iloc[:1, :1], "random", seed=0, trial=0)


def test_errors_are_those_of_a_computation_by_hand(values):
    found = compare_on(values, {"mean": MeanImputer()}, "random", n_trials=2, seed=3)
    scale = values.std(ddof=0)
    for trial, mae in enumerate(found.table["mae"]):
        mask = draw_mask(values, "random", seed=3, trial=trial)
        kept = values.mask(mask)
        errors = ((kept.mean() - values).abs() / scale).to_numpy()[mask]
        assert mae == pytest.approx(errors.mean())
    per_feature = found.errors_per_feature("mean")
    assert per_feature["n_hidden"].sum() == found.table["n_missing"].sum()
    assert per_feature["mae"].is_monotonic_decreasing
    weighted = (per_feature["mae"] * per_feature["n_hidden"]).sum() / per_feature["n_hidden"].sum()
    assert weighted == pytest.approx(
        np.average(found.table["mae"], weights=found.table["n_missing"])
    )


class Slow(MeanImputer):
    """Takes its time to fit, by a clock of its own, and none to impute."""

    now = 0.0

    def _fit(self, X):
        Slow.now += 100
        super()._fit(X)


def test_seconds_are_those_of_imputing_and_fit_seconds_those_of_fitting(values, monkeypatch):
    monkeypatch.setattr("vaeimpute.comparison.holdout.time.perf_counter", lambda: Slow.now)
    table = compare_on(values, {"slow": Slow()}, "random").table
    assert table[["seconds", "fit_seconds"]].to_numpy().tolist() == [[0.0, 100.0]]


def test_the_margin_says_what_is_noise(values):
    methods = {"mean": MeanImputer(), "KNN": KNNImputer(), "again": KNNImputer(),
               "Gaussian": GaussianImputer(random_state=0)}  # fmt: skip
    found = compare_on(values, methods, "random", seed=0)
    assert found.best == found.preferred() == "Gaussian"
    assert found.within_noise() == []
    difference, error = found.margin("Gaussian", "mean")
    assert difference > 10 * error > 0
    assert found.margin("KNN", "again") == (0.0, 0.0)
    only = compare_on(values, {k: methods[k] for k in ("KNN", "again")}, "random")
    assert only.within_noise() == ["again"]
    assert "again is no worse within the noise." in only.describe()


def test_of_equals_the_simplest_is_taken(caplog):
    """In noise, the Gaussian is better than the mean by chance, if it is at all."""
    caplog.set_level("INFO")
    rng = np.random.default_rng(1)
    noise = pd.DataFrame(rng.normal(size=(60, 30))).add_prefix("g")
    methods = {"random": RandomImputer(random_state=0), "mean": MeanImputer(),
               "Gaussian": GaussianImputer(random_state=0)}  # fmt: skip
    for order in (methods, {name: methods[name] for name in ("Gaussian", "mean")}):
        caplog.clear()
        chosen, found = choose(noise, order, scenario="random")
        simplest = "mean" if order is methods else "Gaussian"
        assert chosen == found.preferred() == simplest
        assert {found.best, *found.within_noise()} == {"mean", "Gaussian"}
        said = f"Of equals, took the simplest: {chosen}." in caplog.text
        assert said == (chosen != found.best)
    # Where there is a difference, and among those that can be taken.
    signal = pd.DataFrame(rng.normal(size=(60, 2)) @ rng.normal(size=(2, 30))).add_prefix("g")
    assert choose(signal, methods, scenario="random")[0] == "Gaussian"
    assert choose(signal, methods, among=["random", "mean"], scenario="random")[0] == "mean"


class Broken(MeanImputer):
    def _fit(self, X):
        raise np.linalg.LinAlgError("singular")


def test_a_method_that_fails_is_left_out_with_a_warning(values, caplog):
    found = compare_on(values, {"broken": Broken(), "mean": MeanImputer()}, "random", n_trials=2)
    assert found.ranking.index.tolist() == ["mean"]
    assert "broken fails on this matrix and is left out: singular" in caplog.text
    with pytest.raises(np.linalg.LinAlgError):
        compare_on(values, {"broken": Broken()}, "random")
    with pytest.raises(RuntimeError, match="No method works"):
        compare_on(values, {"broken": Broken(), "too": Broken()}, "random")


def test_the_data_are_not_changed(values):
    before = values.copy()
    compare_on(values, {"mean": MeanImputer()}, "low")
    pd.testing.assert_frame_equal(values, before)


def test_standard_deviations_are_compared_with_errors(values):
    imputer = build_own("vae", 50, device="cpu")
    found = compare_on(values, {"VAE": imputer, "mean": MeanImputer()}, "random", with_std=True)
    assert found.standardized_residuals("mean") is None
    mask = draw_mask(values, "random", seed=0, trial=0)
    kept = values.mask(mask)
    imputer.fit(kept)
    differences = (np.asarray(imputer.transform(kept)) - values.to_numpy())[mask]
    expected = differences / np.asarray(imputer.predict_std(kept))[mask]
    np.testing.assert_allclose(found.standardized_residuals("VAE"), expected)


def test_few_missing_values_show_no_pattern(values):
    values = values.fillna(0)
    values.iloc[:4, :5] = np.nan
    assert guess_scenario(values) == ("random", "20 missing values are too few to show a pattern")


def test_missing_values_in_blocks(values):
    values = values.fillna(0)
    values.iloc[:10, :20] = np.nan
    key, reason = guess_scenario(values)
    assert key == "features"
    assert reason.startswith("100 % of the missing values")


def test_low_features_missing(values):
    rng = np.random.default_rng(1)
    values = values.fillna(100) + np.linspace(0, 50, 50)
    chance = np.linspace(0.5, 0, 50)
    key, reason = guess_scenario(values.mask(rng.random(values.shape) < chance))
    assert key == "low"
    assert "rank correlation -0." in reason


def test_low_values_that_are_all_alike_cannot_be_hidden():
    rng = np.random.default_rng(2)
    levels = pd.DataFrame(np.tile(np.arange(40.0), (60, 1)))
    key, reason = guess_scenario(levels.mask(rng.random(levels.shape) < np.linspace(0.5, 0, 40)))
    assert (key, "too many alike to be hidden" in reason) == ("random", True)


@pytest.mark.parametrize("among", [None, ["KNN", "mean"]])
@pytest.mark.parametrize(
    ("estimate", "much"),
    [("expected_seconds", 5e3), ("_bytes_to_fit", 5e15)],
    ids=["minutes", "memory"],
)
def test_what_takes_too_much_is_left_out_and_named(monkeypatch, caplog, among, estimate, much):
    caplog.set_level("INFO")
    values = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 12)))
    imputers = {"mean": MeanImputer(), "KNN": KNNImputer(), "Gaussian": GaussianImputer()}
    fits = []
    monkeypatch.setattr(KNNImputer, estimate, lambda self, n, d: much * (n == 60))
    monkeypatch.setattr(KNNImputer, "_fit", lambda self, X: fits.append(X))
    chosen, found = choose(values, imputers, among=among, compare=True)
    assert chosen != "KNN"
    assert "KNN" not in found.residuals
    assert not fits
    assert "what they take on 60 samples x 12 features: KNN, about " in caplog.text
    assert "83 minutes" in caplog.text or "5e+06 GB of the machine's" in caplog.text


def test_a_method_that_was_asked_for_is_kept_however_long_it_takes(monkeypatch, caplog):
    caplog.set_level("INFO")
    values = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 12)))
    monkeypatch.setattr(MeanImputer, "expected_seconds", lambda self, n, d: 5000.0)
    assert choose(values, {"mean": MeanImputer()}) == ("mean", None)
    assert "mean takes about 83 minutes on 60 samples x 12 features" in caplog.text
