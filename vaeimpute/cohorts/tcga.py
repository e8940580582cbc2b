"""The paper's expression cohort: TCGA gliomas from the pan-cancer RNASeqV2 file."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.cohorts.published import DAYS_PER_MONTH, against_the_paper
from vaeimpute.cohorts.registry import COHORTS
from vaeimpute.exceptions import CohortError, import_optional, some
from vaeimpute.tables.delimited import read_words
from vaeimpute.tables.text import open_bytes
from vaeimpute.tables.transforms import to_log

_GLIOMAS = ("LGG", "GBM")
_PRIMARY_TUMOUR = "01"
_MISSING = frozenset((b"NA", b"", b"NaN", b"null"))
# How the clinical tables of the GDC say that something is not known.
_NOT_KNOWN = [
    "[Not Available]", "[Not Applicable]", "[Not Evaluated]", "[Unknown]", "[Discrepancy]", "#N/A",
]  # fmt: skip


def tcga_glioma(*, source: str = "gdc") -> Cohort:
    """TCGA gliomas on RNA sequencing, with grade and survival: the paper's expression cohort.

    Parameters
    ----------
    source : {"gdc", "xena"}
        ``"gdc"`` is the paper's file, batch-adjusted over all cancers (1.9 GB). ``"xena"`` is a
        light alternative without that adjustment, log2(norm_count + 1) by gene symbol; it has
        about the same patients, but other values.

    Returns
    -------
    Cohort
        Patients x genes, ln(x + 1), of the genes that have a value in every sample of the file:
        the other 15 % are dropped, as in the paper.
        Features are called as in the file (``SYMBOL|ENTREZ``) and annotated with ``symbol`` and
        ``entrez``. Clinical columns: see `read_tcga_glioma`.

    Raises
    ------
    OptionError
        If there is no such source; nothing is downloaded then.
    DownloadError
        If a file cannot be had.
    CohortError
        If a file is not what it should be.
    ModuleNotFoundError
        If openpyxl is not installed.
    """
    # Before gigabytes are downloaded for nothing.
    import_optional("openpyxl", "The survival table of this cohort", "data")
    files = COHORTS["tcga-glioma"].fetch(source)
    tables = {what: files[what] for what in ("clinical", "survival")}
    return read_tcga_glioma(files["expression"], **tables, log2=source == "xena")


def read_tcga_glioma(
    expression: Path, *, clinical: Path, survival: Path, log2: bool = False
) -> Cohort:
    """Read the glioma patients out of a TCGA expression file.

    The file is read line by line and only the columns of the gliomas are kept, so memory depends
    on the number of gliomas and not on the size of the file.

    Parameters
    ----------
    expression : pathlib.Path
        Tab-separated, genes in rows, plain or gzipped; the first column holds the gene
        (``SYMBOL|ENTREZ`` or ``SYMBOL``), the header the sample barcodes, ``NA`` is missing.
    clinical : pathlib.Path
        ``clinical_PANCAN_patient_with_followup.tsv``, tab-separated and in Latin-1; used are
        ``bcr_patient_barcode`` and ``neoplasm_histologic_grade``.
    survival : pathlib.Path
        ``TCGA-CDR-SupplementalTableS1.xlsx``; used are the columns ``bcr_patient_barcode``,
        ``type``, ``age_at_initial_pathologic_diagnosis``, ``gender``, ``OS`` and ``OS.time`` of
        the sheet ``TCGA-CDR``.
    log2 : bool
        The values are log2(x + 1) instead of x.

    Returns
    -------
    Cohort
        Clinical columns: ``subtype`` (LGG or GBM), ``grade`` (2 to 4, NaN where unknown; every GBM
        is grade 4), ``time`` (follow-up in months), ``event`` (1 if it ended in death), ``age``
        (years), ``gender`` and ``barcode`` (the sample that was taken).

    Raises
    ------
    CohortError
        If a file is cut short, lacks a column, repeats a barcode or holds what is not a number.

    Notes
    -----
    Of each patient one primary tumour (sample type 01) is taken: the first vial, and of its
    aliquots the one with the highest plate number, the most recent run. Values below zero, which
    the batch adjustment produces where there was next to no expression, count as zero.
    """
    patients = _read_patients(clinical, survival)
    values, barcodes, notes = _read_columns(expression, patients.index)
    if log2:
        values *= np.log(2)  # log2(x + 1) to ln(x + 1)
    else:
        below = np.count_nonzero(values < 0)
        notes.append(
            f"{below} values ({below / values.size:.2%}) below zero, left by the batch adjustment, "
            f"count as zero; the lowest is {min(0.0, values.min(axis=None)):.3g}."
        )
        values = to_log(values.clip(lower=0))
    people = patients.loc[values.index].assign(barcode=barcodes)
    no_grade, no_survival = people["grade"].isna(), people[["time", "event"]].isna().any(axis=1)
    notes += (
        *against_the_paper(values, {"patients": 667, "genes": 17176}),
        f"Grade is unknown for {no_grade.sum()} patients, survival for {no_survival.sum()}.",
    )
    names = values.columns.to_series().str.split("|", n=1, expand=True).reindex(columns=[0, 1])
    return Cohort(
        name="tcga-glioma",
        values=values,
        clinical=people,
        units="ln(normalised count + 1)",
        data_type="expression",
        is_log=True,
        features=names.set_axis(["symbol", "entrez"], axis=1),
        stratify_by="subtype",
        notes=tuple(notes),
    )


def _read_patients(clinical: Path, survival: Path) -> pd.DataFrame:
    """Return one row per glioma patient, from the two clinical tables of the GDC."""
    key, grade = "bcr_patient_barcode", "neoplasm_histologic_grade"
    # With umlauts in some free-text columns the file is no UTF-8; Latin-1 reads any byte.
    grades = read_words(clinical, columns=[key, grade], encoding="latin-1").drop_duplicates()
    wanted = {
        key: key,
        "type": "subtype",
        "OS.time": "time",
        "OS": "event",
        "age_at_initial_pathologic_diagnosis": "age",
        "gender": "gender",
    }
    try:
        table = pd.read_excel(
            survival, sheet_name="TCGA-CDR", usecols=list(wanted), dtype=str, na_values=_NOT_KNOWN
        )[list(wanted)].rename(columns=wanted)
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise CohortError(
            f"{survival.name} is not the TCGA Clinical Data Resource: {error}"
        ) from None
    patients = table[table["subtype"].isin(_GLIOMAS)]
    for name, column in ((clinical.name, grades[key]), (survival.name, patients[key])):
        repeated = pd.Index(column[column.duplicated()]).intersection(pd.Index(patients[key]))
        if len(repeated):
            raise CohortError(f"{name} repeats patients: {some(repeated)}.")
    patients = patients.set_index(key)
    patients.index.name = "sample"
    known = grades.set_index(key)[grade].str.extract(r"^G([1-4])$", expand=False).astype(float)
    patients.insert(1, "grade", known.reindex(patients.index))
    patients.loc[patients["subtype"] == "GBM", "grade"] = 4.0
    for column in ("time", "event", "age"):
        patients[column] = pd.to_numeric(patients[column], errors="coerce")
    patients["time"] /= DAYS_PER_MONTH
    return patients


def _read_columns(path: Path, patients: pd.Index) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return patients x complete genes, the sample of each patient, and notes on what was left."""
    from tqdm import tqdm

    genes: list[str] = []
    rows: list[np.ndarray] = []
    n_genes = 0
    with open_bytes(path) as lines:
        header = next(lines, b"").decode("latin-1").rstrip("\r\n").split("\t")
        barcodes = [barcode.strip('"') for barcode in header[1:]]
        repeated = pd.Index(barcodes)[pd.Index(barcodes).duplicated()]
        if len(repeated):
            raise CohortError(
                f"{path.name} repeats barcodes in its header: {some(repeated.unique())}. Which "
                "column holds which sample cannot be told: fetch the file again, or remove one."
            )
        chosen, n_replicates = _primary_tumours(barcodes, patients, path.name)
        columns = [barcodes.index(barcode) + 1 for barcode in chosen]
        for number, line in enumerate(tqdm(lines, "Reading genes", disable=None), start=2):
            fields = line.rstrip(b"\r\n").split(b"\t")
            if len(fields) != len(barcodes) + 1:
                raise CohortError(
                    f"{path.name}, line {number} has {len(fields)} columns where the header has "
                    f"{len(barcodes) + 1}: the file is cut short or damaged. Delete it and fetch "
                    "it again."
                )
            n_genes += 1
            # Genes with an NA in any sample of the file are dropped: the paper's 15 % of genes
            # (Synapse syn4976369, section "Datasets").
            if not _MISSING.isdisjoint(fields):
                continue
            values = [fields[column] for column in columns]
            gene = fields[0].decode("latin-1").strip('"')
            genes.append(gene)
            rows.append(_numbers(values, gene, chosen, path.name))
    if not genes:
        raise CohortError(f"{path.name}: each of its {n_genes} genes lacks a value somewhere.")
    values = pd.DataFrame(
        np.vstack(rows).T,
        index=pd.Index([barcode[:12] for barcode in chosen], name="sample"),
        columns=pd.Index(genes, name="gene"),
    )
    notes = [
        f"{n_genes - len(genes)} of {n_genes} genes were dropped: they lack a value in some of "
        f"the {len(barcodes)} samples of the file.",
        f"{n_replicates} patients have several primary tumour samples; the first vial and its "
        "most recent plate were taken.",
    ]
    return values, chosen, notes


