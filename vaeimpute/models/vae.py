"""The variational autoencoder of the paper, its loss written as in the paper's equations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

# Bounds of the log-variances of z and X. Without a lower one for X, the likelihood of a feature
# that is reproduced exactly has no bound, and training runs off to it. Without an upper one, a bad
# step overflows the exponential. In standardised data they stand for standard deviations of 0.05
# and 150, far outside of what a fitted model needs.
_LOG_VARIANCE = (-6.0, 10.0)


class LossTerms(NamedTuple):
    """The two terms of the loss, each a mean over the samples of a batch, and their sum."""

    total: Tensor
    reconstruction: Tensor
    divergence: Tensor


class VariationalAutoencoder(nn.Module):
    """A VAE with Gaussian likelihood; with beta other than 1, the beta-VAE of eq. 5.

    Parameters
    ----------
    n_features : int
    hidden_sizes : sequence of int
        Widths from the input towards the latent layer; the decoder mirrors them.
        The paper's network is ``(6000, 2000)`` with `latent_dim` 200.
    latent_dim : int
    beta : float
        Weight of the divergence term (eq. 5); 1 is the VAE, 0 leaves the reconstruction term alone.
    generator : torch.Generator, optional
        Source of the initial weights.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, sections "Variational autoencoder" and "beta-VAE".
    Kingma, Welling 2013, arXiv:1312.6114.

    Examples
    --------
    >>> model = VariationalAutoencoder(50, hidden_sizes=(20,), latent_dim=4)
    >>> mean, scale = model.decode(torch.zeros(3, 4))
    >>> mean.shape, bool((scale > 0).all())
    (torch.Size([3, 50]), True)
    """

    def __init__(
        self,
        n_features: int,
        *,
        hidden_sizes: Sequence[int] = (6000, 2000),
        latent_dim: int = 200,
        beta: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.beta = beta
        inwards = [n_features, *hidden_sizes]
        self.encoder = _relu_layers(inwards)
        self.latent_mean = _empty_linear(inwards[-1], latent_dim)
        self.latent_log_variance = _empty_linear(inwards[-1], latent_dim)
        outwards = [latent_dim, *reversed(hidden_sizes)]
        self.decoder = _relu_layers(outwards)
        self.output_mean = _empty_linear(outwards[-1], n_features)
        self.output_log_variance = _empty_linear(outwards[-1], n_features)
        _initialize(self, generator)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of Q(z|X), both of shape (n_samples, latent_dim)."""
        hidden = self.encoder(x)
        return self.latent_mean(hidden), self.latent_log_variance(hidden).clamp(
            max=_LOG_VARIANCE[1]
        )

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of P(X|z), both of shape (n_samples, n_features)."""
        hidden = self.decoder(z)
        log_variance = self.output_log_variance(hidden).clamp(*_LOG_VARIANCE)
        return self.output_mean(hidden), torch.exp(0.5 * log_variance)

    def reconstruct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode, decode the mean of z, and return mean and standard deviation of X."""
        return self.decode(self.encode(x)[0])

    def loss(self, x: Tensor, observed: Tensor, generator: torch.Generator | None) -> LossTerms:
        """Loss of a batch: ``-E[log P(X|z)] + beta * D[Q(z|X) || P(z)]`` (eq. 5).

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Standardised values; what stands at missing entries is fed to the encoder.
        observed : boolean Tensor of shape (n_samples, n_features)
            Only these entries count in the reconstruction term.
        generator : torch.Generator, optional
            Source of the noise of eq. 9.

        Returns
        -------
        LossTerms
        """
        mean, log_variance = self.encode(x)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        z = mean + torch.exp(0.5 * log_variance) * noise  # eq. 9
        reconstruction = gaussian_nll(x, *self.decode(z))
        reconstruction = torch.where(observed, reconstruction, 0.0).sum(dim=1).mean()
        divergence = kl_to_standard_normal(mean, log_variance).mean()
        return LossTerms(reconstruction + self.beta * divergence, reconstruction, divergence)


def gaussian_nll(x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Negative log-density of a normal distribution, entry by entry.

    Examples
    --------
    >>> gaussian_nll(torch.tensor(0.0), torch.tensor(0.0), torch.tensor(1.0))
    tensor(0.9189)
    """
    return 0.5 * ((x - mean) / scale).square() + scale.log() + 0.5 * math.log(2 * math.pi)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """``D[N(mean, exp(log_variance)) || N(0, I)]`` in nats, summed over the latent dimensions.

    Parameters
    ----------
    mean, log_variance : Tensor of shape (n_samples, latent_dim)

    Returns
    -------
    Tensor of shape (n_samples,)

    Examples
    --------
    >>> kl_to_standard_normal(torch.ones(1, 2), torch.zeros(1, 2))
    tensor([1.])
    """
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1.0).sum(dim=1)


def _relu_layers(sizes: Sequence[int]) -> nn.Sequential:
    layers = [(_empty_linear(before, after), nn.ReLU()) for before, after in pairwise(sizes)]
    return nn.Sequential(*(part for layer in layers for part in layer))


def _empty_linear(n_inputs: int, n_outputs: int) -> nn.Linear:
    # Weights are drawn afterwards, from our own generator: torch's constructors only know the
    # global one, and drawing 334 million numbers twice takes seconds.
    return nn.utils.skip_init(nn.Linear, n_inputs, n_outputs)


def _initialize(model: nn.Module, generator: torch.Generator | None) -> None:
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight, generator=generator)
            nn.init.zeros_(module.bias)
