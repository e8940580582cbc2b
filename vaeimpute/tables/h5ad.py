"""Reading AnnData files, or saying what is wrong with them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError, some

if TYPE_CHECKING:
    from anndata import AnnData


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
        raise ModuleNotFoundError(
            f"{what} needs anndata, which is not installed. Install it: pip install "
            "'vaeimpute[anndata]'.",
            name="anndata",
        ) from None
    return anndata


def read_h5ad(path: Path) -> AnnData:
    """Read an AnnData file as it is.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    AnnData

    Raises
    ------
    TableError
        If it is none.
    ModuleNotFoundError
        If anndata is not installed.
    """
    anndata = import_anndata(f"Reading {path}")
    with warnings.catch_warnings():
        # Repeated names: whoever uses the ids refuses them, and names them.
        warnings.filterwarnings("ignore", ".* names are not unique")
        try:
            return anndata.read_h5ad(path)
        except (OSError, KeyError) as error:  # what h5py raises for a file that is not HDF5
            raise TableError(f"{path} cannot be read as AnnData: {error}") from None


def layer_values(path: Path, data: AnnData, layer: str | None) -> pd.DataFrame:
    """Return one matrix of an AnnData object, samples in rows.

    Parameters
    ----------
    path : pathlib.Path
        What to call it in errors.
    data : AnnData
    layer : str or None
        None for its ``X``.

    Returns
    -------
    DataFrame
        float32 if the matrix is, else float64; dense.

    Raises
    ------
    TableError
        If there is no such matrix.
    """
    if layer is not None and layer not in data.layers:
        raise TableError(f"{path} has no layer {layer!r}; it has {some(pd.Index(data.layers))}.")
    array = data.X if layer is None else data.layers[layer]
    if array is None:
        raise TableError(f"{path} has no X; name one of its layers: {some(pd.Index(data.layers))}.")
    if hasattr(array, "toarray"):
        array = array.toarray()
    array = np.asarray(array)
    return pd.DataFrame(
        array.astype(np.float32 if array.dtype == np.float32 else np.float64),
        data.obs_names.astype(object),
        data.var_names.astype(object),
    )
