"""The deterministic autoencoder of the paper's eq. 7, and its denoising variant."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vaeimpute.models.base import LossTerms, Reconstructor
from vaeimpute.models.layers import empty_linear, initialize, relu_layers


class Autoencoder(Reconstructor):
    """An autoencoder without probabilities; with input noise, the denoising autoencoder.

    Parameters
    ----------
    n_features : int
    hidden_sizes : sequence of int
        Widths from the input towards the latent layer; the decoder mirrors them.
    latent_dim : int
    masking_noise : float
        Share of the inputs that are set to 0, the mean, anew in every batch.
    gaussian_noise : float
        Standard deviation of the noise added to the inputs, in those of the data.
    generator : torch.Generator, optional
        Source of the initial weights.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, eq. 7. Vincent et al. 2010, JMLR 11:3371-3408 (input noise).

    Examples
    --------
    >>> model = Autoencoder(50, hidden_sizes=(20,), latent_dim=4)
    >>> model.reconstruct(torch.zeros(3, 50)).shape
    torch.Size([3, 50])
    """

    def __init__(
        self,
        n_features: int,
        *,
        hidden_sizes: Sequence[int] = (6000, 2000),
        latent_dim: int = 200,
        masking_noise: float = 0.0,
        gaussian_noise: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.masking_noise = masking_noise
        self.gaussian_noise = gaussian_noise
        inwards = [n_features, *hidden_sizes]
        self.encoder = relu_layers(inwards)
        self.latent = empty_linear(inwards[-1], latent_dim)
        outwards = [latent_dim, *reversed(hidden_sizes)]
        self.decoder = relu_layers(outwards)
        self.output = empty_linear(outwards[-1], n_features)
        initialize(self, generator)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Encode and decode; returns a Tensor of the shape of `x`."""
        return self.output(self.decoder(self.latent(self.encoder(x))))

    def loss(self, x: Tensor, observed: Tensor, generator: torch.Generator | None) -> LossTerms:
        """Loss of a batch: ``||X - X'||^2`` (eq. 7) over the observed entries; no divergence."""
        difference = self.reconstruct(self.corrupt(x, generator)) - x
        error = torch.where(observed, difference.square(), 0.0).sum(dim=1).mean()
        return LossTerms(error, error, torch.zeros_like(error))

    def corrupt(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return the inputs with the model's noise."""
        if self.gaussian_noise:
            noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
            x = x + self.gaussian_noise * noise
        if self.masking_noise:
            kept = torch.rand(x.shape, generator=generator, device=x.device) >= self.masking_noise
            x = x * kept
        return x
