"""Estimators that fill missing values, with the interface of scikit-learn."""

from vaeimpute.imputers.adaptive import AdaptiveImputer
from vaeimpute.imputers.anndata import fit_anndata, transform_anndata
from vaeimpute.imputers.autoencoder import AutoencoderImputer
from vaeimpute.imputers.blocks import fit_blocks, impute_blocks
from vaeimpute.imputers.gaussian import GaussianImputer
from vaeimpute.imputers.knn import KNNImputer
from vaeimpute.imputers.simple import MeanImputer, RandomImputer
from vaeimpute.imputers.storage import load_imputer, read_card, save_imputer
from vaeimpute.imputers.svd import SVDImputer
from vaeimpute.imputers.vae import VAEImputer

__all__ = [
    "AdaptiveImputer",
    "AutoencoderImputer",
    "GaussianImputer",
    "KNNImputer",
    "MeanImputer",
    "RandomImputer",
    "SVDImputer",
    "VAEImputer",
    "fit_anndata",
    "fit_blocks",
    "impute_blocks",
    "load_imputer",
    "read_card",
    "save_imputer",
    "transform_anndata",
]