def _numbers(values: Sequence[bytes], gene: str, barcodes: Sequence[str], name: str) -> np.ndarray:
    numbers = np.empty(len(values))
    for position, value in enumerate(values):
        try:
            numbers[position] = float(value)
        except ValueError:
            raise CohortError(
                f"{name}, gene {gene!r}, sample {barcodes[position]!r}: "
                f"{value.decode('latin-1')!r} is not a number."
            ) from None
    return numbers


def _primary_tumours(
    barcodes: Sequence[str], patients: pd.Index, name: str
) -> tuple[list[str], int]:
    """Choose one primary tumour sample of each patient, in the order of the patients' barcodes."""
    of: dict[str, list[str]] = {}
    wanted = set(patients)
    for barcode in barcodes:
        if barcode[:12] in wanted and barcode[13:15] == _PRIMARY_TUMOUR:
            of.setdefault(barcode[:12], []).append(barcode)
    if not of:
        raise CohortError(
            f"{name} has no primary tumour of a glioma patient among its {len(barcodes)} samples, "
            f"the first of which is {barcodes[0] if barcodes else 'missing'!r}; expected barcodes "
            "such as 'TCGA-02-0047-01A-01R-1849-01'. Is it the right file?"
        )
    for candidates in of.values():
        candidates.sort(key=lambda b: (b[21:25], b), reverse=True)  # the latest plate first ...
        candidates.sort(key=lambda b: b[15:16])  # ... within the first vial
    several = sum(len(candidates) > 1 for candidates in of.values())
    return [of[patient][0] for patient in sorted(of)], several
