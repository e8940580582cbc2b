"""The training loop, the same for all models."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from vaeimpute.exceptions import (
    TrainingError,
    TrainingInterrupted,
)
from vaeimpute.models.checkpoint import (
    data_digest,
    prepare_checkpoint,
    write_checkpoint,
)
from vaeimpute.models.network import Reconstructor, passes
from vaeimpute.models.optimizer import Optimizer, Precision, choose_precision

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True, eq=False)
class Validation:
    """What the imputation error is measured on after every epoch.

    Attributes
    ----------
    data : Tensor of shape (n_samples, n_features)
        Standardised as the training rows are; NaN means missing.
    hidden : boolean Tensor of shape (n_samples, n_features)
        Entries to impute and to compare; none of them is missing in `data`.
    n_iterations : int
        Passes of encoding and decoding.

    Examples
    --------
    >>> from vaeimpute.models import Autoencoder
    >>> data, hidden = torch.ones(4, 3), torch.zeros(4, 3, dtype=torch.bool)
    >>> hidden[:, 1] = True
    >>> Validation(data, hidden).error(Autoencoder(3, hidden_sizes=(), latent_dim=1)) >= 0
    True
    """

    data: Tensor
    hidden: Tensor
    n_iterations: int = 3

    def __post_init__(self) -> None:
        if self.data.shape != self.hidden.shape:
            raise ValueError(
                f"Expected data and hidden of one shape but got {tuple(self.data.shape)} and "
                f"{tuple(self.hidden.shape)}."
            )
        if not self.hidden.any():
            raise ValueError("Expected some hidden entries but there is none to measure on.")
        if torch.isnan(self.data[self.hidden]).any():
            raise ValueError("Expected hidden entries that are known but some are missing in data.")

    def to(self, device: torch.device | str) -> Validation:
        """Return the same on another device."""
        return Validation(self.data.to(device), self.hidden.to(device), self.n_iterations)

    def error(self, model: Reconstructor) -> float:
        """Return the mean absolute error over the hidden entries, starting from the mean."""
        observed = ~(self.hidden | torch.isnan(self.data))
        *_, filled = passes(
            model.reconstruct, torch.where(observed, self.data, 0.0), observed, self.n_iterations
        )
        return float((filled - self.data)[self.hidden].abs().mean())


# Far above the gradient norms of healthy training on standardised data: it only catches the spikes
# of the first batches, which otherwise throw large networks into NaN at high learning rates.
_MAX_GRADIENT_NORM = 1e4


@dataclass(frozen=True)
class Training:
    """How a model is trained.

    Attributes
    ----------
    n_epochs, batch_size : int
    learning_rate : float
        Step size of Adam.
    precision : {"float32", "bfloat16", "auto"}
        Of the matrix products; see `vaeimpute.models.optimizer`. "auto" takes bfloat16 for large
        models on hardware that multiplies it.
    patience : int, optional
        Stop after so many epochs without a smaller validation error. By default, never.
    restore_best : bool
        At the end, take the weights of the epoch with the smallest validation error.
    checkpoint : str or Path, optional
        File that the state of the run is written to from time to time. If it is there at the
        start, training goes on from it, to the same weights that it would have reached
        uninterrupted on the same machine. It is deleted when training is complete.
    checkpoint_seconds : float
        Time between two writings, which happen at the end of an epoch.
    """

    n_epochs: int = 250
    batch_size: int = 250
    learning_rate: float = 5e-5
    precision: Precision | Literal["auto"] = "auto"
    patience: int | None = None
    restore_best: bool = False
    checkpoint: str | Path | None = None
    checkpoint_seconds: float = 600.0

    def __post_init__(self) -> None:
        for name in ("n_epochs", "batch_size", "patience"):
            value = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, Integral) or value < 1:
                raise ValueError(f"Expected {name} as an integer of 1 or more but got {value!r}.")
            object.__setattr__(self, name, int(value))  # torch and JSON do not take numpy's
        if not (isinstance(self.learning_rate, Real) and 0 < self.learning_rate < math.inf):
            raise ValueError(
                f"Expected learning_rate as a number above 0 but got {self.learning_rate!r}."
            )
        object.__setattr__(self, "learning_rate", float(self.learning_rate))
        if self.precision not in ("float32", "bfloat16", "auto"):
            raise ValueError(
                f"Expected precision 'float32', 'bfloat16' or 'auto' but got {self.precision!r}."
            )


def train(
    model: Reconstructor,
    data: Tensor,
    training: Training,
    *,
    validation: Validation | None = None,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
    progress: bool = False,
    fabric: Fabric | None = None,
) -> pd.DataFrame:
    """Fit a model to the rows of a matrix with Adam.

    Parameters
    ----------
    model : Reconstructor
        Moved to `device` and left there, in float32.
    data : Tensor of shape (n_samples, n_features)
        Standardised values. NaN means missing: such entries enter as 0, the mean, and do not
        count in the loss.
    training : Training
    validation : Validation, optional
        Measure the imputation error on these rows after every epoch.
    generator : torch.Generator, optional
        On the CPU. Decides the order of the rows and the noise.
    device : torch.device or str
    progress : bool
        Show a bar with the loss and the time left.
    fabric : lightning_fabric.Fabric, optional
        Launched; this process is one of several that share each batch. See
        `vaeimpute.models.train_on_devices`.

    Returns
    -------
    DataFrame
        One row per epoch: ``epoch``, ``loss``, ``reconstruction``, ``divergence``, each a mean over
        the samples, and with `validation` ``validation_error``, the mean absolute error over its
        hidden entries.

    Raises
    ------
    TrainingError
        If the loss or its gradient is not finite; the message names the epoch and the batch.
    TrainingInterrupted
        At Ctrl-C after the first epoch. The model keeps its weights, with `restore_best` those of
        the best epoch.
    CheckpointError
        If there is a checkpoint but of another run, or none can be written there.

    Examples
    --------
    >>> from vaeimpute.models import Autoencoder
    >>> model = Autoencoder(3, hidden_sizes=(), latent_dim=1)
    >>> train(model, torch.ones(8, 3), Training(n_epochs=2))["epoch"].tolist()
    [1, 2]
    """
    if validation is None and (training.patience is not None or training.restore_best):
        raise ValueError("Stopping early and restoring the best weights need validation rows.")
    if generator is None and training.checkpoint is not None:
        raise ValueError(
            "A checkpoint needs a generator: without one, no run can be gone on from, because the "
            "next draws are not known."
        )
    run = _Run(model, data, training, validation, generator, device, fabric)
    bar = tqdm(
        total=training.n_epochs, initial=len(run.history), desc="training", unit="epoch",
        disable=not (progress and run.is_first_process),
    )  # fmt: skip
    model.train()
    try:
        with bar:
            while not run.is_complete:
                run.train_epoch()
                bar.update()
                bar.set_postfix(run.latest)
    except KeyboardInterrupt:
        if not run.history:
            raise
        raise TrainingInterrupted(
            f"Training was interrupted in epoch {len(run.history) + 1}.", run.as_table()
        ) from None
    finally:
        run.release()
        model.eval()
    if run.is_first_process and training.checkpoint is not None:
        Path(training.checkpoint).unlink(missing_ok=True)
    return run.as_table()


@dataclass
class _Best:
    """The epoch with the smallest validation error so far, and its weights if they are wanted."""

    epoch: int = 0
    error: float = np.inf
    weights: dict[str, Tensor] = field(default_factory=dict)


class _Run:
    """A training run between two epochs: all that a checkpoint has to hold."""

    def __init__(
        self,
        model: Reconstructor,
        data: Tensor,
        training: Training,
        validation: Validation | None,
        generator: torch.Generator | None,
        device: torch.device | str,
        fabric: Fabric | None,
    ) -> None:
        precision = (
            choose_precision(model, device) if training.precision == "auto" else training.precision
        )
        self._model = model.to(device)
        self._training = training
        self._validation = None if validation is None else validation.to(device)
        self._order_generator = generator
        self._noise_generator = _generator_on(device, generator)
        self._fabric = fabric
        self._run: dict[str, Any] = {}
        kept = None
        if training.checkpoint is not None:
            # Before anything is changed: it may be refused.
            self._run = self._describe(data, precision, validation)
            kept = prepare_checkpoint(Path(training.checkpoint), self._run)
        self._optimizer = Optimizer(
            model, learning_rate=training.learning_rate, precision=precision
        )
        # In a group of processes, this one averages the gradients of all.
        self._loss = model.loss if fabric is None else _share(model, fabric)
        self._observed = ~torch.isnan(data).to(device)
        self._filled = torch.nan_to_num(data, nan=0.0).to(device)
        self.history: list[dict[str, float]] = []
        self._best = _Best()
        self._written = time.monotonic()
        if kept is not None:
            self._resume(*kept)

    @property
    def is_first_process(self) -> bool:
        return self._fabric is None or self._fabric.is_global_zero

    @property
    def is_complete(self) -> bool:
        epochs, patience = len(self.history), self._training.patience
        stalled = patience is not None and epochs - self._best.epoch >= patience
        return stalled or epochs >= self._training.n_epochs

    @property
    def latest(self) -> dict[str, str]:
        shown = ("loss", "validation_error")
        return {key: f"{self.history[-1][key]:.4g}" for key in shown if key in self.history[-1]}

    def as_table(self) -> pd.DataFrame:
        return pd.DataFrame(self.history)

    def train_epoch(self) -> None:
        epoch = len(self.history) + 1
        order = torch.randperm(len(self._filled), generator=self._order_generator)
        sums = np.zeros(3)
        for number, batch in enumerate(order.split(self._training.batch_size), start=1):
            sums += self._train_batch(batch.to(self._filled.device), f"{epoch}, batch {number}")
        loss, reconstruction, divergence = (sums / len(self._filled)).tolist()
        row = {"epoch": epoch, "loss": loss, "reconstruction": reconstruction,
               "divergence": divergence}  # fmt: skip
        if self._validation is not None:
            row["validation_error"] = error = self._validation.error(self._model)
            if error < self._best.error:
                weights = self._optimizer.weights if self._training.restore_best else {}
                copies = {name: weight.detach().clone() for name, weight in weights.items()}
                self._best = _Best(epoch, error, copies)
        self.history.append(row)
        due = time.monotonic() - self._written >= self._training.checkpoint_seconds
        if self._training.checkpoint is not None and due and self.is_first_process:
            self._write(Path(self._training.checkpoint))
            self._written = time.monotonic()

    def _train_batch(self, batch: Tensor, where: str) -> np.ndarray:
        """Take one step; return the sums of the loss terms over the batch."""
        x = self._filled[batch]
        noise = self._model.draw_noise(x, self._noise_generator)
        mine = [self._part(rows) for rows in (x, self._observed[batch], *noise)]
        terms = self._loss(mine[0], mine[1], mine[2:])
        self._optimizer.clear()
        # Processes average their gradients: each gets its share of the whole batch's mean.
        n_processes = 1 if self._fabric is None else self._fabric.world_size
        loss = terms.total.sum() * (n_processes / len(batch))
        if self._fabric is None:
            loss.backward()
        else:
            self._fabric.backward(loss)
        norm = self._optimizer.clip(_MAX_GRADIENT_NORM)
        sums: Any = torch.stack([term.detach().sum() for term in terms])
        if self._fabric is not None:
            sums = self._fabric.all_reduce(sums, reduce_op="sum")
        sums = sums.cpu().double().numpy()
        problem = (
            f"loss became {sums[0] / len(batch)}" if not np.isfinite(sums[0])
            else "gradient is not finite" if not torch.isfinite(norm)
            else None
        )  # fmt: skip
        if problem:
            raise TrainingError(
                f"The {problem} in epoch {where}. Try a lower learning_rate (it is "
                f"{self._training.learning_rate:g}), and check that the input is standardised and "
                "has no extreme values."
            )
        self._optimizer.step()
        return sums

    def _part(self, rows: Tensor) -> Tensor:
        """Return this process's share of the rows of a batch."""
        if self._fabric is None:
            return rows
        return rows.tensor_split(self._fabric.world_size)[self._fabric.global_rank]

    def release(self) -> None:
        """Leave the model in float32, with the best weights if these are wanted."""
        if self._best.weights:
            self._optimizer.set_weights(self._best.weights)
        self._optimizer.release()

    def _describe(
        self, data: Tensor, precision: str, validation: Validation | None
    ) -> dict[str, Any]:
        """Return what determines the run, by which its checkpoint is recognised."""
        settings = asdict(self._training) | {"precision": precision}
        for name in ("checkpoint", "checkpoint_seconds"):
            del settings[name]
        held_out = () if validation is None else (validation.data, validation.hidden)
        return settings | {
            "model": repr(self._model),
            "initial weights": data_digest(*(p.detach() for p in self._model.parameters())),
            "data": data_digest(data),
            "validation rows": data_digest(*held_out),
            "validation passes": 0 if validation is None else validation.n_iterations,
            "seed": self._random_state()["order"],
        }

    def _random_state(self) -> dict[str, list[int]]:
        states = {"order": self._order_generator, "noise": self._noise_generator}
        return {
            name: generator.get_state().tolist()
            for name, generator in states.items()
            if generator is not None
        }

    def _write(self, path: Path) -> None:
        best = {f"best.{name}": weight for name, weight in self._best.weights.items()}
        header = {
            "run": self._run,
            "history": self.history,
            "best": {"epoch": self._best.epoch, "error": self._best.error},
            "random": self._random_state(),
        }
        write_checkpoint(path, self._optimizer.state() | best, header)

    def _resume(self, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
        self._optimizer.load_state(tensors)
        self.history = header["history"]
        device = self._filled.device
        weights = {  # copies: the tensors are views of the file
            name.removeprefix("best."): tensor.to(device, copy=True)
            for name, tensor in tensors.items()
            if name.startswith("best.")
        }
        self._best = _Best(**header["best"], weights=weights)
        states = {"order": self._order_generator, "noise": self._noise_generator}
        for name, generator in states.items():
            if generator is not None:
                generator.set_state(torch.tensor(header["random"][name], dtype=torch.uint8))


def _share(model: Reconstructor, fabric: Fabric) -> Any:
    """Return the loss of a model whose gradients are averaged over the processes."""
    shared = fabric.setup_module(model)
    shared.mark_forward_method("loss")
    return shared.loss


def _generator_on(
    device: torch.device | str, generator: torch.Generator | None
) -> torch.Generator | None:
    """Return a generator that lives on the device and is seeded from the one on the CPU."""
    device = torch.device(device)
    if generator is None or device.type == "cpu":
        return generator
    seed = int(torch.randint(2**62, (1,), generator=generator))
    return torch.Generator(device).manual_seed(seed)
