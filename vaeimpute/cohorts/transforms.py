"""Transforms of measurements that several cohorts share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.exceptions import CohortError

# One percentage point, below the smallest level above zero that a few dozen reads can give. Far
# smaller ones, such as 1e-6, would turn unmethylated sites into outliers.
EPSILON = 0.01


def negative_log(cohort: Cohort, epsilon: float = EPSILON) -> Cohort:
    """Take -ln(level + epsilon) of methylation levels, as the paper does.

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
        If a value is no methylation level.

    Examples
    --------
    >>> import pandas as pd
    >>> values = pd.DataFrame({"chr22:100": [0.0, 0.99]}, index=["s1", "s2"])
    >>> clinical = pd.DataFrame(index=values.index)
    >>> levels = Cohort("toy", values, clinical, "methylation level", "methylation")
    >>> negative_log(levels).values["chr22:100"].round(2).abs().tolist()
    [4.61, 0.0]
    """
    if epsilon <= 0:
        raise ValueError(f"Expected an epsilon above 0 but got {epsilon}; a level of 0 needs it.")
    low, high = cohort.values.min(axis=None), cohort.values.max(axis=None)
    if low < 0 or high > 1:
        raise CohortError(
            f"Cohort {cohort.name!r} holds values from {low:.3g} to {high:.3g}; expected "
            "methylation levels between 0 and 1. Divide percentages by 100."
        )
    return replace(
        cohort,
        values=-np.log(cohort.values + epsilon),
        units=f"-ln({cohort.units} + {epsilon:g})",
        notes=(*cohort.notes, f"Values are -ln(level + {epsilon:g}); a level of 0 is possible."),
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
        If a value is negative, or no feature is left.

    Examples
    --------
    >>> import pandas as pd
    >>> values = pd.DataFrame({"TP53": [0.0, 7.0], "silent": [0.0, 0.0]}, index=["s1", "s2"])
    >>> clinical = pd.DataFrame(index=values.index)
    >>> counts = Cohort("toy", values, clinical, "read count", "expression")
    >>> log_counts(counts).values["TP53"].round(2).tolist()
    [0.0, 2.08]
    """
    negative = int((cohort.values < 0).sum().sum())
    if negative:
        raise CohortError(
            f"Cohort {cohort.name!r} has {negative} values below zero; expected counts. Is the "
            "logarithm taken already?"
        )
    kept = (cohort.values == 0).mean() <= most_zeros
    if not kept.any():
        raise CohortError(
            f"Cohort {cohort.name!r} has no feature that is above zero in enough samples; raise "
            f"most_zeros (it is {most_zeros:g})."
        )
    chosen = cohort.select_features(cohort.values.columns[kept])
    return replace(
        chosen,
        values=np.log1p(chosen.values),
        units=f"ln({cohort.units} + 1)",
        notes=(
            *cohort.notes,
            f"Values are ln(x + 1); {(~kept).sum()} of {len(kept)} features were dropped because "
            f"they are zero in more than {most_zeros:.0%} of the samples.".replace("%", " %"),
        ),
    )
