"""Iterative imputation with a deterministic or denoising autoencoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaeimpute.imputers._neural import NOT_NEGATIVE, SHARE, NeuralImputer

if TYPE_CHECKING:
    import torch

    from vaeimpute.models import Autoencoder


class AutoencoderImputer(NeuralImputer):
    """Fill missing values with an autoencoder that has no probabilities in it.

    The paper reports that its iterations do not converge (claim C40 in `vaeimpute.claims`, tested
    by ``benchmarks/autoencoder_convergence.py``), and takes that as evidence that the noise in the
    latent layer is what makes the variational one work. With noise on the input it is the denoising
    autoencoder.

    Parameters
    ----------
    hidden_sizes : tuple of int
        Widths of the encoder's hidden layers, from the input inwards; the decoder mirrors them.
    latent_dim : int
    masking_noise : float
        Share of the inputs that are set to the mean while training; the others are enlarged by as
        much as makes up for it.
    gaussian_noise : float
        Standard deviation of the noise added to the inputs while training, in those of the data.
    n_epochs, batch_size : int
    learning_rate : float
    precision : {"auto", "float32", "bfloat16"}
        Of the matrix products while training; weights are kept and imputations made in float32.
        "auto" takes bfloat16, which is two to three times as fast, for networks of more than 50
        million weights where the hardware multiplies it.
    validation_fraction : float
        Share of the training rows that the model does not learn from. A tenth of their values is
        hidden, and the error of imputing these is measured after every epoch.
    patience : int, optional
        Stop after so many epochs in which that error has not become smaller.
    restore_best : bool
        At the end, take the weights of the epoch in which that error was smallest.
    checkpoint : str or path, optional
        File to which the state of training is written every ten minutes. If training is killed,
        the same call goes on from there, and ends with the weights that it would have had. Every
        imputer needs a file of its own, and `random_state` as an integer.
    n_iterations : int
        Iterations of encoding and decoding per imputation. Rows that run away instead of
        settling, as happens where most values are missing, are stopped, with a `DivergenceWarning`;
        how is told at `vaeimpute.models.settle`. If training rows run away, a second model, which
        does not see a tenth of the values, says how far such rows go from the mean.
    init : {"random", "mean"}
        What missing entries start from, as in `VAEImputer`.
    device : str
        As in `VAEImputer`.
    n_devices : int
        Share every batch among so many GPUs, or processes on the CPU, of this machine. Needs the
        extra ``vaeimpute[devices]``.
    progress : bool
        Show a bar while training.
    random_state : int, Generator or None
    missing_values, add_indicator, keep_empty_features, min_value, max_value
        As in scikit-learn's imputers; see `BaseImputer`.

    Attributes
    ----------
    model_ : Autoencoder
    history_ : DataFrame
        Loss per epoch, and the validation error if there are validation rows.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, sections "beta-VAE" (eq. 7) and "beta-VAE and deterministic
    autoencoder".

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 20))
    >>> X[0, 3] = np.nan
    >>> imputer = AutoencoderImputer(
    ...     hidden_sizes=(32,), latent_dim=4, learning_rate=1e-3, masking_noise=0.2, random_state=0
    ... )
    >>> bool(np.isfinite(imputer.fit_transform(X)).all())
    True
    """

    _parameter_constraints = NeuralImputer._parameter_constraints | {
        "masking_noise": [SHARE],
        "gaussian_noise": [NOT_NEGATIVE],
    }

    def __init__(
        self,
        *,
        hidden_sizes=(6000, 2000),
        latent_dim=200,
        masking_noise=0.0,
        gaussian_noise=0.0,
        n_epochs=250,
        batch_size=250,
        learning_rate=5e-5,
        precision="auto",
        validation_fraction=0.0,
        patience=None,
        restore_best=False,
        checkpoint=None,
        n_iterations=3,
        init="random",
        device="auto",
        n_devices=1,
        progress=False,
        random_state=None,
        missing_values=np.nan,
        add_indicator=False,
        keep_empty_features=False,
        min_value=-np.inf,
        max_value=np.inf,
    ):
        super().__init__(
            missing_values=missing_values,
            add_indicator=add_indicator,
            keep_empty_features=keep_empty_features,
            min_value=min_value,
            max_value=max_value,
        )
        self.hidden_sizes = hidden_sizes
        self.latent_dim = latent_dim
        self.masking_noise = masking_noise
        self.gaussian_noise = gaussian_noise
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.precision = precision
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.restore_best = restore_best
        self.checkpoint = checkpoint
        self.n_iterations = n_iterations
        self.init = init
        self.device = device
        self.n_devices = n_devices
        self.progress = progress
        self.random_state = random_state

    def _build(self, n_features: int, generator: torch.Generator) -> Autoencoder:
        from vaeimpute.models import Autoencoder

        return Autoencoder(
            n_features,
            hidden_sizes=self.hidden_sizes,
            latent_dim=self.latent_dim,
            masking_noise=self.masking_noise,
            gaussian_noise=self.gaussian_noise,
            generator=generator,
        )
