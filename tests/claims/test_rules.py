"""Intervals cover what they should, and each rule decides as it says."""

import numpy as np
import pandas as pd
import pytest

from vaeimpute.claims import judge
from vaeimpute.claims.intervals import lies_between, over_samples, over_splits
from vaeimpute.claims.paper import CLAIMS, CLINICAL_SCENARIOS, LOW_VALUE_SCENARIOS, Check, Claim
from vaeimpute.claims.rules import RULES, sum_up
from vaeimpute.evaluation.clinical import compare_coefficients

MCAR = ["mcar_05", "mcar_10", "mcar_30"]


def errors(ratios, scenarios=MCAR, n_splits=10, spread=0.01, n_trials=2, **columns):
    """Errors of methods whose ratio to each other is known, up to a spread over splits."""
    rng = np.random.default_rng(0)
    rows = [
        {"cohort": "c", "scenario": scenario, "seed": seed, "trial": trial, "method": method,
         "mae": error, "rmse": 1.4 * error, "n_missing": 100}
        for scenario in scenarios
        for seed in range(n_splits)
        for trial in range(n_trials)
        for method, ratio in ratios.items()
        for error in [0.5 * ratio * (1 + rng.normal(0, spread))]
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**columns)


def by_sample(ratios, scenarios=MCAR, n_samples=30, spread=0.05, **columns):
    rng = np.random.default_rng(1)
    rows = [
        {"cohort": "c", "scenario": scenario, "method": method, "sample": sample, "mae": error,
         "mse": 2 * error**2, "n_missing": 50 + sample}
        for scenario in scenarios
        for sample in range(n_samples)
        for method, ratio in ratios.items()
        for error in [0.5 * ratio * (1 + rng.normal(0, spread))]
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**columns)


def coverage_of(interval_of_one_data_set, true, repeats=2000):
    rng = np.random.default_rng(0)
    intervals = np.array([interval_of_one_data_set(rng)[1:] for _ in range(repeats)])
    return np.mean((intervals[:, 0] <= true) & (true <= intervals[:, 1]))


def test_interval_over_splits_covers_the_truth():
    def one(rng):
        return over_splits(rng.normal(-0.03, 0.02, size=10))

    assert 0.94 < coverage_of(one, -0.03) < 0.96


@pytest.mark.parametrize("root", [False, True])
def test_interval_over_samples_covers_the_truth(root):
    # Samples are hard or easy for both methods alike; entries differ in number.
    power = 2 if root else 1

    def one(rng):
        hard = rng.lognormal(0, 0.3, size=40)
        ours, theirs = (hard * rng.lognormal(0, 0.1, size=40) for _ in range(2))
        n = rng.integers(50, 150, size=40)
        return over_samples((0.9 * ours) ** power, theirs**power, n, n, root=root)

    assert 0.92 < coverage_of(one, -0.1) < 0.97


def test_methods_share_the_draws():
    error = np.random.default_rng(0).lognormal(size=25)
    n = np.full(25, 10)
    value, low, high = over_samples(1.1 * error, error, n, n)
    np.testing.assert_allclose([value, low, high], 0.1)  # no spread, as they go together


@pytest.mark.parametrize(
    ("interval", "limits", "says"),
    [
        ((-0.2, -0.1), (None, 0), True),
        ((0.1, 0.2), (None, 0), False),
        ((0.0, 0.0), (None, 0), False),
        ((-0.2, 0.1), (None, 0), None),
        ((-0.04, 0.01), (None, 0), False),
        ((-0.04, 0.04), (-0.05, 0.05), True),
        ((0.03, 0.06), (-0.05, 0.05), False),
        ((-0.1, 0.1), (-0.05, 0.05), None),
        ((0.3, 0.9), (-0.05, 0.05), False),
        ((np.nan, np.nan), (None, 0), None),
        ((-np.inf, -0.1), (None, 0), None),
    ],
)
def test_an_interval_across_a_limit_says_no_only_if_it_is_narrow(interval, limits, says):
    assert lies_between(*interval, limits, 0.05) is says


