"""Matrices in AnnData files: read, written, and filled with everything else kept."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError, not_installed, some
from vaeimpute.tables.cells import Cells

if TYPE_CHECKING:
    from anndata import AnnData

    from vaeimpute.tables.read import Source


def import_anndata(what: str) -> Any:
    """Return the module anndata, or say which extra brings it.

    Parameters
    ----------
    what : str
        What it is needed for, as in "Reading x.h5ad".

    Raises
    ------
    ModuleNotFoundError
        If it is not installed.
    """
    try:
        import anndata
    except ModuleNotFoundError:
        raise not_installed("anndata", what, "anndata") from None
    return anndata


def _read(path: Path) -> AnnData:
    anndata = import_anndata(f"Reading {path}")
    with warnings.catch_warnings():
        # Repeated names: they are refused below, and named.
        warnings.filterwarnings("ignore", ".* names are not unique")
        try:
            return anndata.read_h5ad(path)
        except (OSError, KeyError) as error:  # what h5py raises for a file that is not HDF5
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


def write(values: pd.DataFrame, path: Path) -> None:
    """Write a matrix alone, samples in rows."""
    anndata = import_anndata(f"Writing {path}")
    obs, var = pd.DataFrame(index=values.index), pd.DataFrame(index=values.columns)
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
    data = _read(source.path)
    array = data.X if source.layer is None else data.layers[source.layer]
    if hasattr(array, "tocoo"):  # sparse: a missing value is a stored NaN
        places = array.tocoo()
        stored = np.isnan(array.data)
        stored[stored] = missing[places.row[stored], places.col[stored]]
        array.data[stored] = filled[places.row[stored], places.col[stored]]
    else:
        array = np.array(array)
        array[missing] = filled[missing]
    if source.layer is None:
        data.X = array
    else:
        data.layers[source.layer] = array
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about columns of obs that are not ours to change
        data.write_h5ad(target)
