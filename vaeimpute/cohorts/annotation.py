"""What is known about features beside their values: GC content of genes, reads behind CpG sites."""

from __future__ import annotations

import gzip
import io
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.cohorts.cache import cache_dir
from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.cohorts.coverage import coverage_fit, coverage_model, draw_coverage
from vaeimpute.exceptions import (
    AnnotationError,
    CohortError,
)
from vaeimpute.files import write_atomically
from vaeimpute.seeding import generator

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
_GENE_COLUMNS: tuple[str, ...] = (
    "hgnc_symbol",
    "hgnc symbol",
    "external_gene_name",
    "gene name",
    "symbol",
    "gene",
    "id",
    "ensembl_gene_id",
    "gene stable id",
)
_GC_COLUMNS: tuple[str, ...] = (
    "percentage_gene_gc_content",
    "gene % gc content",
    "gccontent",
    "gc_content",
    "av_gc_pct",
    "gc",
)

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
    AnnotationError
        If the table cannot be had or read, or knows none of the genes.
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
            raise AnnotationError(
                f"{label} has the GC content of {len(table)} genes, but of none in cohort "
                f"{cohort.name!r}: it has {', '.join(map(repr, table.index[:3]))}, the cohort "
                f"{', '.join(map(repr, genes[:3]))}. Use a table with the same kind of gene ids."
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
        Comma- or tab-separated, gzip if it ends in ``.gz``. The gene and GC columns are found by
        their names, which are those of Ensembl, TCGAbiolinks and the paper's own table. Per cent
        are recognised by values above 1, and divided by 100.

    Returns
    -------
    Series
        Fractions between 0 and 1 by gene id; the mean where a gene has several rows.

    Raises
    ------
    AnnotationError
        If the file is missing, damaged, lacks a column, or holds a value that is no GC content.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "gc.csv"
    ...     _ = path.write_text("hgnc_symbol,percentage_gene_gc_content\nTP53,48.85\n")
    ...     read_gc_table(path).to_dict()
    {'TP53': 0.4885}
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            text = file.read().decode("utf-8")
    except FileNotFoundError:
        raise AnnotationError(f"There is no table of GC content at {path}.") from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise AnnotationError(
            f"{path} cannot be read ({error}). It may have been cut short: get it again."
        ) from error
    header = text.split("\n", 1)[0]
    separator = "\t" if "\t" in header else ","
    try:
        # Symbols such as NA and NaN are not missing values, hence text first.
        table = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise AnnotationError(f"{path} is not a table: {error}.") from error
    gene = _find_column(table, _GENE_COLUMNS, "gene", path)
    gc_column = _find_column(table, _GC_COLUMNS, "GC content", path)
    written = table[gc_column].str.strip()
    gc = pd.to_numeric(written, errors="coerce")
    wrong = gc.isna() & ~written.isin(["", "NA", "NaN", "nan"])
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        raise AnnotationError(
            f"{path}, line {row + 2}, column {gc_column!r}: expected a number but got "
            f"{written.iloc[row]!r}."
        )
    gc = gc.set_axis(table[gene].str.strip())
    gc = gc[(gc.index != "") & gc.notna().to_numpy()]
    if gc.empty:
        raise AnnotationError(f"{path} holds no gene with a GC content.")
    per_cent = bool(gc.max() > 1)
    low, high = gc.min(), gc.max()
    if low < 0 or high > 100:
        raise AnnotationError(
            f"{path}, column {gc_column!r}: expected fractions (0 to 1) or per cent (0 to 100) but "
            f"got {low:g} to {high:g}."
        )
    logger.info(
        "%s: read column %r as %s.", path.name, gc_column, "per cent" if per_cent else "fractions"
    )
    return (gc / 100 if per_cent else gc).groupby(level=0).mean()


def _find_column(table: pd.DataFrame, names: tuple[str, ...], what: str, path: Path) -> str:
    """Return the column with the first of these names that the table has."""
    by_name = {str(column).strip().lower(): column for column in table}
    for name in names:
        if name in by_name:
            return by_name[name]
    raise AnnotationError(
        f"{path} has no {what} column: expected one of {', '.join(names)} but got "
        f"{', '.join(map(str, table.columns[:8]))}. Rename the column."
    )


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
    AnnotationError
        If the service cannot be reached, reports an error or stops half-way.
    """
    path = cache_dir() / "annotation" / "biomart_gc_content.tsv"
    if path.exists():
        return path
    logger.info("Asking %s for the GC content of all human genes (about 1 MB).", url)
    text = _ask_biomart(url)
    write_atomically(path, "hgnc_symbol\tpercentage_gene_gc_content\n" + text)
    return path


def _ask_biomart(url: str) -> str:
    """Return the body of BioMart's answer, without its stamp."""
    import requests  # 0.1 s that not every user of annotations needs

    advice = (
        "Try again later or another mirror (url='https://useast.ensembl.org/biomart/martservice'), "
        "or give with_gc_content a file, or 'simulated'."
    )
    try:
        answer = requests.post(url, data={"query": _QUERY}, timeout=_TIMEOUT)
    except requests.RequestException as error:
        raise AnnotationError(f"BioMart at {url} cannot be reached: {error}. {advice}") from error
    text = answer.text
    start = text.lstrip()[:200]
    # BioMart reports its errors with status 200, as a text or a page in place of the table.
    if answer.status_code != 200 or "ERROR" in start or start.startswith("<"):
        raise AnnotationError(
            f"BioMart at {url} answered with status {answer.status_code} and no table, but "
            f"{start!r}. {advice}"
        )
    body, stamp, _ = text.rpartition(_STAMP)
    if not stamp:
        raise AnnotationError(
            f"BioMart at {url} stopped half-way: its answer of {len(text)} characters does not end "
            f"in {_STAMP}. Nothing was kept. {advice}"
        )
    return body


def with_simulated_coverage(
    cohort: Cohort, *, seed: int = 0, mean_reads: float | None = None
) -> Cohort:
    """Give a methylation cohort without reads a coverage drawn from the fitted distribution.

    Parameters
    ----------
    cohort : Cohort
        Of methylation, without coverage. If its features have the columns ``chromosome`` and
        ``position``, neighbouring sites are covered alike; else sites are independent.
    seed : int
    mean_reads : float, optional
        Mean depth; by default that of the real counts.

    Returns
    -------
    Cohort
        With `coverage`, at least 1 everywhere, and a note that it is simulated. The values are as
        they were: unlike those of sequencing, they are not rougher where the coverage is low.

    Raises
    ------
    CohortError
        If the cohort is not of methylation, or has coverage already.

    Examples
    --------
    >>> values = pd.DataFrame({"cg1": [0.1, 0.4], "cg2": [0.9, 0.8]})
    >>> cohort = Cohort("toy", values, pd.DataFrame(index=values.index), "level", "methylation")
    >>> with_simulated_coverage(cohort).coverage.shape
    (2, 2)
    """
    if cohort.data_type != "methylation":
        raise CohortError(f"Cohort {cohort.name!r} is of {cohort.data_type}, not methylation.")
    if cohort.coverage is not None:
        raise CohortError(f"Cohort {cohort.name!r} has its own coverage; none was simulated.")
    rng = generator(seed, "simulated-coverage")
    n_samples, n_sites = cohort.values.shape
    reads = np.empty((n_samples, n_sites), dtype=np.int32)
    if {"chromosome", "position"} <= set(cohort.features):
        order, along = _along_the_genome(cohort.features)
        reads[:, order] = draw_coverage(n_samples, along, rng, mean_reads=mean_reads)
    else:
        reads[:] = draw_coverage(n_samples, n_sites, rng, mean_reads=mean_reads)
    depth = coverage_model().mean_reads if mean_reads is None else mean_reads
    note = (
        f"Coverage is SIMULATED (seed {seed}, mean depth {depth:g}): the array has no reads. "
        f"{coverage_fit()['source']}"
    )
    logger.info("Cohort %s: %s", cohort.name, note)
    return replace(
        cohort,
        coverage=pd.DataFrame(reads, cohort.values.index, cohort.values.columns),
        notes=(*cohort.notes, note),
    )


def _along_the_genome(features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Order of the sites along the genome, and their distances from its start."""
    chromosome = pd.factorize(features["chromosome"])[0]
    position = features["position"].to_numpy(dtype=np.int64)
    order = np.lexsort((position, chromosome))
    # Chromosomes are laid end to end, too far apart for one to know of the other.
    return order, (position + chromosome * (2 * int(position.max()) + 10**9))[order]