@pytest.mark.parametrize(
    ("groups", "verdict"),
    [
        ([("all", [True, True]), ("all", [True])], "holds"),
        ([("all", [True, True]), ("all", [False])], "holds in part"),
        ([("most", [True, True, False])], "holds"),
        ([("most", [True, False])], "holds in part"),
        ([("most", [True, True, None])], "holds"),
        ([(0.8, [True] * 8 + [False] * 2)], "holds"),
        ([(0.8, [True] * 7 + [False] * 3)], "holds in part"),
        ([("all", [False, False])], "does not hold"),
        ([("all", [False, None])], "cannot be told"),
        ([("all", [None])], "cannot be told"),
    ],
)
def test_verdicts_from_cells(groups, verdict):
    assert sum_up(groups) == verdict


@pytest.mark.parametrize(
    ("claim", "ratios", "verdict"),
    [
        ("C15", {"VAE": 0.9, "KNN": 1.0}, "holds"),
        ("C15", {"VAE": 1.1, "KNN": 1.0}, "does not hold"),
        ("C38", {"beta 0": 1.02, "beta 1": 1.0}, "holds"),
        ("C38", {"beta 0": 1.2, "beta 1": 1.0}, "does not hold"),
        ("C39", {"beta 1": 1.0, "beta 4": 1.1, "beta 10": 1.2}, "holds"),
        ("C39", {"beta 1": 1.0, "beta 4": 0.9, "beta 10": 1.2}, "holds in part"),
    ],
)
def test_errors_over_ten_splits(claim, ratios, verdict):
    found = judge(claim, errors(ratios))
    assert found.verdict == found.by_rmse == verdict
    assert found.n == "10 splits"


def test_without_difference_methods_are_similar_and_none_is_better():
    table = errors({"beta 0": 1.0, "beta 1": 1.0, "autoencoder": 1.0}, spread=0)
    assert judge("C38", table).verdict == "holds"
    assert judge("C4", table).verdict == "does not hold"


@pytest.mark.parametrize("n_splits", [1, 4])
def test_few_splits_are_judged_over_test_samples_or_not_at_all(n_splits):
    ratios = {"VAE": 0.9, "KNN": 1.0}
    table = errors(ratios, n_splits=n_splits)
    alone = judge("C15", table)
    assert alone.verdict == "cannot be told"
    assert f"{n_splits} split" in alone.reason
    assert alone.figures["value"].notna().all()
    tables = {"expression_errors": table, "expression_errors_samples": by_sample(ratios)}
    found = judge("C15", tables)
    assert (found.verdict, found.by_rmse, found.n) == ("holds", "holds", "30 test samples")


def test_a_sample_of_several_splits_is_one_sample():
    ratios = {"VAE": 0.9, "KNN": 1.0}
    samples = pd.concat([by_sample(ratios, seed=seed) for seed in (0, 1)])
    tables = {"expression_errors": errors(ratios, n_splits=2), "expression_errors_samples": samples}
    assert judge("C15", tables).n == "30 test samples"


def test_too_wide_an_interval_tells_nothing():
    found = judge("C15", errors({"VAE": 0.99, "KNN": 1.0}, spread=0.3))
    assert found.verdict == "cannot be told"
    assert found.reason == "the interval is too wide"


def test_what_is_not_there_is_named():
    table = errors({"VAE": 0.9, "KNN": 1.0})
    assert "SVD is not there" in judge("C17", table).reason
    assert "mnar_high_gc is not there" in judge("C16", table).reason
    assert judge("C16", table).verdict == "cannot be told"
    assert judge("C16", table).count == "3 of 6"
    assert judge("C15", {}).reason == "there is no table expression_errors"


