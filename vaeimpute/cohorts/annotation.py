"""GC content of genes: from Ensembl, from a table, or simulated."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.cohorts.cache import cache_dir
from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.exceptions import CohortError, DownloadError, TableError, some
from vaeimpute.files import write_atomically
from vaeimpute.seeding import generator
from vaeimpute.tables.read import existing
from vaeimpute.tables.text import read_words

logger = logging.getLogger(__name__)

BIOMART_URL = "https://www.ensembl.org/biomart/martservice"
_QUERY = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE Query>
<Query virtualSchemaName="default" formatter="TSV" header="0" uniqueRows="1" count=""
 datasetConfigVersion="0.6" completionStamp="1">
<Dataset name="hsapiens_gene_ensembl" interface="default">
<Attribute name="hgnc_symbol"/><Attribute name="percentage_gene_gc_content"/>
</Dataset></Query>"""
_STAMP = "[success]"  # BioMart's last line when it has sent everything
_TIMEOUT = (30, 300)  # seconds to connect, seconds without a byte: it computes before it answers

# What the columns are called, without regard to case: by Ensembl, TCGAbiolinks and the authors.
_COLUMNS = {
    "gene": (
        *("hgnc_symbol", "hgnc symbol", "external_gene_name", "gene name", "symbol", "gene", "id"),
        *("ensembl_gene_id", "gene stable id"),
    ),
    "GC content": (
        *("percentage_gene_gc_content", "gene % gc content", "gccontent", "gc_content"),
        *("av_gc_pct", "gc"),
    ),
}

# Beta distribution of the GC fraction of 20330 human genes (mean 0.502, sd 0.085): the moments of
# the column gcContent of the table geneInfo in the Bioconductor package TCGAbiolinks (GPL-3).
_GC_ALPHA, _GC_BETA = 16.99, 16.84


def with_gc_content(
    cohort: Cohort,
    source: str | Path = "biomart",
    *,
    seed: int = 0,
    url: str = BIOMART_URL,
) -> Cohort:
    """Add the GC content of every gene to a cohort's features.

    Parameters
    ----------
    cohort : Cohort
        Of expression. Its feature ids are gene symbols, ``SYMBOL|ENTREZ`` as in RNASeqV2, or the
        ids that the table has.
    source : {"biomart", "simulated"} or path
        Ensembl BioMart, asked once and kept in the cache; a table (comma- or tab-separated, gzip
        or not) with a gene and a GC column; or values drawn from the distribution of real genes.
    seed : int
        For ``"simulated"``.
    url : str
        A mirror of BioMart, for example ``https://useast.ensembl.org/biomart/martservice``.

    Returns
    -------
    Cohort
        With the feature columns ``gc_content`` (fraction, NaN where unknown) and ``gc_source``,
        and a note on where it is from and how many genes have none.

    Raises
    ------
    TableError
        If the table cannot be read, or knows none of the genes.
    FileNotFoundError, DownloadError
        If it cannot be had.
    CohortError
        If the cohort is not of expression.

    Examples
    --------
    >>> values = pd.DataFrame({"TP53|7157": [0.1, -0.4], "EGFR|1956": [1.2, 0.3]})
    >>> cohort = Cohort("toy", values, pd.DataFrame(index=values.index), "ln", "expression")
    >>> cohort = with_gc_content(cohort, "simulated")
    >>> cohort.features["gc_content"].between(0.2, 0.8).all(), cohort.notes[-1]
    (np.True_, 'GC content is SIMULATED (seed 0), drawn from the distribution of real genes.')
    """
    if cohort.data_type != "expression":
        raise CohortError(
            f"Cohort {cohort.name!r} is of {cohort.data_type}; GC content belongs to genes."
        )
    genes = cohort.values.columns
    if source == "simulated":
        rng = generator(seed, "simulated-gc")
        gc, label = simulated_gc(len(genes), rng), "simulated"
        note = f"GC content is SIMULATED (seed {seed}), drawn from the distribution of real genes."
    else:
        if source == "biomart":
            table, label = read_gc_table(biomart_gc_table(url)), "Ensembl BioMart"
        else:
            table, label = read_gc_table(Path(source)), Path(source).name
        gc = _look_up(genes, table)
        unknown = int(np.isnan(gc).sum())
        if unknown == len(genes):
            raise TableError(
                f"{label} has the GC content of {len(table)} genes, but of none in cohort "
                f"{cohort.name!r}: it has {some(table.index, 3)}, the cohort {some(genes, 3)}. Use "
                "a table with the same kind of gene ids."
            )
        note = f"GC content from {label}; {unknown} of {len(genes)} genes are not in it."
    logger.info("Cohort %s: %s", cohort.name, note)
    return replace(
        cohort,
        features=cohort.features.assign(gc_content=gc, gc_source=label),
        notes=(*cohort.notes, note),
    )


