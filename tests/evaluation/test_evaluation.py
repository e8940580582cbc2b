import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics

from vaeimpute.evaluation import (
    compare_methods,
    mean_absolute_error,
    root_mean_squared_error,
    summarize,
)
from vaeimpute.evaluation.summary import compare_with_best, rank_sum_p


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_errors_equal_scikit_learn_on_the_masked_entries(rng):
    true, imputed = rng.normal(size=(2, 9, 11))
    mask = rng.random((9, 11)) < 0.3
    assert mean_absolute_error(true, imputed, mask) == pytest.approx(
        metrics.mean_absolute_error(true[mask], imputed[mask])
    )
    assert root_mean_squared_error(true, imputed, mask) == pytest.approx(
        metrics.root_mean_squared_error(true[mask], imputed[mask])
    )


def test_the_papers_rmse_is_the_mean_absolute_error(rng):
    true, imputed = rng.normal(size=(2, 5, 7))
    mask = np.ones((5, 7), dtype=bool)
    papers = np.sum(np.sqrt((true - imputed) ** 2)) / mask.sum()
    assert mean_absolute_error(true, imputed, mask) == pytest.approx(papers)
    assert root_mean_squared_error(true, imputed, mask) > papers


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"imputed": np.zeros((2, 4))}, r"true \(2, 3\), imputed \(2, 4\)"),
        ({"mask": np.zeros((2, 3))}, "boolean mask"),
        ({"mask": np.zeros((2, 3), dtype=bool)}, "Nothing is masked"),
        ({"imputed": np.full((2, 3), np.nan)}, "6 of 6 masked entries are NaN"),
    ],
)
def test_bad_input_is_refused(change, message):
    arguments = {"true": np.zeros((2, 3)), "imputed": np.zeros((2, 3)),
                 "mask": np.ones((2, 3), dtype=bool)} | change  # fmt: skip
    with pytest.raises(ValueError, match=message):
        mean_absolute_error(**arguments)


@pytest.fixture
def table(rng):
    rows = [
        ("c", scenario, trial, method, rng.normal(loc, 0.1))
        for scenario in ("mcar_10", "mcar_30")
        for method, loc in (("knn", 1.0), ("vae", 0.5), ("mean", 2.0))
        for trial in range(10)
    ]
    return pd.DataFrame(rows, columns=["cohort", "scenario", "trial", "method", "mae"])


def test_intervals_equal_scipy(table):
    summary = summarize(table).set_index(["scenario", "method"])
    values = table.query("scenario == 'mcar_10' and method == 'vae'")["mae"]
    low, high = stats.t.interval(0.95, 9, loc=values.mean(), scale=stats.sem(values))
    row = summary.loc[("mcar_10", "vae")]
    assert row["mean"] - row["half_width"] == pytest.approx(low)
    assert row["mean"] + row["half_width"] == pytest.approx(high)
    assert summary.loc["mcar_30", "rank"].to_dict() == {"knn": 2, "vae": 1, "mean": 3}


def test_comparison_equals_scipy(table):
    compared = compare_methods(table, "vae").set_index(["scenario", "method"])
    wide = table.query("scenario == 'mcar_30'").pivot(index="trial", columns="method", values="mae")
    row = compared.loc[("mcar_30", "knn")]
    assert row["p_paired"] == stats.wilcoxon(wide["vae"] - wide["knn"]).pvalue
    exact = stats.mannwhitneyu(wide["vae"], wide["knn"], method="exact").pvalue
    assert row["p_unpaired"] == exact == pytest.approx(2 / math.comb(20, 10))
    assert row["difference"] == pytest.approx((wide["vae"] - wide["knn"]).mean())
    assert len(compared) == 4


def test_ties_and_many_values_have_no_exact_p(rng):
    tied = [1, 1, 2, 3], [2, 3, 4, 5]
    many = rng.normal(size=(2, 60))
    for first, second in (tied, many):
        expected = stats.mannwhitneyu(first, second, method="asymptotic").pvalue
        assert rank_sum_p(first, second) == expected


def test_a_method_without_a_mean_has_no_rank(table):
    table.loc[(table["scenario"] == "mcar_10") & (table["method"] == "knn"), "mae"] = np.nan
    summary = summarize(table).set_index(["scenario", "method"])
    ranks = summary.loc["mcar_10", "rank"]
    assert ranks.dropna().to_dict() == {"vae": 1, "mean": 2}
    assert summary.loc[("mcar_10", "knn"), "n_trials"] == 0


def test_comparison_refuses_unequal_trials(table):
    with pytest.raises(ValueError, match="lack trials of mcar_10"):
        compare_methods(table.drop(index=0), "vae")
    with pytest.raises(ValueError, match="No method 'svd'"):
        compare_methods(table, "svd")


def test_the_best_other_method_is_the_best_over_all_splits_and_not_one_set_apart():
    rows = [
        ("c", "s", seed, trial, method, mae + seed)
        for seed in range(3)
        for trial in range(2)
        for method, mae in (("ours", 2.0), ("KNN", 4.0), ("SVD", 5.0), ("told", 1.0))
    ]
    table = pd.DataFrame(rows, columns=["cohort", "scenario", "seed", "trial", "method", "mae"])
    table.loc[(table["method"] == "SVD") & (table["seed"] == 0), "mae"] = 3.5  # the best in one
    (found,) = compare_with_best(table, "ours", apart=["told", "not there"]).itertuples()
    ratios = np.array([2 / 4, 3 / 5, 4 / 6]) - 1
    assert (found.best, found.n_splits) == ("KNN", 3)
    assert found.value == pytest.approx(ratios.mean())
    half = 4.302653 * ratios.std(ddof=1) / np.sqrt(3)  # Student's, of two degrees of freedom
    assert [found.low, found.high] == pytest.approx([ratios.mean() - half, ratios.mean() + half])
    (single,) = compare_with_best(table[table["seed"] == 0], "ours").itertuples()
    assert (single.best, single.value) == ("told", 1.0)
    assert np.isnan([single.low, single.high]).all()
