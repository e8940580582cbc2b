"""What features have to do with outcomes.

Spearman's correlation and univariate Cox regression of every feature, and the concordance index of
the coefficients (the paper's Table 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import rankdata

_BLOCK = 256  # features at a time, so that what is computed of them stays in the cache


def spearman_correlations(values: ArrayLike, ordinal: ArrayLike) -> np.ndarray:
    """Correlate every feature with an ordinal variable by their ranks.

    What `scipy.stats.spearmanr` returns for one feature after the other: the correlation of the
    ranks, in which ties share the mean of theirs.

    Parameters
    ----------
    values : array-like of shape (n_samples, n_features)
    ordinal : array-like of shape (n_samples,)
        Such as the grade of tumours; only its order counts.

    Returns
    -------
    ndarray of shape (n_features,)
        Between -1 and 1. NaN for a feature that is the same in all samples, and for all features if
        the ordinal variable is: there is no correlation then, which is not one of zero.

    Raises
    ------
    ValueError
        If shapes do not fit or a number is NaN or infinite.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, section "Evaluation methods", correlates genes with tumour grade.

    Examples
    --------
    >>> values = [[1.0, 5.0, 2.0], [2.0, 4.0, 2.0], [9.0, 4.0, 2.0]]
    >>> spearman_correlations(values, [1, 2, 3]).round(3)
    array([ 1.   , -0.866,    nan])
    """
    values, ordinal = check_samples(values, ordinal, "ordinal")
    ranks = rankdata(ordinal)
    ranks -= ranks.mean()
    if not ranks.any():
        return np.full(values.shape[1], np.nan)
    correlations = np.empty(values.shape[1])
    for start in range(0, values.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        own = rankdata(values[:, block], axis=0) - (len(ranks) + 1) / 2
        squares = np.square(own).sum(axis=0) * (ranks @ ranks)
        with np.errstate(invalid="ignore"):  # 0 / 0: a constant feature
            correlations[block] = np.clip(ranks @ own / np.sqrt(squares), -1, 1)
    return correlations


def check_samples(
    values: ArrayLike, variable: ArrayLike, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix and a variable of its samples as floats; raise ValueError if they do not fit.

    Examples
    --------
    >>> check_samples([[1, 2]], [3, 4], "grade")
    Traceback (most recent call last):
    ValueError: Expected one grade per sample but got 2 for values of shape (1, 2).
    """
    values, variable = np.asarray(values, dtype=float), np.asarray(variable, dtype=float)
    if values.ndim != 2:
        raise ValueError(f"Expected values of two dimensions but got shape {values.shape}.")
    if variable.shape != values.shape[:1]:
        raise ValueError(
            f"Expected one {name} per sample but got {variable.size} for values of shape "
            f"{values.shape}."
        )
    for what, array in (("values", values), (name, variable)):
        if not np.isfinite(array).all():
            raise ValueError(
                f"Expected finite numbers but {(~np.isfinite(array)).sum()} of {what} are NaN or "
                "infinite; leave out the samples that lack them."
            )
    return values, variable


#: Why a feature has a coefficient, or none.
CONVERGED = "converged"
CONSTANT = "constant"
SEPARATION = "complete separation"
TOO_FEW_EVENTS = "fewer than two events"
NOT_CONVERGED = "not converged"

_COX_BLOCK = 512  # features at a time, so that what is computed of them stays in the cache
_LARGEST = 500.0  # of exponents: exp(710) is more than a double can hold


