"""The methods that a matrix of one's own is imputed with, in sizes that suit it."""

from __future__ import annotations

from dataclasses import dataclass

from vaeimpute.imputers import (
    GaussianImputer,
    KNNImputer,
    MeanImputer,
    RandomImputer,
    SVDImputer,
    VAEImputer,
)
from vaeimpute.imputers._base import BaseImputer


@dataclass(frozen=True)
class Method:
    """A method under the name that a user gives.

    Attributes
    ----------
    label : str
        Its name in tables and figures.
    about : str
        What it does, in words.
    """

    label: str
    about: str


#: By the name that the command line knows, the simplest first.
METHODS = {
    "random": Method("random", "a random one of the feature's own values"),
    "mean": Method("mean", "the mean of the feature"),
    "knn": Method("KNN", "the weighted mean of the 10 most similar samples that have the feature"),
    "svd": Method("SVD, tuned", "a low-rank approximation; the rank is chosen on held-out values"),
    "gaussian": Method(
        "Gaussian",
        "the conditional mean of a multivariate normal distribution; its ridge is chosen on "
        "held-out values",
    ),
    "vae": Method("VAE", "a variational autoencoder of a size that suits the matrix"),
}


def build_imputer(
    name: str,
    n_features: int,
    *,
    seed: int = 0,
    zscore: bool = True,
    shift: bool = False,
    device: str = "auto",
    progress: bool = False,
) -> BaseImputer:
    """Build an imputer for a matrix.

    Parameters
    ----------
    name : str
        Key of `METHODS`.
    n_features : int
        A narrow matrix gets a narrower VAE.
    seed : int
        The ``random_state`` of those that draw.
    zscore : bool
        Work in standard deviations of each feature. The VAE does in any case.
    shift : bool
        Let the VAE choose a shift for low values missing; for the VAE only.
    device : str
        Of the VAE. The closed forms are computed on a GPU of NVIDIA's if it is named, else on the
        CPU.
    progress : bool
        Show a bar while the VAE trains.

    Returns
    -------
    imputer
        Not fitted.

    Examples
    --------
    >>> build_imputer("vae", n_features=40).latent_dim
    10
    """
    if name == "vae":
        # The paper's network has 300 million weights and takes hours without a GPU.
        return VAEImputer.sized_for(
            n_features,
            shift="auto" if shift else None,
            device=device,
            progress=progress,
            random_state=seed,
        )
    if shift:
        raise ValueError(f"Only the VAE has a shift for low values, not {name!r}.")
    if name == "random":
        return RandomImputer(random_state=seed)
    if name == "mean":
        return MeanImputer()
    if name == "knn":
        return KNNImputer(standardize=zscore, device=closed_form_device(device))
    if name == "svd":
        # Not jointly: what a sample gets does not depend on the samples beside it.
        return SVDImputer(
            n_components="auto",
            joint=False,
            standardize=zscore,
            device=closed_form_device(device),
            random_state=seed,
        )
    if name == "gaussian":
        return GaussianImputer(
            standardize=zscore, device=closed_form_device(device), random_state=seed
        )
    raise ValueError(f"Expected a method of {', '.join(METHODS)} but got {name!r}.")


def closed_form_device(device: str) -> str:
    """Return where to compute the closed forms if the VAE has such a device.

    On a matrix of usual size they are done in seconds, and to look for a GPU, torch has to be
    imported first: one is used if it was asked for. That of a Mac has no float64.

    Examples
    --------
    >>> closed_form_device("auto"), closed_form_device("cuda:1")
    ('cpu', 'cuda:1')
    """
    return device if device.startswith("cuda") else "cpu"