def test_missing_numbers_tell_nothing():
    table = errors({"VAE": 0.9, "KNN": 1.0})
    table.loc[0, "mae"] = np.nan
    found = judge("C15", table)
    assert found.verdict == "cannot be told"
    assert found.reason == "some mae are not there"
    zero = errors({"VAE": 0.9, "KNN": 0.0})
    assert judge("C15", zero).verdict == "cannot be told"
    assert judge("C15", table.drop(columns="rmse")).by_rmse is None


def test_rmse_can_change_the_verdict():
    table = errors({"VAE": 0.9, "KNN": 1.0})
    table["rmse"] = table["mae"] * np.where(table["method"] == "VAE", 2, 1)
    found = judge("C15", table)
    assert (found.verdict, found.by_rmse) == ("holds", "does not hold")
    assert (found.rmse.figures["value"] > 0.7).all()


def test_most_and_a_vast_majority():
    table = errors({"VAE": 1.0, "KNN": 1.0, "SVD": 1.0}, CLAIM_SCENARIOS, spread=0.001)
    worse = (table["method"] == "VAE") & table["scenario"].isin(CLAIM_SCENARIOS[:2])
    table.loc[worse, ["mae", "rmse"]] *= 1.5
    assert judge("C17", table).verdict == "holds"  # four of six
    methylation = errors({"VAE": 1.0, "KNN": 1.0, "SVD": 1.0}, METHYLATION, spread=0.001)
    tables = {"expression_errors": table, "methylation_errors": methylation}
    found = judge("C3", tables)
    assert (found.verdict, found.count) == ("holds", "18 of 22")
    assert judge("C3", {"expression_errors": table}).verdict == "cannot be told"


CLAIM_SCENARIOS = [*MCAR, "mnar_high_gc", "mnar_whole_genes", "mnar_low_values"]
METHYLATION = [*MCAR, "mnar_whole_sites", "mnar_low_coverage_50_lost"]


def test_shifted_vae_stands_for_vae_only_where_the_claim_says_so():
    table = errors({"VAE": 1.2, "VAE, shifted": 0.9, "KNN": 1.0, "SVD": 1.0}, CLAIM_SCENARIOS)
    last = judge("C3", table).figures.query("cell == 'mnar_low_values'")
    assert (last["value"] < -0.05).all()
    assert judge("C16", table).verdict == "does not hold"


def test_thresholds_are_compared_within_a_method():
    methods = ("mean", "KNN", "SVD", "VAE", "VAE, shifted")
    parts = [
        errors(dict.fromkeys(methods, 2 - share / 50), [scenario], spread=0.001)
        for scenario, share in LOW_VALUE_SCENARIOS.items()
    ]
    assert judge("C24", pd.concat(parts)).count == "15 of 15"
    flat = [errors(dict.fromkeys(methods, 1.0), [s], spread=0.0) for s in LOW_VALUE_SCENARIOS]
    assert judge("C24", pd.concat(flat)).verdict == "does not hold"


def test_a_star_stands_for_all_others():
    table = errors({"full rank": 0.9, "rank 10": 1.0, "rank 50": 0.8}, ["mcar_10"])
    table["schedule"] = "doubling"
    found = judge("C14", table)
    assert (found.verdict, found.count) == ("holds in part", "1 of 2")
    assert judge("C14", table.assign(schedule="at once")).verdict == "cannot be told"


def test_gc_content_has_to_be_real():
    table = errors({"VAE": 0.9, "SVD": 1.0}, ["mnar_high_gc"])
    assert judge("C18", table).verdict == "holds"
    assert judge("C18", table, simulated_gc=True).verdict == "not testable here"


