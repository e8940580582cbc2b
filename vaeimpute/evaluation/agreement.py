"""How far coefficients from imputed values agree with those from the true ones."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from vaeimpute.evaluation.concordance import concordance_index

#: Edges of bins over the differences, which are clipped to [-1, 1] as in the paper's Figure 4. One
#: bin has its middle at 0, so that differences of exactly 0, which are many, are on neither side.
DIFFERENCE_BINS = np.linspace(-1.0125, 1.0125, 82)


def compare_coefficients(true: ArrayLike, imputed: ArrayLike) -> dict[str, Any]:
    """Compare the coefficients of some genes from imputed values with the true ones.

    Parameters
    ----------
    true, imputed : array-like of shape (n_genes,)
        NaN where there is no coefficient; such genes are left out.

    Returns
    -------
    dict
        ``genes``, how many have both coefficients; ``concordance``, their `concordance_index`;
        ``variance`` of the differences, imputed minus true, clipped to [-1, 1];
        ``variance_unclipped``; and ``histogram``, how many of the clipped differences are in each
        of `DIFFERENCE_BINS`, as numbers with a space between, for `difference_density`. Where
        nothing is left to compare, the numbers are NaN.

    Examples
    --------
    >>> found = compare_coefficients([0.1, 0.4, 0.9, np.nan], [0.2, 0.1, 3.9, 0.0])
    >>> found["genes"], round(found["concordance"], 3), round(found["variance"], 3)
    (3, 0.667, 0.296)
    """
    true, imputed = np.asarray(true, dtype=float), np.asarray(imputed, dtype=float)
    concordance = concordance_index(true, imputed)
    differences = imputed - true
    differences = differences[~np.isnan(differences)]
    clipped = differences.clip(-1, 1)
    some = len(differences) > 0
    counts = np.histogram(clipped, DIFFERENCE_BINS)[0]
    return {
        "genes": len(differences),
        "concordance": concordance,
        "variance": float(clipped.var()) if some else np.nan,
        "variance_unclipped": float(differences.var()) if some else np.nan,
        "histogram": " ".join(map(str, counts)),
    }


def top_overlap(true: ArrayLike, imputed: ArrayLike, n_top: int = 100) -> float:
    """Share of the strongest genes that are among the strongest after imputation as well.

    Parameters
    ----------
    true, imputed : array-like of shape (n_genes,)
        Strengths, the larger the stronger; NaN for genes that have none, which come last.
    n_top : int
        How many count as strongest.

    Returns
    -------
    float
        Between 0 and 1. NaN if fewer than `n_top` genes have a true strength.

    Examples
    --------
    >>> top_overlap([3.0, 2.0, 1.0, 0.0], [3.0, 0.0, 2.0, 1.0], n_top=2)
    0.5
    """
    before, after = _strongest(true, n_top), _strongest(imputed, n_top)
    return len(before & after) / n_top if len(before) == n_top else np.nan


def _strongest(strengths: ArrayLike, n_top: int) -> set[int]:
    strengths = np.asarray(strengths, dtype=float)
    order = np.argsort(-strengths, kind="stable")  # NaN go last
    return set(order[: min(n_top, int((~np.isnan(strengths)).sum()))].tolist())


def difference_density(table: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Turn the histograms of a table into densities, all trials together.

    Parameters
    ----------
    table : DataFrame
        Rows of the experiment ``clinical_concordance``, of one cohort.
    outcome : {"grade", "survival"}

    Returns
    -------
    DataFrame
        Tidy: ``scenario``, ``method``, ``difference`` (middle of a bin) and ``density`` (which sums
        to 1 over the bins, each times its width).

    Examples
    --------
    >>> histogram = compare_coefficients([0.5, 0.1], [0.5, 0.12])["histogram"]
    >>> row = {"scenario": "mcar_10", "method": "VAE", "grade_histogram": histogram}
    >>> difference_density(pd.DataFrame([row]), "grade").nlargest(1, "density").round(3).values
    array([['mcar_10', 'VAE', 0.0, 20.0]], dtype=object)
    """
    width = DIFFERENCE_BINS[1] - DIFFERENCE_BINS[0]
    middles = (DIFFERENCE_BINS[:-1] + width / 2).round(4) + 0.0  # not -0
    parts = []
    for (scenario, method), part in table.groupby(["scenario", "method"], sort=False):
        histograms = part[f"{outcome}_histogram"]
        counts = np.array([text.split() for text in histograms], dtype=int).sum(axis=0)
        if counts.sum() == 0:
            continue
        parts.append(
            pd.DataFrame(
                {
                    "scenario": scenario,
                    "method": method,
                    "difference": middles,
                    "density": counts / counts.sum() / width,
                }
            )
        )
    columns = ["scenario", "method", "difference", "density"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def compare_variances(
    table: pd.DataFrame, reference: str, methods: Sequence[str], outcome: str
) -> pd.DataFrame:
    """Test whether differences of coefficients vary less with one method than with others.

    Parameters
    ----------
    table : DataFrame
        Rows of the experiment ``clinical_concordance``, of one cohort.
    reference : str
        The method that is said to vary less.
    methods : sequence of str
        Those that it is compared with.
    outcome : {"grade", "survival"}

    Returns
    -------
    DataFrame
        Columns ``scenario``, ``method``, ``n_trials``, ``variance`` (of the reference, mean over
        trials), ``variance_other``, and two-sided p values of t-tests over the trials:
        ``p_unpaired`` (two samples, as in the paper) and ``p_paired`` (trials share their masks).
        Trials in which one of the two has no variance are left out; from a single trial there are
        no p values, and they are NaN.

    Examples
    --------
    >>> rows = [("s", t, m, v + t) for t in range(4) for m, v in (("VAE", 1), ("KNN", 3))]
    >>> columns = ["scenario", "trial", "method", "grade_variance"]
    >>> compare_variances(pd.DataFrame(rows, columns=columns), "VAE", ["KNN"], "grade").round(3)
      scenario method  n_trials  variance  variance_other  p_unpaired  p_paired
    0        s    KNN         4       2.5             4.5       0.071       0.0
    """
    metric = f"{outcome}_variance"
    rows = []
    for scenario, part in table.groupby("scenario", sort=False):
        trials = part.pivot(index="trial", columns="method", values=metric)
        for method in methods:
            if not {reference, method} <= set(trials):
                continue
            pairs = trials[[reference, method]].dropna()
            ours, theirs = pairs[reference], pairs[method]
            unpaired, paired = _t_tests(ours, theirs)
            rows.append(
                {
                    "scenario": scenario,
                    "method": method,
                    "n_trials": len(pairs),
                    "variance": ours.mean(),
                    "variance_other": theirs.mean(),
                    "p_unpaired": unpaired,
                    "p_paired": paired,
                }
            )
    return pd.DataFrame(rows)


def _t_tests(ours: pd.Series, theirs: pd.Series) -> tuple[float, float]:
    """Return the p values of the unpaired and of the paired test."""
    if len(ours) < 2:
        return np.nan, np.nan
    with warnings.catch_warnings():
        # Trials that are all but equal have no spread to test by, which scipy warns of.
        warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
        return stats.ttest_ind(ours, theirs).pvalue, stats.ttest_rel(ours, theirs).pvalue
