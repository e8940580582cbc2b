"""Cohorts that are read from a folder of the reader's: small ones in its layout, then the real."""

import os

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import list_cohorts, load_cohort

pytest.importorskip("pyarrow", reason="part of the extra 'data'")

REAL = os.environ.get("VAEIMPUTE_DATA", "")
needs_real = pytest.mark.skipif(
    not os.path.isdir(os.path.join(REAL, "glioma_gliovis")),
    reason="VAEIMPUTE_DATA does not point at the larger cohorts",
)


@pytest.fixture
def gliomas(tmp_path, monkeypatch):
    """Two series of six tumours on different levels, one of three, and a sample that is none."""
    series = ["A"] * 6 + ["B"] * 7 + ["C"] * 3
    samples = [f"{s}:GSM{i}" for i, s in enumerate(series)]
    rng = np.random.default_rng(0)
    level = pd.Series(series).map({"A": 5.0, "B": 9.0, "C": 7.0}).to_numpy()
    genes = pd.DataFrame(rng.normal(size=(4, 16)) + level, ["TP53", "EGFR", "PTEN", "MYC"], samples)
    clinical = pd.DataFrame(
        {
            "sample": samples,
            "dataset": series,
            "Histology": ["GBM"] * 12 + ["Normal cerebellum "] + ["GBM"] * 3,
            "grade_num": [2, 3, 4, 2, 3, 4] * 2 + [np.nan] + [4] * 3,
            "grade_source": "reported",
            "survival_months": np.arange(16.0),
            "event": 1,
        }
    )
    folder = tmp_path / "glioma_gliovis"
    folder.mkdir()
    genes.astype("float32").to_parquet(folder / "expr_all_affy.parquet")
    clinical.to_csv(folder / "clinical.csv", index=False)
    monkeypatch.setenv("VAEIMPUTE_DATA", str(tmp_path))
    return folder


def test_series_are_centred_and_the_notes_say_so(gliomas):
    cohort = load_cohort("glioma-gliovis")
    assert cohort.values.shape == (12, 4)
    means = cohort.values.groupby(cohort.clinical["series"]).mean()
    np.testing.assert_allclose(means, 0, atol=1e-6)
    assert cohort.stratify_by == "grade"
    assert {"grade", "time", "event"} <= set(cohort.clinical)
    notes = " ".join(cohort.notes)
    assert "1 samples that are no tumours, and 3 of series with fewer than 5 tumours" in notes
    assert "centred within each of 2 series" in notes
    assert "those to test on included" in notes


def test_series_can_stay_as_they_are(gliomas):
    cohort = load_cohort("glioma-gliovis", center=False)
    means = cohort.values.groupby(cohort.clinical["series"]).mean()
    assert (means.loc["B"] - means.loc["A"] > 2).all()
    assert "NOT corrected" in " ".join(cohort.notes)
    assert cohort.name != load_cohort("glioma-gliovis").name  # results go by the name


def test_files_that_are_not_there_are_named(tmp_path, gliomas, monkeypatch):
    (gliomas / "clinical.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"glioma_gliovis/ .*there is no clinical.csv"):
        load_cohort("glioma-gliovis")
    monkeypatch.delenv("VAEIMPUTE_DATA")
    with pytest.raises(FileNotFoundError, match="VAEIMPUTE_DATA names"):
        load_cohort("tcga-small-cohorts")
    assert list_cohorts().loc["glioma-gliovis", "here"] == "read from the folder VAEIMPUTE_DATA"


@needs_real
def test_the_real_gliomas():
    cohort = load_cohort("glioma-gliovis")
    assert cohort.values.shape == (692, 11196)
    complete = cohort.clinical[["grade", "time", "event"]].notna().all(axis=1)
    assert complete.sum() > 350
    # Rows of values and of the clinical table belong to the same tumours: proliferation goes with
    # grade, and most of that is between series.
    whole = load_cohort("glioma-gliovis-uncentred")
    grade = cohort.clinical["grade"]
    within, between = (c.values["TOP2A"].corr(grade, method="spearman") for c in (cohort, whole))
    assert 0.1 < within < 0.3 < between


@needs_real
def test_the_real_small_cohorts():
    cohort = load_cohort("tcga-small-cohorts")
    assert cohort.values.shape == (309, 17159)
    clinical = cohort.clinical
    assert clinical["grade"].dropna().isin([1, 2, 3, 4]).all()
    assert (clinical["time"].dropna() >= 0).all()
    # Nine bile duct samples are normal: they have neither stage nor survival here.
    normal = clinical["sample_type"] == "11"
    assert normal.sum() == 9
    assert clinical.loc[normal, ["grade", "time", "event"]].isna().all(axis=None)
