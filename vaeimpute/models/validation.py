"""Rows that a model is not trained on, with entries hidden from it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vaeimpute.models.base import Reconstructor, passes


@dataclass(frozen=True, eq=False)
class Validation:
    """What the imputation error is measured on after every epoch.

    Attributes
    ----------
    data : Tensor of shape (n_samples, n_features)
        Standardised as the training rows are; NaN means missing.
    hidden : boolean Tensor of shape (n_samples, n_features)
        Entries to impute and to compare; none of them is missing in `data`.
    n_iterations : int
        Passes of encoding and decoding.

    Examples
    --------
    >>> from vaeimpute.models import Autoencoder
    >>> data, hidden = torch.ones(4, 3), torch.zeros(4, 3, dtype=torch.bool)
    >>> hidden[:, 1] = True
    >>> Validation(data, hidden).error(Autoencoder(3, hidden_sizes=(), latent_dim=1)) >= 0
    True
    """

    data: Tensor
    hidden: Tensor
    n_iterations: int = 3

    def __post_init__(self) -> None:
        if self.data.shape != self.hidden.shape:
            raise ValueError(
                f"Expected data and hidden of one shape but got {tuple(self.data.shape)} and "
                f"{tuple(self.hidden.shape)}."
            )
        if not self.hidden.any():
            raise ValueError("Expected some hidden entries but there is none to measure on.")
        if torch.isnan(self.data[self.hidden]).any():
            raise ValueError("Expected hidden entries that are known but some are missing in data.")

    def to(self, device: torch.device | str) -> Validation:
        """Return the same on another device."""
        return Validation(self.data.to(device), self.hidden.to(device), self.n_iterations)

    def error(self, model: Reconstructor) -> float:
        """Return the mean absolute error over the hidden entries, starting from the mean."""
        observed = ~(self.hidden | torch.isnan(self.data))
        *_, filled = passes(
            model.reconstruct, torch.where(observed, self.data, 0.0), observed, self.n_iterations
        )
        return float((filled - self.data)[self.hidden].abs().mean())
