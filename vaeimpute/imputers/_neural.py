"""Training and iterative imputation, the same for every autoencoder."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import copy
from itertools import pairwise
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import StrOptions

from vaeimpute.exceptions import DivergenceWarning
from vaeimpute.imputers._backend import find_device
from vaeimpute.imputers._base import COUNT, BaseImputer, Number
from vaeimpute.imputers._moments import Scaler
from vaeimpute.missingness import hide
from vaeimpute.seeding import generator

if TYPE_CHECKING:  # torch takes a second to import, and the other imputers do without
    import torch

    from vaeimpute.models import Callback, Reconstructor, Settled

_HIDDEN = 0.1  # of the entries of the validation rows
_WEIGHTS = "model."  # prefix of the arrays in a saved file

NOT_NEGATIVE = Number(Real, 0, None, closed="left")
SHARE = Number(Real, 0, 1, closed="left")


class NeuralImputer(BaseImputer):
    """Base of the imputers that encode and decode: a subclass says which model, by `_build`."""

    standardize = True  # not a choice: the models and the initial guess assume it
    drop_last = sample_posterior = False  # choices of the VAE, whose authors' code has them
    _learnt: ClassVar[dict[str, str]] = {"_guess_seed": "", "_trust": "k", "_widening": "k"}
    _tables: tuple[str, ...] = ("history_",)  # attributes that a saved file holds, too
    _parameter_constraints = BaseImputer._parameter_constraints | {
        "hidden_sizes": [tuple, list],
        "latent_dim": [COUNT],
        "n_epochs": [COUNT],
        "batch_size": [COUNT],
        "learning_rate": [Number(Real, 0, None, closed="neither")],
        "precision": [StrOptions({"auto", "float32", "bfloat16"})],
        "validation_fraction": [SHARE],
        "patience": [COUNT, None],
        "n_iterations": [COUNT],
        "init": [StrOptions({"random", "mean"})],
        "n_devices": [COUNT],
    }
    _keep_checkpoint = False  # of a training that is only a part of a fit, until that is complete
    _callbacks: tuple[Callback, ...] = ()  # what else is to happen while it trains
    _scaler: Scaler
    model_: Reconstructor
    # Of rows that settle and of those that run away: the share of the way from the mean that they
    # go, and how many times as large as the model's their standard deviations are.
    _trust = _widening = np.ones(2)

    def _build(self, n_features: int, generator: torch.Generator) -> Reconstructor:
        raise NotImplementedError

    def _fit(self, X: np.ndarray) -> None:
        self._trust, self._widening = np.ones((2, 2))
        self._train(X)
        self._is_fitted = True  # and stays so if what follows is interrupted
        gappy = np.isnan(X).any(axis=1)
        if gappy.any() and self._settle(X[gappy], np.isnan(X[gappy])).ran_away.any():
            self._learn_trust(X)

    def _train(self, X: np.ndarray) -> None:
        import torch

        from vaeimpute.exceptions import TrainingInterrupted
        from vaeimpute.models import Checkpoint, ProgressBar, train, train_on_devices

        device = find_device(self.device)
        rows, *validation = self._hold_out(torch.from_numpy(X).float())
        callbacks: list[Callback] = [*validation, *self._callbacks]
        if self.checkpoint is not None:
            callbacks.append(Checkpoint(self.checkpoint, keep=self._keep_checkpoint))
        if self.progress:
            callbacks.append(ProgressBar())
        self._guess_seed = int(self._generator("initial guess").integers(2**32))
        seed = int(self._generator("training").integers(2**32))
        generator = torch.Generator().manual_seed(seed)
        self.model_ = self._build(X.shape[1], generator)
        settings: dict[str, Any] = {"generator": generator, "callbacks": callbacks} | {
            name: getattr(self, name)
            for name in ("n_epochs", "batch_size", "drop_last", "learning_rate", "precision")
        }
        try:
            if self.n_devices > 1:
                settings |= {"n_devices": self.n_devices, "accelerator": device.partition(":")[0]}
                self.history_ = train_on_devices(self.model_, rows, **settings)
                self.model_.to(device)
            else:
                self.history_ = train(self.model_, rows, device=device, **settings)
        except TrainingInterrupted as interruption:
            # What was learnt until then can be used; whoever called hears of the interrupt.
            self.history_ = interruption.history
            self._is_fitted = True
            raise
        finally:
            if torch.cuda.is_initialized():
                torch.cuda.empty_cache()  # gradients and moments: others may need the memory

    def _learn_trust(self, X: np.ndarray) -> None:
        """Find out what the imputation of rows that run away is worth, on hidden values.

        A model of its own learns without a tenth of the values, and restores them in the rows that
        run away.
        """
        trial = copy(self)
        trial.checkpoint = None
        hidden = hide(~np.isnan(X), _HIDDEN, self._generator("trust"))
        kept = np.where(hidden, np.nan, X)
        trial._train(kept)
        settled = trial._settle(kept, np.isnan(kept))
        filled, std = settled.filled.cpu().double().numpy(), trial._model_std(settled.encoded)
        for group, rows in enumerate((~settled.ran_away, settled.ran_away)):
            among = hidden & rows.cpu().numpy()[:, None]
            ours, true = filled[among], X[among]
            # Rows that settle are only touched where they are worse than the mean, which is 0.
            if not ours.any() or (group == 0 and np.sum((ours - true) ** 2) <= np.sum(true**2)):
                continue
            self._trust[group] = np.clip(ours @ true / (ours @ ours), 0.0, 1.0)  # least squares
            if std is not None:
                error = self._trust[group] * ours - true
                self._widening[group] = np.sqrt(np.mean(np.square(error / std[among])))

    def _model_std(self, encoded: torch.Tensor) -> np.ndarray | None:
        """Return the standard deviations that the model states, if it does."""
        return None

    def _hold_out(self, X: torch.Tensor) -> tuple:
        """Return the rows to train on and, if some are held out, what to validate with."""
        import torch

        from vaeimpute.models import Validation

        if not self.validation_fraction:
            return (X,)
        rng = self._generator("validation")
        order = rng.permutation(len(X))
        n_held_out = round(self.validation_fraction * len(X))
        held_out, rows = X[order[:n_held_out]], X[order[n_held_out:]]
        hidden = torch.from_numpy(hide(~held_out.isnan().numpy(), _HIDDEN, rng))
        if not hidden.any():
            raise ValueError(
                f"validation_fraction={self.validation_fraction:g} of {len(X)} rows leaves "
                "no value to hide for validation: choose another share, or 0."
            )
        settings = self.n_iterations, self.patience, self.restore_best
        return rows, Validation(held_out, hidden, *settings)

    def _check_rows(self, n_rows: int) -> None:
        """Refuse a share of validation rows that leaves none on either side."""
        n_held_out = round(self.validation_fraction * n_rows)
        if self.validation_fraction and not 0 < n_held_out < n_rows:
            raise ValueError(
                f"validation_fraction={self.validation_fraction:g} of {n_rows} rows leaves "
                f"{n_rows - n_held_out} for training and {n_held_out} for validation. Both need "
                "some: choose another share, or 0."
            )

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        filled, ran_away = self._predictions(X, missing)
        trusted, stopped = self._trust
        if ran_away.any() or trusted < 1:
            settled = trusted < 1 and not ran_away.all()
            others = f", and {trusted:.2g} of it in the others" if settled else ""
            share = missing[ran_away].mean() if ran_away.any() else missing.mean()
            warnings.warn(
                f"The iterations of {type(self).__name__} run away instead of settling in "
                f"{ran_away.sum()} of {len(X)} rows; {share:.0%} of the values are missing there. "
                f"It imputes these as from the means of the features, and goes {stopped:.2g} of "
                f"the way from the means{others}, which is best on hidden values of the training "
                "rows. Another method may do better.",
                DivergenceWarning,
                stacklevel=4,  # of transform, which scikit-learn wraps
            )
        return filled.astype(X.dtype)

    def _predictions(self, X: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return rows with predictions for the missing entries, and which rows ran away."""
        settled = self._settle(X, missing)
        ran_away = settled.ran_away.cpu().numpy()
        trust = self._trust[ran_away.astype(int)].astype(np.float32)
        return settled.filled.cpu().numpy() * trust[:, None], ran_away

    def _settle(self, X: np.ndarray, missing: np.ndarray) -> Settled:
        """Iterate, and start anew from the mean where that runs away."""
        from vaeimpute.models import settle

        start = self._start(X, missing)
        return settle(self._predict, *start, self.n_iterations, watched=not self.sample_posterior)

    def _start(self, X: np.ndarray, missing: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the rows with a guess at the missing entries, and which of them are observed."""
        import torch

        device = next(self.model_.parameters()).device
        guess = np.zeros(X.shape)
        if self.init == "random":
            guess = generator(self._guess_seed).standard_normal(X.shape)
        start = torch.from_numpy(np.where(missing, guess, X)).float().to(device)
        return start, torch.from_numpy(~missing).to(device)

    @property
    def _predict(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """What encodes and decodes in the iterations of one call."""
        return self.model_.reconstruct

    def follow_iterations(self, X, n_iterations: int = 10) -> pd.DataFrame:
        """Measure by how much the missing entries still move in each iteration.

        Rows that run away are followed to wherever they go; `transform` stops them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.
        n_iterations : int
            How many to follow, whatever `n_iterations` of the imputer is.

        Returns
        -------
        DataFrame
            One row per iteration from the second on: ``iteration``, ``mean_change`` and
            ``max_change`` of the missing entries since the one before, in standard deviations of
            the training rows.
        """
        from vaeimpute.models import iterate

        X = self._validate(X)
        missing = np.isnan(X)
        if not missing.any():
            raise ValueError("No entry of X is missing, so there is nothing to follow.")
        iterations = iterate(self._predict, *self._start(self._scale(X), missing), n_iterations)
        filled = [one.cpu().numpy()[missing] for one in iterations]
        changes = [np.abs(after - before) for before, after in pairwise(filled)]
        rows = [(k, float(x.mean()), float(x.max())) for k, x in enumerate(changes, start=2)]
        return pd.DataFrame(rows, columns=["iteration", "mean_change", "max_change"])

    def _n_weights(self, n_features: int) -> int:
        widths = (n_features, *self.hidden_sizes, self.latent_dim)
        # Encoder, decoder and a second head of the decoder.
        return 2 * sum(a * b for a, b in pairwise(widths)) + n_features * widths[1]

    def _operations(self, n_samples: int, n_features: int) -> tuple[float, float]:
        rows = self.n_epochs * n_samples
        steps = rows / min(self.batch_size, n_samples)
        weights = self._n_weights(n_features)
        # Forwards and twice backwards, in float32; each step moves all weights, and takes a
        # millisecond or two whatever it does.
        return 3.0 * rows * weights, steps * (2.0 * weights + 1.5e6)

    def _bytes_to_fit(self, n_samples: int, n_features: int) -> int:
        # Each weight in float32 with a gradient, two moments and a copy in passing.
        n_weights = self._n_weights(n_features)
        return super()._bytes_to_fit(n_samples, n_features) + 5 * 4 * n_weights

    def _to_arrays(self) -> tuple[dict[str, np.ndarray], dict]:
        arrays, _ = super()._to_arrays()
        for name, weight in self.model_.state_dict().items():
            arrays[_WEIGHTS + name] = weight.cpu().numpy()
        tables = {name: getattr(self, name) for name in self._tables if hasattr(self, name)}
        for name, table in tables.items():
            arrays |= {f"{name}.{column}": values.to_numpy() for column, values in table.items()}
        return arrays, {
            "epochs": len(self.history_),
            "final_loss": float(self.history_["loss"].iloc[-1]),
            "tables": {name: list(table) for name, table in tables.items()},
        }

    def _from_arrays(self, arrays: dict[str, np.ndarray], summary: dict) -> None:
        import torch

        super()._from_arrays(arrays, summary)
        self.model_ = self._build(self._n_known, torch.Generator())
        self.model_.load_state_dict({
            name.removeprefix(_WEIGHTS): torch.from_numpy(array)
            for name, array in arrays.items()
            if name.startswith(_WEIGHTS)
        })  # fmt: skip
        self.model_.to(find_device(self.device)).eval()
        for name in self._tables:
            if name in summary["tables"]:
                columns = summary["tables"][name]
                setattr(self, name, pd.DataFrame({c: arrays[f"{name}.{c}"] for c in columns}))

    def _check_parameters(self) -> None:
        super()._check_parameters()
        find_device(self.device)
        for size in self.hidden_sizes:
            if not COUNT.is_satisfied_by(size):
                raise ValueError(f"Expected hidden_sizes as integers above 0 but got {size!r}.")
        if not self.validation_fraction and (self.patience is not None or self.restore_best):
            raise ValueError(
                "patience and restore_best need validation rows: set validation_fraction, "
                "to 0.2 for example."
            )
        if self.checkpoint is not None and not isinstance(self.random_state, Integral):
            raise ValueError(
                f"checkpoint needs random_state as an integer but it is {self.random_state!r}: "
                "only then can the same run be gone on from."
            )
