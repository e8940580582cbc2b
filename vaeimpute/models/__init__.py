"""Torch modules and their training loop; nothing here knows of files, cohorts or scikit-learn."""

from vaeimpute.models.autoencoder import Autoencoder
from vaeimpute.models.base import LossTerms, Reconstructor, passes
from vaeimpute.models.checkpoint import CheckpointError
from vaeimpute.models.distributed import train_on_devices
from vaeimpute.models.training import Training, TrainingError, TrainingInterrupted, train
from vaeimpute.models.vae import VariationalAutoencoder
from vaeimpute.models.validation import Validation

__all__ = [
    "Autoencoder",
    "CheckpointError",
    "LossTerms",
    "Reconstructor",
    "Training",
    "TrainingError",
    "TrainingInterrupted",
    "Validation",
    "VariationalAutoencoder",
    "passes",
    "train",
    "train_on_devices",
]
