"""Torch modules and their training loop; nothing here knows of files, cohorts or scikit-learn."""

from vaeimpute.models.training import TrainingError, train
from vaeimpute.models.vae import LossTerms, VariationalAutoencoder

__all__ = ["LossTerms", "TrainingError", "VariationalAutoencoder", "train"]
