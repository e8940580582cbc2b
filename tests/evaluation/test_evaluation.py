import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics

from vaeimpute.evaluation import (
    compare_methods,
    judge_better,
    judge_falling,
    judge_lowest,
    judge_similar,
    judge_splits,
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


def _summary(**means):
    """Summaries of scenarios s0, s1, ... from the means of each method."""
    rows = [
        (f"s{n}", method, mean) for method, all_ in means.items() for n, mean in enumerate(all_)
    ]
    return pd.DataFrame(rows, columns=["scenario", "method", "mean"])


@pytest.mark.parametrize(
    ("vae", "in_most", "verdict"),
    [
        ([1.0, 1.04, 0.5], False, "holds"),
        ([1.0, 1.04, 1.06], False, "holds in part"),
        ([1.0, 1.04, 1.06], True, "holds"),
        ([1.0, 1.06, 1.06], True, "holds in part"),
        ([1.2, 1.06, 1.06], True, "does not hold"),
    ],
)
def test_similar_is_within_a_margin(vae, in_most, verdict):
    summary = _summary(svd=[1.0, 1.0, 1.0], vae=vae)
    assert judge_similar(summary, "vae", ["svd"], in_most=in_most) == verdict


def test_similar_to_each_of_the_methods():
    summary = _summary(svd=[1.0, 1.0], knn=[1.0, 2.0], vae=[1.04, 1.5])
    assert judge_similar(summary, "vae", ["svd", "knn"]) == "holds in part"
    assert judge_similar(summary, "vae", ["knn"]) == "holds"
    assert judge_similar(summary, "vae", ["svd", "knn"], margin=0.6) == "holds"
    second = summary[summary["scenario"] == "s1"]
    assert judge_similar(second, "vae", ["svd", "knn"]) == "holds in part"
    assert judge_similar(second, "vae", ["svd"]) == "does not hold"
    with pytest.raises(ValueError, match="No method 'mean'"):
        judge_similar(summary, "vae", ["mean"])


def test_lowest_means_below_all_of_them():
    summary = _summary(svd=[1.0, 1.0], knn=[2.0, 2.0], vae=[0.9, 1.0])
    assert judge_lowest(summary, "vae", ["knn"]) == "holds"
    assert judge_lowest(summary, "vae", ["svd", "knn"]) == "holds in part"  # a tie is not lower
    assert judge_lowest(summary, "knn", ["svd", "vae"]) == "does not hold"


def test_falling_means_from_each_to_the_next():
    summary = _summary(svd=[3.0, 2.0, 1.0], vae=[3.0, 1.0, 2.0])
    assert judge_falling(summary, ["s0", "s1", "s2"], ["svd"]) == "holds"
    assert judge_falling(summary, ["s0", "s1", "s2"], ["svd", "vae"]) == "holds in part"
    assert judge_falling(summary, ["s0", "s1", "s2"], ["vae"]) == "does not hold"
    assert judge_falling(summary, ["s2", "s1"], ["svd"]) == "does not hold"
    with pytest.raises(ValueError, match="No scenario 's9'"):
        judge_falling(summary, ["s9"], ["svd"])
