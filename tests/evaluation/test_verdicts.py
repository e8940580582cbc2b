"""Verdicts on similar methods and on claims with several parts."""

import pandas as pd
import pytest

from vaeimpute.evaluation import judge_parts, judge_similar


def summary(*means):
    rows = []
    for number, (vae, svd) in enumerate(means):
        rows += [(f"s{number}", "VAE", vae), (f"s{number}", "SVD", svd)]
    return pd.DataFrame(rows, columns=["scenario", "method", "mean"])


@pytest.mark.parametrize(
    ("means", "verdict"),
    [
        ([(0.52, 0.5), (0.48, 0.5)], "holds"),  # a little better or worse
        ([(0.52, 0.5), (0.4, 0.5)], "holds in part"),  # much better is not similar
        ([(0.6, 0.5), (0.4, 0.5)], "does not hold"),
    ],
)
def test_similar_is_within_the_margin_both_ways(means, verdict):
    assert judge_similar(summary(*means), "VAE", "SVD") == verdict


def test_the_margin_is_a_share_of_the_other_methods_error():
    table = summary((0.52, 0.5))
    assert judge_similar(table, "VAE", "SVD", margin=0.041) == "holds"
    assert judge_similar(table, "VAE", "SVD", margin=0.039) == "does not hold"
    assert judge_similar(table, "SVD", "VAE", margin=0.039) == "holds"  # 0.02 of 0.52


def test_a_method_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="'KNN' in every scenario of the summary"):
        judge_similar(summary((0.5, 0.5)), "VAE", "KNN")
    with pytest.raises(ValueError, match="'VAE' in every scenario"):
        judge_similar(summary((0.5, 0.5), (0.5, 0.5)).drop(index=0), "VAE", "SVD")


def test_parts_are_summed_up():
    assert judge_parts(["holds", "holds"]) == "holds"
    assert judge_parts(verdict for verdict in ("holds", "does not hold")) == "holds in part"
    assert judge_parts(["does not hold"]) == "does not hold"
    assert judge_parts(["holds", "cannot be told"]) == "cannot be told"
