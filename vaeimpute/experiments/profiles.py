"""Profiles: the sizes that a run uses, as parameter files that papermill reads as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from vaeimpute.exceptions import (
    ProfileError,
)

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
