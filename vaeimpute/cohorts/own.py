"""Anyone's matrix as a cohort: text, Parquet or AnnData, with a clinical table joined by id."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.exceptions import TableError, some
from vaeimpute.tables.clinical import Match, join_clinical, match_samples, read_clinical
from vaeimpute.tables.h5ad import layer_values, read_h5ad
from vaeimpute.tables.read import read_matrix
from vaeimpute.tables.text import (
    EXTENSIONS,
    _existing,
    _kind,
)

logger = logging.getLogger(__name__)

ORIENTATIONS = ("auto", "samples_by_features", "features_by_samples")


def looks_like_path(name: str | os.PathLike[str]) -> bool:
    """Tell whether a cohort's name is meant as a file.

    Parameters
    ----------
    name : str or path

    Returns
    -------
    bool

    Examples
    --------
    >>> looks_like_path("expr.csv.gz"), looks_like_path("data/expr"), looks_like_path("tcga-glioma")
    (True, True, False)
    """
    path = Path(name)
    return not isinstance(name, str) or bool(path.suffix) or path.name != name or path.exists()


def read_table_cohort(
    path: str | os.PathLike[str],
    *,
    orientation: str = "auto",
    clinical: str | os.PathLike[str] | pd.DataFrame | None = None,
    sample_column: str | None = None,
    layer: str | None = None,
    data_type: str = "expression",
    units: str = "as in the file",
    is_log: bool = False,
    stratify_by: str | None = None,
    name: str | None = None,
    citation: str = "",
    licence: str = "",
) -> Cohort:
    r"""Read a matrix of anyone's as a cohort.

    Parameters
    ----------
    path : str or path
        ``.csv``, ``.tsv``, ``.txt`` (each also ``.gz``), ``.parquet`` or ``.h5ad`` (AnnData). Row
        and column ids are expected, and as a missing value an empty field or one of
        `vaeimpute.tables.text.MISSING`.
    orientation : {"auto", "samples_by_features", "features_by_samples"}
        What the rows of the file are. ``"auto"`` compares ids with the clinical table; without one
        it looks for ids of a known kind (TCGA, GEO, Ensembl, CpG, gene symbols); failing that it
        takes the longer side for features. The decision and its reason are logged and are among
        the cohort's notes. In AnnData samples are rows by definition.
    clinical : str, path or DataFrame, optional
        Table with a row per sample, in a text or Parquet file. It is joined by id. Samples without
        a row get NaN, rows without a sample are dropped, and the notes count both. With AnnData it
        takes the place of ``obs``.
    sample_column : str, optional
        Column of `clinical` that holds the sample ids. Otherwise the one that holds the most.
    layer : str, optional
        Layer of an AnnData file; without it, its ``X``.
    data_type : {"expression", "methylation"}
    units : str
        What one value is, for axis labels.
    is_log : bool
        Whether the values are logarithms or their negatives.
    stratify_by : str, optional
        Clinical column whose levels every split keeps in proportion.
    name : str, optional
        Otherwise the file's name without extension.
    citation, licence : str

    Returns
    -------
    Cohort

    Raises
    ------
    TableError
        If the file, or its clinical table, cannot be understood. The message names the place.
    FileNotFoundError, IsADirectoryError
        If there is no such file.
    ModuleNotFoundError
        If pyarrow (for Parquet) or anndata (for AnnData) is needed and not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tiny.csv"
    ...     _ = path.write_text("gene,GSM1,GSM2\nTP53,0.5,NA\nEGFR,-1,2\nPTEN,3,4\n")
    ...     cohort = read_table_cohort(path)
    >>> cohort
    <Cohort 'tiny': 2 samples x 3 features, expression (as in the file), 16.7 % missing>
    >>> print(cohort.notes[0])
    Rows of the file are features and columns are samples, by the look of the ids.
    """
    path = _existing(Path(path), EXTENSIONS)
    if orientation not in ORIENTATIONS:
        raise ValueError(f"Expected orientation to be one of {ORIENTATIONS}, got {orientation!r}.")
    table = None
    if clinical is not None:
        table = (
            clinical if isinstance(clinical, pd.DataFrame) else read_clinical(_existing(clinical))
        )
    elif sample_column is not None:
        raise ValueError(f"sample_column={sample_column!r} needs a clinical table; pass clinical.")

    features = None
    notes: tuple[str, ...]
    if path.suffix == ".h5ad":
        if orientation == "features_by_samples":
            raise ValueError(
                f"{path}: AnnData keeps samples in rows; transpose the object before writing it."
            )
        data = read_h5ad(path)
        values = layer_values(path, data, layer)
        own_clinical = data.obs.set_axis(values.index)
        features = data.var.set_axis(values.columns)
        notes = ("Rows of the file are samples, as AnnData defines.",)
        match = _match(path, values, values.index, table, sample_column)
    else:
        if layer is not None:
            raise ValueError(f"{path}: only AnnData files have layers, got layer={layer!r}.")
        matrix, notes = read_matrix(path)
        by_samples, reason, match = _orient(path, matrix, orientation, table, sample_column)
        values = matrix if by_samples else matrix.T
        own_clinical = pd.DataFrame(index=values.index)
        rows, columns = ("samples", "features") if by_samples else ("features", "samples")
        notes = (f"Rows of the file are {rows} and columns are {columns}, {reason}.", *notes)

    if table is not None and match is not None:
        own_clinical, note = join_clinical(values.index, table, match)
        notes = (*notes, note)
    for note in notes:
        logger.info("%s: %s", path.name, note)
    values.index.name, values.columns.name = "sample", "feature"
    return Cohort(
        name=name or _stem(path),
        values=values,
        clinical=own_clinical.rename_axis(index="sample"),
        features=None if features is None else features.rename_axis(index="feature"),
        units=units,
        data_type=data_type,
        is_log=is_log,
        stratify_by=stratify_by,
        citation=citation,
        licence=licence,
        notes=notes,
    )


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(Path(path.name.removesuffix(".gz")).suffix)


def _orient(
    path: Path,
    matrix: pd.DataFrame,
    orientation: str,
    clinical: pd.DataFrame | None,
    sample_column: str | None,
) -> tuple[bool, str, Match | None]:
    """Decide whether the rows are samples, say why, and match them with the clinical table."""
    rows, columns = matrix.index, matrix.columns
    if orientation != "auto":
        by_samples = orientation == "samples_by_features"
        samples = rows if by_samples else columns
        return by_samples, "as stated", _match(path, matrix, samples, clinical, sample_column)
    if clinical is None:
        return *_orient_by_ids(path, rows, columns), None
    of_rows, of_columns = (match_samples(ids, clinical, sample_column) for ids in (rows, columns))
    best = min(of_rows, of_columns, key=_rank)
    if best is None:
        raise TableError(_no_overlap(path, matrix, clinical, sample_column))
    if _rank(of_rows) == _rank(of_columns):
        raise TableError(
            f"{path}: rows and columns have {best.n_ids} ids each in the clinical table; say what "
            f"the rows are with orientation, one of {ORIENTATIONS[1:]}."
        )
    return best is of_rows, f"because {best.n_ids} of their ids are in the clinical table", best


def _match(
    path: Path,
    matrix: pd.DataFrame,
    samples: pd.Index,
    clinical: pd.DataFrame | None,
    sample_column: str | None,
) -> Match | None:
    """Match known samples with the clinical table, if there is one."""
    if clinical is None:
        return None
    match = match_samples(samples, clinical, sample_column)
    if match is None:
        raise TableError(_no_overlap(path, matrix, clinical, sample_column))
    return match


def _rank(match: Match | None) -> tuple[float, int]:
    """Order matches, the best first.

    Words of a clinical table can look like genes (the series Donson shares its name with DONSON),
    so ids that agree as they are written come before any number of others.
    """
    return (np.inf, 0) if match is None else (match.leniency, -match.n_ids)


def _orient_by_ids(path: Path, rows: pd.Index, columns: pd.Index) -> tuple[bool, str]:
    says_samples = _kind(rows) == "samples" or _kind(columns) == "features"
    says_features = _kind(rows) == "features" or _kind(columns) == "samples"
    if says_samples != says_features:
        return says_samples, "by the look of the ids"
    if len(rows) == len(columns):
        raise TableError(
            f"{path} has as many rows as columns and ids of no known kind ({some(rows, 2)}; "
            f"{some(columns, 2)}); say what the rows are with orientation, one of "
            f"{ORIENTATIONS[1:]}."
        )
    logger.warning("%s: guessing that the longer side are features; state orientation.", path.name)
    return len(rows) < len(columns), "a guess because features usually outnumber samples"


def _no_overlap(
    path: Path,
    matrix: pd.DataFrame,
    clinical: pd.DataFrame,
    sample_column: str | None,
) -> str:
    theirs = clinical.index
    if sample_column in clinical:
        theirs = clinical[sample_column]
    elif isinstance(theirs, pd.RangeIndex) and clinical.shape[1]:
        theirs = clinical.iloc[:, 0]
    return (
        f"{path}: no id agrees with the clinical table's. Rows of the matrix: "
        f"{some(matrix.index, 3)}; columns: {some(matrix.columns, 3)}; clinical table, "
        f"{theirs.name or 'row names'!r}: {some(pd.Index(theirs), 3)}. Bring the ids into one "
        "form, or name the column that holds them as sample_column."
    )
