"""Real cohorts that arrive with installed packages, so that a reader needs no download."""

from __future__ import annotations

import warnings
from importlib import metadata, util
from pathlib import Path

import pandas as pd

from vaeimpute.cohorts.cohort import Cohort

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
    table, values = _survset("gse1992")
    clinical = pd.DataFrame(
        {
            "grade": _number(table["fac_grade"]),
            "time": table["time"].astype(float),
            "event": table["event"].astype(int),
            "age": table["num_age"].astype(float),
            "size": table["num_size"].astype(float),
            "er_positive": _number(table["fac_er_positive"]),
            "node_positive": _number(table["fac_node_status"]),
        }
    )
    return Cohort(
        name="breast-gse1992",
        values=values,
        clinical=clinical,
        units="log2 ratio to the reference",
        data_type="expression",
        stratify_by="grade",
        citation="Hu et al. 2006, BMC Genomics 7:96 (GEO GSE1992), as collected in SurvSet "
        f"{metadata.version('SurvSet')} (Drysdale 2022, arXiv:2203.03094)",
        licence="GPL-3.0 (SurvSet)",
        notes=("Two of SurvSet's 15530 numeric columns, age and tumour size, are clinical.",),
    )


def breast_gse4335() -> Cohort:
    """Breast tumours on Stanford two-colour arrays, with grade and survival (GEO GSE4335).

    Returns
    -------
    Cohort
        115 tumours x 12795 genes, log2 ratios. Clinical columns: ``grade`` (1 to 3, NaN where
        unknown), ``time`` (follow-up in months), ``event`` (1 if it ended in one), ``age``
        (years), ``size`` (T stage, 1 to 4), ``er_positive`` (0 or 1), ``node_status`` (0 to 2).

    Raises
    ------
    ModuleNotFoundError
        If SurvSet, which holds the data, is not installed.

    Examples
    --------
    >>> breast_gse4335().clinical["grade"].value_counts().to_dict()
    {3.0: 53, 2.0: 49, 1.0: 11}
    """
    table, values = _survset("gse4335")
    clinical = pd.DataFrame(
        {
            "grade": _number(table["fac_grade"]),
            "time": table["time"].astype(float),
            "event": table["event"].astype(int),
            "age": table["num_age"].astype(float),
            "size": _number(table["fac_tumor_size"]),
            "er_positive": _number(table["fac_er_status"]),
            "node_status": _number(table["fac_node_status"]),
        }
    )
    return Cohort(
        name="breast-gse4335",
        values=values,
        clinical=clinical,
        units="log2 ratio to the reference",
        data_type="expression",
        stratify_by="grade",
        citation="Sorlie et al. 2003, PNAS 100:8418-8423 (GEO GSE4335), as collected in SurvSet "
        f"{metadata.version('SurvSet')} (Drysdale 2022, arXiv:2203.03094)",
        licence="GPL-3.0 (SurvSet)",
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
        citation="Jaffe et al. 2016, Nature Neuroscience 19:40-47 (GEO GSE74193), as shipped with "
        f"EpigeneticPacemaker {metadata.version('EpigeneticPacemaker')} (Farrell et al. 2020, "
        "Bioinformatics 36:4662-4663)",
        licence="MIT (EpigeneticPacemaker)",
        notes=("Sites were selected by the package's authors for their relation with age.",),
    )


def _survset(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a table of SurvSet, and of it the genes."""
    _require("SurvSet")
    from SurvSet.data import SurvLoader

    with warnings.catch_warnings():
        # The pickle inside the package names a module that numpy has since moved.
        warnings.filterwarnings("ignore", "numpy.core", DeprecationWarning)
        table = SurvLoader().load_dataset(name)["df"].set_index("pid")
    table.index.name = "sample"
    genes = [column for column in table if column.startswith(_GENE)]
    values = table[genes].rename(columns=lambda column: column.removeprefix(_GENE))
    values.columns.name = "gene"
    return table, values


def _require(package: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    found = util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(
            f"This cohort comes with the package {package}, which is not installed. Install the "
            "project's data extra: pip install 'vaeimpute[data]'.",
            name=package,
        )
    return Path(found.submodule_search_locations[0])


def _number(codes: pd.Series) -> pd.Series:
    """Read SurvSet's factor codes as numbers; its words for missing ones become NaN."""
    codes = codes.astype(str)
    return codes.where(~codes.isin(("missing", "na", "x"))).astype(float)
