"""Fitted imputers as files: arrays and a card in one safetensors file, nothing that is executed."""

from __future__ import annotations

import json
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from sklearn.utils.validation import check_is_fitted

from vaeimpute.exceptions import DeviceError, ModelFileError, some
from vaeimpute.files import replacing
from vaeimpute.imputers._base import BaseImputer
from vaeimpute.imputers._moments import Scaler

_FORMAT = 1  # raise it when an older version of the package could no longer read the file
_CARD: dict[str, type] = {
    "format": int, "module": str, "class": str, "parameters": dict, "n_features": int,
    "feature_names": list, "units": str, "transform": str, "training": dict, "versions": dict,
}  # fmt: skip
_SCALER = "scaler."
_EMPTY, _INDICATED = "empty", "indicated"  # what of the features is told by a mask
_PACKAGE = "vaeimpute.imputers."


def can_save(imputer: object) -> bool:
    """Tell whether `save_imputer` takes an imputer: those of this package, not yours or others'."""
    return isinstance(imputer, BaseImputer) and type(imputer).__module__.startswith(_PACKAGE)


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
    ValueError
        If one of its parameters is a function.

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
    check_is_fitted(imputer)
    functions = [name for name, value in imputer.get_params(deep=False).items() if callable(value)]
    if functions:
        raise ValueError(
            f"An imputer whose {' and '.join(functions)} is a function cannot be saved: the file "
            "would have to be executed."
        )
    arrays, summary = imputer._to_arrays()
    arrays[_EMPTY] = imputer._empty
    if imputer.indicator_ is not None:
        arrays[_INDICATED] = np.isin(np.arange(len(imputer._empty)), imputer.indicator_.features_)
    if imputer._scaler is not None:
        arrays |= {_SCALER + name: array for name, array in imputer._scaler._asdict().items()}
    parameters = {
        name: value
        for name, value in imputer.get_params(deep=False).items()
        # Both have done their part: a generator, and a place on this machine to train from.
        if not isinstance(value, np.random.Generator | np.random.RandomState)
        and name != "checkpoint"
    }
    card = {
        "format": _FORMAT,
        "module": type(imputer).__module__.removeprefix(_PACKAGE),
        "class": type(imputer).__name__,
        "parameters": parameters,
        "n_features": imputer.n_features_in_,
        "feature_names": getattr(imputer, "feature_names_in_", np.array([])).tolist(),
        "units": units,
        "transform": transform,
        "training": summary,
        "versions": {name: metadata.version(name) for name in ("vaeimpute", "numpy", "torch")},
    }
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    with replacing(path) as unfinished:
        save_file(contiguous, unfinished, {"card": json.dumps(card, default=_plain)})


def read_card(path: str | Path) -> dict[str, Any]:
    """Read what a saved imputer is, without its arrays.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    dict
        ``class`` and its ``module``, ``parameters``, ``n_features``, ``feature_names``, ``units``,
        ``transform``, ``training``, ``versions`` and ``format``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it holds no imputer, is cut short, has been tampered with, or was written by a newer
        version.
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
    try:
        card = dict(json.loads(header["card"]))
    except (TypeError, ValueError):
        card = {}
    written_as = card.get("format")
    if isinstance(written_as, int) and written_as > _FORMAT:
        raise ModelFileError(
            f"{path} was written by a newer version of vaeimpute, in the format {written_as}; this "
            f"version reads up to {_FORMAT}. Update vaeimpute."
        )
    wrong = [name for name, kind in _CARD.items() if type(card.get(name)) is not kind]
    if wrong:
        raise ModelFileError(
            f"{path} has a card that vaeimpute did not write: {some(wrong)} missing or of another "
            "type."
        )
    _find_class(path, card)
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
    DeviceError
        If there is no such device here.
    """
    card = read_card(path)
    parameters = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in card["parameters"].items()
    }
    if device is not None and "device" in parameters:
        parameters["device"] = device
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        imputer = _find_class(path, card)(**parameters)
        imputer._check_parameters()
        imputer.n_features_in_, names = card["n_features"], card["feature_names"]
        if names:
            imputer.feature_names_in_ = np.array(names, dtype=object)
        imputer._empty = arrays[_EMPTY]
        imputer._indicate(arrays.get(_INDICATED, imputer._empty))
        imputer._scaler = None
        if getattr(imputer, "standardize", False):
            imputer._scaler = Scaler(*(arrays[_SCALER + name] for name in Scaler._fields))
        sizes = {len(names) or card["n_features"], imputer._empty.size}
        known = {imputer._n_known, *map(np.size, imputer._scaler or ())}
        strings = all(isinstance(name, str) for name in names)
        if sizes != {card["n_features"]} or known != {imputer._n_known} or not strings:
            raise ValueError(f"features are {sizes}")
        imputer._from_arrays(arrays, card["training"])
    except (DeviceError, MemoryError):
        raise
    except Exception as error:  # whatever a file that was tampered with leads to
        raise ModelFileError(
            f"{path} does not fit its own card: {error}. Save the imputer anew."
        ) from error
    imputer._is_fitted = True
    return imputer


def _find_class(path: str | Path, card: dict[str, Any]) -> type[BaseImputer]:
    """Return the class that a card speaks of; nothing outside of this package is imported."""
    try:
        if card["module"].isidentifier():
            found = getattr(import_module(_PACKAGE + card["module"]), card["class"])
            if issubclass(found, BaseImputer):
                return found
    except (ModuleNotFoundError, AttributeError, TypeError):
        pass
    raise ModelFileError(f"{path} holds a {card['class']!r}, which this version has not.")


def _plain(value: Any) -> Any:
    if value is pd.NA:
        return None
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return str(value)  # a device of torch
