"""Anyone's matrix as a cohort: text, Parquet or AnnData, with a clinical table joined by id."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.exceptions import Guess, TableError, some
from vaeimpute.tables.cells import Cells
from vaeimpute.tables.clinical import Match, id_columns, join_clinical, match_samples, read_clinical
from vaeimpute.tables.formats import format_of
from vaeimpute.tables.known import rows_look_like
from vaeimpute.tables.read import read_source

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
    annotation: Sequence[str] | None = None,
    missing_values: Sequence[float] = (),
    duplicates: str = "error",
    data_type: str = "expression",
    units: str = "as in the file",
    is_log: bool = False,
    stratify_by: str | None = None,
    name: str | None = None,
) -> Cohort:
    r"""Read a matrix of anyone's as a cohort.

    Parameters
    ----------
    path : str or path
        What `vaeimpute.tables.read_source` reads.
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
    annotation, missing_values, duplicates
        As in `vaeimpute.tables.read_source`.
    data_type, units, is_log, stratify_by
        As in `Cohort`.
    name : str, optional
        Otherwise the file's name without extension.

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
    if orientation not in ORIENTATIONS:
        raise ValueError(f"Expected orientation to be one of {ORIENTATIONS}, got {orientation!r}.")
    if clinical is None and sample_column is not None:
        raise ValueError(f"sample_column={sample_column!r} needs a clinical table; pass clinical.")
    table = clinical
    if clinical is not None and not isinstance(clinical, pd.DataFrame):
        table = read_clinical(clinical)
    found: list[tuple[bool, str, Match | None]] = []

    def features_in_rows(cells: Cells) -> bool:
        found.append(_orient(Path(path), cells, orientation, table, sample_column))
        return not found[0][0]

    source = read_source(
        path,
        features_in_rows=features_in_rows,
        layer=layer,
        annotation=annotation,
        missing_values=missing_values,
        duplicates=duplicates,
    )
    by_samples, reason, match = found[0]
    values = source.values
    if match is not None:  # without what turned out to be no sample
        match = match_samples(values.index, table, match.column)
    rows, columns = ("samples", "features") if by_samples else ("features", "samples")
    notes = (f"Rows of the file are {rows} and columns are {columns}, {reason}.", *source.notes)
    obs = source.obs
    if match is not None:
        obs, note = join_clinical(values.index, table, match)
        notes = (*notes, note)
    for note in notes:
        level = logging.WARNING if isinstance(note, Guess) else logging.INFO
        logger.log(level, "%s: %s", source.path.name, note)
    values.index.name, values.columns.name = "sample", "feature"
    return Cohort(
        name=name or Path(source.path.name.removesuffix(".gz")).stem,
        values=values,
        clinical=obs.rename_axis(index="sample"),
        features=None if source.var.columns.empty else source.var.rename_axis(index="feature"),
        units=units,
        data_type=data_type,
        is_log=is_log,
        stratify_by=stratify_by,
        notes=notes,
    )


def _orient(
    path: Path,
    cells: Cells,
    orientation: str,
    clinical: pd.DataFrame | None,
    sample_column: str | None,
) -> tuple[bool, str, Match | None]:
    """Decide whether the rows are samples, say why, and match them with the clinical table."""
    rows, columns = pd.Index(cells.rows), pd.Index(cells.columns)
    sides = {True: rows, False: columns}
    reason = ""
    if orientation != "auto":
        by_samples, reason = orientation == "samples_by_features", "as stated"
    elif format_of(path) == "h5ad":
        by_samples, reason = True, "as AnnData defines"
    elif clinical is None:
        by_samples, reason = _guess(path, rows, columns)
    if clinical is None:
        return by_samples, reason, None
    if reason:
        sides = {by_samples: sides[by_samples]}
    matches = {side: match_samples(ids, clinical, sample_column) for side, ids in sides.items()}
    found = {side: match for side, match in matches.items() if match is not None}
    if not found:
        name, theirs = next(iter(id_columns(clinical, sample_column).items()))
        raise TableError(
            f"{path}: no id agrees with the clinical table's. Rows of the matrix: {some(rows, 3)}; "
            f"columns: {some(columns, 3)}; clinical table, {name!r}: {some(theirs, 3)}. Bring the "
            "ids into one form, or name the column that holds them as sample_column."
        )
    # Words of a clinical table can look like genes (the series Donson shares its name with
    # DONSON), so ids that agree as they are written come before any number of others.
    rank = {side: (match.leniency, -match.n_ids) for side, match in found.items()}
    by_samples = min(rank, key=rank.__getitem__)
    match = found[by_samples]
    if len(rank) == 2 and rank[True] == rank[False]:
        raise TableError(
            f"{path}: rows and columns have {match.n_ids} ids each in the clinical table; "
            f"say what the rows are with orientation, one of {ORIENTATIONS[1:]}."
        )
    reason = reason or f"because {match.n_ids} of their ids are in the clinical table"
    return by_samples, reason, match


def _guess(path: Path, rows: pd.Index, columns: pd.Index) -> tuple[bool, str]:
    kind = rows_look_like(rows, columns)
    if kind is not None:
        return kind == "samples", "by the look of the ids"
    if len(rows) == len(columns):
        raise TableError(
            f"{path} has as many rows as columns and ids of no known kind ({some(rows, 2)}; "
            f"{some(columns, 2)}); say what the rows are with orientation, one of "
            f"{ORIENTATIONS[1:]}."
        )
    logger.warning("%s: guessing that the longer side are features; state orientation.", path.name)
    return len(rows) < len(columns), "a guess because features usually outnumber samples"
