"""Training on several devices of one machine, through Lightning Fabric."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import torch
from torch import Tensor

from vaeimpute.exceptions import CheckpointError, TrainingError
from vaeimpute.models.network import Reconstructor
from vaeimpute.models.training import Training, Validation, train

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def train_on_devices(
    model: Reconstructor,
    data: Tensor,
    training: Training,
    *,
    n_devices: int,
    accelerator: str = "auto",
    validation: Validation | None = None,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Fit a model as `train` does, with the rows of each batch shared among several devices.

    One process per device computes the gradient of its share, and all take the same step. The
    result is that of one device up to rounding, since order and noise are drawn for whole batches.

    Parameters
    ----------
    model : Reconstructor
        On the CPU; left there with the trained weights.
    data : Tensor of shape (n_samples, n_features)
    training : Training
    n_devices : int
    accelerator : {"auto", "cpu", "cuda"}
        On "cpu", processes take the place of devices.
    validation : Validation, optional
    generator : torch.Generator, optional
    progress : bool

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
    try:
        from lightning_fabric import Fabric  # takes seconds, so only when it is needed
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "Training on several devices needs Lightning Fabric: pip install 'vaeimpute[devices]'."
        ) from error
    fabric = Fabric(accelerator=accelerator, devices=n_devices, strategy="ddp_spawn")
    state = None if generator is None else generator.get_state()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trained.pt"
        # Fabric goes through the arguments of what it launches to copy the model for each process;
        # it stumbles over the frozen ones, which are bound here.
        work = partial(
            _train_in_process, data=data, training=training, validation=validation, state=state,
            progress=progress, path=path,
        )  # fmt: skip
        failure = fabric.launch(work, model)
        if failure is not None:
            raise failure
        history, weights, state = torch.load(path, weights_only=True)
    model.load_state_dict(weights)
    model.eval()
    if generator is not None:
        generator.set_state(state)
    return pd.DataFrame(history)


def _train_in_process(
    fabric: Fabric,
    model: Reconstructor,
    *,
    data: Tensor,
    training: Training,
    validation: Validation | None,
    state: Tensor | None,
    progress: bool,
    path: Path,
) -> TrainingError | CheckpointError | None:
    """Train, and have the first process leave what came of it in a file.

    Only what is small may be returned: Fabric waits for the processes to end before it reads from
    them, and a process that returns more than a pipe holds (64 kB) waits for it to read.
    """
    generator = None
    if state is not None:
        generator = torch.Generator()
        generator.set_state(state)
    try:
        history = train(
            model, data, training, validation=validation, generator=generator,
            device=fabric.device, progress=progress, fabric=fabric,
        )  # fmt: skip
    except (TrainingError, CheckpointError) as error:  # every process gets it
        return error
    if fabric.is_global_zero:
        weights = {name: weight.cpu() for name, weight in model.state_dict().items()}
        state = None if generator is None else generator.get_state()
        torch.save((history.to_dict("list"), weights, state), path)
    return None
