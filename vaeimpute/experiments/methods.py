"""The methods that are compared, with the parameters that a profile gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from sklearn.base import BaseEstimator, clone

from vaeimpute.cohorts import Cohort
from vaeimpute.exceptions import (
    ProfileError,
)
from vaeimpute.experiments.grid import run_experiment
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
from vaeimpute.missingness import Scenario
from vaeimpute.splits import Split, split_rows

#: The profiles that come with the package, by name.
PROFILES = ("quick", "paper")

_FOLDER = resources.files("vaeimpute") / "profiles"


@dataclass(frozen=True)
class Profile:
    """The sizes of a run, named as in the chapters' parameters cells.

    Attributes
    ----------
    n_trials : int
        Masks per scenario.
    gc_source : str
        Where GC content comes from if a cohort has none: see `vaeimpute.cohorts.with_gc_content`.
    n_neighbors : int
        Of KNN.
    hidden_sizes : tuple of int
    latent_dim, n_epochs, batch_size, n_iterations : int
    learning_rate : float
        Of the VAE: see `vaeimpute.imputers.VAEImputer`.
    latent_dims : tuple of int
        Of the architectures that are compared (Figure S1).
    learning_rates : tuple of float
        That are compared.
    betas : tuple of float
        Of the beta-VAEs that are compared (Figure 5).
    """

    n_trials: int
    gc_source: str
    n_neighbors: int
    hidden_sizes: tuple[int, ...]
    latent_dim: int
    n_epochs: int
    learning_rate: float
    batch_size: int
    n_iterations: int
    latent_dims: tuple[int, ...]
    learning_rates: tuple[float, ...]
    betas: tuple[float, ...]

    def parameters(self) -> dict[str, Any]:
        """Return the profile as a mapping that JSON can hold."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def read_profile(name: str | Path) -> Profile:
    """Read a profile that comes with the package, or a file of yours.

    Parameters
    ----------
    name : str or path
        ``"quick"``, ``"paper"``, or the path of a YAML file with some of their parameters; the
        others are those of ``"quick"``, which are the chapters' defaults.

    Returns
    -------
    Profile

    Raises
    ------
    ProfileError
        If there is no such profile, or it has an unknown parameter or a value of another type.

    Examples
    --------
    >>> read_profile("paper").hidden_sizes
    (6000, 2000)
    """
    quick = _read(_FOLDER / "quick.yml", "quick")
    if name in PROFILES:
        given = _read(_FOLDER / f"{name}.yml", str(name))
    elif Path(name).suffix in (".yml", ".yaml"):
        given = _read(Path(name), str(name))
    else:
        raise ProfileError(
            f"Unknown profile {str(name)!r}; choose {' or '.join(PROFILES)}, or give the path of a "
            "file that ends in .yml."
        )
    return Profile(**(quick | given))


def _read(file: Any, name: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ProfileError(f"There is no profile at {name}.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProfileError(f"Profile {name} cannot be read: {error}") from None
    if not isinstance(content, Mapping):
        raise ProfileError(f"Profile {name} is no list of lines 'name: value'.")
    known = {field.name: str(field.type) for field in fields(Profile)}
    unknown = [str(key) for key in content if key not in known]
    if unknown:
        raise ProfileError(
            f"Profile {name} has unknown parameters: {', '.join(unknown)}. There are "
            f"{', '.join(known)}; cohort and seed are options of the command."
        )
    return {key: _checked(name, key, value, known[key]) for key, value in content.items()}


def _checked(name: str, key: str, value: Any, expected: str) -> Any:
    """Return a value of the type that a profile declares, or say what it should be."""
    item = expected.removeprefix("tuple[").removesuffix(", ...]")
    many = item != expected
    if many and isinstance(value, list):
        value = tuple(_as(item, part) for part in value)
        fits = all(type(part).__name__ == item for part in value)
    else:
        value = _as(item, value)
        fits = not many and type(value).__name__ == item
    if not fits:
        hint = ""
        if item == "float" and "'" in repr(value):
            hint = " YAML takes 5e-5 for text; write 5.0e-5."
        kind = f"list of {item}" if many else item
        raise ProfileError(f"Profile {name}: expected {key} as {kind} but got {value!r}.{hint}")
    return value


def _as(expected: str, value: Any) -> Any:
    """Take an integer for the float that it is."""
    return float(value) if expected == "float" and type(value) is int else value


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


def compare_settings(
    cohort: Cohort,
    imputer: BaseEstimator,
    settings: Mapping[str, Mapping[str, Any]],
    *,
    scenario: str | Scenario = "mcar_10",
    n_trials: int = 10,
    seed: int = 0,
    split: Split | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Measure the error of an imputer on validation rows, with several settings.

    The test rows have no part in it: every setting is fitted to ``split.tune``, standardised with
    these rows, and imputes ``split.validation``.

    Parameters
    ----------
    cohort : Cohort
        In its own units.
    imputer : estimator
        What the settings leave open. Not changed.
    settings : mapping of str to mapping
        Parameters to set, by the name under which the rows of the result go.
    scenario : str or Scenario
        What is hidden in the validation rows; the paper hides 10 % at random.
    n_trials : int
    seed : int
        Root of the split and the masks.
    split : Split, optional
        Instead of the one that `seed` gives.
    progress : bool

    Returns
    -------
    DataFrame
        Tidy rows as from `vaeimpute.experiments.run_experiment`, ``method`` being the name of
        the setting.

    Examples
    --------
    >>> from vaeimpute.cohorts import load_cohort
    >>> from vaeimpute.imputers import KNNImputer
    >>> table = compare_settings(
    ...     load_cohort("breast-gse1992"), KNNImputer(),
    ...     {"one": {"n_neighbors": 1}, "ten": {"n_neighbors": 10}}, n_trials=2,
    ... )
    >>> table.groupby("method")["mae"].mean().idxmin()
    'ten'
    """
    if split is None:
        split = split_rows(len(cohort.values), strata=cohort.strata, seed=seed)
    candidates = {
        name: clone(imputer).set_params(**parameters) for name, parameters in settings.items()
    }
    return run_experiment(
        cohort, candidates, [scenario], n_trials=n_trials, seed=seed, split=split.for_tuning(),
        progress=progress,
    )  # fmt: skip


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
    >>> build_vae(read_profile("paper"), seed=0, beta=4.0).latent_dim
    200
    """
    return VAEImputer(**_network(profile, seed) | changes)


def build_architectures(profile: Profile, seed: int, n_features: int) -> dict[str, BaseImputer]:
    """Build VAEs of three and five hidden layers, with several latent dimensions (Figure S1).

    Examples
    --------
    >>> len(build_architectures(read_profile("paper"), seed=0, n_features=17176))
    6
    """
    networks = paper_architectures(n_features, profile.latent_dims)
    return {name: build_vae(profile, seed, **network) for name, network in networks.items()}


def build_learning_rates(profile: Profile, seed: int) -> dict[str, BaseImputer]:
    """Build VAEs that learn at the rates of the profile's grid.

    Examples
    --------
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
