"""A shift for low values that are missing, for any method: how far, and what it does."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vaeimpute.evaluation.errors import mean_absolute_error
from vaeimpute.missingness import hide

if TYPE_CHECKING:  # evaluation works without imputers; it is given some
    from vaeimpute.imputers import VAEImputer

#: Shifts to try, in standard deviations: those that `VAEImputer` tries.
SHIFTS = np.round(np.arange(0, 4.05, 0.1), 1)


def residual_spread(imputer: Any, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Measure by how much a fitted imputer misses each feature on rows that it has not seen.

    Half of the entries of every row are hidden at random and imputed, then the other half. The
    roots of the features' mean squared errors take the place of the standard deviation that a
    probabilistic model has and others have not.

    Parameters
    ----------
    imputer : estimator
        Fitted to other rows.
    values : array of shape (n_rows, n_features)
        Without missing values.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_features,)
        In the units of `values`.

    Examples
    --------
    >>> from vaeimpute.imputers import MeanImputer
    >>> imputer = MeanImputer().fit([[0.0, 0.0], [2.0, 4.0]])
    >>> residual_spread(imputer, np.array([[4.0, 2.0], [-2.0, 2.0]]), np.random.default_rng(0))
    array([3., 0.])
    """
    half = hide(np.ones(values.shape, dtype=bool), 0.5, rng, "within rows")
    squares = np.zeros(values.shape)
    for hidden in (half, ~half):
        imputed = imputer.transform(np.where(hidden, np.nan, values))
        squares += np.where(hidden, (imputed - values) ** 2, 0.0)
    return np.sqrt(squares.mean(axis=0))


def shift_curve(
    true: np.ndarray,
    imputed: np.ndarray,
    spread: np.ndarray,
    mask: np.ndarray,
    shifts: Iterable[float] = SHIFTS,
) -> pd.DataFrame:
    """Error of ``imputed - shift * spread`` over a range of shifts.

    Parameters
    ----------
    true, imputed : array of shape (n_rows, n_features)
    spread : array of shape (n_features,) or (n_rows, n_features)
        The unit of the shift, such as a `residual_spread`.
    mask : boolean array of shape (n_rows, n_features)
        True where a value was taken away.
    shifts : iterable of float

    Returns
    -------
    DataFrame
        ``shift`` and ``mae``. The shift to choose on validation rows is the one of the smallest
        error: ``curve["shift"][curve["mae"].idxmin()]``.

    Examples
    --------
    >>> mask = np.array([[True, False]])
    >>> curve = shift_curve(np.array([[-1.0, 0.0]]), np.zeros((1, 2)), np.ones(2), mask, [0, 1, 2])
    >>> curve["mae"].tolist()
    [1.0, 0.0, 1.0]
    """
    shifts = list(shifts)
    errors = [mean_absolute_error(true, imputed - shift * spread, mask) for shift in shifts]
    return pd.DataFrame({"shift": shifts, "mae": errors})


def vae_shift_curve(
    imputer: VAEImputer,
    true: np.ndarray,
    mask: np.ndarray,
    shifts: Iterable[float] = SHIFTS,
) -> pd.DataFrame:
    """Error of a fitted VAE over a range of shifts, without training it again.

    The shift is part of every iteration of encoding and decoding, as in `VAEImputer`, and not taken
    away at the end only.

    Parameters
    ----------
    imputer : VAEImputer
        Fitted, and not with ``train_shift=True``; not changed.
    true : array of shape (n_rows, n_features)
    mask : boolean array of shape (n_rows, n_features)
        True where a value is taken away.
    shifts : iterable of float

    Returns
    -------
    DataFrame
        ``shift`` and ``mae``.

    Raises
    ------
    ValueError
        If the imputer has learnt with its shift: then no other one takes effect.

    Examples
    --------
    >>> from vaeimpute.imputers import VAEImputer
    >>> X = np.random.default_rng(0).normal(size=(40, 1)) * np.ones(12)
    >>> imputer = VAEImputer(hidden_sizes=(8,), latent_dim=2, n_epochs=2, random_state=0).fit(X)
    >>> vae_shift_curve(imputer, X, X < -1, [0.0, 1.0])["shift"].tolist()
    [0.0, 1.0]
    """
    if imputer.train_shift:
        raise ValueError(
            "Expected a VAE that has not learnt with a shift but train_shift is True, so that no "
            "other shift takes effect; fit one with train_shift=False."
        )
    probe = copy(imputer)
    incomplete = np.where(mask, np.nan, true)
    rows = []
    for shift in shifts:
        probe.shift_ = float(shift)
        rows.append((shift, mean_absolute_error(true, probe.transform(incomplete), mask)))
    return pd.DataFrame(rows, columns=["shift", "mae"])
