"""Verdicts follow the rules that they state."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from vaeimpute.claims.rules import (
    judge_best,
    judge_better,
    judge_change,
    judge_divergence,
    judge_falling,
    judge_lowest,
    judge_not_worse,
    judge_parts,
    judge_similar,
    judge_stable,
)


def summary_of(**means):
    """Summaries of scenarios s0, s1, ... from the means of each method."""
    rows = [
        (f"s{n}", method, mean) for method, all_ in means.items() for n, mean in enumerate(all_)
    ]
    return pd.DataFrame(rows, columns=["scenario", "method", "mean"])


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
    ("ours", "verdict"),
    [
        ((0.50, 0.50), "holds"),
        ((0.60, 0.50), "holds"),  # as small as the smallest
        ((0.604, 0.50), "holds in part"),
        ((0.61, 0.50), "does not hold"),  # 1.7 % above the best of one scenario
    ],
)
def test_the_best_is_the_smallest_everywhere(ours, verdict):
    assert judge_best(summary_of(a=ours, b=(0.6, 0.6)), "a") == verdict


def test_the_best_of_others_cannot_be_told():
    summary = summary_of(a=(0.5, 0.5), b=(0.6, 0.6))
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
    summary = summary_of(a=ours, b=(0.5, 0.5))
    for pair in ("ab", "ba"):
        assert judge_similar(summary, *pair, margin=0.02) == verdict


def test_stable_is_so_everywhere():
    assert judge_stable(pd.Series([1, 3])) == "holds"
    assert judge_stable(pd.Series([1, 4])) == "holds in part"
    assert judge_stable(pd.Series([4, 4])) == "does not hold"
    assert judge_stable(pd.Series([4, 4]), at_most=4) == "holds"


def test_a_method_that_is_not_there_is_named():
    summary = summary_of(vae=[0.5, 0.5], svd=[0.5, 0.5])
    with pytest.raises(ValueError, match="'knn' in every scenario of the summary"):
        judge_similar(summary, "vae", "knn")
    with pytest.raises(ValueError, match="'vae' in every scenario"):
        judge_similar(summary.drop(index=0), "vae", "svd")


def test_parts_are_summed_up():
    assert judge_parts(["holds", "holds"]) == "holds"
    assert judge_parts(verdict for verdict in ("holds", "does not hold")) == "holds in part"
    assert judge_parts(["does not hold"]) == "does not hold"
    assert judge_parts(["holds", "cannot be told"]) == "cannot be told"


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
def test_not_worse_is_within_a_margin(vae, in_most, verdict):
    summary = summary_of(svd=[1.0, 1.0, 1.0], vae=vae)
    assert judge_not_worse(summary, "vae", ["svd"], in_most=in_most) == verdict


def test_not_worse_than_each_of_the_methods():
    summary = summary_of(svd=[1.0, 1.0], knn=[1.0, 2.0], vae=[1.04, 1.5])
    assert judge_not_worse(summary, "vae", ["svd", "knn"]) == "holds in part"
    assert judge_not_worse(summary, "vae", ["knn"]) == "holds"
    assert judge_not_worse(summary, "vae", ["svd", "knn"], margin=0.6) == "holds"
    second = summary[summary["scenario"] == "s1"]
    assert judge_not_worse(second, "vae", ["svd", "knn"]) == "holds in part"
    assert judge_not_worse(second, "vae", ["svd"]) == "does not hold"
    with pytest.raises(ValueError, match="Expected 'mean' in every scenario"):
        judge_not_worse(summary, "vae", ["mean"])


def test_lowest_means_below_all_of_them():
    summary = summary_of(svd=[1.0, 1.0], knn=[2.0, 2.0], vae=[0.9, 1.0])
    assert judge_lowest(summary, "vae", ["knn"]) == "holds"
    assert judge_lowest(summary, "vae", ["svd", "knn"]) == "holds in part"  # a tie is not lower
    assert judge_lowest(summary, "knn", ["svd", "vae"]) == "does not hold"


def test_falling_means_from_each_to_the_next():
    summary = summary_of(svd=[3.0, 2.0, 1.0], vae=[3.0, 1.0, 2.0])
    assert judge_falling(summary, ["s0", "s1", "s2"], ["svd"]) == "holds"
    assert judge_falling(summary, ["s0", "s1", "s2"], ["svd", "vae"]) == "holds in part"
    assert judge_falling(summary, ["s0", "s1", "s2"], ["vae"]) == "does not hold"
    assert judge_falling(summary, ["s2", "s1"], ["svd"]) == "does not hold"
    with pytest.raises(ValueError, match="No scenario 's9'"):
        judge_falling(summary, ["s9"], ["svd"])


@pytest.mark.parametrize(
    ("changes", "similar", "worse"),
    [
        ([0.01, -0.02], "holds", "does not hold"),
        ([0.01, 0.03], "holds in part", "holds in part"),
        ([0.03, 0.1], "does not hold", "holds"),
        ([-0.03, -0.1], "does not hold", "does not hold"),  # better is neither
        ([0.1, np.nan], "cannot be told", "cannot be told"),
        ([], "cannot be told", "cannot be told"),
    ],
)
def test_change_follows_its_rule(changes, similar, worse):
    changes = pd.Series(changes, dtype=float)
    assert judge_change(changes, "similar", margin=0.02) == similar
    assert judge_change(changes, "worse", margin=0.02) == worse
    with pytest.raises(ValueError, match="'similar' or 'worse' but got 'better'"):
        judge_change(changes, "better")


@pytest.mark.parametrize(
    ("last_change", "mae", "verdict"),
    [
        ([1e-4, 1e-5], [0.6, 0.7], "does not hold"),
        ([0.05, 0.09], [1.5, 90.0], "holds"),
        ([0.05, 1e-5], [1.5, 0.7], "holds in part"),
        ([0.05, 0.05], [0.6, 0.7], "holds in part"),  # moves on, with a small error
        ([np.nan, np.inf], [np.nan, np.inf], "holds"),  # ran away beyond all numbers
    ],
)
def test_divergence_follows_its_rule(last_change, mae, verdict):
    cases = pd.DataFrame(
        {"first_change": 0.1, "last_change": last_change, "mae": mae, "mae_mean": 0.8}
    )
    assert judge_divergence(cases) == verdict
