"""What every imputer has to do, whatever its method."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from vaeimpute.exceptions import EmptyFeatureWarning
from vaeimpute.imputers import (
    AdaptiveImputer,
    AutoencoderImputer,
    GaussianImputer,
    KNNImputer,
    MeanImputer,
    RandomImputer,
    SVDImputer,
    VAEImputer,
)
from vaeimpute.imputers._base import BaseImputer

IMPUTERS = [
    MeanImputer(),
    RandomImputer(random_state=0),
    KNNImputer(n_neighbors=3),
    GaussianImputer(random_state=0),
    AdaptiveImputer(random_state=0),
    SVDImputer(n_components=4),
    SVDImputer(n_components="auto", joint=False, random_state=0),
    AutoencoderImputer(
        hidden_sizes=(16,), latent_dim=4, n_epochs=20, learning_rate=1e-3, device="cpu",
        random_state=0,
    ),
    VAEImputer(
        hidden_sizes=(16,), latent_dim=4, n_epochs=20, learning_rate=1e-3, device="cpu",
        random_state=0,
    ),
]  # fmt: skip


def expected_failures(estimator):
    if isinstance(estimator, SVDImputer):
        return {"check_transformer_n_iter": "what max_iter limits happens in transform, not in fit"}
    return {}


@parametrize_with_checks(IMPUTERS, expected_failed_checks=expected_failures)
def test_keeps_scikit_learns_contract(estimator, check):
    check(estimator)


@pytest.fixture(params=IMPUTERS, ids=lambda imputer: type(imputer).__name__)
def imputer(request):
    return clone(request.param)


@pytest.fixture
def matrices():
    """Training rows with a few holes, and new rows with many, in uneven units."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 25)) * np.geomspace(1e-3, 1e3, 25) + 7
    X[rng.random(X.shape) < 0.05] = np.nan
    train, new = X[:45], X[45:].copy()
    new[rng.random(new.shape) < 0.3] = np.nan
    return train, new


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_observed_entries_come_back_bit_for_bit(imputer, matrices, dtype):
    train, new = (matrix.astype(dtype) for matrix in matrices)
    before = new.copy()
    filled = imputer.fit(train).transform(new)
    assert filled.dtype == dtype
    assert np.isfinite(filled).all()
    observed = ~np.isnan(before)
    assert filled[observed].tobytes() == before[observed].tobytes()
    np.testing.assert_array_equal(new, before)  # the input is not written to


