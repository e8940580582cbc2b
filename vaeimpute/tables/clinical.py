"""Reading a clinical table and joining it to samples by whichever ids the two have in common."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError, some
from vaeimpute.tables.delimited import read_words
from vaeimpute.tables.formats import existing, format_of
from vaeimpute.tables.parquet import read_parquet
from vaeimpute.tables.text import MISSING

#: What stands for a missing value in a column of words. Shorter than `MISSING`: there "-" may be
#: a receptor status and "None" a treatment.
MISSING_WORDS = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null")

_TCGA = re.compile(r"tcga-\w{2}-\w{4}\b")
_INDEX = "its row names"  # how notes call an index without a name


def read_clinical(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a clinical table as text, every field as it is written.

    Parameters
    ----------
    path : str or path
        Text, compressed or not, Parquet, or the first sheet of an Excel workbook.

    Returns
    -------
    DataFrame
        Columns of text (of a Parquet file: as stored).

    Raises
    ------
    TableError
        If it cannot be read.
    FileNotFoundError, IsADirectoryError
        If there is no such file.

    See Also
    --------
    join_clinical : Finds the ids and gives the columns their types.
    """
    path = existing(path)
    if format_of(path) == "xlsx":
        return pd.read_excel(path, dtype=str, keep_default_na=False)
    return read_parquet(path) if format_of(path) == "parquet" else read_words(path)


@dataclass(frozen=True, eq=False)
class Match:
    """In which column of a clinical table the samples were found, and how.

    Attributes
    ----------
    column : str
        The column that the ids are in.
    how : str
        What had to be done to the ids before they agreed; empty if nothing.
    leniency : int
        0 if nothing had to be done; the higher, the more.
    n_ids : int
        Number of different ids in common.
    samples, clinical : Index of str
        The ids of both sides, brought into the form in which they agree.
    written : Index of str
        The clinical ids as they are written.
    """

    column: str
    how: str
    leniency: int
    n_ids: int
    samples: pd.Index
    clinical: pd.Index
    written: pd.Index

    def rows(self) -> np.ndarray:
        """Return the position of each sample's row in the clinical table, -1 if it has none.

        Raises
        ------
        TableError
            If two rows have the id of one sample.

        Examples
        --------
        >>> clinical = pd.DataFrame({"patient": ["TCGA-OR-A5J1", "TCGA-OR-A5J2"]})
        >>> samples = pd.Index(["TCGA-OR-A5J2-01A-11R-A29S-07", "TCGA-OR-A5J9-01A-11R-A29S-07"])
        >>> match_samples(samples, clinical).rows()
        array([ 1, -1])
        """
        repeated = self.clinical.duplicated(keep=False) & self.clinical.isin(self.samples)
        if repeated.any():
            raise TableError(
                f"The clinical table has several rows for {self.clinical[repeated].nunique()} "
                f"samples, by {self.column!r}: {some(self.written[repeated])}. Keep one row for "
                "each, or name another sample_column."
            )
        positions = {name: row for row, name in enumerate(self.clinical)}
        return np.array([positions.get(name, -1) for name in self.samples])


def match_samples(
    samples: pd.Index, clinical: pd.DataFrame, sample_column: str | None = None
) -> Match | None:
    """Find the column of a clinical table that knows the samples.

    Ids are compared as they are; if none agrees, without regard to case and to ``.``, ``_`` and
    space against ``-`` (R writes ``TCGA.OR.A5J1``); if still none does, TCGA barcodes are cut to
    the length that both sides have, so that aliquots find their patient.

    Parameters
    ----------
    samples : Index of str
    clinical : DataFrame
    sample_column : str, optional
        The column with the ids. Otherwise the index or column in which most samples are found.

    Returns
    -------
    Match or None
        None if no id agrees.

    Raises
    ------
    TableError
        If `sample_column` is not there.

    Examples
    --------
    >>> clinical = pd.DataFrame({"grade": ["2", "3"], "patient": ["TCGA-OR-A5J1", "TCGA-OR-A5J2"]})
    >>> match = match_samples(pd.Index(["TCGA-OR-A5J2-01A-11R-A29S-07"]), clinical)
    >>> match.column, match.how
    ('patient', 'TCGA barcodes cut to 12 characters')
    """
    candidates = id_columns(clinical, sample_column)
    spelled = _spelled(samples)
    for leniency in range(3):
        matches = []
        for column, ids in candidates.items():
            if leniency == 0:
                ours, theirs, how = samples, ids, ""
            elif leniency == 1:
                ours, theirs, how = spelled, _spelled(ids), "ignoring case and punctuation"
            else:
                ours, theirs, how = _cut_barcodes(spelled, _spelled(ids))
            n_ids = len(set(ours) & set(theirs))
            matches.append(Match(column, how, leniency, n_ids, ours, theirs, ids))
        best = max(matches, key=lambda match: match.n_ids)
        if best.n_ids:
            return best
    return None


