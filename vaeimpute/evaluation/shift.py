"""A shift for low values that are missing, for any method: how far, and what it does.

The VAE chooses its own, the paper's lambda: see `VAEImputer._choose_shift`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from vaeimpute.evaluation.errors import mean_absolute_error
from vaeimpute.imputers.vae import SHIFTS
from vaeimpute.missingness import hide


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
    true: np.ndarray, imputed: np.ndarray, spread: np.ndarray, mask: np.ndarray
) -> pd.DataFrame:
    """Error of ``imputed - shift * spread`` over the shifts that the VAE chooses from.

    For a method that has no standard deviation of its own; see `VAEImputer.shift_curve` for one
    that has, where the shift is part of every iteration of the imputation.

    Parameters
    ----------
    true, imputed : array of shape (n_rows, n_features)
    spread : array of shape (n_features,) or (n_rows, n_features)
        The unit of the shift, such as a `residual_spread`.
    mask : boolean array of shape (n_rows, n_features)
        True where a value was taken away.

    Returns
    -------
    DataFrame
        ``shift`` and ``mae``. The shift to choose on validation rows is the one of the smallest
        error: ``curve["shift"][curve["mae"].idxmin()]``.

    Examples
    --------
    >>> mask = np.array([[True, False]])
    >>> curve = shift_curve(np.array([[-1.0, 0.0]]), np.zeros((1, 2)), np.ones(2), mask)
    >>> float(curve["shift"][curve["mae"].idxmin()])
    1.0
    """
    errors = [mean_absolute_error(true, imputed - shift * spread, mask) for shift in SHIFTS]
    return pd.DataFrame({"shift": SHIFTS, "mae": errors})