def concordance(noise, n_splits=1, n_events=50, draws=None):
    """Coefficients that each method restores with some noise."""
    rng = np.random.default_rng(0)
    true = rng.normal(size=300)
    rows = []
    for scenario in CLINICAL_SCENARIOS:
        for repeat in range(draws or n_splits):
            for method, sd in noise.items():
                row = {"cohort": "c", "scenario": scenario, "method": method, "trial": 0,
                       "draw" if draws else "seed": repeat, "n_events": n_events}  # fmt: skip
                for outcome in ("grade", "survival"):
                    compared = compare_coefficients(true, true + rng.normal(0, sd, 300))
                    row |= {f"{outcome}_{name}": value for name, value in compared.items()}
                rows.append(row)
    return pd.DataFrame(rows)


CLINICAL = ("C29", "C30", "C31", "C32")


@pytest.mark.parametrize("way", ["splits", "draws of patients"])
def test_coefficients_over_patients(way):
    noise = {"KNN": 0.6, "SVD": 0.1, "VAE": 0.1}
    if way == "splits":
        tables = {"clinical_concordance": concordance(noise, n_splits=10)}
    else:
        tables = {
            "clinical_concordance": concordance(noise),
            "clinical_concordance_draws": concordance(noise, draws=40),
        }
    for claim in CLINICAL:
        found = judge(claim, tables)
        assert (claim, found.verdict) == (claim, "holds")
        assert way in found.n
    other = {name: table.replace({"KNN": "VAE", "VAE": "KNN"}) for name, table in tables.items()}
    assert judge("C31", other).verdict == judge("C32", other).verdict == "does not hold"


def test_few_patients_and_few_events():
    noise = {"KNN": 0.3, "SVD": 0.1, "VAE": 0.1}
    for claim in CLINICAL:
        found = judge(claim, concordance(noise))
        assert found.verdict == "cannot be told"
        assert found.reason == "1 split and no draws of patients"
    few = judge("C29", concordance(noise, n_splits=10, n_events=7))
    assert (few.verdict, few.count) == ("cannot be told", "8 of 16")
    assert few.reason == "7 events are too few"


def test_without_an_outcome_there_is_nothing_to_test():
    table = concordance({"KNN": 0.3, "SVD": 0.1, "VAE": 0.1}, n_splits=10)
    table["survival_concordance"] = np.nan
    assert judge("C29", table).verdict == "cannot be told"  # grade holds, survival is not there
    assert judge("C29", table.assign(grade_concordance=np.nan)).verdict == "not testable here"


TIMES = pd.DataFrame(
    [
        ("KNN", "slow", 0.0, 900.0, 20.0, 1e9),
        ("KNN", "fast", 0.0, 2.0, 0.1, 1e9),
        ("SVD", "slow", 0.0, 900.0, np.nan, np.nan),
        ("SVD, alone", "fast", 9.0, 0.5, 0.01, 1e7),
        ("VAE", "fast", 9000.0, 1.0, 0.2, 1e9),
    ],
    columns=["method", "program", "fit_seconds", "impute_seconds", "single_seconds",
             "artefact_bytes"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "verdict", "count"),
    [
        ("C1", "holds in part", "2 of 3"),
        ("C33", "holds in part", "1 of 2"),
        ("C34", "holds in part", "1 of 2"),
        ("C35", "holds", "2 of 2"),
        ("C36", "holds in part", "2 of 3"),
    ],
)
def test_times(claim, verdict, count):
    found = judge(claim, TIMES)
    assert (found.verdict, found.count) == (verdict, count)


def test_times_without_a_vae_tell_nothing():
    assert judge("C33", TIMES[TIMES["method"] != "VAE"]).verdict == "cannot be told"
    assert judge("C33", TIMES.iloc[:0]).verdict == "cannot be told"


def test_exponents():
    rows = [
        ("KNN", "n", 1.1, 0.05),
        ("KNN", "d", 1.6, 0.05),
        ("fancyimpute IterativeSVD", "n", 1.0, 0.3),
        ("VAE", "n", 1.0, 0.01),
    ]
    table = pd.DataFrame(rows, columns=["program", "varied", "exponent", "standard_error"])
    found = judge("C37", table.assign(quantity="total_seconds"))
    assert found.figures["meets"].tolist() == [True, False, None]
    assert found.verdict == "holds in part"


def test_numbers_that_ran_away_do_not_converge():
    case = {"learning_rate": 0.1, "n_epochs": 9, "share": 0.3, "largest_radius": 0.5,
            "first_change": 1.0, "last_change": 0.0, "mae": 0.5, "mae_mean": 0.8}  # fmt: skip
    settled = pd.DataFrame([case])
    assert judge("C40", settled).verdict == "does not hold"
    away = pd.DataFrame([case | {"largest_radius": 2.0, "last_change": np.nan, "mae": np.nan}])
    assert judge("C40", away).verdict == "holds"
    assert judge("C40", settled.assign(share=0.9)).verdict == "cannot be told"


def test_iterations():
    table = pd.DataFrame(
        {"scenario": "mcar_10", "start": "mean", "iteration": range(6),
         "mae": [0.9, 0.6, 0.501, 0.5, 0.5, 0.5],
         "mean_change": [np.nan, 0.5, 0.1, 0.02, 0.004, 0.001]}
    )  # fmt: skip
    assert judge("C13", table).count == "2 of 2"
    assert judge("C13", table.assign(mae=[9, 8, 7, 6, 5, 4.0])).verdict == "holds in part"
    assert judge("C13", table.assign(mae=np.nan, mean_change=np.nan)).verdict == "does not hold"


def test_shares_of_features_and_genes():
    rng = np.random.default_rng(0)
    skewed = pd.DataFrame({"skewness": rng.normal(0, 0.1, 99), "excess_kurtosis": 5.0})
    assert judge("C7", skewed).verdict == "holds in part"
    genes = pd.DataFrame(
        [("c", f, m, rng.random()) for f in range(99) for m in ("KNN", "SVD", "VAE")],
        columns=["cohort", "feature", "method", "mae"],
    )
    assert judge("C20", genes).verdict == "holds"
    first = genes.assign(mae=genes["method"].map({"KNN": 1, "SVD": 2, "VAE": 3}))
    assert judge("C20", first).verdict == "holds in part"
    assert judge("C20", genes[genes["method"] != "SVD"]).verdict == "cannot be told"
    noise = pd.DataFrame({"active": [True, True, False], "variation": [0.2, 0.3, 0.0]})
    assert judge("C42", noise).verdict == "holds"
    assert judge("C42", noise.assign(active=False)).verdict == "cannot be told"


def test_shares_of_strong_coefficients():
    rows = [("grade", 100, 0, 0.5, 0.1), ("survival", 100, 7, 0.9, 0.6)]
    table = pd.DataFrame(rows, columns=["outcome", "n", "n_events", "share", "shuffled_share"])
    found = judge("C28", table)
    assert (found.verdict, found.count) == ("cannot be told", "2 of 4")
    assert judge("C28", table.assign(n_events=50)).verdict == "holds in part"


def test_overfitting_is_a_gap_of_more_than_the_margin():
    rows = [(s, "autoencoder", r, e + 0.001 * s) for s in range(10) for r, e in
            (("training", 0.1), ("test", 0.5))]  # fmt: skip
    table = pd.DataFrame(rows, columns=["seed", "method", "rows", "mae"])
    assert judge("C6", table).verdict == "holds"


def test_every_rule_that_a_claim_names_is_there_and_used():
    used = {check.rule for claim in CLAIMS.values() for check in claim.checks}
    assert used == set(RULES)


def test_a_claim_of_ones_own():
    check = Check("better", ("mine",), "all", {"cells": ["mcar_10"], "pairs": [("mine", "KNN")]})
    claim = Claim("mine", "none", 0, "mine is better", (check,))
    assert judge(claim, errors({"mine": 0.9, "KNN": 1.0})).verdict == "holds"
