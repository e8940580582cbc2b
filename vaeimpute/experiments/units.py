"""The two units of work that a grid is made of; they run here or in another process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from vaeimpute.exceptions import (
    OtherCodeError,
)
from vaeimpute.experiments.code import code_version
from vaeimpute.experiments.measures import Measure
from vaeimpute.experiments.store import file_digest
from vaeimpute.imputers.storage import load_imputer, save_imputer


@dataclass(frozen=True)
class FittedFile:
    """A fitted imputer that travels as a file: every process reads it once.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the content, so that a file that is written anew is read anew.
    """

    path: Path
    sha256: str


def fit_unit(
    imputer: BaseEstimator, train: np.ndarray, path: Path | None, code: str | None
) -> dict[str, Any] | BaseEstimator:
    """Fit an imputer.

    Parameters
    ----------
    imputer : estimator
    train : array of shape (n_train, n_features)
    path : Path or None
        The file to save it to. Without one it is returned.
    code : str or None
        The code version that the caller has, if this may run elsewhere.

    Returns
    -------
    dict or estimator
        ``seconds`` and ``sha256`` of the file, or the imputer itself.
    """
    _check_code(imputer, code)
    start = time.perf_counter()
    imputer.fit(train, None)  # scikit-learn's FrozenEstimator insists on a y
    seconds = time.perf_counter() - start
    if path is None:
        return imputer
    path.parent.mkdir(parents=True, exist_ok=True)
    save_imputer(imputer, path)
    return {"seconds": seconds, "sha256": file_digest(path)}


def impute_unit(
    fitted: FittedFile | BaseEstimator,
    true: np.ndarray,
    packed: np.ndarray,
    measure: Measure,
    codes: tuple[str, str] | None,
) -> dict[str, Any]:
    """Hide values, impute them, and measure what came of it.

    Parameters
    ----------
    fitted : FittedFile or estimator
    true : array of shape (n_test, n_features)
    packed : array of bytes
        The mask, True where a value is hidden, as `numpy.packbits` returns it.
    measure : Measure
        Prepared.
    codes : (str, str) or None
        The code versions of imputer and measure that the caller has, if this may run elsewhere.

    Returns
    -------
    dict
        What the measure returns, ``n_missing`` and ``seconds``.
    """
    imputer = _read(fitted) if isinstance(fitted, FittedFile) else fitted
    for thing, code in zip((imputer, measure), codes or (None, None), strict=True):
        _check_code(thing, code)
    mask = unpack(packed, true.shape)
    holed = np.where(mask, np.nan, true)
    start = time.perf_counter()
    imputed = imputer.transform(holed)
    seconds = time.perf_counter() - start
    return {
        **measure(true, imputed, mask),
        "n_missing": int(mask.sum()),
        "seconds": seconds,
    }


def unpack(packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the boolean matrix that `numpy.packbits` made bits of.

    Examples
    --------
    >>> unpack(np.packbits([[True, False], [False, True]]), (2, 2)).tolist()
    [[True, False], [False, True]]
    """
    return np.unpackbits(packed, count=int(np.prod(shape))).reshape(shape).astype(bool)


@lru_cache(maxsize=1)  # the units of one imputer follow each other, and a large one fills memory
def _read(fitted: FittedFile) -> BaseEstimator:
    return load_imputer(fitted.path)


def forget_fitted() -> None:
    """Free the memory of the imputer that this process read last."""
    _read.cache_clear()


def _check_code(thing: Any, code: str | None) -> None:
    here = code if code is None else code_version(type(thing))
    if here != code:
        raise OtherCodeError(
            f"This worker has other code ({here}) than the program that gave it work ({code}). "
            "Install the same version of vaeimpute and of the libraries on both."
        )
