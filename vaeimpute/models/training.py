"""The training loop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from vaeimpute.models.base import Reconstructor

# Far above the gradient norms of healthy training on standardised data: it only catches the spikes
# of the first batches, which otherwise throw large networks into NaN at high learning rates.
_MAX_GRADIENT_NORM = 1e4


class TrainingError(RuntimeError):
    """Training cannot go on; the message says where it stopped and what to try."""


def train(
    model: Reconstructor,
    data: Tensor,
    *,
    n_epochs: int,
    batch_size: int,
    learning_rate: float,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
    progress: bool = False,
) -> pd.DataFrame:
    """Fit a model to the rows of a matrix with Adam.

    Parameters
    ----------
    model : Reconstructor
        Moved to `device` and left there.
    data : Tensor of shape (n_samples, n_features)
        Standardised values. NaN means missing: such entries enter as 0, the mean, and do not
        count in the loss.
    n_epochs, batch_size : int
    learning_rate : float
    generator : torch.Generator, optional
        On the CPU. Decides the order of the rows and the noise.
    device : torch.device or str
    progress : bool
        Show a bar with the loss and the time left.

    Returns
    -------
    DataFrame
        One row per epoch: ``epoch``, ``loss``, ``reconstruction``, ``divergence``, each a mean over
        the samples.

    Raises
    ------
    TrainingError
        If the loss is not finite; the message names the epoch and the batch.
    """
    model.to(device).train()
    observed = ~torch.isnan(data)
    filled = torch.nan_to_num(data, nan=0.0)
    filled, observed = filled.to(device), observed.to(device)
    noise = _generator_on(device, generator)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    history = []
    bar = tqdm(range(1, n_epochs + 1), desc="training", unit="epoch", disable=not progress)
    for epoch in bar:
        order = torch.randperm(len(filled), generator=generator).to(device)
        sums = np.zeros(3)
        for number, batch in enumerate(order.split(batch_size), start=1):
            terms = model.loss(filled[batch], observed[batch], noise)
            optimizer.zero_grad(set_to_none=True)
            terms.total.backward()
            nn.utils.clip_grad_norm_(model.parameters(), _MAX_GRADIENT_NORM)
            values = torch.stack(terms).tolist()
            if not np.isfinite(values[0]):
                raise TrainingError(
                    f"The loss became {values[0]} in epoch {epoch}, batch {number}. Try a lower "
                    f"learning_rate (it is {learning_rate:g}), and check that the input is "
                    "standardised and has no extreme values."
                )
            optimizer.step()
            sums += np.multiply(values, len(batch))
        history.append((epoch, *(sums / len(filled))))
        bar.set_postfix(loss=f"{history[-1][1]:.4g}")
    model.eval()
    return pd.DataFrame(history, columns=["epoch", "loss", "reconstruction", "divergence"])


def _generator_on(
    device: torch.device | str, generator: torch.Generator | None
) -> torch.Generator | None:
    """Return a generator that lives on the device and is seeded from the one on the CPU."""
    device = torch.device(device)
    if generator is None or device.type == "cpu":
        return generator
    seed = int(torch.randint(2**62, (1,), generator=generator))
    return torch.Generator(device).manual_seed(seed)
