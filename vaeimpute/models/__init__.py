"""Torch modules and their training loop; nothing here knows of files, cohorts or scikit-learn."""

from vaeimpute.models.autoencoder import Autoencoder
from vaeimpute.models.distributed import train_on_devices
from vaeimpute.models.network import LossTerms, Reconstructor, passes
from vaeimpute.models.training import Training, Validation, train
from vaeimpute.models.vae import VariationalAutoencoder

__all__ = [
    "Autoencoder",
    "LossTerms",
    "Reconstructor",
    "Training",
    "Validation",
    "VariationalAutoencoder",
    "passes",
    "train",
    "train_on_devices",
]
