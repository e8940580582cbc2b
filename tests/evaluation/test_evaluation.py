import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics

from vaeimpute.evaluation import (
    compare_methods,
    judge_best,
    judge_better,
    judge_similar,
    judge_splits,
    judge_stable,
    mean_absolute_error,
    root_mean_squared_error,
    summarize,
)


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
    assert row["p_unpaired"] == stats.mannwhitneyu(wide["vae"], wide["knn"]).pvalue
    assert row["difference"] == pytest.approx((wide["vae"] - wide["knn"]).mean())
    assert len(compared) == 4


def test_comparison_refuses_unequal_trials(table):
    with pytest.raises(ValueError, match="lack trials of mcar_10"):
        compare_methods(table.drop(index=0), "vae")
    with pytest.raises(ValueError, match="No method 'svd'"):
        compare_methods(table, "svd")


@pytest.mark.parametrize(
    ("differences", "p_values", "verdict"),
    [
        ([-0.1, -0.2], [0.01, 0.01], "holds"),
        ([-0.1, -0.2], [0.01, 0.2], "holds in part"),  # better by chance only
        ([-0.1, 0.2], [0.2, 0.01], "does not hold"),
        ([0.1, 0.2], [0.01, 0.01], "does not hold"),  # significantly worse
    ],
)
def test_verdict_follows_its_rule(differences, p_values, verdict):
    comparison = pd.DataFrame(
        {"method": "knn", "n_trials": 10, "difference": differences, "p_paired": p_values}
    )
    assert judge_better(comparison, "knn") == verdict
    assert judge_better(comparison.assign(n_trials=5), "knn") == "cannot be told"
    with pytest.raises(ValueError, match="No comparison with 'svd'"):
        judge_better(comparison, "svd")


def test_five_pairs_are_too_few_and_six_are_enough():
    assert stats.wilcoxon(np.arange(1, 6)).pvalue > 0.05
    assert stats.wilcoxon(np.arange(1, 7)).pvalue < 0.05


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        (["holds", "holds"], "holds"),
        (["holds", "does not hold"], "holds in part"),
        (["does not hold", "does not hold"], "does not hold"),
        (["holds", "cannot be told"], "cannot be told"),
    ],
)
def test_splits_are_summed_up(verdicts, verdict):
    assert judge_splits(pd.Series(verdicts)) == verdict


def two_scenarios(**means):
    rows = [(s, name, pair[i]) for i, s in enumerate("st") for name, pair in means.items()]
    return pd.DataFrame(rows, columns=["scenario", "method", "mean"])


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        ((0.50, 0.50), "holds"),
        ((0.60, 0.50), "holds"),  # as small as the smallest
        ((0.604, 0.50), "holds in part"),
        ((0.61, 0.50), "does not hold"),  # 1.7 % above the best of one scenario
    ],
)
def test_the_best_is_the_smallest_everywhere(ours, verdict):
    assert judge_best(two_scenarios(a=ours, b=(0.6, 0.6)), "a") == verdict


def test_the_best_of_others_cannot_be_told():
    summary = two_scenarios(a=(0.5, 0.5), b=(0.6, 0.6))
    assert judge_best(summary, "c") == "cannot be told"
    assert judge_best(summary[summary["method"] == "a"], "a") == "cannot be told"


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        ((0.51, 0.495), "holds"),
        ((0.51, 0.52), "holds in part"),
        ((0.52, 0.48), "does not hold"),  # both directions count
    ],
)
def test_similar_is_within_the_margin(ours, verdict):
    summary = two_scenarios(a=ours, b=(0.5, 0.5))
    assert judge_similar(summary, "a", "b") == judge_similar(summary, "b", "a") == verdict
    assert judge_similar(summary, "a", "c") == "cannot be told"


def test_stable_is_so_everywhere():
    assert judge_stable(pd.Series([1, 3])) == "holds"
    assert judge_stable(pd.Series([1, 4])) == "holds in part"
    assert judge_stable(pd.Series([4, 4])) == "does not hold"
    assert judge_stable(pd.Series([4, 4]), at_most=4) == "holds"
