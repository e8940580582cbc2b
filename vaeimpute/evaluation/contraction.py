"""Whether iterating a function over the missing entries of a row settles or runs away."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # torch takes a second to import, and the other numbers do without
    from torch import Tensor


def spectral_radius(
    predict: Callable[[Tensor], Tensor],
    filled: Tensor,
    missing: Tensor,
    *,
    n_steps: int = 20,
    seed: int = 0,
) -> np.ndarray:
    """Measure by what factor a pass of imputation multiplies small errors in the missing entries.

    A pass replaces the missing entries of a row by ``predict(row)``. Close to where the passes
    settle it acts like a matrix, the Jacobian from missing entries to missing entries. The largest
    absolute value of its eigenvalues, its spectral radius, is the factor by which one pass
    multiplies a small error after many passes: below 1 it shrinks and the iteration converges,
    above 1 it grows.

    Parameters
    ----------
    predict : callable
        Restores rows, each on its own: `Reconstructor.reconstruct` of a model.
    filled : Tensor of shape (n_samples, n_features)
        Where to measure: rows that were imputed with many passes.
    missing : boolean Tensor of shape (n_samples, n_features)
    n_steps : int
        Steps of the power iteration. The estimate is the mean growth, in logarithms, over the
        second half of them: a pair of complex eigenvalues makes single steps go up and down.
    seed : int
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
    generator = torch.Generator().manual_seed(seed)
    direction = torch.randn(filled.shape, generator=generator).to(filled) * missing
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
