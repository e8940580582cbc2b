"""Larger public cohorts, read from a folder of the reader's that `VAEIMPUTE_DATA` names."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.cohorts.tables import read_table_cohort
from vaeimpute.cohorts.transforms import log_counts

_DAYS_PER_MONTH = 365.25 / 12
_SMALLEST_SERIES = 5  # of fewer tumours, the mean is mostly that of the tumour itself
_NOT_TUMOURS = ("Normal cerebellum", "Non-tumor")


def glioma_gliovis(*, center: bool = True) -> Cohort:
    """Gliomas of several GEO series on Affymetrix arrays, as collected by GlioVis.

    Reads ``glioma_gliovis/expr_all_affy.parquet`` (genes x samples) and ``clinical.csv`` beside it.

    Parameters
    ----------
    center : bool
        Subtract from every gene its mean over the series that a tumour comes from. The series were
        measured in different laboratories, and without it the largest differences are theirs.
        Whatever distinguishes the tumours of one series from those of another is lost as well, such
        as part of the effect of grade: most series hold one or two grades.

    Returns
    -------
    Cohort
        log2 intensities. Clinical columns: ``series``, ``histology``, ``grade`` (1 to 4, NaN where
        unknown), ``grade_source`` (``reported`` or ``inferred_from_histology``), ``time``
        (follow-up in months) and ``event`` (1 if it ended in death).

    Raises
    ------
    FileNotFoundError
        If ``VAEIMPUTE_DATA`` does not name a folder that has the files.
    """
    folder = _folder("glioma_gliovis", "expr_all_affy.parquet", "clinical.csv")
    read = read_table_cohort(
        folder / "expr_all_affy.parquet", clinical=folder / "clinical.csv", sample_column="sample"
    )
    clinical = read.clinical.rename(
        columns={
            "dataset": "series",
            "Histology": "histology",
            "grade_num": "grade",
            "survival_months": "time",
        }
    )
    clinical = clinical[["series", "histology", "grade", "grade_source", "time", "event"]]
    tumour = ~clinical["histology"].str.strip().isin(_NOT_TUMOURS)
    sizes = clinical["series"].map(clinical.loc[tumour, "series"].value_counts())
    kept = tumour & (sizes >= _SMALLEST_SERIES)
    values, clinical = read.values[kept].astype(float), clinical[kept]
    notes = [
        f"{(~tumour).sum()} samples that are no tumours, and {(tumour & ~kept).sum()} of series "
        f"with fewer than {_SMALLEST_SERIES} tumours, were left out.",
        f"{(clinical['grade_source'] == 'inferred_from_histology').sum()} of "
        f"{clinical['grade'].notna().sum()} grades were inferred from the histology.",
    ]
    if center:
        values -= values.groupby(clinical["series"]).transform("mean")
        notes.append(
            f"Every gene is centred within each of {clinical['series'].nunique()} series, with the "
            "means of all tumours of the series, those to test on included. Differences in grade "
            "between series are lost with the series' effects."
        )
    else:
        notes.append("Effects of the series are NOT corrected.")
    return Cohort(
        name="glioma-gliovis" if center else "glioma-gliovis-uncentred",
        values=values,
        clinical=clinical,
        units="log2 intensity" + (", centred by series" if center else ""),
        data_type="expression",
        stratify_by="grade",
        citation="Bowman et al. 2017, Neuro-Oncology 19:139-141 (GlioVis), from public GEO series",
        licence="GPL-3.0 or AGPL-3.0 (GlioVis)",
        notes=(*read.notes, *notes),
    )


def glioma_gliovis_uncentred() -> Cohort:
    """Gliomas as `glioma_gliovis` reads them, with the effects of the series left in.

    Returns
    -------
    Cohort
    """
    return glioma_gliovis(center=False)


def tcga_small_cohorts() -> Cohort:
    """Five small TCGA cohorts on RNA sequencing, the paper's platform, prepared as its gliomas.

    Reads ``tcga_small_cohorts_rnaseqv2/expr_rsem_normalized.parquet`` (genes x samples) and
    ``clinical.csv`` beside it.

    Returns
    -------
    Cohort
        ln(count + 1). Clinical columns, besides those of the file: ``grade`` (stage I to IV of the
        tumours as 1 to 4, pathologic where there is one, otherwise clinical), ``time`` (follow-up
        in months) and ``event`` (1 if it ended in death).

    Raises
    ------
    FileNotFoundError
        If ``VAEIMPUTE_DATA`` does not name a folder that has the files.
    """
    folder = _folder("tcga_small_cohorts_rnaseqv2", "expr_rsem_normalized.parquet", "clinical.csv")
    read = read_table_cohort(
        folder / "expr_rsem_normalized.parquet", clinical=folder / "clinical.csv"
    )
    # The stomach tumours are an early freeze from another centre.
    kept = read.clinical["cohort"] != "STAD"
    clinical = read.clinical[kept]
    tumour = clinical["sample_type"] == "01"
    stage = clinical["stage_event.pathologic_stage"].fillna(clinical["stage_event.clinical_stage"])
    died = clinical["days_to_death"].notna()
    days = clinical["days_to_death"].fillna(clinical["days_to_last_followup"])
    clinical = clinical.assign(
        grade=stage.map(read_stage).where(tumour),
        time=(days.where(days >= 0) / _DAYS_PER_MONTH).where(tumour),
        event=died.astype(float).where(days.notna() & tumour),
    )
    cohort = replace(
        read,
        name="tcga-small-cohorts",
        values=read.values[kept],
        clinical=clinical,
        units="RSEM-normalised count",
        stratify_by="cohort",
        citation="The Cancer Genome Atlas, from the Bioconductor packages RTCGA.rnaseq and "
        "RTCGA.clinical (Kosinski and Biecek)",
        licence="GPL-2.0 (RTCGA)",
        notes=(*read.notes, "The grade is the stage, I to IV as 1 to 4, of several cancers."),
    )
    return log_counts(cohort)


def read_stage(stage: str | float) -> float:
    """Return a tumour's stage as a number, without its subdivision.

    Parameters
    ----------
    stage : str or NaN
        Such as ``"stage iiib"``.

    Returns
    -------
    float
        1 to 4; NaN if it is none of these.

    Examples
    --------
    >>> [read_stage(stage) for stage in ("stage i", "Stage IIIc2", "stage iva", "stage x")]
    [1.0, 3.0, 4.0, nan]
    """
    words = str(stage).lower().removeprefix("stage").strip()
    roman = words.rstrip("0123456789").rstrip("abc")
    return {"i": 1.0, "ii": 2.0, "iii": 3.0, "iv": 4.0}.get(roman, np.nan)


def _folder(name: str, *files: str) -> Path:
    """Find a cohort's folder, or say what is expected where."""
    root = os.environ.get("VAEIMPUTE_DATA", "")
    folder = Path(root, name)
    lacking = [file for file in files if not (folder / file).exists()]
    if not root or lacking:
        raise FileNotFoundError(
            f"This cohort is read from {name}/ in the folder that the environment variable "
            f"VAEIMPUTE_DATA names (it is {root!r}), with the files {' and '.join(files)}; there "
            f"is no {', '.join(lacking) if root else 'such folder'}."
        )
    return folder
