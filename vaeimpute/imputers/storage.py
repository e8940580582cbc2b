"""Fitted imputers as files: arrays and a card in one safetensors file, nothing that is executed."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from sklearn.preprocessing import StandardScaler

from vaeimpute.exceptions import (
    ModelFileError,
)
from vaeimpute.files import replacing
from vaeimpute.imputers._base import BaseImputer
from vaeimpute.imputers.autoencoder import AutoencoderImputer
from vaeimpute.imputers.gaussian import GaussianImputer
from vaeimpute.imputers.knn import KNNImputer
from vaeimpute.imputers.simple import MeanImputer, RandomImputer
from vaeimpute.imputers.svd import SVDImputer
from vaeimpute.imputers.vae import VAEImputer

_FORMAT = 1  # raise it when an older version of the package could no longer read the file
_CLASSES: dict[str, type[BaseImputer]] = {
    cls.__name__: cls
    for cls in (
        AutoencoderImputer,
        GaussianImputer,
        KNNImputer,
        MeanImputer,
        RandomImputer,
        SVDImputer,
        VAEImputer,
    )
}
_SCALER = "scaler."


def can_save(imputer: object) -> bool:
    """Tell whether `save_imputer` takes an imputer: those of this package, not yours or others'."""
    return _CLASSES.get(type(imputer).__name__) is type(imputer)


def save_imputer(
    imputer: BaseImputer, path: str | Path, *, units: str = "", transform: str = ""
) -> None:
    """Write a fitted imputer to a file, all of it or nothing.

    Parameters
    ----------
    imputer : imputer
        Fitted.
    path : str or path
        By convention it ends in ``.safetensors``. An existing file is replaced.
    units : str
        What one value is, for whoever reads the card.
    transform : str
        What was done to the values before, and has to be done to new ones, for whoever loads it.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the imputer is not fitted.

    Notes
    -----
    The card is JSON in the header of the file: class, parameters, names of the features, training
    summary and versions. KNN, Gaussian and (joint) SVD imputers are their training rows, so the
    file holds these; that of a random imputer holds every training value, feature by feature. Do
    not pass on what you must not share.

    Examples
    --------
    >>> import tempfile
    >>> from vaeimpute.imputers import MeanImputer
    >>> imputer = MeanImputer().fit([[1.0, 2.0], [3.0, 4.0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_imputer(imputer, f"{folder}/mean.safetensors")
    ...     load_imputer(f"{folder}/mean.safetensors").transform([[np.nan, 5.0]])
    array([[2., 5.]])
    """
    arrays, summary = imputer._to_arrays()
    if imputer._scaler is not None:
        for name in ("mean_", "scale_", "var_"):
            arrays[_SCALER + name] = getattr(imputer._scaler, name)
    card = {
        "format": _FORMAT,
        "class": type(imputer).__name__,
        "parameters": _json_parameters(imputer),
        "n_features": imputer.n_features_in_,
        "feature_names": getattr(imputer, "feature_names_in_", np.array([])).tolist(),
        "units": units,
        "transform": transform,
        "training": summary,
        "versions": {name: metadata.version(name) for name in ("vaeimpute", "numpy", "torch")},
    }
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    with replacing(path) as unfinished:
        save_file(contiguous, unfinished, {"card": json.dumps(card)})


def read_card(path: str | Path) -> dict[str, Any]:
    """Read what a saved imputer is, without its arrays.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    dict
        ``class``, ``parameters``, ``n_features``, ``feature_names``, ``units``, ``transform``,
        ``training``, ``versions`` and ``format``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it holds no imputer, is cut short, or was written by a newer version.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path} to load an imputer from.")
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
    except SafetensorError as error:
        raise ModelFileError(
            f"{path} is not a saved imputer, or is cut short ({error}). Copy it again, or save the "
            "imputer anew."
        ) from error
    if "card" not in header:
        raise ModelFileError(
            f"{path} has weights but no card of vaeimpute: another program wrote it."
        )
    card = json.loads(header["card"])
    if card["format"] > _FORMAT:
        raise ModelFileError(
            f"{path} was written by vaeimpute {card['versions']['vaeimpute']} in a newer format "
            f"({card['format']}; this version reads up to {_FORMAT}). Update vaeimpute."
        )
    if card["class"] not in _CLASSES:
        raise ModelFileError(f"{path} holds a {card['class']!r}, which this version has not.")
    card.setdefault("transform", "")  # not in the first files
    return card


def load_imputer(path: str | Path, *, device: str | None = None) -> BaseImputer:
    """Read a fitted imputer back, on this or another machine.

    Parameters
    ----------
    path : str or path
    device : str, optional
        For imputers that use torch: where to put the model instead of where its parameter
        ``device`` says.

    Returns
    -------
    imputer
        Imputes as the saved one did. Nothing from the file is executed.

    Raises
    ------
    FileNotFoundError, ModelFileError
        As `read_card` does, and if arrays are missing or do not fit the card.
    """
    card = read_card(path)
    cls = _CLASSES[card["class"]]
    parameters = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in card["parameters"].items()
    }
    with safe_open(path, framework="numpy") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    try:
        imputer = cls(**parameters)
        if device is not None and "device" in parameters:
            imputer.set_params(device=device)
        imputer.n_features_in_ = card["n_features"]
        if card["feature_names"]:
            imputer.feature_names_in_ = np.array(card["feature_names"], dtype=object)
        imputer._scaler = _scaler_from(arrays)
        imputer._from_arrays(arrays, card["training"])
        imputer._is_fitted = True
    except (KeyError, TypeError, RuntimeError) as error:
        raise ModelFileError(
            f"{path} does not fit its own card: {error}. Save the imputer anew."
        ) from error
    return imputer


def _json_parameters(imputer: BaseImputer) -> dict[str, Any]:
    """Return the parameters that JSON can hold; a generator object has done its part at fit."""
    parameters = imputer.get_params(deep=False)
    if not isinstance(parameters.get("random_state"), int | None):
        parameters["random_state"] = None
    if "checkpoint" in parameters:
        parameters["checkpoint"] = None  # a place on this machine, for a training that is over
    return json.loads(json.dumps(parameters, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"A parameter of type {type(value).__name__} cannot be saved: {value!r}.")


def _scaler_from(arrays: dict[str, np.ndarray]) -> StandardScaler | None:
    if _SCALER + "mean_" not in arrays:
        return None
    scaler = StandardScaler()
    for name in ("mean_", "scale_", "var_"):
        setattr(scaler, name, arrays.pop(_SCALER + name))
    scaler.n_features_in_ = len(scaler.mean_)
    return scaler
