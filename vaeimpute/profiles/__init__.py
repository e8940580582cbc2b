"""Profiles: the sizes of a run, from ``quick.yml``, ``paper.yml`` or a file of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

from vaeimpute.exceptions import ProfileError

#: The profiles that come with the package, by name.
PROFILES = ("quick", "paper")


@dataclass(frozen=True)
class Profile:
    """The sizes of a run, named as in the chapters' parameters cells.

    Attributes
    ----------
    name : str
        That of the profile or of its file, with what was overridden: the folder of its results.
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
    batch_sizes : tuple of int
        That are compared.
    betas : tuple of float
        Of the beta-VAEs that are compared (Figure 5).
    """

    name: str
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
    batch_sizes: tuple[int, ...]
    betas: tuple[float, ...]

    @property
    def network(self) -> dict[str, Any]:
        """The parameters of a network and its training, for `vaeimpute.imputers.VAEImputer`."""
        names = (
            "hidden_sizes", "latent_dim", "n_epochs", "learning_rate", "batch_size", "n_iterations",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def narrowed(self, n_features: int) -> Profile:
        """Return the profile with a network that is no wider than suits so many features.

        Examples
        --------
        >>> read_profile("quick").narrowed(20).latent_dim
        5
        """
        return replace(
            self,
            hidden_sizes=tuple(min(size, 8 * n_features) for size in self.hidden_sizes),
            latent_dim=min(self.latent_dim, max(2, n_features // 4)),
        )

    def parameters(self) -> dict[str, Any]:
        """Return all but the name as a mapping that JSON can hold."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if name != "name"
        }


def read_profile(name: str | Path, /, **overrides: Any) -> Profile:
    """Read a profile that comes with the package, or a file of yours.

    Parameters
    ----------
    name : str or path
        ``"quick"``, ``"paper"``, or the path of a YAML file with some of their parameters; the
        others are those of ``"quick"``, which are the chapters' defaults.
    **overrides
        Parameters that prevail.

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
    >>> profile = read_profile("paper", n_epochs=750, hidden_sizes=(512, 128))
    >>> profile.name, profile.n_epochs
    ('paper,hidden_sizes=512-128,n_epochs=750', 750)
    """
    folder = resources.files("vaeimpute.profiles")
    quick = _read(folder / "quick.yml", "quick")
    if name in PROFILES:
        given = _read(folder / f"{name}.yml", str(name))
    elif Path(name).suffix in (".yml", ".yaml"):
        given = _read(Path(name), str(name))
    else:
        raise ProfileError(
            f"Unknown profile {str(name)!r}; choose {' or '.join(PROFILES)}, or give the path of a "
            "file that ends in .yml."
        )
    changed = _check(overrides, str(name))
    label = [Path(name).stem, *(f"{key}={_in_a_name(changed[key])}" for key in sorted(changed))]
    return Profile(",".join(label), **(quick | given | changed))


def parse_overrides(texts: Iterable[str]) -> dict[str, Any]:
    """Parse parameters that are written ``NAME=VALUE``, the value as in a file.

    Raises
    ------
    ProfileError
        If one is written otherwise.

    Examples
    --------
    >>> parse_overrides(["n_epochs=750", "hidden_sizes=[512, 128]"])
    {'n_epochs': 750, 'hidden_sizes': [512, 128]}
    """
    import yaml

    overrides = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            overrides[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            equals = ""
        if not equals:
            raise ProfileError(
                f"Expected NAME=VALUE, such as n_epochs=750 or betas=[0, 1], but got {text!r}."
            )
    return overrides


def _in_a_name(value: Any) -> str:
    if isinstance(value, tuple):
        return "-".join(map(_in_a_name, value))
    return Path(value).name if isinstance(value, str) else f"{value:g}"


def _read(file: Any, name: str) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ProfileError(f"There is no profile at {name}.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProfileError(f"Profile {name} cannot be read: {error}") from None
    if not isinstance(content, Mapping):
        raise ProfileError(f"Profile {name} is no list of lines 'name: value'.")
    return _check(content, name)


def _check(content: Mapping[Any, Any], name: str) -> dict[str, Any]:
    """Return parameters with the types that a profile declares, or say what they should be."""
    known = {field.name: str(field.type) for field in fields(Profile) if field.name != "name"}
    unknown = [str(key) for key in content if key not in known]
    if unknown:
        raise ProfileError(
            f"Profile {name} has unknown parameters: {', '.join(unknown)}. There are "
            f"{', '.join(known)}; cohort and seed are options of the command."
        )
    checked = {}
    for key, value in content.items():
        kind = known[key].removeprefix("tuple[").removesuffix(", ...]")
        many = kind != known[key]
        parts = list(value) if many and isinstance(value, list | tuple) else [value]
        # An integer is the float that it is.
        parts = [float(p) if kind == "float" and type(p) is int else p for p in parts]
        if many != isinstance(value, list | tuple) or any(type(p).__name__ != kind for p in parts):
            is_text = kind == "float" and "'" in repr(value)
            hint = " YAML takes 5e-5 for text; write 5.0e-5." if is_text else ""
            expected = f"list of {kind}" if many else kind
            raise ProfileError(
                f"Profile {name}: expected {key} as {expected} but got {value!r}.{hint}"
            )
        if kind == "int" and any(part < 1 for part in parts):
            raise ProfileError(f"Profile {name}: expected {key} above 0 but got {value!r}.")
        checked[key] = tuple(parts) if many else parts[0]
    return checked
