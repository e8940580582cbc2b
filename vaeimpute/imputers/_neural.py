"""Training and iterative imputation, the same for every autoencoder."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted, validate_data

from vaeimpute.imputers._base import BaseImputer

if TYPE_CHECKING:  # torch takes a second to import, and the other imputers do without
    import torch

    from vaeimpute.models import Reconstructor


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

        from vaeimpute.models import train

        self._check_parameters()
        rng = check_random_state(self.random_state)
        training, self._guess_seed = (int(s) for s in rng.randint(2**31 - 1, size=2))
        generator = torch.Generator().manual_seed(training)
        self.model_ = self._build(X.shape[1], generator)
        self.history_ = train(
            self.model_,
            torch.from_numpy(X).float(),
            n_epochs=self.n_epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            generator=generator,
            device=_find_device(self.device),
            progress=self.progress,
        )

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        filled = deque(self._passes(X, missing, self.n_iterations), maxlen=1).pop()
        return filled.cpu().numpy().astype(X.dtype)

    def _passes(
        self, X: np.ndarray, missing: np.ndarray, n_iterations: int
    ) -> Iterator[torch.Tensor]:
        """Yield the filled matrix after every pass of encoding and decoding."""
        import torch

        device = next(self.model_.parameters()).device
        if self.init == "mean":
            guess = np.zeros_like(X)
        else:
            guess = np.random.default_rng(self._guess_seed).standard_normal(X.shape)
        observed = torch.from_numpy(~missing).to(device)
        known = torch.from_numpy(np.nan_to_num(X)).float().to(device)
        filled = torch.where(observed, known, torch.from_numpy(guess).float().to(device))
        for _ in range(n_iterations):
            with torch.inference_mode():
                filled = torch.where(observed, known, self.model_.reconstruct(filled))
            yield filled

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
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
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
        self.model_.to(_find_device(self.device)).eval()
        self.history_ = pd.DataFrame(
            {
                name.removeprefix(_HISTORY): array
                for name, array in sorted(arrays.items())
                if name.startswith(_HISTORY)
            }
        )[["epoch", "loss", "reconstruction", "divergence"]]

    def _check_parameters(self) -> None:
        for name in ("latent_dim", "n_epochs", "batch_size", "n_iterations"):
            check_scalar(getattr(self, name), name, Integral, min_val=1)
        if isinstance(self.hidden_sizes, Integral):
            raise TypeError(
                f"Expected hidden_sizes as a tuple of widths but got {self.hidden_sizes}; for one "
                f"hidden layer, write ({self.hidden_sizes},)."
            )
        for size in self.hidden_sizes:
            check_scalar(size, "hidden_sizes", Integral, min_val=1)
        check_scalar(self.learning_rate, "learning_rate", Real, min_val=0)
        if self.init not in ("random", "mean"):
            raise ValueError(f"Expected init 'random' or 'mean' but got {self.init!r}.")


def _find_device(device: str) -> str:
    import torch

    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
