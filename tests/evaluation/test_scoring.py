"""The score for model selection on incomplete matrices."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from vaeimpute.evaluation import MaskedScorer
from vaeimpute.exceptions import EmptyFeatureWarning
from vaeimpute.imputers import GaussianImputer, KNNImputer, MeanImputer, SVDImputer
from vaeimpute.missingness import SCENARIOS, mnar_low_values


@pytest.fixture
def X():
    """Rows near a plane, in uneven units, some of them missing."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 25)) + 0.5 * rng.normal(size=(60, 25))
    X = X * np.geomspace(1e-3, 1e3, 25) + 7
    X[rng.random(X.shape) < 0.1] = np.nan
    return X


def test_the_score_is_minus_the_error_on_what_is_hidden(X):
    train, rows = X[:40], X[40:]
    scorer = MaskedScorer(0.3, standardize=False)
    imputer = MeanImputer().fit(train)
    hidden = scorer.mask(rows)
    expected = np.abs(rows - np.nanmean(train, axis=0))[hidden].mean()
    assert scorer(imputer, rows) == pytest.approx(-expected)
    squares = (rows - np.nanmean(train, axis=0))[hidden] ** 2
    rmse = MaskedScorer(0.3, metric="rmse", standardize=False)
    assert rmse(imputer, rows) == pytest.approx(-np.sqrt(squares.mean()))


def test_only_observed_entries_are_hidden_and_always_the_same(X):
    scorer = MaskedScorer(0.3)
    hidden = scorer.mask(X)
    assert not hidden[np.isnan(X)].any()
    assert hidden.sum() == pytest.approx(0.3 * (~np.isnan(X)).sum(), rel=0.05)
    np.testing.assert_array_equal(hidden, scorer.mask(X))
    assert (hidden != MaskedScorer(0.3, random_state=1).mask(X)).any()


def test_units_do_not_matter(X):
    scales = np.geomspace(1e4, 1e-4, 25)
    scorer = MaskedScorer()
    first, second = (scorer(MeanImputer().fit(Y[:40]), Y[40:]) for Y in (X, X * scales - 3))
    assert first == pytest.approx(second)
    assert -1.2 < first < -0.5  # standard deviations


def test_a_pipeline_is_scored_in_its_own_units(X):
    scorer = MaskedScorer()
    alone = KNNImputer(n_neighbors=3)
    scaled = make_pipeline(StandardScaler(), KNNImputer(n_neighbors=3))
    first, second = (scorer(model.fit(X[:40]), X[40:]) for model in (alone, scaled))
    assert first == pytest.approx(second)
    logs = make_pipeline(FunctionTransformer(np.exp), MeanImputer())
    assert scorer(logs.fit(X[:40, :9]), X[40:, :9]) < 0


def test_grid_search_finds_what_trying_by_hand_finds(X):
    ranks = [1, 3, 12]
    scorer, folds = MaskedScorer(0.2), KFold(3, shuffle=True, random_state=0)
    model = SVDImputer(joint=False, schedule="fixed", max_iter=50)
    search = GridSearchCV(model, {"n_components": ranks}, scoring=scorer, cv=folds).fit(X)
    by_hand = [
        np.mean(
            [
                scorer(model.set_params(n_components=rank).fit(X[train]), X[test])
                for train, test in folds.split(X)
            ]
        )
        for rank in ranks
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], by_hand)
    assert search.best_params_ == {"n_components": ranks[np.argmax(by_hand)]} == {"n_components": 3}
    assert np.isfinite(search.transform(X)).all()


def test_better_methods_score_higher(X):
    scores = [
        cross_val_score(model, X, scoring=MaskedScorer(), cv=3).mean()
        for model in (MeanImputer(), KNNImputer(), GaussianImputer(random_state=0))
    ]
    assert scores == sorted(scores)
    assert scores[-1] < 0


