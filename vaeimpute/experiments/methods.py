"""The methods that are compared, with the parameters that a profile gives them."""

from __future__ import annotations

from vaeimpute.experiments.profiles import Profile
from vaeimpute.imputers import GaussianImputer, KNNImputer, MeanImputer, VAEImputer
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
    ['mean', 'KNN', 'Gaussian', 'VAE']
    """
    vae = {
        "hidden_sizes": profile.hidden_sizes,
        "latent_dim": profile.latent_dim,
        "n_epochs": profile.n_epochs,
        "learning_rate": profile.learning_rate,
        "batch_size": profile.batch_size,
        "n_iterations": profile.n_iterations,
        "random_state": seed,
    }
    return {
        "mean": MeanImputer(),
        "KNN": KNNImputer(n_neighbors=profile.n_neighbors),
        "Gaussian": GaussianImputer(random_state=seed),
        "VAE": VAEImputer(**vae),
    }