def join_clinical(
    samples: pd.Index, clinical: pd.DataFrame, match: Match
) -> tuple[pd.DataFrame, str]:
    """Put clinical rows in the order of the samples, and give the columns their types.

    A column is numeric if all it holds besides `MISSING` are numbers, unless one of them has a
    leading zero: ``01`` is a code. It is boolean if it says ``True`` and ``False``. Every other
    column is text, missing where it says one of `MISSING_WORDS`. What is not text stays as it is.

    Parameters
    ----------
    samples : Index of str
    clinical : DataFrame
    match : Match
        What `match_samples` returned for these two.

    Returns
    -------
    clinical : DataFrame
        One row per sample, NaN where it had none. A column that repeats the ids is left out.
    note : str
        How many samples and rows found each other.

    Raises
    ------
    TableError
        If two rows have the id of one sample.
    """
    rows = match.rows()
    found = rows >= 0
    joined = clinical.reset_index(drop=True).reindex(rows).set_axis(samples)
    if not match.how and match.column in joined:
        joined = joined.drop(columns=match.column)
    joined = joined.apply(typed)
    note = f"{found.sum()} of {len(samples)} samples have a clinical row, by {match.column!r}"
    note += f" ({match.how})" if match.how else ""
    note += f"; {len(clinical) - len(np.unique(rows[found]))} clinical rows without a sample were "
    note += "dropped."
    if not found.all():
        note += f" Samples without a clinical row: {some(samples[~found])}."
    return joined, note


def id_columns(clinical: pd.DataFrame, sample_column: str | None) -> dict[str, pd.Index]:
    """Return what may hold sample ids, as text."""
    if sample_column is not None and sample_column in clinical:
        return {sample_column: pd.Index(clinical[sample_column].astype(str))}
    name = _INDEX if clinical.index.name is None else str(clinical.index.name)
    if sample_column is not None and sample_column != name:
        raise TableError(
            f"The clinical table has no column {sample_column!r}; it has {some(clinical.columns)}."
        )
    columns = {name: clinical.index.astype(str)}
    if sample_column is None:
        # A float is a measurement, not an id.
        for column in clinical.columns[~clinical.dtypes.map(pd.api.types.is_float_dtype)]:
            columns[column] = pd.Index(clinical[column].astype(str))
    if isinstance(clinical.index, pd.RangeIndex) and len(columns) > 1:
        del columns[name]  # line numbers, which would match samples called 0, 1, 2
    return columns


def _cut_barcodes(ours: pd.Index, theirs: pd.Index) -> tuple[pd.Index, pd.Index, str]:
    """Cut TCGA barcodes to the length of the shortest, if there are some on both sides."""
    barcodes = [ids[ids.str.match(_TCGA)] for ids in (ours, theirs)]
    if not all(map(len, barcodes)):
        return ours, theirs, ""
    length = min(int(ids.str.len().min()) for ids in barcodes)
    return ours.str[:length], theirs.str[:length], f"TCGA barcodes cut to {length} characters"


def _spelled(ids: pd.Index) -> pd.Index:
    return ids.str.strip().str.lower().str.replace(r"[._\s]", "-", regex=True)


def typed(column: pd.Series) -> pd.Series:
    """Give a column of text the type that its words have, as `join_clinical` says.

    Parameters
    ----------
    column : Series

    Returns
    -------
    Series

    Examples
    --------
    >>> typed(pd.Series(["2", "NA", "4"])).tolist()
    [2.0, nan, 4.0]
    """
    if not (column.dtype == object or isinstance(column.dtype, pd.StringDtype)):
        return column
    words = column.where(column.isna(), column.astype(str).str.strip())
    present = words[~(words.isna() | words.isin(["", *MISSING]))]
    numbers = pd.to_numeric(present, errors="coerce")
    if len(present) and numbers.notna().all() and not present.str.match(r"0\d").any():
        return numbers.reindex(words.index)
    if len(present) and present.isin(["True", "False"]).all():
        return (present == "True").reindex(words.index)
    return words.mask(words.isin(MISSING_WORDS))
