"""The two units of work that a grid is made of; they run here or in another process."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from vaeimpute.exceptions import OtherCodeError
from vaeimpute.experiments.code import code_version
from vaeimpute.experiments.store import UnitStore, file_digest
from vaeimpute.imputers.storage import can_save, load_imputer, save_imputer

if TYPE_CHECKING:  # what it measures with has a key of its own
    from vaeimpute.experiments.measures import Measure

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fitted:
    """A fitted imputer, or the file that it travels as: every process reads it once.

    Attributes
    ----------
    imputer : estimator or Path
    seconds : float
        What the fit took.
    sha256 : str
        Of the file's content, so that a file that is written anew is read anew.
    """

    imputer: BaseEstimator | Path
    seconds: float
    sha256: str = ""


def fit_unit(
    imputer: BaseEstimator,
    train: np.ndarray,
    store: UnitStore | None,
    key: Mapping[str, Any],
    code: str | None,
) -> Fitted:
    """Fit an imputer, or find it in a store.

    Parameters
    ----------
    imputer : estimator
        Fitted itself if there is no store; else a copy is, which is kept there if it can be saved.
    train : array of shape (n_train, n_features)
    store : UnitStore or None
    key : mapping
        Of the unit in the store.
    code : str or None
        The `code_version` of the caller, if this may run elsewhere.

    Returns
    -------
    Fitted
    """
    _check_code(code)
    path = None
    if store is not None:
        imputer = clone(imputer)
        path = store.path(key, ".safetensors") if can_save(imputer) else None
    if store is not None and path is not None:
        kept = store.read(key) if path.exists() else None
        if kept is not None and file_digest(path) == kept["sha256"]:
            return Fitted(path, **kept)
        if kept is not None:
            logger.warning("Fitting again, %s is damaged or not its own.", path.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        given = imputer.get_params(deep=False)
        if given.get("checkpoint", "") is None and isinstance(given["random_state"], int):
            # So that a long training that is killed goes on as well.
            imputer.set_params(checkpoint=str(path.with_suffix(".checkpoint")))
    start = time.perf_counter()
    imputer.fit(train, None)  # scikit-learn's FrozenEstimator insists on a y
    seconds = time.perf_counter() - start
    if store is None or path is None:
        return Fitted(imputer, seconds)
    save_imputer(imputer, path)
    fitted = Fitted(path, seconds, file_digest(path))
    store.write(key, {"seconds": seconds, "sha256": fitted.sha256})
    return fitted


def impute_unit(
    fitted: Fitted,
    true: np.ndarray,
    packed: np.ndarray,
    trial: int,
    measure: Measure,
    code: str | None,
) -> dict[str, Any]:
    """Take values away, impute them, and measure what came of it.

    Parameters
    ----------
    fitted : Fitted
    true : array of shape (n_test, n_features)
    packed : array of bytes
        The mask, True where a value is taken away, as `numpy.packbits` returns it.
    trial : int
    measure : Measure
        Prepared.
    code : str or None
        The `code_version` of the caller, if this may run elsewhere.

    Returns
    -------
    dict
        ``row``: what the measure returns, ``n_missing``, ``seconds`` and ``fit_seconds``;
        ``beside``: the measure's rows of another table, as lists by column.
    """
    _check_code(code)
    imputer = _read(fitted) if isinstance(fitted.imputer, Path) else fitted.imputer
    mask = np.unpackbits(packed, count=true.size).reshape(true.shape).astype(bool)
    incomplete = np.where(mask, np.nan, true)
    start = time.perf_counter()
    imputed = imputer.transform(incomplete)
    seconds = time.perf_counter() - start
    row, beside = measure(true, imputed, mask, trial, imputer)
    times = {"n_missing": int(mask.sum()), "seconds": seconds, "fit_seconds": fitted.seconds}
    return {"row": row | times, "beside": beside}


@lru_cache(maxsize=1)  # the units of one imputer follow each other, and a large one fills memory
def _read(fitted: Fitted) -> BaseEstimator:
    assert isinstance(fitted.imputer, Path)
    if not fitted.imputer.exists():
        raise FileNotFoundError(
            f"{fitted.imputer} was written by another process, and here it is not: the store has "
            "to be a folder that all workers share."
        )
    return load_imputer(fitted.imputer)


def forget_fitted() -> None:
    """Free the memory of the imputer that this process read last."""
    _read.cache_clear()


def _check_code(code: str | None) -> None:
    if code is not None and code != code_version():
        raise OtherCodeError(
            f"This worker has other code ({code_version()}) than the program that gave it work "
            f"({code}). Install the same version of vaeimpute and of the libraries on both."
        )
