"""Estimators that fill missing values, with the interface of scikit-learn."""

from vaeimpute.imputers._frames import FeatureOrderWarning
from vaeimpute.imputers.annotated import (
    SparseLayerWarning,
    fit_anndata,
    transform_anndata,
)
from vaeimpute.imputers.autoencoder import AutoencoderImputer
from vaeimpute.imputers.blocks import fit_blocks, impute_blocks
from vaeimpute.imputers.gaussian import GaussianImputer
from vaeimpute.imputers.knn import KNNImputer
from vaeimpute.imputers.mean import MeanImputer
from vaeimpute.imputers.random import RandomImputer
from vaeimpute.imputers.storage import ModelFileError, load_imputer, read_card, save_imputer
from vaeimpute.imputers.svd import SVDImputer
from vaeimpute.imputers.vae import VAEImputer

__all__ = [
    "AutoencoderImputer",
    "FeatureOrderWarning",
    "GaussianImputer",
    "KNNImputer",
    "MeanImputer",
    "ModelFileError",
    "RandomImputer",
    "SVDImputer",
    "SparseLayerWarning",
    "VAEImputer",
    "fit_anndata",
    "fit_blocks",
    "impute_blocks",
    "load_imputer",
    "read_card",
    "save_imputer",
    "transform_anndata",
]
