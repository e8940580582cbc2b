"""The training loop, the same for all models; what happens beside it is in `callbacks`."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vaeimpute.exceptions import TrainingError, TrainingInterrupted
from vaeimpute.models.callbacks import Callback
from vaeimpute.models.optimizer import Optimizer, Precision, choose_precision
from vaeimpute.models.vae import Reconstructor

# Far above the gradient norms of healthy training on standardised data: it only catches the spikes
# of the first batches, which otherwise throw large networks into NaN at high learning rates.
_MAX_GRADIENT_NORM = 1e4


@dataclass
class Run:
    """A training run between two epochs, for callbacks to look at and to change.

    Attributes
    ----------
    model : Reconstructor
    optimizer : Optimizer
        Holds the float32 weights.
    filled : Tensor of shape (n_samples, n_features)
        The training rows, with 0 for what is missing.
    observed : boolean Tensor of shape (n_samples, n_features)
    settings : dict
        ``n_epochs``, ``batch_size``, ``drop_last``, ``learning_rate`` and ``precision``.
    generators : tuple of two torch.Generator or None
        For the order of the rows, on the CPU, and for the noise, on the device.
    callbacks : sequence of Callback
    history : list of dict
        What was measured, by epoch.
    best_epoch, best_error, best_weights
        Of the smallest validation error so far; the weights only if they are wanted.
    """

    model: Reconstructor
    optimizer: Optimizer
    filled: Tensor
    observed: Tensor
    settings: dict
    generators: tuple[torch.Generator | None, torch.Generator | None]
    callbacks: Sequence[Callback]
    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_error: float = math.inf
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether all epochs are over, or a callback wants no more."""
        stopped = any(callback.stops(self) for callback in self.callbacks)
        return stopped or len(self.history) >= self.settings["n_epochs"]


def train(
    model: Reconstructor,
    data: Tensor,
    *,
    n_epochs: int = 250,
    batch_size: int = 250,
    drop_last: bool = False,
    learning_rate: float = 5e-5,
    precision: Precision | Literal["auto"] = "auto",
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
    callbacks: Sequence[Callback] = (),
) -> pd.DataFrame:
    """Fit a model to the rows of a matrix with Adam.

    Parameters
    ----------
    model : Reconstructor
        Moved to `device` and left there, in float32.
    data : Tensor of shape (n_samples, n_features)
        Standardised values. NaN means missing: such entries enter as 0, the mean, and do not
        count in the loss.
    n_epochs, batch_size : int
    drop_last : bool
        Take full batches only, as the authors' code does: an epoch is then ``n_samples //
        batch_size`` of them, each drawn from all rows anew, so that a row may come in several or
        in none. By default, the rows are brought in a new order and cut into batches, of which the
        last may be smaller.
    learning_rate : float
        Step size of Adam.
    precision : {"auto", "float32", "bfloat16"}
        Of the matrix products; see `vaeimpute.models.optimizer`. "auto" takes bfloat16 for large
        models on hardware that multiplies it.
    generator : torch.Generator, optional
        On the CPU. Decides the order of the rows and the noise.
    device : torch.device or str
    callbacks : sequence of Callback
        What else happens after every epoch, in this order: `Validation`, `Checkpoint`,
        `ProgressBar`.

    Returns
    -------
    DataFrame
        One row per epoch: ``epoch``, ``loss``, ``reconstruction``, ``divergence``, each a mean over
        the samples, and what callbacks add.

    Raises
    ------
    TrainingError
        If the loss or its gradient is not finite; the message names the epoch and the batch.
    TrainingInterrupted
        At Ctrl-C after the first epoch. The model keeps its weights, or gets those that a callback
        restores.

    Examples
    --------
    >>> from vaeimpute.models import Autoencoder
    >>> model = Autoencoder(3, hidden_sizes=(), latent_dim=1)
    >>> train(model, torch.ones(8, 3), n_epochs=2)["epoch"].tolist()
    [1, 2]
    """
    if n_epochs < 1 or batch_size < 1 or not 0 < learning_rate < math.inf:
        raise ValueError(
            "Expected n_epochs and batch_size of 1 or more, and a finite learning_rate above 0, "
            f"but got {n_epochs}, {batch_size} and {learning_rate}."
        )
    if drop_last and len(data) < batch_size:
        raise ValueError(
            f"With drop_last, {len(data)} training rows fill no batch of {batch_size}: nothing "
            "would be learnt. Take a smaller batch_size, or leave drop_last out."
        )
    if precision not in ("auto", "float32", "bfloat16"):
        raise ValueError(
            f"Expected precision 'float32', 'bfloat16' or 'auto' but got {precision!r}."
        )
    if precision == "auto":
        precision = choose_precision(model, device)
    model.to(device)
    run = Run(
        model,
        Optimizer(model, learning_rate=learning_rate, precision=precision),
        filled=torch.nan_to_num(data, nan=0.0).to(device),
        observed=~torch.isnan(data).to(device),
        settings={
            "n_epochs": operator.index(n_epochs),
            "batch_size": operator.index(batch_size),  # torch does not take numpy's integers
            "drop_last": bool(drop_last),
            "learning_rate": float(learning_rate),
            "precision": precision,
        },
        generators=(generator, _generator_on(device, generator)),
        callbacks=callbacks,
    )
    model.train()
    try:
        for callback in callbacks:
            callback.start(run)
        while not run.is_complete:
            run.history.append(_train_epoch(run))
            for callback in callbacks:
                callback.after_epoch(run)
    except KeyboardInterrupt:
        if not run.history:
            raise
        raise TrainingInterrupted(
            f"Training was interrupted in epoch {len(run.history) + 1}.", pd.DataFrame(run.history)
        ) from None
    finally:
        for callback in callbacks:
            callback.end(run)
        run.optimizer.release()
        model.eval()
    return pd.DataFrame(run.history)


