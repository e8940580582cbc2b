"""The one way out: what was observed as it was, missing values filled, all of it or nothing."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError, import_optional
from vaeimpute.files import replacing
from vaeimpute.tables import h5ad
from vaeimpute.tables.formats import FORMATS, STANDARD, named_format
from vaeimpute.tables.read import Source


def check_output(path: str | Path, *, force: bool, extensions: Sequence[str] = ()) -> Path:
    """See to it that a file can be written, before hours are spent on what it is to hold.

    Parameters
    ----------
    path : str or path
    force : bool
        Whether a file that exists may be replaced.
    extensions : sequence of str
        Those that it may have; any if there are none.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    TableError
        If the extension is not known.
    ModuleNotFoundError
        If the format needs a package that is not installed.
    OSError
        If the file exists, or nothing can be written there.
    """
    path = Path(path)
    if extensions and not path.name.lower().endswith(tuple(extensions)):
        raise TableError(
            f"{path} has an extension that is not known; expected one of {', '.join(extensions)}."
        )
    needed = FORMATS[named_format(path)]
    if needed.package:
        import_optional(needed.package, f"Writing {path}", needed.extra)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it.")
    if path.exists() and not path.is_file():
        raise FileExistsError(
            f"{path} is a device or the like and not a file; name a file, or - for standard output."
        )
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists. Choose another name, or replace it with --force.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} to write {path.name} to.")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"The folder {path.parent} may not be written to; name another.")
    return path


def write_filled(
    source: Source, filled: np.ndarray, path: str | Path, *, whole: bool = False
) -> list[str]:
    r"""Write the matrix of a file again, with numbers where it has none.

    In the format of the file that it came from, everything else stays as it is: the text of
    observed values, types, row ids, further columns and layers. In another format, the matrix is
    written with its annotation as far as there is a place for it: columns before those of the
    matrix, and in AnnData all of it, in ``obs`` and ``var``.

    Parameters
    ----------
    source : Source
    filled : array of shape (n_samples, n_features)
        Entries that are missing in `source` are taken from here; NaN stays missing.
    path : str or path
        Its extension says the format; of ``-``, standard output, it is that of the source. Replaced
        if it exists.
    whole : bool
        Write whole numbers in text without a decimal point.

    Returns
    -------
    list of str
        Names of what the other format has no place for.

    Raises
    ------
    TableError
        If the source was changed in the meantime.
    OSError
        If it cannot be written; what was there stays.

    Examples
    --------
    >>> import tempfile
    >>> from vaeimpute.tables import read_source
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gaps, whole = Path(folder) / "gaps.csv", Path(folder) / "whole.csv"
    ...     _ = gaps.write_text("sample,TP53,EGFR\ns1,0.50,NA\ns2,-1,2\n")
    ...     lost = write_filled(read_source(gaps), np.full((2, 2), 7.5), whole)
    ...     print(whole.read_text())
    sample,TP53,EGFR
    s1,0.50,7.5
    s2,-1,2
    """
    path = Path(path)
    source.check_unchanged()
    with _finished(path) as unfinished:
        if path == STANDARD or named_format(path) == source.format:
            missing, numbers = source.in_file(filled)
            if whole and source.format == "text":
                numbers = numbers.astype(object)
                numbers[missing] = [int(x) if x.is_integer() else x for x in numbers[missing]]
            FORMATS[source.format].module.fill(source, unfinished, missing, numbers)
            return []
        values = source.values.to_numpy()
        complete = np.where(np.isnan(values), filled, values).astype(values.dtype)
        return _write(source, complete, unfinished, named_format(path), annotation=True)


def write_table(source: Source, array: np.ndarray, path: str | Path) -> None:
    """Write another matrix with the ids and the orientation of a file, such as standard deviations.

    Parameters
    ----------
    source : Source
    array : array of shape (n_samples, n_features)
    path : str or path
        Replaced if it exists.

    Raises
    ------
    OSError
        If it cannot be written; what was there stays.
    """
    with _finished(Path(path)) as unfinished:
        _write(source, array, unfinished, named_format(Path(path)))


@contextmanager
def _finished(path: Path) -> Iterator[Path]:
    """Yield a file to write to, and put it in its place, or send it off, when it is whole.

    An error of the operating system says which file it is about, if it does not say so itself.
    """
    try:
        if path != STANDARD:
            with replacing(path) as unfinished:
                yield unfinished
            return
        with tempfile.TemporaryDirectory() as folder:
            unfinished = Path(folder, "stdout")
            yield unfinished
            with unfinished.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(
            f"{path} cannot be written: {error.strerror or error}. What was there before is "
            "unchanged."
        ) from error


def _write(
    source: Source, array: np.ndarray, path: Path, format_: str, *, annotation: bool = False
) -> list[str]:
    """Write a matrix alone or with annotation; return the names of what there is no place for."""
    table = pd.DataFrame(array, source.values.index, source.values.columns)
    if format_ == "h5ad":  # which has samples in rows whatever the source is like
        said = source.obs, source.var
        h5ad.write(table, path, *(said if annotation else (beside[[]] for beside in said)))
        return []
    beside, lost, name = source.obs, source.var, "sample"
    if source.features_in_rows:
        table, beside, lost, name = table.T, source.var, source.obs, "feature"
    if source.format == "h5ad":  # nobody could tell its columns from those of the matrix again
        beside, lost = beside[[]], pd.concat([beside, lost])
    whole = pd.concat([beside, table], axis=1) if annotation else table
    FORMATS[format_].module.write(whole.rename_axis(index=name), path)
    return [*lost]
