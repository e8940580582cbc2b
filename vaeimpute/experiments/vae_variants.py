"""Variants of the VAE that are compared: architectures, learning rates, betas, kinds of noise.

All draw the random numbers of the standard network, so that only their settings differ; the one
with its settings is that network, and is trained once for all experiments that share a store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from vaeimpute.experiments.along_training import AlongTraining, halved_epochs
from vaeimpute.imputers import AutoencoderImputer
from vaeimpute.imputers._base import BaseImputer
from vaeimpute.methods import METHODS, build_methods
from vaeimpute.profiles import Profile
from vaeimpute.seeding import integer

#: The paper compares 0, 1, 4 and 10 and asks what is between the first two.
BETAS = (0, 0.01, 0.1, 0.25, 0.5, 1, 2, 4, 10)


def paper_architectures(
    n_features: int, latent_dims: Sequence[int] = (50, 200, 400)
) -> dict[str, dict[str, Any]]:
    """Return the networks of Figure S1: three or five hidden layers, for each latent dimension.

    The layers next to the latent one are ten times as wide. With five hidden layers, the outer
    ones are wider again, by a whole number that comes closest to the same factor from there to
    the input: for 17176 genes and 50 latent dimensions 3000, 500, 50, 500, 3000, as in the paper.

    Parameters
    ----------
    n_features : int
    latent_dims : sequence of int

    Returns
    -------
    dict of str to dict
        ``hidden_sizes`` and ``latent_dim`` for `VAEImputer`, by a name.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, section "Model parameters and hyper-parameters tuning".

    Examples
    --------
    >>> for name, network in paper_architectures(17176).items():
    ...     print(name, network["hidden_sizes"])
    3 layers, latent 50 (500,)
    3 layers, latent 200 (2000,)
    3 layers, latent 400 (4000,)
    5 layers, latent 50 (3000, 500)
    5 layers, latent 200 (6000, 2000)
    5 layers, latent 400 (8000, 4000)
    """
    networks = {}
    for n_layers in (3, 5):
        for latent_dim in latent_dims:
            inner = 10 * latent_dim
            factor = max(1, round((n_features / inner) ** 0.5))
            sizes = (inner,) if n_layers == 3 else (factor * inner, inner)
            name = f"{n_layers} layers, latent {latent_dim}"
            networks[name] = {"hidden_sizes": sizes, "latent_dim": latent_dim}
    return networks


def build_architectures(
    profile: Profile, random_state: int, n_features: int
) -> dict[str, BaseImputer]:
    """Build VAEs of three and five hidden layers, with several latent dimensions (Figure S1).

    Examples
    --------
    >>> from vaeimpute.profiles import read_profile
    >>> len(build_architectures(read_profile("paper"), 0, n_features=17176))
    6
    """
    return _build_vaes(profile, random_state, paper_architectures(n_features, profile.latent_dims))


def build_learning_rates(profile: Profile, random_state: int) -> dict[str, BaseImputer]:
    """Build VAEs that learn at the rates of the profile's grid.

    Examples
    --------
    >>> from vaeimpute.profiles import read_profile
    >>> list(build_learning_rates(read_profile("paper"), 0))
    ['1e-05', '5e-05', '0.0001', '0.0005']
    """
    rates = {f"{rate:g}": {"learning_rate": rate} for rate in profile.learning_rates}
    return _build_vaes(profile, random_state, rates)


def epochs_of_same_steps(profile: Profile, n_samples: int, n_rows: int, batch_size: int) -> int:
    """Return in how many epochs so many rows, in such batches, take the steps of the profile.

    Examples
    --------
    >>> from vaeimpute.profiles import read_profile
    >>> epochs_of_same_steps(read_profile("paper"), 553, n_rows=276, batch_size=250)
    375
    """
    n_steps = profile.n_epochs * ceil(n_samples / profile.batch_size)
    return max(1, round(n_steps / ceil(n_rows / batch_size)))


def build_batch_sizes(
    profile: Profile, random_state: int, n_samples: int
) -> dict[str, BaseImputer]:
    """Build VAEs that learn from batches of several sizes.

    Smaller batches make more steps of the same epochs. Each size is therefore compared both with
    the epochs of the profile and with as many as take the same number of steps.

    Parameters
    ----------
    profile : Profile
    random_state : int
    n_samples : int
        Rows to train on, on which the number of steps depends.

    Returns
    -------
    dict of str to imputer

    Examples
    --------
    >>> from vaeimpute.profiles import read_profile
    >>> vaes = build_batch_sizes(read_profile("paper"), 0, n_samples=427)  # 2 steps an epoch
    >>> for name, vae in vaes.items():
    ...     print(f"{name}: {vae.n_epochs}")
    batch 250: 250
    batch 50, same epochs: 250
    batch 50, same steps: 56
    batch 125, same epochs: 250
    batch 125, same steps: 125
    """
    settings: dict[str, dict[str, Any]] = {f"batch {profile.batch_size}": {}}
    for size in profile.batch_sizes:
        if size != profile.batch_size:
            n_epochs = epochs_of_same_steps(profile, n_samples, n_samples, size)
            settings[f"batch {size}, same epochs"] = {"batch_size": size}
            settings[f"batch {size}, same steps"] = {"batch_size": size, "n_epochs": n_epochs}
    return _build_vaes(profile, random_state, settings)


def build_betas(profile: Profile, random_state: int) -> dict[str, BaseImputer]:
    """Build beta-VAEs and autoencoders without probabilities beside them (Figure 5).

    The denoising one hides a tenth of its inputs while it learns. With a fixed scale, a beta-VAE of
    beta 0 minimises what an autoencoder does, and differs from it by the noise in its code only.

    Examples
    --------
    >>> from vaeimpute.profiles import read_profile
    >>> list(build_betas(read_profile("paper"), 0))[3:]
    ['beta 10', 'autoencoder', 'denoising autoencoder', 'beta 0, fixed scale']
    """
    betas = {f"beta {beta:g}": {"beta": beta} for beta in profile.betas}
    fixed = {"beta 0, fixed scale": {"beta": 0.0, "scale": "fixed"}}
    network = profile.network | {"random_state": integer(random_state, METHODS["vae"].label)}
    autoencoders = {
        name: AutoencoderImputer(**network, masking_noise=noise)
        for name, noise in {"autoencoder": 0.0, "denoising autoencoder": 0.1}.items()
    }
    return {
        **_build_vaes(profile, random_state, betas),
        **autoencoders,
        **_build_vaes(profile, random_state, fixed),
    }


def build_betas_along_training(
    profile: Profile, random_state: int
) -> dict[str, BaseImputer | AlongTraining]:
    """Build beta-VAEs, many of them below 1, that are kept along their training.

    The Gaussian is beside them, to show what errors and intervals can be.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, section "Conclusion": "beta in the range from 0 to 1".

    Examples
    --------
    >>> from vaeimpute.profiles import read_profile
    >>> built = build_betas_along_training(read_profile("paper"), 0)
    >>> list(built)[:3], built["beta 0.1"].epochs
    (['beta 0', 'beta 0.01', 'beta 0.1'], [7, 15, 31, 62, 125, 250])
    """
    betas = {f"beta {beta:g}": {"beta": beta} for beta in BETAS}
    epochs = halved_epochs(profile.n_epochs)
    return {
        name: AlongTraining(vae, epochs)
        for name, vae in _build_vaes(profile, random_state, betas).items()
    } | build_methods(profile, random_state, only=["gaussian"])


def build_noise_schemes(profile: Profile, random_state: int) -> dict[str, BaseImputer]:
    """Build networks of the same layers and epochs whose training is disturbed in several ways.

    All but the last two minimise the squared error, the latent ones with their divergence beside
    it; the last two have a standard deviation for every feature, as the VAE elsewhere.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, section "Conclusion": "different noise addition schemes".
    Vincent et al. 2010, JMLR 11:3371-3408, section 3.2, for the kinds of input noise.

    Examples
    --------
    >>> from vaeimpute.profiles import read_profile
    >>> list(build_noise_schemes(read_profile("paper"), 0))[-4:]
    ['latent', 'latent, masking 0.3', 'VAE', 'VAE, masking 0.3']
    """
    inputs: dict[str, dict[str, float]] = {"none": {}}
    inputs |= {f"masking {share:g}": {"masking_noise": share} for share in (0.1, 0.3, 0.5)}
    inputs |= {f"Gaussian {std:g}": {"gaussian_noise": std} for std in (0.3, 1.0)}
    vaes: dict[str, dict[str, Any]] = {
        "latent": {"scale": "fixed"},
        "latent, masking 0.3": {"scale": "fixed", "masking_noise": 0.3},
        "VAE": {},
        "VAE, masking 0.3": {"masking_noise": 0.3},
    }
    network = profile.network | {"random_state": integer(random_state, METHODS["vae"].label)}
    return {
        name: AutoencoderImputer(**network, **noise) for name, noise in inputs.items()
    } | _build_vaes(profile, random_state, vaes)


def _build_vaes(
    profile: Profile, random_state: int, settings: Mapping[str, Mapping[str, Any]]
) -> dict[str, BaseImputer]:
    return {
        name: METHODS["vae"].build(profile, random_state=random_state, **parameters)
        for name, parameters in settings.items()
    }
