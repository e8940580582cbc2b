"""Correlations, Cox coefficients and concordance against scipy and lifelines, on real genes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import spearmanr

from vaeimpute.cohorts import load_cohort
from vaeimpute.evaluation.associations import (
    CONSTANT,
    CONVERGED,
    NOT_CONVERGED,
    SEPARATION,
    TOO_FEW_EVENTS,
    concordance_index,
    cox_coefficients,
    spearman_correlations,
)
from vaeimpute.evaluation.clinical import clinical_coefficients, read_outcomes

lifelines = pytest.importorskip("lifelines", reason="part of the extra 'book'")


@pytest.fixture(scope="module")
def cohort():
    return load_cohort("breast-gse1992")


@pytest.fixture(scope="module")
def genes(cohort):
    """Every hundredth gene, values as they are measured: they have ties."""
    values = cohort.values.to_numpy()[:, ::100]
    assert (np.sort(values, axis=0)[1:] == np.sort(values, axis=0)[:-1]).any()
    return values


def fit_with_lifelines(x, time, event):
    table = pd.DataFrame({"x": x, "time": time, "event": event})
    # By default it stops when four digits or so are right.
    options = {"precision": 1e-14, "r_precision": 1e-15}
    fitted = lifelines.CoxPHFitter().fit(table, "time", "event", fit_options=options)
    return fitted.params_.iloc[0], fitted.standard_errors_.iloc[0]


def test_coefficients_of_real_genes_with_missing_clinical_values(cohort, genes):
    clinical = cohort.clinical.copy()
    clinical.loc[clinical.index[::9], "time"] = np.nan
    clinical.loc[clinical.index[1::11], "event"] = np.nan
    outcomes = read_outcomes(clinical)
    found = clinical_coefficients(genes, outcomes)
    graded, followed = clinical["grade"].notna(), clinical[["time", "event"]].notna().all(axis=1)
    assert 0 < graded.sum() < len(clinical)
    assert followed.sum() == outcomes.rows("survival").sum() < len(clinical)
    events = clinical.loc[followed & (clinical["event"] == 1), "time"]
    assert events.duplicated().any()
    assert (clinical.loc[followed, "event"] == 0).any()

    expected = [spearmanr(x[graded], clinical["grade"][graded]).statistic for x in genes.T]
    np.testing.assert_allclose(found["grade"], expected, rtol=0, atol=1e-12)
    some = slice(0, genes.shape[1], 8)
    expected = [
        fit_with_lifelines(x, clinical["time"][followed], clinical["event"][followed])
        for x in genes[followed, some].T
    ]
    ours = found[["survival", "survival_error"]].to_numpy()[some]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-6)
    assert (found["survival_reason"] == CONVERGED).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_correlations_with_many_ties(seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 4, size=(9, 12))
    ordinal = rng.integers(0, 3, size=9)
    found = spearman_correlations(values, ordinal)
    for x, ours in zip(values.T, found, strict=True):
        if len(set(x)) == 1 or len(set(ordinal)) == 1:
            assert np.isnan(ours)
        else:
            assert ours == pytest.approx(spearmanr(x, ordinal).statistic, abs=1e-12)


def negative_likelihood(beta, x, time, event, ties):
    """The partial likelihood as textbooks write it, one event time after the other."""
    total = 0.0
    for moment in np.unique(time[event == 1]):
        at_risk, tied = np.exp(beta * x[time >= moment]), (time == moment) & (event == 1)
        shares = np.arange(tied.sum()) / tied.sum() * (ties == "efron")
        total += beta * x[tied].sum()
        total -= np.log(at_risk.sum() - shares * np.exp(beta * x[tied]).sum()).sum()
    return -total


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_coefficients_are_where_the_likelihood_is_highest(ties):
    rng = np.random.default_rng(3)
    values, time = rng.normal(size=(40, 5)), rng.integers(1, 12, size=40)
    event = rng.integers(0, 2, size=40)
    found = cox_coefficients(values, time, event, ties=ties)
    for x, row in zip(values.T, found.itertuples(), strict=True):
        best = minimize_scalar(
            negative_likelihood, bracket=(-1, 1), args=(x, time, event, ties), tol=1e-10
        )
        assert row.coefficient == pytest.approx(best.x, abs=1e-6)
        # The standard error is the inverse of the curvature's root.
        at, h = row.coefficient, 1e-4
        left, middle, right = (
            negative_likelihood(beta, x, time, event, ties) for beta in (at - h, at, at + h)
        )
        assert row.standard_error == pytest.approx(
            ((left - 2 * middle + right) / h**2) ** -0.5, rel=1e-4
        )


def test_ties_matter_only_if_there_are_some():
    rng = np.random.default_rng(0)
    values, event = rng.normal(size=(30, 4)), np.ones(30)
    distinct, tied = rng.permutation(30), rng.integers(0, 6, size=30)
    for time, same in ((distinct, True), (tied, False)):
        efron = cox_coefficients(values, time, event)["coefficient"]
        breslow = cox_coefficients(values, time, event, ties="breslow")["coefficient"]
        assert np.allclose(efron, breslow) == same


def test_units_of_a_gene_scale_its_coefficient():
    """Huge, tiny and shifted values: Newton works in units of its own."""
    rng = np.random.default_rng(1)
    x, time, event = rng.normal(size=(50, 1)), rng.exponential(size=50), rng.integers(0, 2, 50)
    values = np.hstack([x, x * 1e6, x * 1e-6 + 3, -x])
    found = cox_coefficients(values, time, event)["coefficient"].to_numpy()
    np.testing.assert_allclose(found, found[0] * np.array([1, 1e-6, 1e6, -1]), rtol=1e-5)


def test_an_outlier_that_makes_newton_overshoot():
    rng = np.random.default_rng(5)
    values = rng.normal(size=(60, 200)) ** 7
    time, event = rng.exponential(size=60), np.ones(60)
    found = cox_coefficients(values, time, event)
    assert (found["reason"] == CONVERGED).all()
    x = values[:, found["coefficient"].abs().argmax()]
    expected = minimize_scalar(
        negative_likelihood, bracket=(-0.1, 0.1), args=(x, time, event, "efron"), tol=1e-12
    )
    assert found["coefficient"].abs().max() == pytest.approx(abs(expected.x), rel=1e-5)


def test_why_a_gene_has_no_coefficient():
    time, event = np.array([1, 2, 3, 4, 5, 6]), np.array([0, 1, 1, 1, 0, 0])
    values = np.array(
        [
            [9.0, 5.0, 4.0, 3.0, 2.0, 1.0],  # at every event the largest at risk
            [9.0, 1.0, 2.0, 3.0, 4.0, 5.0],  # the smallest
            [9.0, 2.0, 2.0, 2.0, 2.0, 2.0],  # differs only before the first event
            [1.0, 2.0, 1.0, 2.0, 1.0, 3.0],
        ]
    ).T
    found = cox_coefficients(values, time, event)
    assert found["reason"].tolist() == [SEPARATION, SEPARATION, CONSTANT, CONVERGED]
    assert found[["coefficient", "standard_error"]].isna().all(axis=1).tolist() == [
        True, True, True, False,
    ]  # fmt: skip
    stopped = cox_coefficients(values, time, event, max_iter=0)
    assert stopped["reason"].iloc[-1] == NOT_CONVERGED
    assert stopped["coefficient"].isna().all()


@pytest.mark.parametrize("n_events", [0, 1])
def test_fewer_than_two_events_are_no_ground_for_a_coefficient(n_events):
    values = np.random.default_rng(0).normal(size=(8, 3))
    found = cox_coefficients(values, np.arange(8), np.arange(8) < n_events)
    assert found["coefficient"].isna().all()
    assert set(found["reason"]) == {TOO_FEW_EVENTS}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": [1, -2, 3]}, "Expected times of 0 or more but got -2"),
        ({"time": [1, np.nan, 3]}, "1 of time are NaN or infinite"),
        ({"event": [0, 2, 1]}, "Expected events as 0 or 1 but got 2"),
        ({"event": [0, 1]}, "Expected one event per sample but got 2"),
        ({"values": [[1.0], [np.inf], [2.0]]}, "1 of values are NaN or infinite"),
        ({"values": [1.0, 2.0, 3.0]}, "values of two dimensions"),
        ({"ties": "exact"}, "Expected ties 'efron' or 'breslow'"),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {"values": [[1.0], [3.0], [2.0]], "time": [1, 2, 3], "event": [0, 1, 1]} | change
    with pytest.raises(ValueError, match=message):
        cox_coefficients(**arguments)


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_concordance_with_ties_in_both(seed, n, n_levels):
    rng = np.random.default_rng(seed)
    true, predicted = rng.integers(0, n_levels, size=(2, n))
    if len(set(true)) == 1:
        assert np.isnan(concordance_index(true, predicted))
    else:
        expected = lifelines.utils.concordance_index(true, predicted)
        assert concordance_index(true, predicted) == pytest.approx(expected, abs=1e-12)


def test_concordance_leaves_out_what_has_no_coefficient():
    assert concordance_index([1, 2, 3, np.nan], [1, 2, np.nan, 4]) == 1
    assert np.isnan(concordance_index([1, np.nan], [1, 2]))
    with pytest.raises(ValueError, match="two vectors of one length"):
        concordance_index([1, 2], [1, 2, 3])