def _train_epoch(run: Run) -> dict[str, float]:
    """Take a step for every batch; return the means of the loss terms over the samples."""
    epoch, n_samples = len(run.history) + 1, 0
    order_generator, noise_generator = run.generators
    sums = np.zeros(3)
    for number, rows in enumerate(_batches(run, order_generator), start=1):
        batch = rows.to(run.filled.device)
        x = run.filled[batch]
        noise = run.model.draw_noise(x, noise_generator)
        terms = run.model.loss(x, run.observed[batch], noise)
        (terms.total.sum() / len(batch)).backward()
        norm = run.optimizer.clip(_MAX_GRADIENT_NORM)
        batch_sums = torch.stack([term.detach().sum() for term in terms]).cpu().double().numpy()
        problem = (
            f"loss became {batch_sums[0] / len(batch)}" if not np.isfinite(batch_sums[0])
            else "gradient is not finite" if not torch.isfinite(norm)
            else None
        )  # fmt: skip
        if problem:
            raise TrainingError(
                f"The {problem} in epoch {epoch}, batch {number}. Try a lower learning_rate (it is "
                f"{run.settings['learning_rate']:g}), and check that the input is standardised and "
                "has no extreme values."
            )
        run.optimizer.step()
        sums += batch_sums
        n_samples += len(batch)
    loss, reconstruction, divergence = (sums / n_samples).tolist()
    return {
        "epoch": epoch, "loss": loss, "reconstruction": reconstruction, "divergence": divergence,
    }  # fmt: skip


def _batches(run: Run, generator: torch.Generator | None) -> Sequence[Tensor]:
    """Draw the rows of the batches of an epoch."""
    n_rows, size = len(run.filled), run.settings["batch_size"]
    if run.settings["drop_last"]:
        n_batches = n_rows // size
        return [torch.randperm(n_rows, generator=generator)[:size] for _ in range(n_batches)]
    return torch.randperm(n_rows, generator=generator).split(size)


def _generator_on(
    device: torch.device | str, generator: torch.Generator | None
) -> torch.Generator | None:
    """Return a generator that lives on the device and is seeded from the one on the CPU."""
    device = torch.device(device)
    if generator is None or device.type == "cpu":
        return generator
    seed = int(torch.randint(2**62, (1,), generator=generator))
    return torch.Generator(device).manual_seed(seed)
