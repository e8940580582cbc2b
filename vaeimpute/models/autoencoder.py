"""The deterministic autoencoder of the paper's eq. 7, and its denoising variant."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vaeimpute.models.vae import LossTerms, Reconstructor, linear, mask_inputs, relu_layers


class Autoencoder(Reconstructor):
    """An autoencoder without probabilities; with input noise, the denoising autoencoder.

    Parameters
    ----------
    n_features : int
    hidden_sizes : sequence of int
        Widths from the input towards the latent layer; the decoder mirrors them.
    latent_dim : int
    masking_noise : float
        Share of the inputs that are set to 0, the mean, anew in every batch. The others are
        enlarged by as much as makes up for it, since nothing is masked when the model imputes.
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
        inwards, outwards = [n_features, *hidden_sizes], [latent_dim, *reversed(hidden_sizes)]
        self.encoder = relu_layers(inwards, generator)
        self.latent = linear(inwards[-1], latent_dim, generator)
        self.decoder = relu_layers(outwards, generator)
        self.output = linear(outwards[-1], n_features, generator)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Encode and decode; returns a Tensor of the shape of `x`."""
        x = x.to(self.output.weight.dtype)
        return self.output(self.decoder(self.latent(self.encoder(x)))).float()

    def draw_noise(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """Draw normal noise to add, and the inputs to keep; a kind that is off is left out."""
        noise: list[Tensor] = []
        if self.gaussian_noise:
            noise.append(torch.randn(x.shape, generator=generator, device=x.device))
        if self.masking_noise:
            draws = torch.rand(x.shape, generator=generator, device=x.device)
            noise.append(draws >= self.masking_noise)
        return tuple(noise)

    def corrupt(self, x: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """Return the inputs with the noise that was drawn for them."""
        for part in noise:
            if part.dtype == torch.bool:
                x = mask_inputs(x, part, self.masking_noise)
            else:
                x = x + self.gaussian_noise * part
        return x

    def loss(self, x: Tensor, observed: Tensor, noise: Sequence[Tensor]) -> LossTerms:
        """Loss of every row: ``||X - X'||^2`` (eq. 7) over the observed entries; no divergence."""
        difference = self.reconstruct(self.corrupt(x, noise)) - x
        error = torch.where(observed, difference.square(), 0.0).sum(dim=1)
        return LossTerms(error, error, torch.zeros_like(error))

    def extra_repr(self) -> str:
        """Name the settings that no layer shows."""
        return f"masking_noise={self.masking_noise}, gaussian_noise={self.gaussian_noise}"