def simulated_gc(n_genes: int, rng: np.random.Generator) -> np.ndarray:
    """Draw GC fractions with the distribution of real human genes.

    Parameters
    ----------
    n_genes : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_genes,)

    Examples
    --------
    >>> gc = simulated_gc(20_000, np.random.default_rng(0))
    >>> round(float(gc.mean()), 2), round(float(gc.std()), 2)
    (0.5, 0.08)
    """
    return rng.beta(_GC_ALPHA, _GC_BETA, size=n_genes)


def read_gc_table(path: Path) -> pd.Series:
    r"""Read the GC content of genes from a table with a header.

    Parameters
    ----------
    path : pathlib.Path
        Text, compressed or not. The gene and GC columns are found by their names, which are those
        of Ensembl, TCGAbiolinks and the paper's own table. Per cent are recognised by values
        above 1, and divided by 100.

    Returns
    -------
    Series
        Fractions between 0 and 1 by gene id; the mean where a gene has several rows.

    Raises
    ------
    TableError
        If the file is damaged, lacks a column, or holds a value that is no GC content.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "gc.csv"
    ...     _ = path.write_text("hgnc_symbol,percentage_gene_gc_content\nTP53,48.85\n")
    ...     read_gc_table(path).to_dict()
    {'TP53': 0.4885}
    """
    table = read_words(existing(path))  # symbols such as NA and NaN are not missing values
    gene, column = (_find_column(table, what, path) for what in _COLUMNS)
    written = table[column].str.strip()
    gc = pd.to_numeric(written, errors="coerce")
    wrong = gc.isna() & ~written.isin(["", "NA", "NaN", "nan"])
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        raise TableError(
            f"{path}, line {row + 2}, column {column!r}: expected a number but got "
            f"{written.iloc[row]!r}."
        )
    gc = gc.set_axis(table[gene].str.strip())
    gc = gc[(gc.index != "") & gc.notna().to_numpy()]
    if gc.empty:
        raise TableError(f"{path} holds no gene with a GC content.")
    if gc.min() < 0 or gc.max() > 100:
        raise TableError(
            f"{path}, column {column!r}: expected fractions (0 to 1) or per cent (0 to 100) but "
            f"got {gc.min():g} to {gc.max():g}."
        )
    per_cent = bool(gc.max() > 1)
    logger.info(
        "%s: read column %r as %s.", path.name, column, "per cent" if per_cent else "fractions"
    )
    return (gc / 100 if per_cent else gc).groupby(level=0).mean()


def _find_column(table: pd.DataFrame, what: str, path: Path) -> str:
    """Return the column with the first of the names for it that the table has."""
    by_name = {column.strip().lower(): column for column in table}
    found = next((by_name[name] for name in _COLUMNS[what] if name in by_name), None)
    if found is None:
        raise TableError(
            f"{path} has no {what} column: expected one of {', '.join(_COLUMNS[what])} but got "
            f"{some(table.columns, 8)}. Rename the column."
        )
    return found


def _look_up(genes: pd.Index, table: pd.Series) -> np.ndarray:
    """Find genes by their whole id, then by symbol, then by Entrez number."""
    ids = genes.astype(str)
    found = table.reindex(ids).to_numpy()
    for part in (0, -1):  # RNASeqV2 writes '?|100130426' for a gene without a symbol
        found = np.where(
            np.isnan(found), table.reindex(ids.str.split("|").str[part]).to_numpy(), found
        )
    return found


def biomart_gc_table(url: str = BIOMART_URL) -> Path:
    """Return the table of GC content of all human genes, asking BioMart the first time.

    Parameters
    ----------
    url : str
        Address of the BioMart service.

    Returns
    -------
    pathlib.Path
        A tab-separated file in the cache folder, written whole or not at all.

    Raises
    ------
    DownloadError
        If the service cannot be reached, reports an error or stops half-way.
    """
    import requests  # 0.1 s that not every user of annotations needs

    path = cache_dir() / "annotation" / "biomart_gc_content.tsv"
    if path.exists():
        return path
    logger.info("Asking %s for the GC content of all human genes (about 1 MB).", url)
    try:
        answer = requests.post(url, data={"query": _QUERY}, timeout=_TIMEOUT)
        text, start = answer.text, answer.text.lstrip()[:200]
        body, stamp, _ = text.rpartition(_STAMP)
        # BioMart reports its errors with status 200, as a text or a page in place of the table.
        fault = ""
        if answer.status_code != 200 or "ERROR" in start or start.startswith("<"):
            fault = f"answered with status {answer.status_code} and no table, but {start!r}"
        elif not stamp:
            fault = f"stopped half-way: its answer of {len(text)} characters has no {_STAMP}"
    except requests.RequestException as error:
        fault = f"cannot be reached: {error}"
    if fault:
        raise DownloadError(
            f"BioMart at {url} {fault}. Nothing was kept. Try again later or another mirror "
            "(url='https://useast.ensembl.org/biomart/martservice'), or give with_gc_content a "
            "file, or 'simulated'."
        )
    write_atomically(path, "hgnc_symbol\tpercentage_gene_gc_content\n" + body)
    return path
