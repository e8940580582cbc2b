"""Verdicts on the paper's claims from whole tables."""

import pandas as pd
import pytest

from vaeimpute.claims.paper import (
    EXPRESSION_CLAIMS,
    EXPRESSION_SCENARIOS,
    LOW_VALUE_SCENARIOS,
    SHIFT_CLAIMS,
    judge_expression_claims,
    judge_shift_claims,
)
from vaeimpute.missingness import mnar_low_values, scenarios_for

PAPERS = {"mean": 0.8, "KNN": 0.6, "SVD": 0.5, "VAE": 0.49, "VAE, shifted": 0.45}


def _table(scenarios, n_trials=6, falls=0.01, **errors):
    """Errors as in the paper, except where `errors` says otherwise; they fall over scenarios."""
    rows = [
        ("c", scenario, trial, method, error - falls * number + 1e-4 * trial)
        for number, scenario in enumerate(scenarios)
        for method, error in (PAPERS | errors).items()
        for trial in range(n_trials)
    ]
    return pd.DataFrame(rows, columns=["cohort", "scenario", "trial", "method", "mae"])


def test_scenarios_are_those_of_the_experiments():
    assert scenarios_for("expression") == EXPRESSION_SCENARIOS
    keys = {mnar_low_values(quantile=share / 100).key: share for share in (5, 10, 20, 30)}
    assert keys == LOW_VALUE_SCENARIOS


def test_all_claims_hold_on_a_table_like_the_papers():
    verdicts = judge_expression_claims(_table(EXPRESSION_SCENARIOS))
    assert verdicts.to_dict() == dict.fromkeys(EXPRESSION_CLAIMS, "holds")
    verdicts = judge_shift_claims(_table(LOW_VALUE_SCENARIOS))
    assert verdicts.to_dict() == dict.fromkeys(SHIFT_CLAIMS, "holds")


@pytest.mark.parametrize(
    ("errors", "failing"),
    [
        ({"KNN": 0.48}, {"beats_knn", "lowest_whole_genes"}),
        ({"SVD": 0.46}, {"like_svd", "high_gc_svd", "lowest_whole_genes"}),
        ({"SVD": 0.485}, {"high_gc_svd", "lowest_whole_genes"}),  # similar
        ({"VAE, shifted": 0.9}, {"shifted_low_values"}),
    ],
)
def test_each_claim_fails_for_its_own_reason(errors, failing):
    verdicts = judge_expression_claims(_table(EXPRESSION_SCENARIOS, **errors))
    assert set(verdicts.index[verdicts == "does not hold"]) == failing
    assert (verdicts.drop(list(failing)) == "holds").all()


def test_shift_claims_fail_for_their_own_reasons():
    verdicts = judge_shift_claims(_table(LOW_VALUE_SCENARIOS, falls=-0.01, SVD=0.44))
    assert verdicts.to_dict() == {
        "similar": "holds", "robust": "holds in part", "falling": "does not hold",
    }  # fmt: skip


def test_what_is_not_in_the_table_is_not_judged():
    table = _table(EXPRESSION_SCENARIOS).query("method != 'VAE, shifted'")
    verdicts = judge_expression_claims(table)
    assert verdicts.index[verdicts == "not measured"].tolist() == ["shifted_low_values"]
    verdicts = judge_expression_claims(table.query("scenario != 'mcar_30'"))
    assert verdicts["beats_knn"] == verdicts["like_svd"] == "not measured"
    assert verdicts["high_gc_svd"] == "holds"


def test_few_trials_tell_nothing_of_chance():
    verdicts = judge_expression_claims(_table(EXPRESSION_SCENARIOS, n_trials=3))
    assert verdicts["beats_knn"] == "cannot be told"
    assert verdicts["like_svd"] == "holds"