def cox_coefficients(
    values: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    ties: Literal["efron", "breslow"] = "efron",
    max_iter: int = 50,
    tolerance: float = 1e-9,
) -> pd.DataFrame:
    """Fit a Cox model with one covariate for every feature, by maximum partial likelihood.

    Newton's method runs over all features together; where a step does not raise the likelihood of
    one, it is halved for that one. There is no penalty. The coefficients are those of
    `lifelines.CoxPHFitter`, which fits one model at a time.

    Parameters
    ----------
    values : array-like of shape (n_samples, n_features)
    time : array-like of shape (n_samples,)
        Of follow-up, in any unit; not negative.
    event : array-like of shape (n_samples,)
        1 if the follow-up ended in the event, 0 if it was cut off (censored).
    ties : {"efron", "breslow"}
        How events at the same time are taken.
    max_iter : int
        Newton steps and halvings at most.
    tolerance : float
        A feature has converged when its next step is smaller than this, in standard errors or in
        standard deviations of the feature, whichever is the smaller.

    Returns
    -------
    DataFrame
        One row per feature: ``coefficient`` (logarithm of the hazard ratio per unit of `values`),
        ``standard_error`` and ``reason``. Both numbers are NaN unless the reason is "converged". It
        is "constant" for a feature that does not differ among the samples at risk; "complete
        separation" for one whose likelihood rises without end, because at every event the largest
        value had it, or the smallest; "fewer than two events", which is no ground for a
        coefficient; or "not converged".

    Raises
    ------
    ValueError
        If shapes do not fit, a number is NaN or infinite, a time is negative or an event is neither
        0 nor 1.

    References
    ----------
    Qiu, Zheng, Gevaert 2020, section "Evaluation methods", regresses survival on each gene. Efron
    1977, Journal of the American Statistical Association 72:557, for ties.

    Examples
    --------
    >>> values = [[0.5, 3.0], [1.5, 3.0], [0.2, 3.0], [1.0, 3.0]]
    >>> cox_coefficients(values, time=[5, 2, 3, 8], event=[1, 1, 1, 0]).round(3)
       coefficient  standard_error     reason
    0        0.199            1.54  converged
    1          NaN             NaN   constant
    """
    if ties not in ("efron", "breslow"):
        raise ValueError(f"Expected ties 'efron' or 'breslow' but got {ties!r}.")
    x, times = check_samples(values, time, "time")
    events = check_samples(values, event, "event")[1]
    if (times < 0).any():
        raise ValueError(f"Expected times of 0 or more but got {times.min():g}.")
    coded = np.isin(events, (0, 1))
    if not coded.all():
        raise ValueError(f"Expected events as 0 or 1 but got {events[~coded][0]:g}.")
    n_features = x.shape[1]
    coefficient, error = np.full((2, n_features), np.nan)
    reason = np.full(n_features, TOO_FEW_EVENTS, dtype=object)
    if events.sum() >= 2:
        risk = _RiskSets.of(times, events.astype(bool), ties)
        x = x[risk.order]
        for start in range(0, n_features, _COX_BLOCK):
            block = slice(start, start + _COX_BLOCK)
            fitted = _fit(x[:, block], risk, max_iter, tolerance)
            coefficient[block], error[block], reason[block] = fitted
    return pd.DataFrame({"coefficient": coefficient, "standard_error": error, "reason": reason})


