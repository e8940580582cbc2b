"""The methods that are compared, with the parameters that a profile gives them."""

from __future__ import annotations

from typing import Any

from vaeimpute.experiments.profiles import Profile
from vaeimpute.experiments.selection import paper_architectures
from vaeimpute.imputers import (
    AutoencoderImputer,
    GaussianImputer,
    KNNImputer,
    MeanImputer,
    RandomImputer,
    SVDImputer,
    VAEImputer,
)
from vaeimpute.imputers._base import BaseImputer


def build_methods(profile: Profile, seed: int) -> dict[str, BaseImputer]:
    """Build the imputers that an experiment compares, under the names they have in tables.

    Parameters
    ----------
    profile : Profile
    seed : int
        The ``random_state`` of those that draw.

    Returns
    -------
    dict of str to imputer
        In the order of tables and figures.

    Examples
    --------
    >>> from vaeimpute.experiments.profiles import read_profile
    >>> list(build_methods(read_profile("quick"), seed=0))
    ['random', 'mean', 'KNN', 'SVD', 'SVD, tuned', 'Gaussian', 'VAE', 'VAE, shifted']
    """
    return {
        "random": RandomImputer(random_state=seed),
        "mean": MeanImputer(),
        "KNN": KNNImputer(n_neighbors=profile.n_neighbors),
        "SVD": SVDImputer(),
        "SVD, tuned": SVDImputer(n_components="auto", joint=False, random_state=seed),
        "Gaussian": GaussianImputer(random_state=seed),
        "VAE": build_vae(profile, seed),
        "VAE, shifted": build_vae(profile, seed, shift="auto"),
    }


def build_vae(profile: Profile, seed: int, **changes: Any) -> VAEImputer:
    """Build the VAE of a profile, with some parameters changed.

    Parameters
    ----------
    profile : Profile
    seed : int
    **changes
        Parameters of `VAEImputer`.

    Returns
    -------
    VAEImputer

    Examples
    --------
    >>> from vaeimpute.experiments.profiles import read_profile
    >>> build_vae(read_profile("paper"), seed=0, beta=4.0).latent_dim
    200
    """
    return VAEImputer(**_network(profile, seed) | changes)


def build_architectures(profile: Profile, seed: int, n_features: int) -> dict[str, BaseImputer]:
    """Build VAEs of three and five hidden layers, with several latent dimensions (Figure S1).

    Examples
    --------
    >>> from vaeimpute.experiments.profiles import read_profile
    >>> len(build_architectures(read_profile("paper"), seed=0, n_features=17176))
    6
    """
    networks = paper_architectures(n_features, profile.latent_dims)
    return {name: build_vae(profile, seed, **network) for name, network in networks.items()}


def build_learning_rates(profile: Profile, seed: int) -> dict[str, BaseImputer]:
    """Build VAEs that learn at the rates of the profile's grid.

    Examples
    --------
    >>> from vaeimpute.experiments.profiles import read_profile
    >>> list(build_learning_rates(read_profile("paper"), seed=0))
    ['1e-05', '5e-05', '0.0001', '0.0005']
    """
    return {
        f"{rate:g}": build_vae(profile, seed, learning_rate=rate) for rate in profile.learning_rates
    }


def build_betas(profile: Profile, seed: int) -> dict[str, BaseImputer]:
    """Build beta-VAEs (Figure 5) and, beside them, autoencoders without probabilities.

    The denoising one hides a tenth of its inputs while it learns.

    Examples
    --------
    >>> from vaeimpute.experiments.profiles import read_profile
    >>> list(build_betas(read_profile("paper"), seed=0))
    ['beta 0', 'beta 1', 'beta 4', 'beta 10', 'autoencoder', 'denoising autoencoder']
    """
    vaes = {f"beta {beta:g}": build_vae(profile, seed, beta=beta) for beta in profile.betas}
    network = _network(profile, seed)
    return vaes | {
        "autoencoder": AutoencoderImputer(**network),
        "denoising autoencoder": AutoencoderImputer(**network, masking_noise=0.1),
    }


def _network(profile: Profile, seed: int) -> dict[str, Any]:
    return {
        "hidden_sizes": profile.hidden_sizes,
        "latent_dim": profile.latent_dim,
        "n_epochs": profile.n_epochs,
        "learning_rate": profile.learning_rate,
        "batch_size": profile.batch_size,
        "n_iterations": profile.n_iterations,
        "random_state": seed,
    }
