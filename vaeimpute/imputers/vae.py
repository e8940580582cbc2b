"""Iterative imputation with a variational autoencoder, as a scikit-learn estimator."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from vaeimpute.imputers._base import BaseImputer


class VAEImputer(BaseImputer):
    """Fill missing values by encoding and decoding each row a few times.

    Missing entries start from a guess. Then each pass encodes the row, decodes the mean of the
    latent distribution, and replaces the missing entries by what was decoded; observed entries
    stay. The defaults are the paper's network and training.

    Parameters
    ----------
    hidden_sizes : tuple of int
        Widths of the encoder's hidden layers, from the input inwards; the decoder mirrors them.
    latent_dim : int
    beta : float
        Weight of the divergence term; 1 is the VAE, other values the beta-VAE.
    n_epochs, batch_size : int
    learning_rate : float
    n_iterations : int
        Passes of encoding and decoding per imputation.
    init : {"random", "mean"}
        What missing entries start from: draws from a standard normal (the paper's text) or the
        training mean (the authors' code), in standard deviations of the training rows.
    device : str
        ``"auto"`` takes a GPU if torch finds one, else the CPU. Otherwise a torch device.
    progress : bool
        Show a bar while training.
    random_state : int, RandomState instance or None
        Decides the initial weights, the order of the rows, the noise and the initial guess. The
        same integer gives the same result on the same machine.

    Attributes
    ----------
    model_ : VariationalAutoencoder
    history_ : DataFrame
        Loss terms per epoch.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, sections "Variational autoencoder" and "Model parameters and
    hyper-parameters tuning".

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 20))
    >>> imputer = VAEImputer(hidden_sizes=(32,), latent_dim=4, learning_rate=1e-3, random_state=0)
    >>> X[0, 3] = np.nan
    >>> bool(np.isfinite(imputer.fit_transform(X)).all())
    True
    """

    def __init__(
        self,
        *,
        hidden_sizes=(6000, 2000),
        latent_dim=200,
        beta=1.0,
        n_epochs=250,
        batch_size=250,
        learning_rate=5e-5,
        n_iterations=3,
        init="random",
        device="auto",
        progress=False,
        random_state=None,
    ):
        self.hidden_sizes = hidden_sizes
        self.latent_dim = latent_dim
        self.beta = beta
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.n_iterations = n_iterations
        self.init = init
        self.device = device
        self.progress = progress
        self.random_state = random_state

    standardize = True  # not a choice: the likelihood and the initial guess assume it

    def _fit(self, X: np.ndarray) -> None:
        import torch  # takes a second, and the other imputers do without

        from vaeimpute.models import VariationalAutoencoder, train

        self._check_parameters()
        rng = check_random_state(self.random_state)
        training, self._guess_seed = (int(s) for s in rng.randint(2**31 - 1, size=2))
        generator = torch.Generator().manual_seed(training)
        self.model_ = VariationalAutoencoder(
            X.shape[1],
            hidden_sizes=self.hidden_sizes,
            latent_dim=self.latent_dim,
            beta=self.beta,
            generator=generator,
        )
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
        import torch

        device = next(self.model_.parameters()).device
        if self.init == "mean":
            guess = np.zeros_like(X)
        else:
            guess = np.random.default_rng(self._guess_seed).standard_normal(X.shape)
        observed = torch.from_numpy(~missing).to(device)
        known = torch.from_numpy(np.nan_to_num(X)).float().to(device)
        filled = torch.where(observed, known, torch.from_numpy(guess).float().to(device))
        with torch.inference_mode():
            for _ in range(self.n_iterations):
                filled = torch.where(observed, known, self.model_.reconstruct(filled)[0])
        return filled.cpu().numpy().astype(X.dtype)

    def _check_parameters(self) -> None:
        for name in ("latent_dim", "n_epochs", "batch_size", "n_iterations"):
            check_scalar(getattr(self, name), name, Integral, min_val=1)
        for size in self.hidden_sizes:
            check_scalar(size, "hidden_sizes", Integral, min_val=1)
        check_scalar(self.learning_rate, "learning_rate", Real, min_val=0)
        check_scalar(self.beta, "beta", Real, min_val=0)
        if self.init not in ("random", "mean"):
            raise ValueError(f"Expected init 'random' or 'mean' but got {self.init!r}.")


def _find_device(device: str) -> str:
    import torch

    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
