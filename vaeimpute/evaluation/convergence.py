"""Whether iterating a function over the missing entries of a row settles or runs away."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vaeimpute.evaluation.errors import mean_absolute_error
from vaeimpute.seeding import RandomState, generator

if TYPE_CHECKING:
    from torch import Tensor


def spectral_radius(
    predict: Callable[[Tensor], Tensor],
    filled: Tensor,
    missing: Tensor,
    *,
    n_steps: int = 20,
    random_state: RandomState = 0,
) -> np.ndarray:
    """Measure by what factor an iteration of imputation multiplies small errors.

    An iteration replaces the missing entries of a row by ``predict(row)``. Close to where they
    settle it acts like a matrix, the Jacobian from missing entries to missing entries. The largest
    absolute value of its eigenvalues, its spectral radius, is the factor by which one iteration
    multiplies a small error after many iterations: below 1 it shrinks and the iteration converges,
    above 1 it grows.

    Parameters
    ----------
    predict : callable
        Restores rows, each on its own: `Reconstructor.reconstruct` of a model.
    filled : Tensor of shape (n_samples, n_features)
        Where to measure: rows that were imputed with many iterations.
    missing : boolean Tensor of shape (n_samples, n_features)
    n_steps : int
        Steps of the power iteration. The estimate is the mean growth, in logarithms, over the
        second half of them: a pair of complex eigenvalues makes single steps go up and down.
    random_state : int, Generator or None
        Of the direction to start from.

    Returns
    -------
    ndarray of shape (n_samples,)
        0 for a row in which nothing is missing.

    Examples
    --------
    >>> import torch
    >>> rows = torch.zeros(1, 2)
    >>> factors = torch.tensor([0.5, 3.0])
    >>> spectral_radius(lambda x: x * factors, rows, torch.tensor([[True, True]])).round(3)
    array([3.])
    >>> spectral_radius(lambda x: x * factors, rows, torch.tensor([[True, False]])).round(3)
    array([0.5])
    """
    import torch

    if filled.shape != missing.shape or missing.dtype != torch.bool:
        raise ValueError(
            f"Expected a boolean mask of shape {tuple(filled.shape)} but got {missing.dtype} of "
            f"shape {tuple(missing.shape)}."
        )
    if n_steps < 2:
        raise ValueError(f"Expected at least 2 steps but got {n_steps}.")
    normal = generator(random_state, "spectral_radius").standard_normal(filled.shape)
    direction = torch.from_numpy(normal).to(filled) * missing
    growth = np.zeros((n_steps, len(filled)))
    tiny = torch.finfo(filled.dtype).tiny  # instead of dividing by 0 where nothing is left
    with torch.no_grad(), warnings.catch_warnings():
        # torch itself uses what it deprecates when it first takes a derivative in this direction.
        warnings.filterwarnings("ignore", "`torch.jit.script` is", DeprecationWarning)
        direction /= direction.norm(dim=1, keepdim=True).clamp(min=tiny)
        for step in range(n_steps):
            image = torch.func.jvp(predict, (filled,), (direction,))[1] * missing
            norm = image.norm(dim=1, keepdim=True)
            growth[step] = norm[:, 0].cpu().double().numpy()
            direction = image / norm.clamp(min=tiny)
    with np.errstate(divide="ignore"):
        return np.exp(np.log(growth[n_steps // 2 :]).mean(axis=0))


def follow_iterations(
    predict: Callable[[np.ndarray], np.ndarray],
    true: np.ndarray,
    mask: np.ndarray,
    guess: np.ndarray | float = 0.0,
    *,
    n_iterations: int = 10,
) -> pd.DataFrame:
    """Impute iteratively, and measure error and change after every iteration.

    It is what the imputers of this package do, for any model that restores rows: PCA too.

    Parameters
    ----------
    predict : callable
        Encodes and decodes rows: takes and returns an array of shape (n_samples, n_features).
    true : array of shape (n_samples, n_features)
        Complete values, as `predict` expects them.
    mask : boolean array of shape (n_samples, n_features)
        True where a value is taken away and imputed.
    guess : array of shape (n_samples, n_features) or float
        What missing entries start from; 0 is the mean of standardised values.
    n_iterations : int

    Returns
    -------
    DataFrame
        One row per iteration, iteration 0 being the guess itself: ``iteration``, ``mae`` over the
        missing entries, and ``mean_change``, by how much they moved on average since the iteration
        before (NaN for iteration 0), both in the units of `true`.

    Examples
    --------
    >>> def towards_one(rows):
    ...     return (rows + 1) / 2
    >>> follow_iterations(towards_one, np.ones((2, 3)), np.eye(2, 3, dtype=bool), n_iterations=2)
       iteration   mae  mean_change
    0          0  1.00          NaN
    1          1  0.50         0.50
    2          2  0.25         0.25
    """
    true = np.asarray(true, dtype=np.float64)
    filled = np.where(mask, guess, true)
    rows = [(0, mean_absolute_error(true, filled, mask), np.nan)]
    for iteration in range(1, n_iterations + 1):
        before, filled = filled, np.where(mask, predict(filled), true)
        change = float(np.abs(filled - before)[mask].mean())
        rows.append((iteration, mean_absolute_error(true, filled, mask), change))
    return pd.DataFrame(rows, columns=["iteration", "mae", "mean_change"])


def first_stable_iteration(errors: pd.Series, margin: float = 0.01) -> float:
    """Return the iteration from which on the error stays where it ends.

    Parameters
    ----------
    errors : Series
        Error by iteration, in the order of the iterations.
    margin : float
        Deviation from the last error that counts as staying, as a share of it.

    Returns
    -------
    float
        The label of the first iteration from which on no error is further away than that; NaN if
        an error is NaN or infinite, since numbers that ran away are not stable.

    Examples
    --------
    >>> first_stable_iteration(pd.Series([0.9, 0.6, 0.501, 0.5, 0.5], index=[0, 1, 2, 3, 4]))
    2.0
    """
    if not np.isfinite(errors).all():
        return float("nan")
    last = errors.iloc[-1]
    away = np.flatnonzero(np.abs(errors - last) > margin * last)
    return float(errors.index[away[-1] + 1 if len(away) else 0])
