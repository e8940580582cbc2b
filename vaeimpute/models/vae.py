"""The variational autoencoder of the paper, to be read at one go.

From top to bottom: the network (encoder, reparameterisation, decoder with a head for the mean and
one for the scale), the loss (eq. 3 and 5), and the iterations that impute with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

Scale = Literal["per feature", "paper", "shared", "fixed"]

# Bounds of the log-variances of z and X. Without a lower one for X, the likelihood of a feature
# that is reproduced exactly has no bound, and training runs off to it. Without an upper one, a bad
# step overflows the exponential. In standardised data they stand for standard deviations of 0.05
# and 150, far outside of what a fitted model needs.
_LOG_VARIANCE = (-6.0, 10.0)


class LossTerms(NamedTuple):
    """The terms of a loss and their sum, each a Tensor of shape (n_samples,)."""

    total: Tensor
    reconstruction: Tensor
    divergence: Tensor


class Reconstructor(nn.Module):
    """A model that restores a row from a few latent numbers: what can be trained and impute.

    Its weights may be in float32 or in bfloat16; inputs and results are in float32 either way.
    """

    def reconstruct(self, x: Tensor) -> Tensor:
        """Encode and decode without noise; returns a Tensor of the shape of `x`."""
        raise NotImplementedError

    def draw_noise(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """Draw the noise that the loss of a batch needs, tensors of as many rows as `x`.

        It is apart from the loss so that it can be drawn for a whole batch where each of several
        processes computes the loss of a part. The generator is on the device of `x`.
        """
        raise NotImplementedError

    def loss(self, x: Tensor, observed: Tensor, noise: Sequence[Tensor]) -> LossTerms:
        """Loss of every row of a batch.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Standardised values; what stands at missing entries is fed to the encoder.
        observed : boolean Tensor of shape (n_samples, n_features)
            Only these entries count in the reconstruction term.
        noise : sequence of Tensor
            From `draw_noise`.

        Returns
        -------
        LossTerms
        """
        raise NotImplementedError


class VariationalAutoencoder(Reconstructor):
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
    scale : {"per feature", "paper", "shared", "fixed"}
        Where the standard deviation of P(X|z) comes from. "per feature": a second head gives the
        logarithm of every variance. "paper": the same head, but its exponential is taken as the
        standard deviation, as in the authors' code; where the loss is least it is the same model.
        "shared": one number for all, learned. "fixed": 1, which makes the reconstruction term half
        the squared error (eq. 8), up to a constant.
    shift : float
        The paper's lambda. With another value than 0, the observed values of the training rows
        are taken to be distributed as N(mu + shift * sigma, sigma), where mu and sigma, which
        `decode` returns, are those of missing values.
    masking_noise : float
        Share of the inputs that are set to 0, the mean, anew in every batch, as a denoising
        autoencoder has it. The others are enlarged by as much as makes up for it.
    generator : torch.Generator, optional
        Source of the initial weights.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, sections "Variational autoencoder", "Variational autoencoder
    imputation with shift correction" and "beta-VAE".
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
        scale: Scale = "per feature",
        shift: float = 0.0,
        masking_noise: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if scale not in ("per feature", "paper", "shared", "fixed"):
            raise ValueError(
                f"Expected scale 'per feature', 'paper', 'shared' or 'fixed' but got {scale!r}."
            )
        self.beta = beta
        self.scale = scale
        self.shift = shift
        self.masking_noise = masking_noise
        inwards, outwards = [n_features, *hidden_sizes], [latent_dim, *reversed(hidden_sizes)]
        self.encoder = relu_layers(inwards, generator)
        self.latent_mean = linear(inwards[-1], latent_dim, generator)
        self.latent_log_variance = linear(inwards[-1], latent_dim, generator)
        self.decoder = relu_layers(outwards, generator)
        self.output_mean = linear(outwards[-1], n_features, generator)
        if scale in ("per feature", "paper"):
            self.output_scale = linear(outwards[-1], n_features, generator)
        elif scale == "shared":
            self.shared_scale = nn.Parameter(torch.zeros(()))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of Q(z|X), both of shape (n_samples, latent_dim)."""
        hidden = self.encoder(x.to(self.output_mean.weight.dtype))
        log_variance = self.latent_log_variance(hidden).float()
        return self.latent_mean(hidden).float(), log_variance.clamp(max=_LOG_VARIANCE[1])

    def decode(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of P(X|z), both of shape (n_samples, n_features)."""
        hidden = self.decoder(z.to(self.output_mean.weight.dtype))
        mean = self.output_mean(hidden).float()
        if self.scale == "fixed":
            return mean, torch.ones_like(mean)
        raw = self.shared_scale if self.scale == "shared" else self.output_scale(hidden)
        log_variance = 2 * raw.float() if self.scale == "paper" else raw.float()
        return mean, torch.exp(0.5 * log_variance.clamp(*_LOG_VARIANCE)).expand_as(mean)

    def reconstruct(self, x: Tensor, shift: float = 0.0, noise: Tensor | None = None) -> Tensor:
        """Encode, decode the mean of z, and return ``mu - shift * sigma`` of P(X|z).

        With `noise`, which is the epsilon of eq. 9, a draw of z takes the place of its mean.

        Where the loss is least, it is what a model that was trained with this `shift` returns: its
        mu + shift * sigma fits what the mu of an ordinary model does.
        """
        z, log_variance = self.encode(x)
        if noise is not None:
            z = z + torch.exp(0.5 * log_variance) * noise
        if shift == 0:  # and no need of the scale
            return self.output_mean(self.decoder(z.to(self.output_mean.weight.dtype))).float()
        mean, scale = self.decode(z)
        return mean - shift * scale

    def draw_noise(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """Draw epsilon of eq. 9, of shape (n_samples, latent_dim), and the inputs to keep."""
        shape = len(x), self.latent_mean.out_features
        epsilon = torch.randn(shape, generator=generator, device=x.device)
        if not self.masking_noise:
            return (epsilon,)
        draws = torch.rand(x.shape, generator=generator, device=x.device)
        return epsilon, draws >= self.masking_noise

    def loss(self, x: Tensor, observed: Tensor, noise: Sequence[Tensor]) -> LossTerms:
        """Loss of every row: ``-E[log P(X|z)] + beta * D[Q(z|X) || P(z)]`` (eq. 5).

        With beta = 1 it is minus the right-hand side of eq. 3, the evidence lower bound (eq. 4).
        The expectation is taken with one draw of z per row.
        """
        epsilon, *kept = noise
        seen = mask_inputs(x, kept[0], self.masking_noise) if kept else x
        mean, log_variance = self.encode(seen)
        z = mean + torch.exp(0.5 * log_variance) * epsilon  # eq. 9
        mean_of_missing, scale = self.decode(z)
        # Adding 0 would go over the whole batch a few times more, forwards and backwards.
        mean_of_observed = mean_of_missing + self.shift * scale if self.shift else mean_of_missing
        nll = gaussian_nll(x, mean_of_observed, scale)
        reconstruction = torch.where(observed, nll, 0.0).sum(dim=1)
        divergence = kl_to_standard_normal(mean, log_variance)
        return LossTerms(reconstruction + self.beta * divergence, reconstruction, divergence)

    def extra_repr(self) -> str:
        """Name the settings that no layer shows."""
        noise = f", masking_noise={self.masking_noise}" if self.masking_noise else ""
        return f"beta={self.beta}, scale={self.scale!r}, shift={self.shift}{noise}"


def mask_inputs(x: Tensor, kept: Tensor, share: float) -> Tensor:
    """Set inputs to 0 but for those that are kept, and enlarge these.

    What a layer adds up from its inputs is then as large, on average, as it is when nothing is
    masked. Without that, a network that has learnt from half of the inputs answers twice too much
    to all of them.

    Parameters
    ----------
    x : Tensor of shape (n_samples, n_features)
    kept : boolean Tensor of shape (n_samples, n_features)
    share : float
        Which is masked.

    Returns
    -------
    Tensor of shape (n_samples, n_features)

    References
    ----------
    Srivastava et al. 2014, JMLR 15:1929-1958, section 10.

    Examples
    --------
    >>> mask_inputs(torch.tensor([3.0, 3.0]), torch.tensor([True, False]), share=0.25)
    tensor([4., 0.])
    """
    return x * kept / (1 - share)


def gaussian_nll(x: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Negative log-density of a normal distribution, entry by entry.

    Examples
    --------
    >>> gaussian_nll(torch.tensor(0.0), torch.tensor(0.0), torch.tensor(1.0))
    tensor(0.9189)
    """
    return 0.5 * ((x - mean) / scale).square() + scale.log() + 0.5 * math.log(2 * math.pi)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence D[Q(z|X) || P(z)], the second term of eq. 3 and 5.

    Q is N(mean, exp(log_variance)) and P is N(0, I); in nats, summed over the latent dimensions.

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


def iterate(
    predict: Callable[[Tensor], Tensor], guess: Tensor, observed: Tensor, n_iterations: int
) -> Iterator[Tensor]:
    """Impute iteratively: encode, decode, replace the missing entries, and again.

    `NeuralImputer._start` of `vaeimpute.imputers` says what the missing entries start from.

    Parameters
    ----------
    predict : callable
        Encodes and decodes: `Reconstructor.reconstruct` of a model.
    guess : Tensor of shape (n_samples, n_features)
        The observed values, and at missing entries what to start from.
    observed : boolean Tensor of shape (n_samples, n_features)
        These entries stay as they are.
    n_iterations : int

    Yields
    ------
    Tensor of shape (n_samples, n_features)
        The filled matrix after each iteration.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, section "Variational autoencoder", last paragraph.
    """
    filled = guess
    for _ in range(n_iterations):
        with torch.inference_mode():
            filled = torch.where(observed, guess, predict(filled))
        yield filled


def relu_layers(sizes: Sequence[int], generator: torch.Generator | None) -> nn.Sequential:
    """Stack linear layers of these widths, each followed by a ReLU.

    Examples
    --------
    >>> layers = relu_layers([50, 20, 4], None)
    >>> [layer.out_features for layer in layers if isinstance(layer, nn.Linear)]
    [20, 4]
    """
    layers = ((linear(*widths, generator), nn.ReLU()) for widths in pairwise(sizes))
    return nn.Sequential(*chain.from_iterable(layers))


def linear(n_inputs: int, n_outputs: int, generator: torch.Generator | None) -> nn.Linear:
    """Make a linear layer with weights drawn uniformly (Glorot) and biases of 0.

    References
    ----------
    Glorot, Bengio 2010, AISTATS, eq. 16.

    Examples
    --------
    >>> layer = linear(3, 2, torch.Generator().manual_seed(0))
    >>> bool((layer.weight.abs() <= (6 / 5) ** 0.5).all())
    True
    """
    # torch's constructor only knows the global generator, and to draw 334 million numbers twice
    # takes seconds.
    layer = nn.utils.skip_init(nn.Linear, n_inputs, n_outputs)
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer
