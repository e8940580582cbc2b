"""Clinical tables: what is refused, and what gives no coefficient; comparing coefficients."""

import numpy as np
import pandas as pd
import pytest

from vaeimpute.evaluation.clinical import (
    DIFFERENCE_BINS,
    clinical_coefficients,
    compare_coefficients,
    difference_density,
    read_outcomes,
    summarize_outcomes,
    top_overlap,
)
from vaeimpute.exceptions import ClinicalError


def clinical(**changes):
    columns = {
        "grade": [1, 2, 3, 2, np.nan, 1],
        "time": [5.0, 3.0, 8.0, np.nan, 2.0, 9.0],
        "event": [1, 0, 1, 1, 1, 0],
    }
    return pd.DataFrame(columns | changes, index=[f"s{i}" for i in range(6)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"time": [5, 3, -8, 1, 2, -9]}, "'time' has negative follow-up, -8 in sample 's2' and 1"),
        ({"time": [5, 3, np.inf, 1, 2, 9]}, "'time' has inf in sample 's2'; expected finite"),
        ({"event": [1, 0, 2, 1, 1, 0]}, "'event' has 2 in sample 's2'; expected 1 for an event"),
        ({"grade": [1, 2, "G3", 1, 1, 2]}, "'grade' has 'G3' in sample 's2'; expected finite"),
        ({"time": pd.date_range("2020", periods=6)}, "'time' holds dates or durations"),
        ({"time": pd.to_timedelta([None, *range(5)], "D")}, "'time' holds dates or durations"),
        (
            {"grade": [2] * 6, "event": [0] * 6},
            r"grade: one level only \(2\); survival: fewer than two events \(0\)",
        ),
    ],
)
def test_what_would_give_wrong_numbers_is_refused(changes, message):
    with pytest.raises(ClinicalError, match=message):
        read_outcomes(clinical(**changes))


def test_columns_have_to_be_in_the_table_once():
    table = clinical()
    with pytest.raises(ClinicalError, match="has 2 columns 'grade'; keep one"):
        read_outcomes(pd.concat([table, table[["grade"]]], axis=1))


def test_a_sample_that_is_a_number_is_named_as_one():
    table = clinical(event=[2] * 6).reset_index(drop=True)
    with pytest.raises(ClinicalError, match="2 in sample 0 and 5 more"):
        read_outcomes(table)


def test_values_have_to_be_those_of_the_outcomes_samples():
    with pytest.raises(ValueError, match=r"Expected values of 6 samples, .* got shape \(5, 4\)"):
        clinical_coefficients(np.zeros((5, 4)), read_outcomes(clinical()))


def test_missing_values_cost_a_sample_one_analysis_only():
    outcomes = read_outcomes(clinical())
    assert outcomes.rows("grade").tolist() == [True, True, True, True, False, True]
    assert outcomes.rows("survival").tolist() == [True, True, True, False, True, True]
    assert outcomes.n_events == 3  # that of the sample without a time does not count
    assert outcomes.missing == {}


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        ({"grade": [3] * 6}, "grade", "one level only (3)"),
        ({"grade": [1, 2] + [np.nan] * 4}, "grade", "fewer than three samples with a grade (2)"),
        ({"event": [0] * 6}, "survival", "fewer than two events (0)"),
        ({"event": [1] + [0] * 5}, "survival", "fewer than two events (1)"),
    ],
)
def test_what_says_too_little_gives_nan_and_a_reason(changes, outcome, reason):
    outcomes = read_outcomes(clinical(**changes))
    assert outcomes.missing == {outcome: reason}
    found = clinical_coefficients(np.random.default_rng(0).normal(size=(6, 4)), outcomes)
    other = "survival" if outcome == "grade" else "grade"
    assert found[outcome].isna().all()
    assert found[other].notna().all()
    if outcome == "survival":
        assert set(found["survival_reason"]) == {reason}


def test_a_column_that_is_not_there_is_a_reason():
    assert read_outcomes(clinical().drop(columns="event")).missing == {
        "survival": "no column 'event'"
    }
    renamed = clinical().rename(columns={"grade": "stage"})
    assert read_outcomes(renamed, grade="stage").missing == {}


def test_differences_are_clipped_and_counted():
    rng = np.random.default_rng(0)
    true, imputed = rng.normal(size=(2, 50)) * 0.5
    imputed[:3] = 30
    found = compare_coefficients(true, imputed)
    clipped = np.clip(imputed - true, -1, 1)
    assert found["variance"] == pytest.approx(clipped.var())
    assert found["variance_unclipped"] == pytest.approx((imputed - true).var())
    counts = np.array(found["histogram"].split(), dtype=int)
    assert counts.sum() == 50
    assert counts[-1] == (clipped >= DIFFERENCE_BINS[-2]).sum() >= 3
    middle = DIFFERENCE_BINS[40:42]
    assert counts[40] == ((clipped >= middle[0]) & (clipped < middle[1])).sum()
    assert middle.mean() == pytest.approx(0)


def test_with_nothing_to_compare_the_numbers_are_nan():
    found = compare_coefficients([1.0, np.nan], [np.nan, 2.0])
    assert found["genes"] == 0
    assert all(np.isnan(found[name]) for name in ("concordance", "variance"))
    table = pd.DataFrame([{"scenario": "s", "method": "m", "grade_histogram": found["histogram"]}])
    assert difference_density(table, "grade").empty


def test_densities_sum_to_one_over_all_trials():
    rng = np.random.default_rng(0)
    rows = [
        {"scenario": "s", "method": m, "survival_histogram": compare_coefficients(*x)["histogram"]}
        for m in ("VAE", "KNN")
        for x in rng.normal(size=(3, 2, 40))
    ]
    density = difference_density(pd.DataFrame(rows), "survival")
    width = DIFFERENCE_BINS[1] - DIFFERENCE_BINS[0]
    totals = density.groupby("method")["density"].sum() * width
    assert totals.to_dict() == pytest.approx({"VAE": 1, "KNN": 1})


def test_overlap_of_the_strongest():
    strengths = np.arange(200.0)
    assert top_overlap(strengths, strengths) == 1
    assert top_overlap(strengths, -strengths) == 0
    lost = np.where(strengths >= 150, np.nan, strengths)  # half of the strongest have none
    assert top_overlap(strengths, lost, n_top=100) == 0.5
    assert np.isnan(top_overlap(strengths[:50], strengths[:50], n_top=100))


def test_a_method_without_coefficients_has_no_summary():
    table = pd.DataFrame(
        {
            "cohort": "c",
            "scenario": "mcar_10",
            "trial": [0, 1, 0, 1],
            "method": ["mean", "mean", "KNN", "KNN"],
            "grade_concordance": [np.nan, np.nan, 0.7, 0.9],
            "survival_concordance": [0.5, 0.5, 0.6, 0.6],
        }
    )
    found = summarize_outcomes(table, "concordance")[["outcome", "method", "mean"]]
    assert found.round(6).to_numpy().tolist() == [
        ["grade", "KNN", 0.8],
        ["survival", "mean", 0.5],
        ["survival", "KNN", 0.6],
    ]
