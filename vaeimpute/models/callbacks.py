"""What happens beside the training loop: measuring, stopping early, showing how far it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from tqdm import tqdm

from vaeimpute.models.vae import Reconstructor, iterate

if TYPE_CHECKING:
    from vaeimpute.models.training import Run


class Callback:
    """Something to do before the first epoch, after each, and at the end of a training run."""

    def identity(self) -> dict[str, tuple]:
        """Return what makes a run with this callback another run: tensors and plain values."""
        return {}

    def start(self, run: Run) -> None:
        """Look at a run before its first epoch."""

    def after_epoch(self, run: Run) -> None:
        """Look at a run after an epoch, whose row is the last of the history."""

    def stops(self, run: Run) -> bool:
        """Return whether there should be no more epochs."""
        return False

    def end(self, run: Run) -> None:
        """Look at a run that is complete, was interrupted or has failed."""


@dataclass(frozen=True, eq=False)
class Validation(Callback):
    """Measure the imputation error on rows that are not trained on, and stop when it stays.

    It adds ``validation_error`` to the history.

    Attributes
    ----------
    data : Tensor of shape (n_samples, n_features)
        Standardised as the training rows are; NaN means missing.
    hidden : boolean Tensor of shape (n_samples, n_features)
        Entries to impute and to compare; none of them is missing in `data`.
    n_iterations : int
        Iterations of encoding and decoding.
    patience : int, optional
        Stop after so many epochs without a smaller error. By default, never.
    restore_best : bool
        At the end, take the weights of the epoch with the smallest error.

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
    patience: int | None = None
    restore_best: bool = False

    def __post_init__(self) -> None:
        known = self.data.shape == self.hidden.shape and not self.data[self.hidden].isnan().any()
        if not known or not self.hidden.any():
            raise ValueError(
                "Expected hidden as a mask of the shape of data, with at least one True, all of "
                "them at values that data has."
            )

    def error(self, model: Reconstructor) -> float:
        """Return the mean absolute error over the hidden entries, starting from the mean."""
        device = next(model.parameters()).device
        data, hidden = self.data.to(device), self.hidden.to(device)
        observed = ~(hidden | torch.isnan(data))
        guess = torch.where(observed, data, 0.0)
        *_, filled = iterate(model.reconstruct, guess, observed, self.n_iterations)
        return float((filled - data)[hidden].abs().mean())

    def identity(self) -> dict[str, tuple]:
        """Return the rows and the settings."""
        settings = self.n_iterations, self.patience, self.restore_best
        return {"validation": (self.data, self.hidden, *settings)}

    def after_epoch(self, run: Run) -> None:
        """Measure the error, and remember the best epoch."""
        row = run.history[-1]
        row["validation_error"] = error = self.error(run.model)
        if error < run.best_error:
            run.best_epoch, run.best_error = int(row["epoch"]), error
            if self.restore_best:
                weights = run.optimizer.weights.items()
                run.best_weights = {name: weight.detach().clone() for name, weight in weights}

    def stops(self, run: Run) -> bool:
        """Return whether the error has not become smaller for too long."""
        return self.patience is not None and len(run.history) - run.best_epoch >= self.patience

    def end(self, run: Run) -> None:
        """Restore the weights of the best epoch, if they are wanted."""
        run.optimizer.set_weights(run.best_weights)


@dataclass(frozen=True, eq=False)
class Snapshots(Callback):
    """Keep the weights that a model has after some of its epochs.

    Attributes
    ----------
    epochs : collection of int
    weights : dict of int to dict
        By epoch, what `load_state_dict` of the model takes.

    Examples
    --------
    >>> from vaeimpute.models import Autoencoder, train
    >>> snapshots = Snapshots([1, 3])
    >>> model = Autoencoder(3, hidden_sizes=(), latent_dim=1)
    >>> history = train(model, torch.ones(4, 3), n_epochs=3, callbacks=[snapshots])
    >>> list(snapshots.weights)
    [1, 3]
    """

    epochs: Collection[int]
    weights: dict[int, dict[str, Tensor]] = field(default_factory=dict)

    def after_epoch(self, run: Run) -> None:
        """Copy the weights, in float32, if the epoch is one of those."""
        if len(run.history) in self.epochs:
            weights = run.optimizer.weights.items()
            self.weights[len(run.history)] = {name: w.detach().clone() for name, w in weights}


class ProgressBar(Callback):
    """Show a bar with the loss, the validation error and the time left."""

    _bar: tqdm | None = None

    def start(self, run: Run) -> None:
        """Draw the bar, from where the run is gone on from."""
        self._bar = tqdm(
            total=run.settings["n_epochs"], initial=len(run.history), desc="training", unit="epoch"
        )

    def after_epoch(self, run: Run) -> None:
        """Move the bar."""
        if self._bar is not None:
            row = run.history[-1]
            shown = [name for name in ("loss", "validation_error") if name in row]
            self._bar.update()
            self._bar.set_postfix({name: f"{row[name]:.4g}" for name in shown})

    def end(self, run: Run) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()
