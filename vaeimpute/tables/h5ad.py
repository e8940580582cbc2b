"""Matrices in AnnData files: read, written, and filled with everything else kept."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from vaeimpute.exceptions import TableError, import_optional, some
from vaeimpute.tables.cells import Cells

if TYPE_CHECKING:
    from anndata import AnnData

    from vaeimpute.tables.read import Source


_SPARSE = ("data", "indices", "indptr")


def _read(path: Path) -> AnnData:
    anndata = import_optional("anndata", f"Reading {path}", "anndata")
    with warnings.catch_warnings():
        # What is wrong with a matrix is said by us; what is odd beside it is not ours to change.
        warnings.simplefilter("ignore")
        try:
            return anndata.read_h5ad(path)
        except (OSError, KeyError, TypeError) as error:  # of what is not HDF5, or not AnnData
            raise TableError(f"{path} cannot be read as AnnData: {error}") from None


def read(path: Path, layer: str | None) -> Cells:
    """Read one matrix, samples in rows, and the tables beside it.

    Parameters
    ----------
    path : pathlib.Path
    layer : str or None
        None for its ``X``.

    Returns
    -------
    Cells
        Dense; float32 if the matrix is, else float64.

    Raises
    ------
    TableError
        If it is no AnnData file, or has no such matrix.
    ModuleNotFoundError
        If anndata is not installed.
    """
    data = _read(path)
    if layer is not None and layer not in data.layers:
        raise TableError(f"{path} has no layer {layer!r}; it has {some(pd.Index(data.layers))}.")
    array = data.X if layer is None else data.layers[layer]
    if array is None:
        raise TableError(f"{path} has no X; name one of its layers: {some(pd.Index(data.layers))}.")
    array = np.asarray(array.toarray() if hasattr(array, "toarray") else array)
    table = pd.DataFrame(array.astype(np.float32 if array.dtype == np.float32 else np.float64))
    names = [*map(str, data.obs_names)], [*map(str, data.var_names)]
    return Cells(table, *names, obs=data.obs.set_axis(names[0]), var=data.var.set_axis(names[1]))


def write(values: pd.DataFrame, path: Path, obs: pd.DataFrame, var: pd.DataFrame) -> None:
    """Write a matrix, samples in rows, with what is said of its samples and features."""
    anndata = import_optional("anndata", f"Writing {path}", "anndata")
    anndata.AnnData(values.to_numpy(), obs=obs, var=var).write_h5ad(path)


def fill(source: Source, target: Path, missing: np.ndarray, filled: np.ndarray) -> None:
    """Write a file again with numbers in the place of missing values.

    Parameters
    ----------
    source : Source
    target : pathlib.Path
    missing : boolean array of shape (n_samples, n_features)
        Where to put numbers.
    filled : array of shape (n_samples, n_features)
    """
    import h5py

    shutil.copyfile(source.path, target)  # compression, chunks and all else stay as they are
    with h5py.File(target, "r+") as file:
        place = "X" if source.layer is None else f"layers/{source.layer}"
        stored = file[place]
        if isinstance(stored, h5py.Dataset):
            array = stored[()]
            if array.dtype.kind != "f" and missing.any():  # missing by a code
                array = array.astype(np.float64)
            array[missing] = filled[missing]
            _store(file, place, array)
            return
        parts = [stored[name][()] for name in _SPARSE]
        by_columns = "csc" in str(
            stored.attrs.get("encoding-type", stored.attrs.get("h5sparse_format"))
        )
        make = sparse.csc_matrix if by_columns else sparse.csr_matrix
        matrix = make(tuple(parts), missing.shape).astype(np.result_type(parts[0], np.float32))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sparse.SparseEfficiencyWarning)  # of places not stored
            matrix[np.nonzero(missing)] = filled[missing]
        for name, part in zip(_SPARSE, parts, strict=True):
            array = getattr(matrix, name)
            _store(stored, name, array if name == "data" else array.astype(part.dtype))


def _store(group: Any, name: str, array: np.ndarray) -> None:
    """Put an array in the place of another, compressed and divided as that was."""
    old = group[name]
    if (old.shape, old.dtype) == (array.shape, array.dtype):
        old[...] = array
        return
    options = {"compression": old.compression, "compression_opts": old.compression_opts}
    options |= {"shuffle": old.shuffle, "chunks": old.chunks}
    attributes = dict(old.attrs)
    del group[name]
    group.create_dataset(name, data=array, **options).attrs.update(attributes)
