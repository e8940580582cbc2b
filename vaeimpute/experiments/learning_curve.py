"""Methods that learn from a part of the training rows, to see what more of them would bring."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone

from vaeimpute.experiments.vae_variants import epochs_of_same_steps
from vaeimpute.imputers._base import BaseImputer
from vaeimpute.methods import build_methods
from vaeimpute.profiles import Profile
from vaeimpute.seeding import generator

# Below, the ten neighbours of KNN are most of the rows.
_FEWEST = 20
_VALIDATION = 0.1
_COMPARED = ("knn", "svd", "gaussian", "recommended", "vae")


class FewerRows(MetaEstimatorMixin, BaseEstimator):
    """An imputer that is fitted to some of the rows.

    Parameters
    ----------
    imputer : estimator
    n_rows : int
        How many. Fewer are a part of more, given the same `random_state`.
    random_state : int
        Of which rows they are.

    Examples
    --------
    >>> from vaeimpute.imputers import MeanImputer
    >>> few = FewerRows(MeanImputer(), n_rows=2).fit(np.arange(9.0)[:, None])
    >>> few.rows_
    array([4, 7])
    >>> few.transform([[np.nan]])
    array([[5.5]])
    """

    def __init__(self, imputer: BaseEstimator, n_rows: int, random_state: int = 0) -> None:
        self.imputer = imputer
        self.n_rows = n_rows
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: None = None) -> FewerRows:
        """Fit the imputer to a random part of the rows, in their order."""
        order = generator(self.random_state, "fewer rows").permutation(len(X))
        self.rows_ = np.sort(order[: self.n_rows])
        self.imputer_ = clone(self.imputer).fit(np.asarray(X)[self.rows_])
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Impute as the fitted imputer does."""
        return self.imputer_.transform(X)


def build_learning_curve(
    profile: Profile, random_state: int, n_samples: int
) -> dict[str, BaseImputer | FewerRows]:
    """Build methods that learn from all training rows, from a third of them, a ninth, and so on.

    With fewer rows an epoch has fewer steps; the VAE may take as many as with all rows. For a few
    rows these are too many: of each fit, the epoch is kept that imputes a tenth of the rows best,
    and it ends if a tenth of all epochs bring nothing better.

    Parameters
    ----------
    profile : Profile
    random_state : int
    n_samples : int
        Rows to train on.

    Returns
    -------
    dict of str to imputer

    Examples
    --------
    >>> from vaeimpute.profiles import read_profile
    >>> built = build_learning_curve(read_profile("paper"), 0, n_samples=553)
    >>> [name for name in built if name.startswith("VAE")]
    ['VAE', 'VAE, 184 rows', 'VAE, 61 rows', 'VAE, 20 rows']
    >>> built["VAE, 184 rows"].imputer.n_epochs  # of 1 step each, where 250 had 3
    750
    """
    built: dict[str, BaseImputer | FewerRows] = {}
    n_rows = n_samples
    while not built or n_rows >= _FEWEST:
        n_epochs = epochs_of_same_steps(profile, n_samples, n_rows, profile.batch_size)
        sized = replace(profile, n_epochs=n_epochs)
        methods = build_methods(sized, random_state, only=_COMPARED)
        methods["VAE"].set_params(
            validation_fraction=_VALIDATION, restore_best=True, patience=ceil(n_epochs / 10)
        )
        for name, imputer in methods.items():
            if n_rows == n_samples:
                built[name] = imputer
            else:
                built[f"{name}, {n_rows} rows"] = FewerRows(imputer, n_rows, random_state)
        n_rows //= 3
    return built


def by_rows(table: pd.DataFrame, n_samples: int) -> pd.DataFrame:
    """Tell apart what the names of a table of the experiment say: the method and its rows.

    Parameters
    ----------
    table : DataFrame
    n_samples : int
        Training rows of the methods whose name says no number.

    Returns
    -------
    DataFrame
        With ``method`` as elsewhere, and ``rows``.

    Examples
    --------
    >>> by_rows(pd.DataFrame({"method": ["SVD, tuned", "SVD, tuned, 20 rows"]}), 60).values.tolist()
    [['SVD, tuned', 60], ['SVD, tuned', 20]]
    """
    names = table["method"].str.extract(r"^(.*?)(?:, (\d+) rows)?$")
    return table.assign(method=names[0], rows=names[1].fillna(n_samples).astype(int))
