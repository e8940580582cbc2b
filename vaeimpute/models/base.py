"""What the training loop and the imputers expect of a model."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class LossTerms(NamedTuple):
    """The terms of a loss and their sum, each a mean over the samples of a batch."""

    total: Tensor
    reconstruction: Tensor
    divergence: Tensor


class Reconstructor(nn.Module):
    """A model that restores a row from a few latent numbers."""

    def loss(self, x: Tensor, observed: Tensor, generator: torch.Generator | None) -> LossTerms:
        """Loss of a batch.

        Parameters
        ----------
        x : Tensor of shape (n_samples, n_features)
            Standardised values; what stands at missing entries is fed to the encoder.
        observed : boolean Tensor of shape (n_samples, n_features)
            Only these entries count in the reconstruction term.
        generator : torch.Generator, optional
            Source of the model's noise, on the device of `x`.

        Returns
        -------
        LossTerms
        """
        raise NotImplementedError

    def reconstruct(self, x: Tensor) -> Tensor:
        """Encode and decode without noise; returns a Tensor of the shape of `x`."""
        raise NotImplementedError
