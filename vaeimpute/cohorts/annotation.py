"""GC content of genes: the table that comes with the package, or one of yours."""

from __future__ import annotations

import logging
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.exceptions import CohortError, TableError, some
from vaeimpute.tables.delimited import read_words
from vaeimpute.tables.formats import existing

logger = logging.getLogger(__name__)

# Made by data/make_gc_table.py; data/README.md says from what.
_PACKAGED = "gene_gc_content.csv.gz"

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


def with_gc_content(cohort: Cohort, source: str | Path = "ensembl") -> Cohort:
    """Add the GC content of every gene to a cohort's features.

    Parameters
    ----------
    cohort : Cohort
        Of expression. Its feature ids are gene symbols, ``SYMBOL|ENTREZ`` as in RNASeqV2, or the
        ids that the table has.
    source : "ensembl" or path
        The table that comes with the package: of the transcripts of human genes in Ensembl, by
        symbol. Or a table (comma- or tab-separated, gzip or not) with a gene and a GC column, such
        as an export of Ensembl's BioMart.

    Returns
    -------
    Cohort
        With the feature columns ``gc_content`` (fraction, NaN where unknown) and ``gc_source``,
        and a note on where it is from and how many genes have none. These are never among those of
        high GC content (`vaeimpute.missingness.mnar_high_gc`).

    Raises
    ------
    TableError
        If a table of yours cannot be read, or knows none of the genes.
    FileNotFoundError
        If there is no such file.
    CohortError
        If the cohort is not of expression.

    References
    ----------
    Ensembl: Yates et al. 2020, Nucleic Acids Research 48:D682-D688.

    Examples
    --------
    >>> values = pd.DataFrame({"TP53|7157": [0.1, -0.4], "?|1": [1.2, 0.3]})
    >>> cohort = Cohort("toy", values, pd.DataFrame(index=values.index), "ln", "expression")
    >>> cohort = with_gc_content(cohort)
    >>> cohort.features["gc_content"].tolist(), cohort.notes[-1]
    ([0.54, nan], 'GC content from Ensembl; 1 of 2 genes is not in the table.')
    """
    if cohort.data_type != "expression":
        raise CohortError(
            f"Cohort {cohort.name!r} is of {cohort.data_type}; GC content belongs to genes."
        )
    genes = cohort.values.columns
    if source == "ensembl":
        label = "Ensembl"
        with resources.as_file(resources.files("vaeimpute.cohorts") / _PACKAGED) as path:
            table = read_gc_table(path)
    else:
        label = Path(source).name
        table = read_gc_table(Path(source))
    gc = _look_up(genes, table)
    unknown = int(np.isnan(gc).sum())
    if unknown == len(genes) and source != "ensembl":  # which nobody may have asked for
        raise TableError(
            f"{label} has the GC content of {len(table)} genes, but of none in cohort "
            f"{cohort.name!r}: it has {some(table.index, 3)}, the cohort {some(genes, 3)}. Give a "
            "table with the same kind of gene ids."
        )
    note = (
        f"GC content from {label}; {unknown} of {len(genes)} genes "
        f"{'is' if unknown == 1 else 'are'} not in the table."
    )
    logger.info("Cohort %s: %s", cohort.name, note)
    return cohort.noted(note, features=cohort.features.assign(gc_content=gc, gc_source=label))


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
