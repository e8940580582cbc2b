"""Fewer samples, and fewer reads: cohorts as smaller or shallower studies would have seen them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.exceptions import CohortError
from vaeimpute.seeding import generator
from vaeimpute.tables.transforms import to_log


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
    rng = generator(seed, "drawn-samples")
    rows = np.sort(rng.choice(n_all, n_samples, replace=False))
    return cohort.noted(
        f"{n_samples} of {n_all} samples, drawn at random (seed {seed}).",
        values=cohort.values.iloc[rows],
        clinical=cohort.clinical.iloc[rows],
        coverage=None if cohort.coverage is None else cohort.coverage.iloc[rows],
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
        If the cohort has no coverage, a coverage below 1, or a value that is no methylation level,
        or the values are logarithms already.

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
    _require_levels(cohort)
    levels, reads = cohort.values.to_numpy(dtype=np.float64), cohort.coverage.to_numpy()
    if (reads < 1).any():
        raise CohortError(
            f"Cohort {cohort.name!r}: {(reads < 1).sum()} values have no read behind them; mark "
            "them as missing and their coverage as 1."
        )
    rng = generator(seed, "read-noise")
    methylated = rng.binomial(reads.astype(np.int64), np.nan_to_num(levels))
    measured = np.where(np.isnan(levels), np.nan, methylated / reads)
    return cohort.noted(
        f"Levels are drawn from binomial read counts (seed {seed}): their noise is SIMULATED.",
        values=pd.DataFrame(measured, cohort.values.index, cohort.values.columns),
    )


# One percentage point, below the smallest level above zero that a few dozen reads can give. Far
# smaller ones, such as 1e-6, would turn unmethylated sites into outliers.
EPSILON = 0.01


def negative_log(cohort: Cohort, epsilon: float = EPSILON) -> Cohort:
    """Take the paper's negative log transformation of methylation levels: -ln(level + epsilon).

    Parameters
    ----------
    cohort : Cohort
        With levels between 0 and 1.
    epsilon : float
        Keeps the logarithm of 0 finite. The paper does not say what it did.

    Returns
    -------
    Cohort
        With a note that says what was done.

    Raises
    ------
    CohortError
        If a value is no methylation level, or the values are logarithms already.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, section "Datasets".

    Examples
    --------
    >>> values = pd.DataFrame({"chr22:100": [0.0, 0.99]}, index=["s1", "s2"])
    >>> clinical = pd.DataFrame(index=values.index)
    >>> levels = Cohort("toy", values, clinical, "methylation level", "methylation")
    >>> negative_log(levels).values["chr22:100"].round(2).abs().tolist()
    [4.61, 0.0]
    """
    if epsilon <= 0:
        raise ValueError(f"Expected an epsilon above 0 but got {epsilon}; a level of 0 needs it.")
    _require_levels(cohort)
    return cohort.noted(
        f"Values are -ln(level + {epsilon:g}); a level of 0 is possible.",
        values=-np.log(cohort.values + epsilon),
        units=f"-ln({cohort.units} + {epsilon:g})",
        is_log=True,
    )


def log_counts(cohort: Cohort, most_zeros: float = 0.5) -> Cohort:
    """Take ln(x + 1) of read counts, as the paper does, and drop features that are mostly zero.

    Parameters
    ----------
    cohort : Cohort
        With counts, or other values from zero up.
    most_zeros : float
        Features that are zero in a larger share of the samples than this are dropped. The paper's
        file marks such genes as missing, and the paper drops them.

    Returns
    -------
    Cohort
        With a note that says what was done.

    Raises
    ------
    CohortError
        If a value is negative, the values are logarithms already, or no feature is left.

    Examples
    --------
    >>> values = pd.DataFrame({"TP53": [0.0, 7.0], "silent": [0.0, 0.0]}, index=["s1", "s2"])
    >>> clinical = pd.DataFrame(index=values.index)
    >>> counts = Cohort("toy", values, clinical, "read count", "expression")
    >>> log_counts(counts).values["TP53"].round(2).tolist()
    [0.0, 2.08]
    """
    _refuse_logs(cohort)
    kept = (cohort.values == 0).mean() <= most_zeros
    if not kept.any():
        raise CohortError(
            f"Cohort {cohort.name!r} has no feature that is above zero in enough samples; raise "
            f"most_zeros (it is {most_zeros:g})."
        )
    chosen = cohort.select_features(cohort.values.columns[kept])
    return chosen.noted(
        f"Values are ln(x + 1); {(~kept).sum()} of {len(kept)} features were dropped because "
        f"they are zero in more than {100 * most_zeros:.0f} % of the samples.",
        values=to_log(chosen.values),
        units=f"ln({cohort.units} + 1)",
        is_log=True,
    )


def _refuse_logs(cohort: Cohort) -> None:
    if cohort.is_log:
        raise CohortError(f"The values of cohort {cohort.name!r} are logarithms already.")


def _require_levels(cohort: Cohort) -> None:
    _refuse_logs(cohort)
    low, high = cohort.values.min(axis=None), cohort.values.max(axis=None)
    if low < 0 or high > 1:
        raise CohortError(
            f"Cohort {cohort.name!r} holds values from {low:.3g} to {high:.3g}; expected "
            "methylation levels between 0 and 1. Divide percentages by 100; take no logarithm "
            "before."
        )
