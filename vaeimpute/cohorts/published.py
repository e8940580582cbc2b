"""Real cohorts that arrive with installed packages, so that a reader needs no download."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import replace
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.cohorts.derived import log_counts
from vaeimpute.cohorts.own import read_table_cohort
from vaeimpute.exceptions import import_optional

_GENE = "num_HS_"  # SurvSet's prefix of human gene symbols


def breast_gse1992() -> Cohort:
    """Breast tumours on Agilent two-colour arrays, with grade and survival (GEO GSE1992).

    Returns
    -------
    Cohort
        124 tumours x 15528 genes, log2 ratios. Clinical columns: ``grade`` (1 to 3, NaN where
        unknown), ``time`` (follow-up in months), ``event`` (1 if it ended in one), ``age``
        (years), ``size`` (T stage, 1 to 4), ``er_positive``, ``node_positive`` (0 or 1).

    Raises
    ------
    ModuleNotFoundError
        If SurvSet, which holds the data, is not installed.

    Notes
    -----
    SurvSet codes every numeric variable alike. Of its 15530 two, age and tumour size, are no genes
    and belong to the clinical table.

    Examples
    --------
    >>> breast_gse1992().clinical["grade"].value_counts().to_dict()
    {3.0: 64, 2.0: 44, 1.0: 12}
    """
    return _survset(
        "breast-gse1992",
        size="num_size",
        er_positive="fac_er_positive",
        node_positive="fac_node_status",
        notes=("Two of SurvSet's 15530 numeric columns, age and tumour size, are clinical.",),
    )


def breast_gse4335() -> Cohort:
    """Breast tumours on Stanford two-colour arrays, with grade and survival (GEO GSE4335).

    Returns
    -------
    Cohort
        115 tumours x 12793 genes, log2 ratios. Clinical columns: as those of `breast_gse1992`, with
        ``node_status`` (0 to 2) in the place of ``node_positive``.

    Raises
    ------
    ModuleNotFoundError
        If SurvSet, which holds the data, is not installed.

    Examples
    --------
    >>> breast_gse4335().clinical["grade"].value_counts().to_dict()
    {3.0: 53, 2.0: 49, 1.0: 11}
    """
    return _survset(
        "breast-gse4335",
        size="fac_tumor_size",
        er_positive="fac_er_status",
        node_status="fac_node_status",
    )


def _survset(name: str, *, notes: tuple[str, ...] = (), **columns: str) -> Cohort:
    """Return a cohort of SurvSet; `columns` says what SurvSet calls those of the clinical table."""
    _require("SurvSet")
    from SurvSet.data import SurvLoader

    with warnings.catch_warnings():
        # The pickle inside the package names a module that numpy has since moved.
        warnings.filterwarnings("ignore", "numpy.core", DeprecationWarning)
        table = SurvLoader().load_dataset(name.removeprefix("breast-"))["df"].set_index("pid")
    table.index.name = "sample"
    genes = [column for column in table if column.startswith(_GENE)]
    columns = {"grade": "fac_grade", "time": "time", "event": "event", "age": "num_age"} | columns
    words = table[list(columns.values())].set_axis(list(columns), axis=1).astype(str)
    # SurvSet's factors are codes, among them its words for what is missing.
    clinical = words.mask(words.isin(["missing", "na", "x"])).astype(float)
    values = table[genes].rename(columns=lambda column: column.removeprefix(_GENE))
    return Cohort(
        name=name,
        values=values.rename_axis(columns="gene"),
        clinical=clinical.astype({"event": int}),
        units="log2 ratio to the reference",
        data_type="expression",
        is_log=True,
        stratify_by="grade",
        notes=notes,
    )


def brain_gse74193() -> Cohort:
    """Human prefrontal cortex on Illumina 450k arrays, from fetus to old age (GEO GSE74193).

    Returns
    -------
    Cohort
        675 samples x 7503 CpG sites, methylation levels between 0 and 1. Clinical columns:
        ``age`` (years; before birth it is negative) and ``part`` (``train`` or ``test`` of the
        package that ships the data; our own splits ignore it).

    Raises
    ------
    ModuleNotFoundError
        If EpigeneticPacemaker, which holds the data, is not installed.

    Examples
    --------
    >>> brain_gse74193().values.shape
    (675, 7503)
    """
    folder = _require("EpigeneticPacemaker") / "ExampleData"
    parts = {
        part: pd.read_csv(folder / f"GSE74193_{part}.tsv.gz", sep="\t", index_col=0).T
        for part in ("train", "test")
    }
    table = pd.concat(parts, names=["part", "sample"]).reset_index("part")
    part, table = table["part"], table.drop(columns="part")
    clinical = pd.DataFrame({"age": table.pop("Age"), "part": part})
    table.columns.name = "cpg"
    return Cohort(
        name="brain-gse74193",
        values=table,
        clinical=clinical,
        units="methylation level",
        data_type="methylation",
        notes=("Sites were selected by the package's authors for their relation with age.",),
    )


def pbmc68k_reduced() -> Cohort:
    """Single cells of the blood, counted by 10x Genomics, thinned out by the authors of scanpy.

    Returns
    -------
    Cohort
        700 cells x 765 genes of large dispersion, ln(1 + x), where x is proportional to the number
        of molecules that were counted in the cell. Two thirds of the values are 0. Clinical
        columns: ``cell_type``, ``n_counts`` (molecules of the cell, of all genes) and
        ``percent_mito`` (the share of them that is mitochondrial).

    Raises
    ------
    ModuleNotFoundError
        If scanpy, which holds the data, is not installed.

    Examples
    --------
    >>> cells = pbmc68k_reduced()
    >>> cells.values.shape, float(cells.values.eq(0).mean(axis=None).round(2))
    ((700, 765), 0.67)
    """
    path = _require("scanpy") / "datasets" / "10x_pbmc68k_reduced.h5ad"
    import anndata  # which scanpy needs, and which is loaded faster than scanpy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file is of an old version
        table = anndata.read_h5ad(path)
    clinical = table.obs[["bulk_labels", "n_counts", "percent_mito"]]
    clinical = clinical.rename(columns={"bulk_labels": "cell_type"}).astype({"cell_type": str})
    # The other matrix of the file is z-scored and cut off.
    values = table.raw.to_adata().to_df().astype(float)
    return Cohort(
        name="pbmc68k-reduced",
        values=values.rename_axis(index="sample", columns="gene"),
        clinical=clinical.rename_axis("sample"),
        units="ln(1 + normalised count)",
        data_type="expression",
        is_log=True,
        stratify_by="cell_type",
    )


def _require(package: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    found: Any = util.find_spec(package) or import_optional(package, "This cohort", "data")
    return Path(found.submodule_search_locations[0])


DAYS_PER_MONTH = 365.25 / 12
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
    wanted = ["dataset", "Histology", "grade_num", "grade_source", "survival_months", "event"]
    names = ["series", "histology", "grade", "grade_source", "time", "event"]
    clinical = read.clinical[wanted].set_axis(names, axis=1)
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
        is_log=True,
        stratify_by="grade",
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
        grade=stage.map(_read_stage).where(tumour),
        time=(days.where(days >= 0) / DAYS_PER_MONTH).where(tumour),
        event=died.astype(float).where(days.notna() & tumour),
    )
    cohort = replace(
        read,
        name="tcga-small-cohorts",
        values=read.values[kept],
        clinical=clinical,
        units="RSEM-normalised count",
        stratify_by="cohort",
        notes=(*read.notes, "The grade is the stage, I to IV as 1 to 4, of several cancers."),
    )
    return log_counts(cohort)


def _read_stage(stage: str | float) -> float:
    """Return a tumour's stage, such as ``"stage iiib"``, as 1 to 4; NaN if it is none of these.

    >>> [_read_stage(stage) for stage in ("stage i", "Stage IIIc2", "stage iva", "stage x")]
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


def against_the_paper(values: pd.DataFrame, expected: Mapping[str, int]) -> tuple[str, ...]:
    """Say by how much a cohort of the paper's differs in shape.

    Parameters
    ----------
    values : DataFrame
    expected : mapping
        Of what there are rows and columns, and how many the paper has.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> against_the_paper(pd.DataFrame({"g1": [1.0, 2.0]}), {"patients": 667, "genes": 1})
    ("2 patients, -665 against the paper's 667.",)
    """
    return tuple(
        f"{got} {what}, {got - count:+d} against the paper's {count}."
        for got, (what, count) in zip(values.shape, expected.items(), strict=True)
        if got != count
    )