@dataclass(frozen=True, eq=False)
class _RiskSets:
    """Who was at risk when, with samples in the order of their times, the last first.

    Attributes
    ----------
    order : array of shape (n_samples,)
        Positions of the samples; those that were censored before the first event are left out.
    starts : array of shape (n_times,)
        In this order, those at risk at the k-th event time from the end are all from the first to
        the one before ``starts[k + 1]``.
    events : array of shape (n_events,)
        Positions, in this order, of those that had the event.
    time_of : array of shape (n_events,)
        Which event time each event belongs to.
    first : array of shape (n_times,)
        Position in `events` of the first of each event time.
    share : array of shape (n_events,)
        Efron's share of the tied events that is no longer at risk, 0 for the first of each time.
    """

    order: np.ndarray
    starts: np.ndarray
    events: np.ndarray
    time_of: np.ndarray
    first: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, time: np.ndarray, event: np.ndarray, ties: str) -> _RiskSets:
        at_risk = np.flatnonzero(time >= time[event].min())
        order = at_risk[np.argsort(-time[at_risk], kind="stable")]
        time, event = time[order], event[order]
        events = np.flatnonzero(event)
        times, first, time_of, n_tied = np.unique(
            -time[events], return_index=True, return_inverse=True, return_counts=True
        )
        n_at_risk = np.searchsorted(-time, times, side="right")
        share = (np.arange(len(events)) - first[time_of]) / n_tied[time_of]
        return cls(
            order=order,
            starts=np.concatenate([[0], n_at_risk[:-1]]),
            events=events,
            time_of=time_of,
            first=first,
            share=share if ties == "efron" else np.zeros_like(share),
        )

    def sums(self, samples: np.ndarray) -> np.ndarray:
        """Sum over those at risk at each event, less Efron's share of the tied events."""
        at_risk = np.add.reduceat(samples, self.starts, axis=0).cumsum(axis=0)[self.time_of]
        if self.share.any():
            tied = np.add.reduceat(samples[self.events], self.first, axis=0)[self.time_of]
            at_risk -= self.share[:, None] * tied
        return at_risk

    def ranges(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Least and largest value of those at risk at each event."""
        least, largest = (
            extreme.accumulate(extreme.reduceat(samples, self.starts, axis=0), axis=0)
            for extreme in (np.minimum, np.maximum)
        )
        return least[self.time_of], largest[self.time_of]


def _fit(
    values: np.ndarray, risk: _RiskSets, max_iter: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit a block of features; samples are in the order of the risk sets."""
    n_features = values.shape[1]
    least, largest = risk.ranges(values)
    had_it = values[risk.events]
    rises, falls = (had_it == largest).all(axis=0), (had_it == least).all(axis=0)
    reason = np.full(n_features, NOT_CONVERGED, dtype=object)
    reason[rises | falls] = SEPARATION
    reason[rises & falls] = CONSTANT
    # In units in which Newton's first step is right, and no exponent overflows.
    left = np.flatnonzero(~(rises | falls))
    center, scale = values[:, left].mean(axis=0), values[:, left].std(axis=0)
    x = (values[:, left] - center) / scale
    largest_step = _LARGEST / np.abs(x).max(axis=0)

    beta, information = np.full((2, n_features), np.nan)
    current = np.zeros(len(left))
    likelihood, slope, curvature = _derivatives(x, current, risk)
    step = slope / curvature
    for _ in range(max_iter):
        trial = np.clip(current + step, -largest_step, largest_step)
        likelihood_there, slope_there, curvature_there = _derivatives(x, trial, risk)
        # Rounding can lower it in the last digits where it is highest.
        better = likelihood_there >= likelihood - 1e-12 * np.abs(likelihood)
        current = np.where(better, trial, current)
        likelihood = np.where(better, likelihood_there, likelihood)
        curvature = np.where(better, curvature_there, curvature)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(better, slope_there / curvature_there, step / 2)
        close = np.abs(step) < tolerance * np.minimum(1, curvature**-0.5)
        done = better & close
        if done.any():
            beta[left[done]] = (current + step)[done] / scale[done]
            information[left[done]] = curvature[done] * scale[done] ** 2
            reason[left[done]] = CONVERGED
            kept = ~done
            left, current, likelihood = left[kept], current[kept], likelihood[kept]
            curvature, step, largest_step = curvature[kept], step[kept], largest_step[kept]
            x, scale = x[:, kept], scale[kept]
        if not len(left):
            break
    return beta, information**-0.5, reason


def _derivatives(
    x: np.ndarray, beta: np.ndarray, risk: _RiskSets
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the log partial likelihood, its slope, and its curvature with the sign turned."""
    exponents = x * beta
    highest = exponents.max(axis=0)
    hazard = np.exp(exponents - highest)  # at most 1; the factor cancels, except in the logarithm
    weighted = x * hazard
    total = risk.sums(hazard)
    mean = risk.sums(weighted) / total
    square = risk.sums(x * weighted) / total
    likelihood = exponents[risk.events].sum(axis=0)
    likelihood -= np.log(total).sum(axis=0) + highest * len(risk.events)
    slope = x[risk.events].sum(axis=0) - mean.sum(axis=0)
    curvature = (square - np.square(mean)).sum(axis=0)
    return likelihood, slope, curvature


def concordance_index(true: ArrayLike, predicted: ArrayLike) -> float:
    """Share of the pairs that two vectors put in the same order.

    Pairs that are equal in `true` do not count; those that are equal in `predicted` only count
    half. It is the same as `lifelines.utils.concordance_index` without censoring, and follows from
    Kendall's tau, which scipy counts by sorting: n log n steps for n entries.

    Parameters
    ----------
    true, predicted : array-like of shape (n,)
        Such as coefficients of genes from complete and from imputed data. Entries that are NaN in
        either have no order, and are left out.

    Returns
    -------
    float
        1 for the same order, 0.5 for none in common, 0 for the opposite one. NaN if no two entries
        differ in `true`.

    Raises
    ------
    ValueError
        If the vectors are not of one length.

    Examples
    --------
    >>> round(concordance_index([1.0, 2.0, 3.0], [0.1, 0.3, 0.2]), 3)
    0.667
    """
    from scipy.stats import kendalltau

    x, y = np.asarray(true, dtype=float), np.asarray(predicted, dtype=float)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"Expected two vectors of one length but got {x.shape} and {y.shape}.")
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    n_true, n_predicted = _different_pairs(x), _different_pairs(y)
    if n_true == 0:
        return np.nan
    if n_predicted == 0:
        return 0.5
    # tau-b is (concordant - discordant) / sqrt(n_true * n_predicted), and what we want is
    # (concordant + half of those tied in `predicted` only) / n_true.
    tau = kendalltau(x, y, variant="b").statistic
    return float(0.5 + 0.5 * tau * np.sqrt(n_predicted / n_true))


def _different_pairs(values: np.ndarray) -> int:
    """Count the pairs of entries that are not equal."""
    counts = np.unique(values, return_counts=True)[1]
    return (len(values) * (len(values) - 1) - int((counts * (counts - 1)).sum())) // 2
