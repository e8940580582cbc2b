"""Training on several devices of one machine, through Lightning Fabric."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor, nn

from vaeimpute.exceptions import CheckpointError, TrainingError, import_optional
from vaeimpute.models.callbacks import ProgressBar
from vaeimpute.models.checkpoint import Checkpoint, read_tensors, write_tensors
from vaeimpute.models.training import train
from vaeimpute.models.vae import LossTerms, Reconstructor

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def train_on_devices(
    model: Reconstructor,
    data: Tensor,
    *,
    n_devices: int,
    accelerator: str = "auto",
    generator: torch.Generator | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Fit a model as `train` does, with the rows of each batch shared among several devices.

    One process per device computes the gradient of its share, and all take the same step. The
    result is that of one device up to rounding, since order and noise are drawn for whole batches.

    Parameters
    ----------
    model : Reconstructor
        On the CPU; left there with the trained weights.
    data : Tensor of shape (n_samples, n_features)
    n_devices : int
    accelerator : {"auto", "cpu", "cuda"}
        On "cpu", processes take the place of devices.
    generator : torch.Generator, optional
    **settings
        The others of `train`.

    Returns
    -------
    DataFrame
        As from `train`.

    Raises
    ------
    ModuleNotFoundError
        If Lightning Fabric is not installed.
    TrainingError, CheckpointError
        As from `train`.

    Notes
    -----
    The processes import the program that calls this, so a script has to do it below
    ``if __name__ == "__main__":``. An interrupt ends them all; what was learnt since the last
    checkpoint is lost.
    """
    lightning = import_optional("lightning_fabric", "Training on several devices", "devices")
    fabric = lightning.Fabric(accelerator=accelerator, devices=n_devices, strategy="ddp_spawn")
    state = None if generator is None else generator.get_state()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trained.safetensors"
        # Fabric goes through the arguments of what it launches to copy the model for each process;
        # it stumbles over the frozen ones, which are bound here.
        work = partial(_train_in_process, data=data, state=state, path=path, settings=settings)
        failure = fabric.launch(work, model)
        if failure is not None:
            raise failure
        tensors, header = read_tensors(path)
    if generator is not None:
        generator.set_state(tensors.pop("random"))
    model.load_state_dict(tensors)
    model.eval()
    return pd.DataFrame(header["history"])


def _train_in_process(
    fabric: Fabric,
    model: Reconstructor,
    *,
    data: Tensor,
    state: Tensor | None,
    path: Path,
    settings: dict[str, Any],
) -> TrainingError | CheckpointError | None:
    """Train, and have the first process leave what came of it in a file.

    Only what is small may be returned: Fabric waits for the processes to end before it reads from
    them, and a process that returns more than a pipe holds (64 kB) waits for it to read.
    """
    generator = None
    if state is not None:
        generator = torch.Generator()
        generator.set_state(state)
    if not fabric.is_global_zero:  # one bar, and one writer of checkpoints
        settings["callbacks"] = [
            replace(callback, seconds=math.inf) if isinstance(callback, Checkpoint) else callback
            for callback in settings.get("callbacks", ())
            if not isinstance(callback, ProgressBar)
        ]
    _share_loss(model, fabric)
    try:
        history = train(model, data, generator=generator, device=fabric.device, **settings)
    except (TrainingError, CheckpointError) as error:  # every process gets it
        return error
    if fabric.is_global_zero:
        tensors = {name: weight.cpu() for name, weight in model.state_dict().items()}
        if generator is not None:
            tensors["random"] = generator.get_state()
        write_tensors(path, tensors, {"history": history.to_dict("list")})
    return None


def _share_loss(model: Reconstructor, fabric: Fabric) -> None:
    """Have each process compute the loss of its share of the rows of a batch.

    The values are sums over all rows. Their gradients are those of the process's share, times the
    number of processes, of which Fabric takes the mean: that of the whole batch.
    """
    model.forward = model.loss  # what Fabric wraps
    wrapped: list[nn.Module] = []

    def loss(x: Tensor, observed: Tensor, noise: Sequence[Tensor]) -> LossTerms:
        if not wrapped:  # only now are the weights in the precision of the training
            wrapped.append(fabric.setup_module(model))
        n, rank = fabric.world_size, fabric.global_rank
        x, observed, *noise = (rows.tensor_split(n)[rank] for rows in (x, observed, *noise))
        sums = n * torch.stack([term.sum() for term in wrapped[0](x, observed, noise)])
        of_all: Any = fabric.all_reduce(sums.detach(), reduce_op="mean")
        return LossTerms(*(sums + (of_all - sums.detach())))

    model.loss = loss  # type: ignore[method-assign]
