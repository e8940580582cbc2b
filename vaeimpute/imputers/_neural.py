"""Training and iterative imputation, the same for every autoencoder."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from vaeimpute.imputers._backend import find_device
from vaeimpute.imputers._base import BaseImputer, check_number

if TYPE_CHECKING:  # torch takes a second to import, and the other imputers do without
    import torch

    from vaeimpute.models import Reconstructor, Validation


_TRAINING = (
    "n_epochs", "batch_size", "learning_rate", "precision", "patience", "restore_best",
    "checkpoint",
)  # fmt: skip
_HIDDEN = 0.1  # of the entries of the validation rows
_WEIGHTS, _HISTORY = "model.", "history."  # prefixes of the arrays in a saved file


class NeuralImputer(BaseImputer):
    """Base of the imputers that encode and decode: a subclass says which model, by `_build`."""

    standardize = True  # not a choice: the models and the initial guess assume it
    _scaler: StandardScaler
    model_: Reconstructor

    def _build(self, n_features: int, generator: torch.Generator) -> Reconstructor:
        raise NotImplementedError

    def _fit(self, X: np.ndarray) -> None:
        import torch

        from vaeimpute.exceptions import TrainingInterrupted
        from vaeimpute.models import Training, train, train_on_devices

        self._check_parameters()
        rng = check_random_state(self.random_state)
        training_seed, self._guess_seed = (int(s) for s in rng.randint(2**31 - 1, size=2))
        training = Training(**{name: getattr(self, name) for name in _TRAINING})
        rows, validation = self._hold_out(torch.from_numpy(X).float(), rng)
        generator = torch.Generator().manual_seed(training_seed)
        self.model_ = self._build(X.shape[1], generator)
        common = {"validation": validation, "generator": generator, "progress": self.progress}
        device = find_device(self.device)
        try:
            if self.n_devices > 1:
                kind = device.partition(":")[0]
                self.history_ = train_on_devices(
                    self.model_, rows, training, n_devices=self.n_devices, accelerator=kind,
                    **common,
                )  # fmt: skip
                self.model_.to(device)
            else:
                self.history_ = train(self.model_, rows, training, device=device, **common)
        except TrainingInterrupted as interruption:
            # What was learnt until then can be used; whoever called hears of the interrupt.
            self.history_ = interruption.history
            self._is_fitted = True
            raise

    def _hold_out(
        self, X: torch.Tensor, rng: np.random.RandomState
    ) -> tuple[torch.Tensor, Validation | None]:
        """Split off validation rows and hide a tenth of what they have."""
        import torch

        from vaeimpute.models import Validation

        n_held_out = round(self.validation_fraction * len(X))
        if not self.validation_fraction:
            return X, None
        if not 0 < n_held_out < len(X):
            raise ValueError(
                f"validation_fraction={self.validation_fraction:g} of {len(X)} rows leaves "
                f"{n_held_out} for validation and {len(X) - n_held_out} for training; both need "
                "at least one."
            )
        order = torch.from_numpy(rng.permutation(len(X)))
        held_out = X[order[:n_held_out]]
        draws = torch.from_numpy(rng.uniform(size=held_out.shape))
        draws[torch.isnan(held_out)] = 2.0
        if (draws == 2.0).all():
            raise ValueError(
                f"validation_fraction={self.validation_fraction:g} holds {n_held_out} of {len(X)} "
                "rows out, and these have no values to validate on. Drop such rows, or set it to 0."
            )
        hidden = draws < max(_HIDDEN, float(draws.min()) + 1e-12)  # at least one
        return X[order[n_held_out:]], Validation(held_out, hidden, self.n_iterations)

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        filled = deque(self._passes(X, missing, self.n_iterations), maxlen=1).pop()
        return filled.cpu().numpy().astype(X.dtype)

    def _passes(
        self, X: np.ndarray, missing: np.ndarray, n_iterations: int
    ) -> Iterator[torch.Tensor]:
        """Yield the filled matrix after every pass of encoding and decoding."""
        import torch

        from vaeimpute.models import passes

        device = next(self.model_.parameters()).device
        if self.init == "mean":
            guess = np.zeros_like(X)
        else:
            guess = np.random.default_rng(self._guess_seed).standard_normal(X.shape)
        start = torch.from_numpy(np.where(missing, guess, X)).float().to(device)
        observed = torch.from_numpy(~missing).to(device)
        return passes(self._predict, start, observed, n_iterations)

    def _predict(self, x: torch.Tensor) -> torch.Tensor:
        """Encode and decode."""
        return self.model_.reconstruct(x)

    def follow_iterations(self, X, n_iterations: int = 10) -> pd.DataFrame:
        """Measure by how much the missing entries still move in each pass.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.
        n_iterations : int
            Passes to follow, whatever `n_iterations` of the imputer is.

        Returns
        -------
        DataFrame
            One row per pass from the second on: ``iteration``, ``mean_change`` and ``max_change``
            of the missing entries since the pass before, in standard deviations of the training
            rows.
        """
        X = self._validate(X)
        missing = np.isnan(X)
        if not missing.any():
            raise ValueError("No entry of X is missing, so there is nothing to follow.")
        rows, before = [], None
        for iteration, filled in enumerate(self._passes(self._scale(X), missing, n_iterations), 1):
            now = filled.cpu().numpy()[missing]
            if before is not None:
                change = np.abs(now - before)
                rows.append((iteration, float(change.mean()), float(change.max())))
            before = now
        return pd.DataFrame(rows, columns=["iteration", "mean_change", "max_change"])

    def _bytes_to_fit(self, n_samples: int, n_features: int) -> int:
        widths = (n_features, *self.hidden_sizes, self.latent_dim)
        n_weights = sum(a * b for a, b in pairwise(widths))
        # Encoder, decoder and a second head of the decoder; each weight in float32 with a gradient,
        # two moments and a copy in passing.
        n_weights = 2 * n_weights + n_features * widths[1]
        return super()._bytes_to_fit(n_samples, n_features) + 5 * 4 * n_weights

    def _to_arrays(self) -> tuple[dict[str, np.ndarray], dict]:
        check_is_fitted(self)
        arrays = {
            _WEIGHTS + name: weight.cpu().numpy()
            for name, weight in self.model_.state_dict().items()
        }
        history = {_HISTORY + name: column.to_numpy() for name, column in self.history_.items()}
        summary = {
            "guess_seed": self._guess_seed,
            "epochs": len(self.history_),
            "history": list(self.history_),
            "final_loss": float(self.history_["loss"].iloc[-1]),
        }
        return arrays | history, summary

    def _from_arrays(self, arrays: dict[str, np.ndarray], summary: dict) -> None:
        import torch

        weights = {
            name.removeprefix(_WEIGHTS): torch.from_numpy(array)
            for name, array in arrays.items()
            if name.startswith(_WEIGHTS)
        }
        self._guess_seed = summary["guess_seed"]
        self.model_ = self._build(self.n_features_in_, torch.Generator())
        self.model_.load_state_dict(weights)
        self.model_.to(find_device(self.device)).eval()
        self.history_ = pd.DataFrame({name: arrays[_HISTORY + name] for name in summary["history"]})

    def _check_parameters(self) -> None:
        for name in ("latent_dim", "n_epochs", "batch_size", "n_iterations", "n_devices"):
            check_number(getattr(self, name), name, Integral, min_val=1)
        if self.patience is not None:
            check_number(self.patience, "patience", Integral, min_val=1)
        check_number(
            self.validation_fraction, "validation_fraction", Real, min_val=0, max_val=1,
            include_boundaries="left",
        )  # fmt: skip
        if not self.validation_fraction and (self.patience is not None or self.restore_best):
            raise ValueError(
                "patience and restore_best need validation rows: set validation_fraction, "
                "to 0.2 for example."
            )
        if isinstance(self.hidden_sizes, Integral):
            raise TypeError(
                f"Expected hidden_sizes as a tuple of widths but got {self.hidden_sizes}; for one "
                f"hidden layer, write ({self.hidden_sizes},)."
            )
        for size in self.hidden_sizes:
            check_number(size, "hidden_sizes", Integral, min_val=1)
        check_number(
            self.learning_rate, "learning_rate", Real, min_val=0, include_boundaries="neither"
        )
        if self.checkpoint is not None and not isinstance(self.random_state, Integral):
            raise ValueError(
                f"checkpoint needs random_state as an integer but it is {self.random_state!r}: "
                "only then can the same run be gone on from."
            )
        if self.init not in ("random", "mean"):
            raise ValueError(f"Expected init 'random' or 'mean' but got {self.init!r}.")
