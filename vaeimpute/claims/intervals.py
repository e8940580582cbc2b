"""Intervals over what repeats: splits and test samples; and when they lie between two limits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import stats

from vaeimpute.seeding import generator

#: Fewest splits over which an interval is taken.
MIN_SPLITS = 10

_N_DRAWS = 2000  # of the bootstrap over test samples

Limits = tuple[float | None, float | None]


def over_splits(differences: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """Mean of one difference per split, with Student's 95 % interval.

    The splits are of the same samples: the interval is for other splits of this cohort, each with
    its training, and not for another cohort.

    Examples
    --------
    >>> [round(x, 3) for x in over_splits([-0.02, -0.03, -0.04])]
    [-0.03, -0.055, -0.005]
    """
    values = np.asarray(differences, dtype=float)
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def over_samples(
    first: np.ndarray,
    second: np.ndarray,
    n_first: np.ndarray,
    n_second: np.ndarray,
    *,
    root: bool = False,
) -> tuple[float, float, float]:
    """Relative difference of two errors, with the 95 % interval of a bootstrap over test samples.

    Whole samples are drawn, the same ones for all methods and scenarios that have as many. The
    methods stay as they were fitted: the interval is for other patients, and not for another
    training.

    Parameters
    ----------
    first, second : array of shape (n_samples,)
        Mean absolute, or squared, error of every sample, by two methods.
    n_first, n_second : array of shape (n_samples,)
        How many entries each error is over.
    root : bool
        Compare the roots, for squared errors.

    Returns
    -------
    value, low, high : float

    Examples
    --------
    >>> error, entries = np.array([1.0, 2.0, 3.0]), np.ones(3)
    >>> [round(x, 6) for x in over_samples(0.9 * error, error, entries, entries)]
    [-0.1, -0.1, -0.1]
    """
    draws = np.vstack([np.ones(len(first)), _draws(len(first))])
    with np.errstate(divide="ignore", invalid="ignore"):
        ours = draws @ (first * n_first) / (draws @ n_first)
        theirs = draws @ (second * n_second) / (draws @ n_second)
        differences = (np.sqrt(ours / theirs) if root else ours / theirs) - 1
    low, high = np.quantile(differences[1:], (0.025, 0.975))
    return float(differences[0]), float(low), float(high)


@cache
def _draws(n_samples: int) -> np.ndarray:
    """How often each sample is in each draw, of shape (n_draws, n_samples)."""
    rng = generator(0, "claims", "bootstrap", n_samples)
    return rng.multinomial(n_samples, np.full(n_samples, 1 / n_samples), _N_DRAWS).astype(float)


def lies_between(low: float, high: float, limits: Limits, margin: float) -> bool | None:
    """Say whether an interval lies between two limits, of which None is none.

    An interval across a limit says no if it is narrow, and nothing if its half-width is more than
    the margin: then there is too little data.

    Examples
    --------
    >>> below_zero = (None, 0)
    >>> [lies_between(low, high, below_zero, 0.05)
    ...  for low, high in ((-0.2, -0.1), (-0.02, 0.01), (-0.2, 0.1))]
    [True, False, None]
    """
    if not np.isfinite([low, high]).all():
        return None
    lower, upper = numbers_of(limits)
    if lower < low and high < upper:
        return True
    apart = high <= lower or low >= upper
    return None if not apart and (high - low) / 2 > margin else False


def numbers_of(limits: Limits) -> tuple[float, float]:
    """Return two limits as numbers, infinite where there is none.

    Examples
    --------
    >>> numbers_of((None, 0.5))
    (-inf, 0.5)
    """
    lower, upper = limits
    return -np.inf if lower is None else lower, np.inf if upper is None else upper