def test_same_seed_same_result(imputer, matrices):
    train, new = matrices
    first, second = (clone(imputer).fit(train).transform(new) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_predictions_are_in_the_units_of_the_input(imputer, matrices):
    train, new = matrices
    filled = imputer.fit(train).transform(new)
    scaled = clone(imputer).fit(train * 1000).transform(new * 1000)
    np.testing.assert_allclose(scaled, filled * 1000, rtol=1e-3)


def test_rows_without_any_value_get_a_prediction(imputer, matrices):
    train, _ = matrices
    filled = imputer.fit(train).transform(np.full((2, train.shape[1]), np.nan))
    assert np.isfinite(filled).all()


def test_a_complete_matrix_is_returned_as_it_is(imputer, matrices):
    train, _ = matrices
    complete = np.nan_to_num(train)
    np.testing.assert_array_equal(imputer.fit(train).transform(complete), complete)


def test_one_row_is_imputed_as_among_many(imputer, matrices):
    if isinstance(imputer, AutoencoderImputer | VAEImputer):
        imputer.set_params(init="mean")  # the random guess depends on the row's position
    if isinstance(imputer, SVDImputer):
        imputer.set_params(joint=False)  # jointly, rows depend on each other: see test_svd.py
    train, new = matrices
    imputer.fit(train)
    np.testing.assert_allclose(imputer.transform(new)[[4]], imputer.transform(new[[4]]), rtol=1e-5)


def test_pandas_in_pandas_out(imputer, matrices):
    train, new = (pd.DataFrame(m).add_prefix("gene") for m in matrices)
    new.index = [f"sample {i}" for i in range(len(new))]
    filled = imputer.set_output(transform="pandas").fit(train).transform(new)
    assert filled.index.equals(new.index)
    assert filled.columns.equals(new.columns)


def test_works_in_a_pipeline(imputer, matrices):
    train, new = matrices
    filled = make_pipeline(StandardScaler(), imputer).fit(train).transform(new)
    assert np.isfinite(filled).all()


@pytest.mark.parametrize("keep", [False, True])
def test_features_without_any_value_are_left_out_or_kept(imputer, matrices, keep):
    train, new = (pd.DataFrame(m).add_prefix("gene") for m in matrices)
    empty = ["gene7", "gene20"]
    whole = clone(imputer).fit(train.drop(columns=empty)).transform(new.drop(columns=empty))
    train[empty] = np.nan
    imputer.set_params(keep_empty_features=keep)
    with warnings.catch_warnings() if keep else pytest.warns(EmptyFeatureWarning, match="'gene7'"):
        imputer.fit(train)
    filled = imputer.set_output(transform="pandas").transform(new)
    assert list(filled) == [name for name in train if keep or name not in empty]
    np.testing.assert_array_equal(filled.drop(columns=empty, errors="ignore"), whole)
    if keep:
        pd.testing.assert_frame_equal(filled[empty], new[empty].fillna(0.0))
    for answer in ("predict_std", "sample"):
        if hasattr(imputer, answer):
            assert np.shape(getattr(imputer, answer)(new))[-1] == filled.shape[1]


def test_a_matrix_without_any_value_is_refused(imputer, matrices):
    with pytest.raises(ValueError, match="nothing to learn from"):
        imputer.set_params(keep_empty_features=True).fit(np.full_like(matrices[0], np.nan))


def test_a_number_can_stand_for_what_is_missing(imputer, matrices):
    train, new = matrices
    expected = clone(imputer).fit(train).transform(new)
    train, new = (np.where(np.isnan(matrix), -999.0, matrix) for matrix in matrices)
    imputer.set_params(missing_values=-999).fit(train)
    np.testing.assert_array_equal(imputer.transform(new), expected)
    new[3, 4] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        imputer.transform(new)


def test_an_indicator_says_what_was_missing(imputer, matrices):
    train, new = (pd.DataFrame(m).add_prefix("gene") for m in matrices)
    train[["gene1", "gene2"]] = train[["gene1", "gene2"]].fillna(1.0)
    train["gene3"] = np.nan
    imputer.set_params(add_indicator=True, keep_empty_features=True).fit(train)
    gappy = train.columns[train.isna().any()]
    filled = imputer.set_output(transform="pandas").transform(new)
    assert list(filled) == [*train, *gappy.map("missingindicator_{}".format)]
    np.testing.assert_array_equal(filled.iloc[:, 25:], new[gappy].isna())
    if hasattr(imputer, "predict_std"):
        assert list(imputer.predict_std(new)) == list(train)


def test_infinite_values_are_refused(imputer, matrices):
    train = matrices[0].copy()
    train[2, 3] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        imputer.fit(train)


def test_a_fit_that_fails_leaves_nothing_to_be_used(imputer, matrices, monkeypatch):
    train, new = matrices
    imputer.fit(train)

    def interrupted(X):
        raise KeyboardInterrupt

    monkeypatch.setattr(imputer, "_fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        imputer.fit(train * 100 + 7)
    with pytest.raises(NotFittedError):
        imputer.transform(new)


def test_rows_of_the_training_matrix_are_imputed_as_well_as_others():
    """A row must not be taken for its own neighbour, holes included."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 200)) + 0.1 * rng.normal(size=(60, 200))
    mask = rng.random(X.shape) < 0.1
    holes = np.where(mask, np.nan, X)
    for method in (
        KNNImputer(),
        GaussianImputer(random_state=0),
        GaussianImputer(alpha=0.01),
        AdaptiveImputer(random_state=0),
        SVDImputer(n_components=3),
        SVDImputer(n_components="auto", joint=False, random_state=0),
    ):
        seen = np.abs(clone(method).fit_transform(holes) - X)[mask].mean()
        unseen = np.abs(method.fit(holes[:40]).transform(holes[40:]) - X[40:])[mask[40:]].mean()
        assert seen < 1.3 * unseen, method


def test_methods_share_no_random_stream_and_leave_numpys_global_state_alone(matrices, monkeypatch):
    """With one seed, two methods hold different values out of the same matrix."""
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - it is what must not change
    streams = {}
    draw = BaseImputer._generator

    def remember(self, what):
        rng = draw(self, what)
        streams[type(self).__name__, what] = rng.bit_generator.state["state"]["state"]
        return rng

    monkeypatch.setattr(BaseImputer, "_generator", remember)
    train, new = matrices
    shifted = clone(IMPUTERS[-1]).set_params(shift="auto", validation_fraction=0.2)
    for imputer in [*IMPUTERS, shifted]:
        for seed in (None, 0) if hasattr(imputer, "random_state") else ():
            fitted = clone(imputer).set_params(random_state=seed).fit(train)
            fitted.transform(new)
            if hasattr(fitted, "sample"):
                fitted.sample(new, n_draws=1)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert {name for name, what in streams if what == "held-out values"} == {
        "AdaptiveImputer", "GaussianImputer", "SVDImputer",
    }  # fmt: skip
    assert {name for name, what in streams if what == "training"} == {
        "AutoencoderImputer", "VAEImputer",
    }  # fmt: skip
    assert len(set(streams.values())) == len(streams)