def test_data_frames_of_any_float_type(X):
    frame = pd.DataFrame(X).add_prefix("gene")
    scorer = MaskedScorer()
    expected = scorer(MeanImputer().fit(X[:40]), X[40:])
    for convert in (pd.DataFrame.copy, pd.DataFrame.convert_dtypes):
        train, rows = convert(frame[:40]), convert(frame[40:])
        assert scorer(MeanImputer().fit(train), rows) == pytest.approx(expected)
        pandas = MeanImputer().set_output(transform="pandas")
        assert scorer(pandas.fit(train), rows) == pytest.approx(expected)


def test_features_without_values_or_variation_take_no_part(X):
    rows = X[40:].copy()
    rows[:, 3], rows[:, 4] = np.nan, 5.0
    hidden = MaskedScorer(0.5).mask(rows)
    assert hidden.any(axis=0).sum() == 23
    assert not hidden[:, 3:5].any()
    assert MaskedScorer(0.5, standardize=False).mask(rows)[:, 4].any()
    assert MaskedScorer(0.5)(MeanImputer().fit(X[:40]), rows) < 0


@pytest.mark.parametrize("scenario", ["mnar_low_values", mnar_low_values(quantile=0.3)])
def test_low_means_low_for_the_feature(X, scenario):
    hidden = MaskedScorer(scenario).mask(X)
    z = (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
    assert z[hidden].max() < np.nanquantile(z, 0.31)
    assert hidden.any(axis=0).sum() > 15


def test_whole_features():
    X = np.random.default_rng(0).normal(size=(8, 40))
    hidden = MaskedScorer("mnar_whole_genes").mask(X)
    assert hidden.all(axis=0).sum() == 2
    assert hidden.sum() == 16


def test_can_be_sent_to_other_processes(X):
    scorer = pickle.loads(pickle.dumps(MaskedScorer("mcar_30")))
    assert repr(scorer) == "MaskedScorer('mcar_30', metric='mae')"
    np.testing.assert_array_equal(scorer.mask(X), MaskedScorer("mcar_30").mask(X))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scenario": "mcar"}, "Unknown scenario 'mcar'; choose from mcar_05"),
        ({"scenario": 1.5}, "share between 0 and 1 but got 1.5"),
        ({"metric": "r2"}, "'mae', 'rmse' or a function but got 'r2'"),
    ],
)
def test_what_is_not_known_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        MaskedScorer(**arguments)


@pytest.mark.parametrize("add_indicator", [False, True])
def test_a_feature_that_was_empty_at_fit_takes_no_part(X, add_indicator):
    train = X.copy()
    train[:, 7] = np.nan
    with pytest.warns(EmptyFeatureWarning):
        model = KNNImputer(add_indicator=add_indicator).fit(train)
    others = np.delete(X, 7, axis=1)
    scorer = MaskedScorer(SCENARIOS["mnar_whole_genes"])
    hidden = np.delete(scorer.mask(X), 7, axis=1)
    scale = np.nanstd(others, axis=0)
    filled = (
        KNNImputer().fit(np.delete(train, 7, axis=1)).transform(np.where(hidden, np.nan, others))
    )
    expected = -np.abs((filled - others) / scale)[hidden].mean()
    assert scorer(model, X) == pytest.approx(expected)
    named = pd.DataFrame(X).add_prefix("gene")
    with pytest.warns(EmptyFeatureWarning):
        model.fit(named.where(~np.isnan(train)))
    assert scorer(model, named) == pytest.approx(expected)
    with pytest.warns(EmptyFeatureWarning):
        pipeline = make_pipeline(model, StandardScaler()).fit(named.where(~np.isnan(train)))
    assert np.isfinite(scorer(pipeline, named))


def test_what_cannot_be_scored_is_explained(X):
    model = MeanImputer().fit(X)
    with pytest.raises(ValueError, match=r"nothing to hide by 'mcar_10' in 1 rows .*fewer folds"):
        MaskedScorer()(model, X[:1])
    reduced = make_pipeline(MeanImputer(), PCA(2)).fit(X)
    with pytest.raises(ValueError, match=r"shape \(60, 25\) .* but got \(60, 2\)"):
        MaskedScorer()(reduced, X)
    with pytest.raises(ValueError, match="no GC content"):
        MaskedScorer(SCENARIOS["mnar_high_gc"])(model, X)
