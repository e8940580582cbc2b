"""The cohorts that come with packages, against what their sources say of them."""

import sys

import numpy as np
import pytest

from vaeimpute.cohorts import load_cohort
from vaeimpute.cohorts.published import brain_gse74193


@pytest.fixture(scope="module")
def breast():
    return load_cohort("breast-gse1992")


def test_breast_tumours(breast):
    assert breast.values.shape == (124, 15528)
    assert breast.clinical["grade"].value_counts().to_dict() == {3: 64, 2: 44, 1: 12}
    assert breast.clinical["grade"].isna().sum() == 4
    assert set(breast.clinical["event"]) == {0, 1}
    assert (breast.clinical["time"] > 0).all()
    assert {"TP53", "ESR1", "ERBB2"} <= set(breast.values)
    assert breast.missing_fraction == 0


def test_receptor_status_agrees_with_the_receptors_gene(breast):
    """Rows of values and of the clinical table belong to the same tumours."""
    by_status = breast.values["ESR1"].groupby(breast.clinical["er_positive"]).median()
    assert by_status[1.0] > by_status[0.0] + 1


def test_brain_samples():
    brain = load_cohort("brain-gse74193")
    assert brain.values.shape == (675, 7503)
    assert brain.values.columns.str.match(r"cg\d{8}$|ch\.").all()
    assert brain.values.min(axis=None) >= 0
    assert brain.values.max(axis=None) <= 1
    assert brain.clinical["age"].between(-1, 120).all()
    # A site of ELOVL2, the best known clock: it rises with age if rows and ages belong together.
    assert brain.values["cg16867657"].corr(brain.clinical["age"]) > 0.8


def test_single_cells():
    cells = load_cohort("pbmc68k-reduced")
    assert cells.values.shape == (700, 765)
    assert cells.clinical["cell_type"].nunique() == 10
    # Molecules were counted: a cell's values are whole multiples of its smallest.
    counts = np.expm1(cells.values)
    counts = counts.div(counts.where(counts > 0).min(axis=1), axis=0)
    assert (counts - counts.round()).abs().max(axis=None) < 0.2
    # Rows of values and cell types belong to the same cells: CD79A is of B cells.
    by_type = cells.values["CD79A"].groupby(cells.clinical["cell_type"]).mean()
    assert by_type.idxmax() == "CD19+ B"


def test_the_cache_returns_what_was_read(tmp_path, monkeypatch):
    monkeypatch.setenv("VAEIMPUTE_CACHE", str(tmp_path))
    first, second = load_cohort("brain-gse74193"), load_cohort("brain-gse74193")
    assert any((tmp_path / "cohorts").iterdir())
    direct = brain_gse74193()
    for cohort in (first, second):
        assert cohort.values.equals(direct.values)
        assert cohort.clinical.equals(direct.clinical)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        ValueError, match=r"Unknown cohort 'breast'; choose one of .*breast-gse1992"
    ):
        load_cohort("breast")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "EpigeneticPacemaker", None)
    with pytest.raises(ModuleNotFoundError, match=r"EpigeneticPacemaker.*vaeimpute\[data\]"):
        brain_gse74193()
