"""Iterations that are watched: those that run away are stopped where what they do is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vaeimpute.models.vae import iterate

# What moves less than this in an iteration, in standard deviations, stands still.
_STILL = 0.01
# By how much what is observed may be restored worse than in the first iteration.
_WORSE = 2.0


class Settled(NamedTuple):
    """Where the iterations of every row end.

    Attributes
    ----------
    filled : Tensor of shape (n_samples, n_features)
    encoded : Tensor of shape (n_samples, n_features)
        What to encode for the distribution around `filled`: that itself or, in a row that ran away,
        the values that `filled` is the reconstruction of.
    ran_away : boolean Tensor of shape (n_samples,)
    """

    filled: Tensor
    encoded: Tensor
    ran_away: Tensor


def settle(
    predict: Callable[[Tensor], Tensor],
    guess: Tensor,
    observed: Tensor,
    n_iterations: int,
    *,
    watched: bool = True,
) -> Settled:
    """Impute as `vaeimpute.models.iterate` does, but stop the rows that run away.

    A row runs away if an iteration moves its missing values further than the one before, or if in
    the last one its observed values are restored worse than by their means and more than twice as
    badly as in the first. Such a row starts anew from the mean, which is what a network sees in the
    place of missing values while it learns, and stops before the first iteration that would move it
    further than the one before, or restore its observed values worse.

    Parameters
    ----------
    predict, guess, observed, n_iterations
        As for `iterate`; values are in standard deviations from the mean.
    watched : bool
        False if `predict` draws something new every time, so that nothing has to settle: no row is
        stopped then.

    Returns
    -------
    Settled
        Rows that do not run away are, to the last bit, what `iterate` ends with.

    Notes
    -----
    Close to its fixed point, an iteration multiplies the distance to it by the spectral radius of
    its Jacobian (`vaeimpute.evaluation.spectral_radius`). Rows in which the radius exceeds 1 have
    no end that more, or shorter, steps would reach: with a factor of 1 + r, steps of a share t of
    their length have one of 1 + tr.

    Examples
    --------
    >>> guess, observed = torch.tensor([[2.0, 0.0]]), torch.tensor([[True, False]])
    >>> def along(factor):
    ...     return lambda x: x.mean(dim=1, keepdim=True) * torch.tensor([[1.0, factor]])
    >>> settle(along(0.5), guess, observed, 9).filled  # x = (2 + x) / 4
    tensor([[2.0000, 0.6667]])
    >>> settle(along(8.0), guess, observed, 9)  # x = 4 (2 + x) moves by 8, then by 32
    Settled(filled=tensor([[2., 8.]]), encoded=tensor([[2., 0.]]), ran_away=tensor([True]))
    """
    filled, steps, misses = guess, [], []
    for iteration in _watched(predict, guess, observed, n_iterations):
        filled = iteration[0]
        steps.append(iteration[1])
        misses.append(iteration[2])
    moves = torch.stack(steps)
    still = _STILL * (~observed).sum(dim=1).sqrt()
    ran_away = ((moves[1:] > moves[:-1]) & (moves[1:] > still)).any(dim=0)
    ran_away |= (misses[-1] > _norm(guess, observed)) & (misses[-1] > _WORSE * misses[0])
    ran_away |= ~torch.isfinite(moves).all(dim=0)
    ran_away &= watched
    if not ran_away.any():
        return Settled(filled, filled, ran_away)
    filled, encoded = filled.clone(), filled.clone()
    filled[ran_away], encoded[ran_away] = _while_it_settles(
        predict, torch.where(observed, guess, 0.0)[ran_away], observed[ran_away], n_iterations
    )
    return Settled(filled, encoded, ran_away)


def _while_it_settles(
    predict: Callable[[Tensor], Tensor], start: Tensor, observed: Tensor, n_iterations: int
) -> tuple[Tensor, Tensor]:
    """Return the last values before a row would run away, and those of which they are restored."""
    filled, encoded, before = start, start, start
    last_step, last_miss = torch.full((2, len(start)), math.inf, device=start.device)
    going_on = torch.ones(len(start), dtype=torch.bool, device=start.device)
    for after, step, miss in _watched(predict, start, observed, n_iterations):
        going_on = going_on & (step <= last_step) & (miss <= last_miss)
        filled = torch.where(going_on[:, None], after, filled)
        encoded = torch.where(going_on[:, None], before, encoded)
        before, last_step, last_miss = after, step, miss
    return filled, encoded


def _watched(
    predict: Callable[[Tensor], Tensor], guess: Tensor, observed: Tensor, n_iterations: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield the filled rows, how far they moved, and how badly the observed were restored."""
    misses: list[Tensor] = []

    def restore(x: Tensor) -> Tensor:
        restored = predict(x)
        misses.append(_norm(restored - guess, observed))
        return restored

    before = guess
    for filled in iterate(restore, guess, observed, n_iterations):
        yield filled, _norm(filled - before, ~observed), misses[-1]
        before = filled


def _norm(x: Tensor, where: Tensor) -> Tensor:
    return torch.where(where, x, 0.0).norm(dim=1)
