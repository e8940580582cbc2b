"""Which way of losing values resembles the holes that a matrix has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from vaeimpute.missingness import Scenario, mcar, mnar_low_values, mnar_whole_genes

_FEW = 50  # missing values; fewer show no pattern


@dataclass(frozen=True)
class HoldOut:
    """A way of hiding values of a user's matrix.

    Attributes
    ----------
    words : str
        What is hidden.
    build : callable
        Returns the scenario.
    share_of_samples : float
        Share of the samples, drawn at random, that lose values.
    """

    words: str
    build: Callable[[], Scenario]
    share_of_samples: float = 1.0


#: By the name that the command line knows.
SCENARIOS = {
    "random": HoldOut(
        "10 % of the observed values, at random",
        # Not so many of every sample: one with few values has a tenth of none.
        lambda: replace(mcar(0.1), drawn="among all"),
    ),
    "features": HoldOut(
        "a quarter of the features, each of them whole, in a fifth of the samples",
        lambda: mnar_whole_genes(0.25),
        share_of_samples=0.2,
    ),
    "low": HoldOut(
        "half of the values below the 10 % quantile (of values in standard deviations of their "
        "features)",
        mnar_low_values,
    ),
}


def guess_scenario(values: pd.DataFrame) -> tuple[str, str]:
    """Say which way of losing values resembles the holes of a matrix, and why.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    key : str
        Of `SCENARIOS`.
    reason : str

    Notes
    -----
    Holes come in whole features if at least half of them are in features that are missing in
    exactly the same three or more samples as another one, as happens where a part of the samples
    was measured on another platform. They are low values if features of lower values miss more of
    them (rank correlation below -0.3, p < 0.001). What depends on the values themselves in another
    way leaves no trace in those that are left: who knows of it has to say so.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(40, 30)) + np.arange(30)
    >>> guess_scenario(pd.DataFrame(np.where(rng.random((40, 30)) < 0.1, np.nan, values)))[0]
    'random'
    >>> guess_scenario(pd.DataFrame(np.where(values < 5, np.nan, values)))[0]
    'low'
    >>> values[:9, 10:20] = np.nan
    >>> guess_scenario(pd.DataFrame(values))[0]
    'features'
    """
    values = values.loc[:, values.notna().any()]  # nobody can impute the others
    missing = values.isna().to_numpy()
    n_missing = int(missing.sum())
    if n_missing < _FEW:
        return "random", f"{n_missing} missing values are too few to show a pattern"
    counts = missing.sum(axis=0)
    shared = _share_in_blocks(missing, counts)
    if shared >= 0.5:
        return "features", (
            f"{shared:.0%} of the missing values are in features that are missing in the same "
            "samples as others".replace("%", " %", 1)
        )
    some = (counts > 0) | (counts.min() == 0)
    means = np.nanmean(values.to_numpy(dtype=np.float64)[:, some], axis=0)
    if some.sum() >= 10 and np.ptp(counts[some]) > 0 and np.ptp(means) > 0:
        correlation, p = stats.spearmanr(means, counts[some])
        if correlation < -0.3 and p < 0.001:
            return "low", (
                f"features of lower values miss more of them (rank correlation {correlation:.2f})"
            )
    return "random", "the missing values show no pattern"


def _share_in_blocks(missing: np.ndarray, counts: np.ndarray) -> float:
    """Share of the missing values in features that miss the same samples as another one."""
    candidates = np.flatnonzero(counts >= 3)
    if not len(candidates):
        return 0.0
    patterns = np.packbits(missing[:, candidates], axis=0)
    _, which, repeats = np.unique(patterns, axis=1, return_inverse=True, return_counts=True)
    return float(counts[candidates][repeats[which.ravel()] > 1].sum() / counts.sum())
