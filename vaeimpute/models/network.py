"""What the training loop and the imputers expect of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn


class LossTerms(NamedTuple):
    """The terms of a loss and their sum, each a Tensor of shape (n_samples,)."""

    total: Tensor
    reconstruction: Tensor
    divergence: Tensor


class Reconstructor(nn.Module):
    """A model that restores a row from a few latent numbers.

    Its weights may be in float32 or in bfloat16; inputs and results are in float32 either way.
    """

    def draw_noise(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """Draw the noise that the loss of a batch needs.

        It is apart from the loss so that it can be drawn for a whole batch where each of several
        processes computes the loss of a part.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
        generator : torch.Generator, optional
            On the device of `x`.

        Returns
        -------
        tuple of Tensor
            Each with n_samples rows.
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

    def reconstruct(self, x: Tensor) -> Tensor:
        """Encode and decode without noise; returns a Tensor of the shape of `x`."""
        raise NotImplementedError


def passes(
    predict: Callable[[Tensor], Tensor], guess: Tensor, observed: Tensor, n_iterations: int
) -> Iterator[Tensor]:
    """Impute iteratively: encode, decode, replace the missing entries, and again.

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
        The filled matrix after each pass.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, section "Variational autoencoder", last paragraph.
    """
    filled = guess
    for _ in range(n_iterations):
        with torch.inference_mode():
            filled = torch.where(observed, guess, predict(filled))
        yield filled


def relu_layers(sizes: Sequence[int]) -> nn.Sequential:
    """Stack linear layers of these widths, each followed by a ReLU.

    Examples
    --------
    >>> [module.out_features for module in relu_layers([50, 20, 4]) if hasattr(module, "weight")]
    [20, 4]
    """
    layers = [(empty_linear(before, after), nn.ReLU()) for before, after in pairwise(sizes)]
    return nn.Sequential(*(part for layer in layers for part in layer))


def empty_linear(n_inputs: int, n_outputs: int) -> nn.Linear:
    """Make a linear layer whose weights are not drawn yet: `initialize` does it.

    torch's constructors only know the global generator, and drawing 334 million numbers twice
    takes seconds.

    Examples
    --------
    >>> empty_linear(3, 2).weight.shape
    torch.Size([2, 3])
    """
    return nn.utils.skip_init(nn.Linear, n_inputs, n_outputs)


def initialize(model: nn.Module, generator: torch.Generator | None) -> None:
    """Draw the weights of all linear layers uniformly (Glorot), and set their biases to 0.

    Parameters
    ----------
    model : nn.Module
    generator : torch.Generator, optional

    References
    ----------
    Glorot, Bengio 2010, AISTATS, eq. 16.

    Examples
    --------
    >>> layer = empty_linear(3, 2)
    >>> initialize(layer, torch.Generator().manual_seed(0))
    >>> bool((layer.weight.abs() <= (6 / 5) ** 0.5).all())
    True
    """
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight, generator=generator)
            nn.init.zeros_(module.bias)
