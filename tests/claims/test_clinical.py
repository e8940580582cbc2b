"""The claims on clinical coefficients: on the paper's own table, and on made-up ones."""

import numpy as np
import pandas as pd
import pytest

from vaeimpute.claims.paper import (
    CLINICAL_CLAIMS,
    CLINICAL_SCENARIOS,
    as_in_table_2,
    judge_clinical_claims,
    paper_table_2,
    tabulate_concordance,
    write_intervals,
)
from vaeimpute.claims.rules import judge_similar
from vaeimpute.evaluation import compare_coefficients

# How far each method's coefficients are off.
NOISE = {"random": 0.4, "KNN": 0.2, "SVD": 0.1, "VAE": 0.1}


def made_up(noise, n_trials=8):
    rng = np.random.default_rng(0)
    true = rng.normal(size=400)
    rows = []
    for scenario in CLINICAL_SCENARIOS:
        for trial in range(n_trials):
            for method, sd in noise.items():
                row = {"cohort": "c", "scenario": scenario, "trial": trial, "method": method}
                for outcome in ("grade", "survival"):
                    compared = compare_coefficients(true, true + rng.normal(0, sd, 400))
                    row |= {f"{outcome}_{name}": value for name, value in compared.items()}
                rows.append(row)
    return pd.DataFrame(rows)


def test_what_the_paper_says_holds_where_it_is_so():
    assert set(judge_clinical_claims(made_up(NOISE))) == {"holds"}


def test_what_the_paper_says_does_not_hold_where_it_is_the_other_way_round():
    verdicts = judge_clinical_claims(made_up({"KNN": 0.05, "SVD": 0.2, "VAE": 0.6}))
    assert set(verdicts) == {"does not hold"}
    assert list(verdicts.index) == list(CLINICAL_CLAIMS)


def test_ties_with_knn_are_not_better():
    verdicts = judge_clinical_claims(made_up({"KNN": 0.1, "SVD": 0.05, "VAE": 0.1}))
    assert verdicts["beats_knn"] == "holds in part"  # that of SVD
    assert verdicts["like_svd"] == "holds"
    assert verdicts["variance"] == "does not hold"


def test_too_few_trials_tell_nothing():
    assert judge_clinical_claims(made_up(NOISE, n_trials=1))["variance"] == "cannot be told"
    assert judge_clinical_claims(made_up(NOISE, n_trials=3))["beats_knn"] == "cannot be told"


@pytest.mark.parametrize("lacking", ["KNN", "SVD", "VAE"])
def test_without_a_method_nothing_is_judged(lacking):
    table = made_up({name: sd for name, sd in NOISE.items() if name != lacking})
    assert set(judge_clinical_claims(table)) == {"not measured"}


def test_without_grades_nothing_is_judged():
    assert set(judge_clinical_claims(made_up(NOISE).assign(grade_concordance=np.nan))) == {
        "not measured"
    }


def test_the_shifted_vae_counts_where_low_values_are_missing():
    table = made_up({**NOISE, "VAE": 0.6, "VAE, shifted": 0.1})
    low = as_in_table_2(table).query("scenario == 'mnar_low_values' and method == 'VAE'")
    assert low["grade_concordance"].min() > 0.9
    verdicts = judge_clinical_claims(table)
    assert verdicts["variance"] == "holds in part"
    assert "VAE, shifted" not in set(as_in_table_2(table)["method"])


def test_the_papers_own_table():
    paper = paper_table_2()
    assert len(paper) == 2 * 4 * 4
    assert paper["mean"].between(0.5, 1).all()
    wide = paper.pivot(index=["outcome", "scenario"], columns="method", values="mean")
    assert (wide["VAE"] > wide["KNN"]).all()
    assert (wide["SVD"] >= wide["VAE"]).mean() == 7 / 8
    survival = paper[paper["outcome"] == "survival"]
    assert judge_similar(survival, "VAE", "SVD", margin=0.02) == "holds in part"


def test_intervals_are_written_as_in_the_paper():
    table = made_up(NOISE)
    table.loc[table["method"] == "random", "grade_concordance"] = np.nan
    written = tabulate_concordance(table, "grade")
    assert list(written.index) == list(CLINICAL_SCENARIOS)
    assert (written["random"] == "–").all()
    assert written["VAE"].str.fullmatch(r"0\.\d{3} ± 0\.\d{3}").all()
    paper = paper_table_2().query("outcome == 'survival'")
    assert write_intervals(paper, ["mnar_low_values"], ["SVD"]).values.tolist() == [
        ["0.976 ± 0.002"]
    ]
