"""The grid with another measure than errors: agreement of clinical coefficients."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from vaeimpute.evaluation.clinical import clinical_coefficients, read_outcomes
from vaeimpute.exceptions import ClinicalError
from vaeimpute.experiments import ClinicalConcordance, Grid, run_experiment
from vaeimpute.experiments import grid as grid_module
from vaeimpute.experiments.store import UnitStore
from vaeimpute.imputers import GaussianImputer, MeanImputer
from vaeimpute.missingness import mcar, mnar_whole_genes
from vaeimpute.splits import split_rows


@pytest.fixture
def tumours(cohort):
    """The small cohort, with grade and survival that go with its first gene."""
    rng = np.random.default_rng(1)
    first = cohort.values.iloc[:, 0].to_numpy()
    clinical = pd.DataFrame(
        {
            "grade": pd.qcut(first, 3, labels=False).astype(float) + 1,
            "time": rng.exponential(np.exp(-(first - first.mean()) / first.std())),
            "event": rng.integers(0, 2, size=len(first)),
        },
        cohort.values.index,
    )
    clinical.loc[clinical.index[::7], "grade"] = np.nan
    clinical.loc[clinical.index[3::7], "event"] = np.nan
    return replace(cohort, clinical=clinical)


def grid(cohort, imputers=None, measure=None, split=None):
    methods = imputers or {"mean": MeanImputer(), "Gaussian": GaussianImputer(alpha=0.01)}
    return Grid(
        cohort, methods, ["mcar_30", mnar_whole_genes()], n_trials=2, split=split,
        measure=measure or ClinicalConcordance(n_top=10),
    )  # fmt: skip


@pytest.fixture
def half():
    """Half of the rows to test on: a tenth would be few for a Cox model."""
    return split_rows(50, test_fraction=0.5, seed=0)


def same(table, expected):
    timings = ["seconds", "fit_seconds", "evaluation_seconds"]
    pd.testing.assert_frame_equal(
        table.drop(columns=timings), expected.drop(columns=timings), check_exact=True
    )


def test_one_row_per_cell_with_what_is_measured(tumours, half):
    outcome = grid(tumours, split=half).run()
    assert outcome.failures.empty
    table = outcome.table
    assert list(table) == [
        "cohort", "scenario", "trial", "method", *ClinicalConcordance.columns, "n_missing",
        "seconds", "fit_seconds", "seed",
    ]  # fmt: skip
    clinical = tumours.clinical.iloc[half.test]
    assert (table["n_grade"] == clinical["grade"].notna().sum()).all()
    assert (table["n_survival"] == clinical["event"].notna().sum()).all()
    assert (table["n_events"] == clinical["event"].sum()).all()
    assert (table["note"] == "").all()
    means = table[table["scenario"] == "mcar_30"].groupby("method").mean(numeric_only=True)
    for name in ("grade_concordance", "survival_concordance"):
        assert means.loc["Gaussian", name] > means.loc["mean", name] > 0.5
    assert (means.loc["Gaussian"] < means.loc["mean"])[
        ["grade_variance", "survival_variance"]
    ].all()


def test_a_gene_that_is_filled_with_its_mean_has_no_coefficient(tumours, half):
    table = grid(tumours, split=half).run().table
    whole = table[table["scenario"] == "mnar_whole_genes"].set_index("method")
    assert (whole.loc["mean", ["grade_genes", "survival_genes"]] == 0).all(axis=None)
    assert whole.loc["mean", ["grade_concordance", "survival_variance"]].isna().all(axis=None)
    assert (whole.loc["Gaussian", "grade_genes"] == 2).all()  # a twentieth of 40


def test_only_genes_that_lost_values_where_the_outcome_is_known(tumours, half):
    prepared = grid(tumours, split=half).measure
    true = grid(tumours, split=half).test
    mask = np.zeros(true.shape, dtype=bool)
    ungraded = int(np.flatnonzero(~prepared.outcomes.rows("grade"))[0])
    mask[ungraded, :5] = True
    mask[np.flatnonzero(prepared.outcomes.rows("grade"))[0], 5:8] = True
    result, _ = prepared(true, np.where(mask, 0.0, true), mask, 0)
    assert result["grade_genes"] == 3
    assert result["survival_genes"] >= 5
    with pytest.raises(ValueError, match="Nothing is masked"):
        prepared(true, true, np.zeros(true.shape, dtype=bool), 0)


def test_the_concordance_is_that_of_coefficients_of_the_imputed_rows(tumours, half):
    """The path of the grid against the steps written out."""
    from lifelines.utils import concordance_index

    fill = MeanImputer()
    plan = grid(tumours, {"mean": fill}, split=half)
    row = plan.run().table.iloc[0]
    mask = mcar(0.3).mask(
        tumours.standardize(half.train), half.test, grid_module.trial_rng(0, "mcar_30", 0)
    )
    imputed = fill.transform(np.where(mask, np.nan, plan.test))
    outcomes = read_outcomes(tumours.clinical.iloc[half.test])
    before, after = (clinical_coefficients(x, outcomes) for x in (plan.test, imputed))
    for name in ("grade", "survival"):
        lost = mask[outcomes.rows(name)].any(axis=0)
        expected = concordance_index(before[name][lost], after[name][lost])
        assert row[f"{name}_concordance"] == pytest.approx(expected, abs=1e-12)
        assert row[f"{name}_genes"] == lost.sum()


def test_patients_are_drawn_anew(tumours, half):
    """The same draws for all methods and scenarios; each is what these rows alone would give."""
    outcome = grid(tumours, split=half, measure=ClinicalConcordance(n_top=10, n_draws=3)).run()
    assert outcome.failures.empty
    draws = outcome.beside["draws"]
    for _, part in draws.groupby(["scenario", "method"]):
        assert sorted(part["draw"]) == list(range(6))  # of two trials
    counts = draws.groupby("draw")[["n_grade", "n_survival", "n_events"]]
    pd.testing.assert_frame_equal(counts.min(), counts.max())
    gaussian = draws.query("method == 'Gaussian' and scenario == 'mcar_30'")
    assert gaussian["grade_concordance"].min() > 0.9  # nearly perfect for any patients
    assert gaussian["grade_concordance"].std() > 0
    assert grid(tumours, split=half).run().beside == {}


def test_drawn_patients_are_fitted_once_for_all_methods(tumours, half):
    plan = grid(tumours, split=half, measure=ClinicalConcordance(n_top=10, n_draws=2))
    true, mask = plan.test, np.zeros(plan.test.shape, dtype=bool)
    mask[:, :20] = True
    imputations = [np.where(mask, factor * true, true) for factor in (0.0, 0.9, -1.0)]
    shared = [plan.measure(true, imputed, mask, 0)[1] for imputed in imputations]
    assert len(plan.measure.drawn) == 2
    for imputed, found in zip(imputations, shared, strict=True):
        alone = replace(plan.measure, drawn={})
        pd.testing.assert_frame_equal(
            pd.DataFrame(found), pd.DataFrame(alone(true, imputed, mask, 0)[1])
        )


@pytest.mark.slow
def test_it_resumes_and_parallelises(tumours, half, tmp_path, monkeypatch):
    expected = grid(tumours, split=half).run().table
    plan = grid(tumours, split=half)
    same(plan.run(n_jobs=2, store=tmp_path).table, expected)
    monkeypatch.setattr(grid_module, "impute_unit", None)  # nothing is computed again
    same(grid(tumours, split=half).run(store=tmp_path).table, expected)


def test_fits_are_shared_between_measures_and_results_are_not(tumours, half, tmp_path):
    errors = Grid(tumours, {"mean": MeanImputer()}, ["mcar_30"], n_trials=2, split=half)
    concordance = grid(tumours, {"mean": MeanImputer()}, split=half)
    errors.run(store=tmp_path)
    assert not concordance.finished(UnitStore(tmp_path))
    assert concordance.fit_key("mean") == errors.fit_key("mean")


def test_a_unit_is_known_by_its_clinical_data_and_parameters(tumours, half):
    cell = grid(tumours, split=half).cells[0]
    clinical = tumours.clinical.copy()
    clinical.iloc[half.test[1], 0] = 1 + clinical.iloc[half.test[1], 0] % 3
    others = [
        grid(replace(tumours, clinical=clinical), split=half),
        grid(tumours, split=half, measure=ClinicalConcordance(n_top=11)),
        grid(tumours, split=half, measure=ClinicalConcordance(n_top=10, ties="breslow")),
    ]
    keys = [str(g.cell_key(cell)) for g in [grid(tumours, split=half), *others]]
    assert len(set(keys)) == 4
    # Training rows have no part in it.
    clinical = tumours.clinical.copy()
    clinical.iloc[half.train, 0] = 2
    same_key = grid(replace(tumours, clinical=clinical), split=half).cell_key(cell)
    assert str(same_key) == keys[0]


def test_clinical_data_that_cannot_be_used_stop_before_anything_is_computed(tumours):
    clinical = tumours.clinical.assign(time=-1.0)
    with pytest.raises(ClinicalError, match="negative follow-up"):
        run_experiment(
            replace(tumours, clinical=clinical), {"mean": MeanImputer()}, ["mcar_30"],
            measure=ClinicalConcordance(),
        )  # fmt: skip


def test_an_outcome_that_is_not_there_is_nan_with_a_note(tumours, half, caplog):
    clinical = tumours.clinical.drop(columns="time")
    table = grid(replace(tumours, clinical=clinical), split=half).run().table
    assert table["survival_concordance"].isna().all()
    assert table["grade_concordance"].notna().any()
    assert set(table["note"]) == {"survival: no column 'time'"}
    assert "No concordance for survival: no column 'time'" in caplog.text
