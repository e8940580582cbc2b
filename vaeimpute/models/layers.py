"""Stacks of fully connected layers, and their initial weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn


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
