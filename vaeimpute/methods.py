"""The one table of methods: names, looks, and how each is built in the sizes of a profile.

Everything that lists methods reads it: the experiments' grid, the commands, the plots, the tables.
An imputer that is added needs its own file and one record here. Nothing is imported until a
method is built, so that commands can name their choices at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vaeimpute.profiles import Profile, read_profile

if TYPE_CHECKING:
    from vaeimpute.imputers._base import BaseImputer
    from vaeimpute.seeding import RandomState


@dataclass(frozen=True)
class Method:
    """A method under all its names.

    Attributes
    ----------
    label : str
        Its name in tables and figures.
    about : str
        What it fills a missing value with, in words.
    color, marker : str
        In figures, as matplotlib takes them.
    imputer : str
        Module and class, such as ``"vaeimpute.imputers.KNNImputer"``.
    sizes : callable
        ``sizes(profile)`` returns the parameters that this method sets.
    own_data : bool
        Whether the commands offer it for a matrix of one's own.
    chosen : bool
        Whether they may take it if none is named.
    in_grid : bool
        Whether the experiments compare it if none is named.
    has_std : bool
        Whether it has predictive standard deviations.
    """

    label: str
    about: str
    color: str
    marker: str
    imputer: str
    sizes: Callable[[Profile], Mapping[str, Any]] = lambda profile: {}
    own_data: bool = True
    chosen: bool = True
    in_grid: bool = True
    has_std: bool = False

    def build(
        self,
        profile: Profile,
        *,
        random_state: RandomState = 0,
        standardize: bool = True,
        device: str = "auto",
        progress: bool = False,
        **parameters: Any,
    ) -> BaseImputer:
        """Build the imputer of this method, not fitted.

        Parameters
        ----------
        profile : Profile
            The sizes; for a matrix of one's own see `build_own`.
        random_state : int, Generator, RandomState or None
            Each method draws from its own child of it, named after the label.
        standardize : bool
            Work in standard deviations of each feature. Networks do in any case.
        device : str
            Of networks; of the closed forms as `closed_form_device` says.
        progress : bool
            Show a bar while a network trains.
        **parameters
            Of the imputer; they prevail.

        Returns
        -------
        imputer

        Examples
        --------
        >>> METHODS["vae"].build(read_profile("paper"), beta=4.0).latent_dim
        200
        """
        from vaeimpute.seeding import integer

        module, _, name = self.imputer.rpartition(".")
        cls = getattr(import_module(module), name)
        takes = cls().get_params()
        is_network = "n_epochs" in takes
        options = {
            "random_state": integer(random_state, self.label),
            "standardize": standardize,
            "device": device if is_network else closed_form_device(device),
            "progress": progress,
        }
        options = {option: value for option, value in options.items() if option in takes}
        return cls(**options | dict(self.sizes(profile)) | parameters)


#: By the name that is used in code and on the command line, the simplest first, which is the order
#: of tables and figures. The colours differ in lightness as well as in hue (from the palette of
#: Okabe and Ito, made for colour-blind readers, or near it): a greyscale print tells them apart.
METHODS: dict[str, Method] = {
    "random": Method(
        label="random",
        about="a random one of the feature's own values",
        color="#F0E9A8",
        marker="*",
        imputer="vaeimpute.imputers.RandomImputer",
        chosen=False,
    ),
    "mean": Method(
        label="mean",
        about="the mean of the feature",
        color="#C8C8C8",
        marker="o",
        imputer="vaeimpute.imputers.MeanImputer",
    ),
    "knn": Method(
        label="KNN",
        about="the weighted mean of the 10 most similar samples that have the feature",
        color="#70BEEC",
        marker="s",
        imputer="vaeimpute.imputers.KNNImputer",
        sizes=lambda profile: {"n_neighbors": profile.n_neighbors},
    ),
    "svd": Method(
        label="SVD",
        about="a low-rank approximation, of all samples together, in the paper's schedule of ranks",
        color="#007A5A",
        marker="D",
        imputer="vaeimpute.imputers.SVDImputer",
        own_data=False,
    ),
    "svd_tuned": Method(
        label="SVD, tuned",
        about="a low-rank approximation; the rank is chosen on held-out values",
        color="#4A0020",
        marker="^",
        imputer="vaeimpute.imputers.SVDImputer",
        # Not jointly: what a sample gets does not depend on the samples beside it.
        sizes=lambda profile: {"n_components": "auto", "joint": False},
    ),
    "gaussian": Method(
        label="Gaussian",
        about="the conditional mean of a multivariate normal distribution; its ridge is chosen on "
        "held-out values",
        color="#D55E00",
        marker="v",
        imputer="vaeimpute.imputers.GaussianImputer",
        has_std=True,
    ),
    "recommended": Method(
        label="recommended",
        about="conditional means on the values, on their ranks, or both, predicted anew from the "
        "features most alike; what is best is chosen on held-out values",
        color="#000000",
        marker="<",
        imputer="vaeimpute.imputers.AdaptiveImputer",
        in_grid=False,
        has_std=True,
    ),
    "vae": Method(
        label="VAE",
        about="a variational autoencoder",
        color="#1B3A6B",
        marker="P",
        imputer="vaeimpute.imputers.VAEImputer",
        sizes=lambda profile: profile.network,
        has_std=True,
    ),
    "vae_shifted": Method(
        label="VAE, shifted",
        about="a variational autoencoder with a shift for low values missing, chosen on held-out "
        "values",
        color="#BF76A2",
        marker="X",
        imputer="vaeimpute.imputers.VAEImputer",
        sizes=lambda profile: {**profile.network, "shift": "auto"},
        own_data=False,  # only for those who know that low values are missing
        has_std=True,
    ),
}


def build_methods(
    profile: Profile,
    random_state: RandomState = 0,
    *,
    only: Iterable[str] | None = None,
    without: Iterable[str] = (),
    **options: Any,
) -> dict[str, BaseImputer]:
    """Build the imputers that are compared, under the labels that they have in tables.

    Parameters
    ----------
    profile : Profile
    random_state : int, Generator, RandomState or None
        The root of those that draw.
    only : iterable of str, optional
        The keys or labels of some; in the order of `METHODS` in any case. By default, those that
        are in the grid.
    without : iterable of str
        Keys or labels to leave out.
    **options
        Of `Method.build`, for all.

    Returns
    -------
    dict of str to imputer

    Raises
    ------
    ValueError
        If there is no such method.

    Examples
    --------
    >>> list(build_methods(read_profile("quick")))
    ['random', 'mean', 'KNN', 'SVD', 'SVD, tuned', 'Gaussian', 'VAE', 'VAE, shifted']
    >>> list(build_methods(read_profile("quick"), only=("mean", "vae")))
    ['mean', 'VAE']
    """
    if only is None:
        only = (key for key, method in METHODS.items() if method.in_grid)
    wanted = {find_method(name) for name in only}
    wanted -= {find_method(name) for name in without}
    return {
        method.label: method.build(profile, random_state=random_state, **options)
        for key, method in METHODS.items()
        if key in wanted
    }


def build_own(key: str, n_features: int, **options: Any) -> BaseImputer:
    """Build a method for a matrix of one's own: in the quick sizes, narrower if the matrix is.

    The paper's network has 300 million weights and takes hours without a GPU.

    Parameters
    ----------
    key : str
        Of `METHODS`.
    n_features : int
        The columns of the matrix.
    **options
        Of `Method.build`.

    Returns
    -------
    imputer

    Raises
    ------
    ValueError
        If there is no such method.

    Examples
    --------
    >>> build_own("vae", n_features=40).latent_dim
    10
    """
    return METHODS[find_method(key)].build(read_profile("quick").narrowed(n_features), **options)


def find_method(name: str) -> str:
    """Return the key of a method that is named by key or label.

    Raises
    ------
    ValueError
        If there is none; the message lists those that there are.

    Examples
    --------
    >>> find_method("SVD, tuned")
    'svd_tuned'
    """
    for key, method in METHODS.items():
        if name in (key, method.label):
            return key
    raise ValueError(f"Expected a method of {', '.join(METHODS)} but got {name!r}.")


def method_colors() -> dict[str, str]:
    """Return the colour of each method by its label."""
    return {method.label: method.color for method in METHODS.values()}


def method_markers() -> dict[str, str]:
    """Return the marker of each method by its label."""
    return {method.label: method.marker for method in METHODS.values()}


def closed_form_device(device: str) -> str:
    """Return where to compute the closed forms if networks have such a device.

    On a matrix of usual size they are done in seconds, and to look for a GPU, torch has to be
    imported first: one is used if it was asked for. That of a Mac has no float64.

    Examples
    --------
    >>> closed_form_device("auto"), closed_form_device("cuda:1")
    ('cpu', 'cuda:1')
    """
    return device if device.startswith("cuda") else "cpu"
