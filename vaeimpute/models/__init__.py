"""Torch modules and their training loop; nothing here knows of files, cohorts or scikit-learn."""

from vaeimpute.models.autoencoder import Autoencoder
from vaeimpute.models.base import LossTerms, Reconstructor
from vaeimpute.models.training import TrainingError, train
from vaeimpute.models.vae import VariationalAutoencoder

__all__ = [
    "Autoencoder",
    "LossTerms",
    "Reconstructor",
    "TrainingError",
    "VariationalAutoencoder",
    "train",
]
