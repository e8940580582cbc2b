"""Torch modules and their training loop; nothing here knows of cohorts or scikit-learn."""

from vaeimpute.models.autoencoder import Autoencoder
from vaeimpute.models.callbacks import Callback, ProgressBar, Snapshots, Validation
from vaeimpute.models.checkpoint import Checkpoint
from vaeimpute.models.distributed import train_on_devices
from vaeimpute.models.settling import Settled, settle
from vaeimpute.models.training import train
from vaeimpute.models.vae import Reconstructor, VariationalAutoencoder, iterate

__all__ = [
    "Autoencoder",
    "Callback",
    "Checkpoint",
    "ProgressBar",
    "Reconstructor",
    "Settled",
    "Snapshots",
    "Validation",
    "VariationalAutoencoder",
    "iterate",
    "settle",
    "train",
    "train_on_devices",
]
