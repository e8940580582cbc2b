"""Fewer samples, and fewer reads: cohorts as smaller or shallower studies would have seen them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.exceptions import CohortError
from vaeimpute.seeding import child_seed


def draw_samples(cohort: Cohort, n_samples: int, *, seed: int = 0) -> Cohort:
    """Keep some of the samples, drawn at random.

    Parameters
    ----------
    cohort : Cohort
    n_samples : int
        How many to keep; 0 keeps all.
    seed : int

    Returns
    -------
    Cohort
        The samples are in the order that they had. A note says how many there were.

    Raises
    ------
    ValueError
        If the cohort has not that many samples.

    Examples
    --------
    >>> values = pd.DataFrame({"cg1": [0.1, 0.4, 0.5]}, index=["s1", "s2", "s3"])
    >>> cohort = Cohort("toy", values, pd.DataFrame(index=values.index), "level", "methylation")
    >>> len(draw_samples(cohort, 2).values)
    2
    """
    n_all = len(cohort.values)
    if not 0 <= n_samples <= n_all:
        raise ValueError(
            f"Expected n_samples from 0 (all) to {n_all}, the samples of cohort {cohort.name!r}, "
            f"but got {n_samples}."
        )
    if n_samples in (0, n_all):
        return cohort
    rng = np.random.default_rng(child_seed(seed, "drawn-samples"))
    rows = np.sort(rng.choice(n_all, n_samples, replace=False))
    return replace(
        cohort,
        values=cohort.values.iloc[rows],
        clinical=cohort.clinical.iloc[rows],
        coverage=None if cohort.coverage is None else cohort.coverage.iloc[rows],
        notes=(*cohort.notes, f"{n_samples} of {n_all} samples, drawn at random (seed {seed})."),
    )


def with_read_noise(cohort: Cohort, *, seed: int = 0) -> Cohort:
    """Measure methylation levels again with as many reads as the coverage says.

    Every level becomes ``Binomial(coverage, level) / coverage``: of the reads at a site, each comes
    from a methylated molecule with a chance that is the level. It is what sequencing would have
    measured if the values of the cohort were the truth.

    Parameters
    ----------
    cohort : Cohort
        Of methylation, with levels between 0 and 1 and with coverage of at least 1.
    seed : int

    Returns
    -------
    Cohort
        What is missing stays missing. A note says what was drawn.

    Raises
    ------
    CohortError
        If the cohort has no coverage, a coverage below 1, or a value that is no methylation level.

    Examples
    --------
    >>> values = pd.DataFrame({"cg1": [0.5, 0.5], "cg2": [0.0, 1.0]})
    >>> clinical = pd.DataFrame(index=values.index)
    >>> reads = pd.DataFrame({"cg1": [1, 1], "cg2": [9, 9]})
    >>> cohort = Cohort("toy", values, clinical, "level", "methylation", coverage=reads)
    >>> noisy = with_read_noise(cohort).values
    >>> set(noisy["cg1"]) <= {0.0, 1.0}, noisy["cg2"].tolist()
    (True, [0.0, 1.0])
    """
    if cohort.coverage is None:
        raise CohortError(
            f"Cohort {cohort.name!r} has no read coverage to draw reads with; see "
            "vaeimpute.cohorts.with_simulated_coverage."
        )
    levels, reads = cohort.values.to_numpy(dtype=np.float64), cohort.coverage.to_numpy()
    if (np.nan_to_num(levels) < 0).any() or (np.nan_to_num(levels) > 1).any():
        raise CohortError(
            f"Cohort {cohort.name!r} holds values from {np.nanmin(levels):.3g} to "
            f"{np.nanmax(levels):.3g}; expected methylation levels between 0 and 1. Draw reads "
            "before any logarithm."
        )
    if (reads < 1).any():
        raise CohortError(
            f"Cohort {cohort.name!r}: {(reads < 1).sum()} values have no read behind them; mark "
            "them as missing and their coverage as 1."
        )
    rng = np.random.default_rng(child_seed(seed, "read-noise"))
    methylated = rng.binomial(reads.astype(np.int64), np.nan_to_num(levels))
    measured = np.where(np.isnan(levels), np.nan, methylated / reads)
    return replace(
        cohort,
        values=pd.DataFrame(measured, cohort.values.index, cohort.values.columns),
        notes=(
            *cohort.notes,
            f"Levels are drawn from binomial read counts (seed {seed}): their noise is SIMULATED.",
        ),
    )
