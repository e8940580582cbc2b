"""Imputers on AnnData, the annotated matrices of single-cell work: a layer in, a layer out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from vaeimpute.exceptions import MissingCodeWarning, SparseLayerWarning, some
from vaeimpute.imputers._base import BaseImputer
from vaeimpute.imputers._frames import check_names
from vaeimpute.tables.codes import find_codes
from vaeimpute.tables.features import match_features

if TYPE_CHECKING:
    from anndata import AnnData


def fit_anndata(
    imputer: BaseImputer,
    adata: AnnData,
    *,
    layer: str | None = None,
    missing_values: Sequence[float] = (),
) -> BaseImputer:
    """Fit an imputer to a layer of an AnnData object.

    Parameters
    ----------
    imputer : imputer
    adata : AnnData of shape (n_obs, n_vars)
        NaN means missing. The places that a sparse matrix leaves empty are zeros, which are values.
    layer : str, optional
        Its layer; without it, ``adata.X``.
    missing_values : sequence of float
        Numbers that stand for a missing value, besides NaN: ``[0]`` where a zero means that nothing
        was measured.

    Returns
    -------
    imputer
        The same, fitted; it remembers ``adata.var_names``.

    Raises
    ------
    ValueError
        If there is no such layer, variables' names repeat, or as `fit` of the imputer does.

    Warns
    -----
    MissingCodeWarning
        If a number occurs often and far from all others, and so may stand for a missing value.

    Examples
    --------
    >>> from anndata import AnnData
    >>> from vaeimpute.imputers import MeanImputer
    >>> adata = AnnData(np.array([[1.0, np.nan], [3.0, 4.0]]))
    >>> imputer = fit_anndata(MeanImputer(), adata)
    >>> transform_anndata(imputer, adata, output_layer="imputed").layers["imputed"]
    array([[1., 4.],
           [3., 4.]])
    """
    imputer._check_parameters()
    check_names(adata.var_names, type(imputer).__name__)
    frame = _frame(adata, layer, missing_values)
    for code in find_codes(frame.to_numpy()):
        if code.next is not None:
            warnings.warn(f"In {_name(layer)}, {code}", MissingCodeWarning, stacklevel=2)
    return imputer.fit(frame)


def transform_anndata(
    imputer: BaseImputer,
    adata: AnnData,
    *,
    layer: str | None = None,
    missing_values: Sequence[float] = (),
    output_layer: str | None = None,
    std_layer: str | None = None,
    mask_layer: str | None = None,
) -> AnnData:
    """Fill the holes of a layer of an AnnData object.

    Parameters
    ----------
    imputer : imputer
        Fitted, by `fit_anndata` or to a DataFrame with the same names.
    adata : AnnData of shape (n_obs, n_vars)
        Not changed, and read into memory if it is in backed mode. Its variables are matched by
        name; another order is no matter.
    layer : str, optional
        Its layer; without it, ``adata.X``.
    missing_values : sequence of float
        Numbers that stand for a missing value, besides NaN.
    output_layer : str, optional
        Where the filled matrix goes; without it, where it came from.
    std_layer : str, optional
        A layer for the predictive standard deviations, of imputers that have `predict_std`.
    mask_layer : str, optional
        A layer that is True where a value was filled in.

    Returns
    -------
    AnnData of shape (n_obs, n_vars)
        A copy with the filled matrix, which is dense, and everything else as it was, the order of
        the variables included.

    Raises
    ------
    ValueError
        If there is no such layer, the variables are not those of the fit, or both results are to go
        into one layer.
    TypeError
        If the imputer knows no standard deviations and `std_layer` is given.

    Warns
    -----
    SparseLayerWarning
        If the layer is sparse and nothing in it is missing.
    """
    check_is_fitted(imputer)
    who = type(imputer).__name__
    if std_layer is not None and not hasattr(imputer, "predict_std"):
        raise TypeError(
            f"{who} knows no standard deviations; leave std_layer out, or take GaussianImputer or "
            "VAEImputer."
        )
    target = layer if output_layer is None else output_layer
    results = [target, *(name for name in (std_layer, mask_layer) if name is not None)]
    if len(set(results)) < len(results):
        raise ValueError(
            "Expected different layers for what is filled in, its standard deviations and the mask "
            f"but got {some(results)}."
        )
    names = getattr(imputer, "feature_names_in_", adata.var_names)
    order = match_features(adata.var_names, pd.Index(names), who)
    frame = _frame(adata, layer, missing_values)
    if sparse.issparse(_matrix(adata, layer)) and not frame.isna().to_numpy().any():
        warnings.warn(
            f"The {_name(layer)} is sparse and has no missing value: its empty places are zeros, "
            "and zeros are values here. If a zero stands for what was not measured, say "
            "missing_values=[0].",
            SparseLayerWarning,
            stacklevel=2,
        )
    order = np.arange(adata.n_vars) if order is None else order
    frame, back = frame.iloc[:, order], np.argsort(order)
    filled = imputer._fill(frame)[0][:, back]
    std = None
    if std_layer is not None:
        std = np.full(frame.shape, np.nan)
        std[:, imputer._shown] = imputer.predict_std(frame)
        std = std[:, back]
    result = adata.to_memory() if adata.isbacked else adata.copy()
    if target is None:
        result.X = filled
    else:
        result.layers[target] = filled
    if std is not None:
        result.layers[std_layer] = std
    if mask_layer is not None:
        result.layers[mask_layer] = frame.isna().to_numpy()[:, back] & ~np.isnan(filled)
    return result


def _matrix(adata: AnnData, layer: str | None) -> Any:
    matrix = adata.X if layer is None else adata.layers.get(layer)
    if matrix is None:
        raise ValueError(
            f"This AnnData has no {_name(layer)}; its layers are: "
            f"{some(pd.Index(list(adata.layers)))}."
        )
    return matrix


def _frame(adata: AnnData, layer: str | None, missing_values: Sequence[float] = ()) -> pd.DataFrame:
    """Return a layer as a dense table of floats with the names of observations and variables."""
    matrix = _matrix(adata, layer)
    if hasattr(matrix, "to_memory"):  # sparse, in a file
        matrix = matrix.to_memory()
    values = matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    if len(missing_values):
        values = np.where(np.isin(values, missing_values), np.nan, values)
    return pd.DataFrame(values, adata.obs_names, adata.var_names)


def _name(layer: str | None) -> str:
    return "X" if layer is None else f"layer {layer!r}"
