"""All claims are there, and what judging says of them is shown in one vocabulary."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from vaeimpute.claims import (
    CLAIMS,
    VERDICTS,
    compare_runs,
    judge,
    judge_group,
    list_findings,
    load_runs,
    scraps,
    sentence,
    table_2,
    tabulate,
)
from vaeimpute.claims.paper import (
    CLINICAL_SCENARIOS,
    LOW_VALUE_SCENARIOS,
    TABLES,
)
from vaeimpute.experiments.catalogue import EXPERIMENTS
from vaeimpute.files import write_table

RESULTS = Path(__file__).parents[2] / "results"
FOLDERS = sorted(folder.name for folder in RESULTS.iterdir() if folder.is_dir())


def test_all_claims_have_their_record():
    assert list(CLAIMS) == [f"C{i}" for i in range(1, 43)]
    for claim in CLAIMS.values():
        assert claim.section
        assert claim.words
        assert 1 <= claim.chapter <= 9
        assert claim.checks
        assert all(check.tables for check in claim.checks)
    assert len({claim.words for claim in CLAIMS.values()}) == len(CLAIMS)


def test_tables_that_claims_ask_for_are_written_by_what_is_there():
    asked = {name for claim in CLAIMS.values() for check in claim.checks for name in check.tables}
    assert set(TABLES) == asked
    there = {f"experiment {name}" for name in EXPERIMENTS}
    for kind, files in (("benchmark", "benchmarks/*.py"), ("chapter", "notebooks/*.ipynb")):
        there |= {f"{kind} {path.stem}" for path in RESULTS.parent.glob(files)}
    assert set(TABLES.values()) - there == set()


def test_table_2_is_the_papers():
    table = table_2()
    assert len(table) == 2 * 4 * 4
    wide = table.pivot(index="scenario", columns=["outcome", "method"], values="mean")
    apart = (wide["survival"]["VAE"] - wide["survival"]["SVD"]).abs()
    assert list(wide.index.sort_values()) == sorted(CLINICAL_SCENARIOS)
    assert apart.idxmax() == "mnar_whole_genes"  # by which the paper misses its own claim
    assert apart.max() > 0.01


def test_what_is_written_twice_agrees():
    assert CLAIMS["C23"].checks[0].parameters["cells"] == list(LOW_VALUE_SCENARIOS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_stored_tables_are_judged(folder):
    runs = load_runs(RESULTS / folder)
    files = sorted(path.stem for path in (RESULTS / folder).rglob("*.csv"))
    assert sorted(name for run in runs.values() for name in run.tables) == files
    for run in runs.values():
        judged = judge_group(CLAIMS, run)
        assert {found.verdict for found in judged.values()} <= set(VERDICTS)
        assert list(tabulate(judged).index) == list(CLAIMS)
        for found in judged.values():
            assert f"**{found.verdict}**" in sentence(found)


def test_runs_of_different_networks_are_kept_apart(tmp_path):
    for name, sizes in (("expression_errors", [6000, 2000]), ("beta_vae", [256])):
        pd.DataFrame({"method": ["VAE"]}).to_csv(tmp_path / f"{name}.csv", index=False)
        parameters = {"hidden_sizes": sizes, "latent_dim": 32, "n_epochs": 9, "gc_source": "real"}
        provenance = {"parameters": parameters}
        (tmp_path / f"{name}.provenance.json").write_text(json.dumps(provenance))
    pd.DataFrame({"sample": [0]}).to_csv(tmp_path / "beta_vae_samples.csv", index=False)
    (tmp_path / "beta_vae.failures.csv").write_text("")
    runs = load_runs(tmp_path)
    small = runs[f"{tmp_path.name}, 256-32, 9 epochs"]
    assert set(small.tables) == {"beta_vae", "beta_vae_samples"}
    assert len(runs) == 2
    assert not small.simulated_gc


def test_runs_of_different_profiles_are_kept_apart(tmp_path):
    for profile, batch_size in (("paper", 250), ("paper,batch_size=50", 50)):
        parameters = {"hidden_sizes": [9], "latent_dim": 3, "batch_size": batch_size}
        path = tmp_path / profile / "expression_errors.csv"
        write_table(pd.DataFrame({"method": ["VAE"]}), path, {"parameters": parameters})
    names = [f"{tmp_path.name}, 9-3 ({p})" for p in ("paper", "paper,batch_size=50")]
    assert list(load_runs(tmp_path)) == names


def test_what_is_asked_for_has_to_be_there():
    with pytest.raises(ValueError, match="no claim 'C43'; there are C1, C2"):
        judge("C43", {})
    table = pd.DataFrame({"cohort": ["a", "b"]})
    with pytest.raises(ValueError, match="Expected one cohort"):
        judge("C15", table)


ROWS = [
    (seed, scenario, method, error + 0.001 * seed)
    for seed in range(10)
    for scenario in ("mcar_05", "mcar_10", "mcar_30")
    for method, error in (("VAE", 0.5), ("KNN", 0.6))
]
TABLE = pd.DataFrame(ROWS, columns=["seed", "scenario", "method", "mae"])


@dataclass
class Results:
    table: pd.DataFrame
    beside: dict


def test_results_of_an_experiment_bring_their_errors_by_sample():
    samples = TABLE.rename(columns={"seed": "sample"}).assign(n_missing=9)
    results = Results(TABLE[TABLE["seed"] == 0], {"samples": samples})
    for tables in (results, {"expression_errors": results}):
        assert judge("C15", tables).n == "10 test samples"
    assert judge("C15", Results(results.table, {})).verdict == "cannot be told"


def test_sentence():
    assert sentence(judge("C15", TABLE)) == (
        "VAE has smaller errors than KNN at 5, 10 and 30 % missing at random: **holds** (3 of 3 "
        "cells; relative difference -16.5 % [-16.6, -16.5] in every cell; 95 % intervals over 10 "
        "splits)."
    )
    other = TABLE.assign(rmse=TABLE["mae"] * (1 + (TABLE["method"] == "VAE")))
    assert sentence(judge("C15", other)).endswith(" By the true RMSE: **does not hold**.")


def test_groups():
    assert list(judge_group(9, {})) == ["C4", "C38", "C39", "C40", "C41", "C42"]
    assert list(judge_group("Table 2", {})) == ["C29", "C30"]
    found = judge_group(["C15", "C16"], {"expression_errors": TABLE})
    table = tabulate(found)
    assert table["verdict"].tolist() == ["holds", "cannot be told"]
    assert table.loc["C15", "rule"] == (
        "the 95 % interval of the relative difference of the errors lies below zero"
    )
    findings = list_findings(found)
    assert findings["claim"].tolist() == ["C15"] * 3 + ["C16"] * len(found["C16"].figures)
    assert findings.loc[0, "compared"] == "VAE / KNN"
    side_by_side = compare_runs({"one": found, "other": judge_group(["C15"], {})})
    assert side_by_side.loc[CLAIMS["C15"].words].tolist() == ["holds", "cannot be told"]


def test_chapters_glue_verdict_basis_and_figures():
    table = pd.DataFrame({"seed": range(10), "scenario": "mcar_05", "method": "VAE", "mae": 0.4})
    table = pd.concat([table, table.assign(method="KNN", mae=0.5)])
    texts = scraps({"C15": judge("C15", table)}, "mine")
    assert texts == {
        "verdict_C15": "cannot be told",
        "basis_C15": "mine, 10 splits",
        "figures_C15": "relative difference -20.0 % [-20.0, -20.0] (5 % at random, VAE / KNN)",
    }
