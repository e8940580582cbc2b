"""Read coverage as real bisulfite sequencing has it: fitted once to real counts, drawn at will."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from scipy.stats import nbinom, rankdata

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.exceptions import CohortError
from vaeimpute.seeding import generator

logger = logging.getLogger(__name__)

_FIT = "coverage_fit.json"  # written by benchmarks/fit_coverage.py
_DENSITY_WINDOW = 21  # sites over which the local spacing is averaged
_TAIL = 1e-9  # counts less probable than this are never drawn


@dataclass(frozen=True)
class CoverageModel:
    """Parameters of a coverage distribution, relative to a sample's mean reads per site.

    One sample's counts follow a mixture of two negative binomials, without zero. Sites and samples
    are tied together by a Gaussian copula: the normal score of a count is the sum of four
    independent parts, whose shares of the variance are ``density_loading ** 2``,
    ``shared_long_share``, ``shared_short_share`` and the rest, which each sample has for itself.

    Attributes
    ----------
    mean_reads : float
        Mean over samples of the mean reads per site.
    depth_log_sd : float
        Standard deviation of the natural logarithm of a sample's mean.
    low_weight, low_ratio, low_size : float
        Share of the sparsely read component, its mean relative to the sample's, its dispersion
        (variance = mean + mean^2 / size).
    high_size : float
        Dispersion of the other component; its mean follows from the sample's.
    density_loading : float
        Correlation of the normal score with the normal score of the local spacing of the sites:
        coverage is low where CpG sites are dense, as in CpG islands.
    shared_long_share, shared_long_range : float
        Variance that all samples have in common, correlated over this many base pairs.
    shared_short_share, shared_short_range : float
        The same at the length of a read, whose sites are covered together.
    own_range : float
        Base pairs over which the part that a sample has for itself is correlated.
    """

    mean_reads: float
    depth_log_sd: float
    low_weight: float
    low_ratio: float
    low_size: float
    high_size: float
    density_loading: float
    shared_long_share: float
    shared_long_range: float
    shared_short_share: float
    shared_short_range: float
    own_range: float

    @property
    def own_share(self) -> float:
        """Share of the variance of the normal scores that a sample does not share with others."""
        return 1 - self.density_loading**2 - self.shared_long_share - self.shared_short_share

    def pmf(self, reads: np.ndarray, mean: float) -> np.ndarray:
        """Probability of read counts in a sample with this mean, given that there are any.

        Parameters
        ----------
        reads : array of int
        mean : float
            Mean reads per site of the sample, counting sites without reads.

        Returns
        -------
        ndarray of float
            Zero for a count of zero.

        Examples
        --------
        >>> model = coverage_model()
        >>> round(float(model.pmf(np.arange(500), mean=15.0).sum()), 6)
        1.0
        """
        high_ratio = (1 - self.low_weight * self.low_ratio) / (1 - self.low_weight)
        reads = np.asarray(reads)
        some, none = (
            self.low_weight * _negative_binomial(k, mean * self.low_ratio, self.low_size)
            + (1 - self.low_weight) * _negative_binomial(k, mean * high_ratio, self.high_size)
            for k in (reads, np.zeros(1))
        )
        return np.where(reads > 0, some / (1 - none), 0.0)


def _negative_binomial(reads: np.ndarray, mean: float, size: float) -> np.ndarray:
    return nbinom.pmf(reads, size, size / (size + mean))


@cache
def coverage_fit() -> dict:
    """Return what ``benchmarks/fit_coverage.py`` found: the parameters, their source, the rivals.

    Returns
    -------
    dict
        ``source`` (which data), ``model`` (the parameters of `CoverageModel`), ``families``
        (pooled log-likelihood and BIC of every family tried), ``samples`` (mean and goodness of
        fit of each real sample), ``histogram`` (share of the sites by their reads), ``spatial``
        (real and fitted correlation by distance) and ``spacing`` (distances between CpG sites).

    Examples
    --------
    >>> min(coverage_fit()["families"], key=lambda row: row["bic"])["family"]
    'two negative binomials'
    """
    return json.loads(resources.files(__package__).joinpath(_FIT).read_text(encoding="utf-8"))


def coverage_model() -> CoverageModel:
    """Return the model fitted to real whole-genome bisulfite sequencing counts.

    Returns
    -------
    CoverageModel

    Examples
    --------
    >>> 10 < coverage_model().mean_reads < 30
    True
    """
    return CoverageModel(**coverage_fit()["model"])


def draw_coverage(
    n_samples: int,
    positions: np.ndarray | int,
    rng: np.random.Generator,
    model: CoverageModel | None = None,
) -> np.ndarray:
    """Draw read counts for every sample and site; each is at least 1.

    Parameters
    ----------
    n_samples : int
    positions : array of shape (n_sites,) or int
        Base pairs along the chromosome, in increasing order. A number of sites instead of their
        positions makes sites independent of each other.
    rng : numpy.random.Generator
    model : CoverageModel, optional
        By default `coverage_model`.

    Returns
    -------
    ndarray of int32, shape (n_samples, n_sites)

    Examples
    --------
    >>> reads = draw_coverage(3, np.arange(0, 50_000, 50), np.random.default_rng(0))
    >>> reads.shape, int(reads.min()) >= 1
    ((3, 1000), True)
    """
    model = model or coverage_model()
    depths = rng.normal(-0.5 * model.depth_log_sd**2, model.depth_log_sd, size=n_samples)
    means = model.mean_reads * np.exp(depths)
    scores = _normal_scores(n_samples, positions, rng, model)
    reads = np.empty(scores.shape, dtype=np.int32)
    counts = np.arange(1, int(model.mean_reads * 200) + 1000)
    for row, mean in enumerate(means):
        cdf = np.cumsum(model.pmf(counts, mean))
        cdf = cdf[: np.searchsorted(cdf, 1 - _TAIL) + 1]
        reads[row] = 1 + np.minimum(np.searchsorted(cdf, ndtr(scores[row])), len(cdf) - 1)
    return reads


def _normal_scores(
    n_samples: int, positions: np.ndarray | int, rng: np.random.Generator, model: CoverageModel
) -> np.ndarray:
    """Correlated standard normal variables of shape (n_samples, n_sites)."""
    if isinstance(positions, (int, np.integer)):
        shared = np.sqrt(1 - model.own_share) * rng.standard_normal(positions)
        return shared + np.sqrt(model.own_share) * rng.standard_normal((n_samples, positions))
    shared = (
        model.density_loading * spacing_scores(positions)
        + np.sqrt(model.shared_long_share)
        * correlated_normals(positions, model.shared_long_range, rng)[0]
        + np.sqrt(model.shared_short_share)
        * correlated_normals(positions, model.shared_short_range, rng)[0]
    )
    own = correlated_normals(positions, model.own_range, rng, n_series=n_samples)
    return shared + np.sqrt(model.own_share) * own


def correlated_normals(
    positions: np.ndarray, length: float, rng: np.random.Generator, *, n_series: int = 1
) -> np.ndarray:
    """Draw standard normal series whose correlation falls off as exp(-distance / length).

    Parameters
    ----------
    positions : array of shape (n_sites,)
        In increasing order.
    length : float
        In the units of `positions`.
    rng : numpy.random.Generator
    n_series : int
        How many independent series.

    Returns
    -------
    ndarray of shape (n_series, n_sites)

    Examples
    --------
    >>> x = correlated_normals(np.arange(20_000), 10.0, np.random.default_rng(0))[0]
    >>> round(float(np.corrcoef(x[:-10], x[10:])[0, 1]), 1)  # exp(-1) is 0.37
    0.4
    """
    series = rng.standard_normal((len(positions), n_series))
    kept = np.exp(-np.diff(positions) / length)
    fresh = np.sqrt(1 - kept**2)
    # An Ornstein-Uhlenbeck process is Markov, so one pass along the sites is enough.
    for site in range(1, len(positions)):
        series[site] *= fresh[site - 1]
        series[site] += kept[site - 1] * series[site - 1]
    return series.T


def spacing_scores(positions: np.ndarray) -> np.ndarray:
    """Score the local distance between sites on the normal scale: low in dense regions.

    Parameters
    ----------
    positions : array of shape (n_sites,)
        In increasing order.

    Returns
    -------
    ndarray of shape (n_sites,)

    Examples
    --------
    >>> dense, sparse = np.arange(0, 1000, 10), np.arange(1000, 50_000, 500)
    >>> scores = spacing_scores(np.concatenate([dense, sparse]))
    >>> bool(scores[:80].max() < scores[-80:].min())
    True
    """
    if len(positions) < 2:
        return np.zeros(len(positions))
    gaps = np.log(np.maximum(np.diff(positions, append=2 * positions[-1] - positions[-2]), 1.0))
    local = pd.Series(gaps).rolling(_DENSITY_WINDOW, center=True, min_periods=1).mean()
    # Ties (evenly spaced sites) get the same rank, so even spacing means no effect at all.
    return normal_scores(local.round(9).to_numpy())


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Replace values by the quantiles of the standard normal distribution at their ranks.

    Examples
    --------
    >>> normal_scores(np.array([5.0, 70.0, 6.0])).round(2)
    array([-0.97,  0.97,  0.  ])
    """
    return ndtri((rankdata(values) - 0.5) / len(values))


def with_simulated_coverage(cohort: Cohort, *, seed: int = 0) -> Cohort:
    """Give a methylation cohort without reads a coverage drawn from the fitted distribution.

    Parameters
    ----------
    cohort : Cohort
        Of methylation, without coverage. If its features have the columns ``chromosome`` and
        ``position``, neighbouring sites are covered alike; else sites are independent.
    seed : int

    Returns
    -------
    Cohort
        With `coverage`, at least 1 everywhere, and a note that it is simulated. The values are as
        they were: unlike those of sequencing, they are not rougher where the coverage is low.

    Raises
    ------
    CohortError
        If the cohort is not of methylation, or has coverage already.

    Examples
    --------
    >>> values = pd.DataFrame({"cg1": [0.1, 0.4], "cg2": [0.9, 0.8]})
    >>> cohort = Cohort("toy", values, pd.DataFrame(index=values.index), "level", "methylation")
    >>> with_simulated_coverage(cohort).coverage.shape
    (2, 2)
    """
    if cohort.data_type != "methylation":
        raise CohortError(f"Cohort {cohort.name!r} is of {cohort.data_type}, not methylation.")
    if cohort.coverage is not None:
        raise CohortError(f"Cohort {cohort.name!r} has its own coverage; none was simulated.")
    rng = generator(seed, "simulated-coverage")
    n_samples, n_sites = cohort.values.shape
    reads = np.empty((n_samples, n_sites), dtype=np.int32)
    if {"chromosome", "position"} <= set(cohort.features):
        order, along = _along_the_genome(cohort.features)
        reads[:, order] = draw_coverage(n_samples, along, rng)
    else:
        reads[:] = draw_coverage(n_samples, n_sites, rng)
    note = (
        f"Coverage is SIMULATED (seed {seed}, mean depth {coverage_model().mean_reads:g}): the "
        f"array has no reads. {coverage_fit()['source']}"
    )
    logger.info("Cohort %s: %s", cohort.name, note)
    coverage = pd.DataFrame(reads, cohort.values.index, cohort.values.columns)
    return cohort.noted(note, coverage=coverage)


def _along_the_genome(features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Order of the sites along the genome, and their distances from its start."""
    chromosome = pd.factorize(features["chromosome"])[0]
    position = features["position"].to_numpy(dtype=np.int64)
    order = np.lexsort((position, chromosome))
    # Chromosomes are laid end to end, too far apart for one to know of the other.
    return order, (position + chromosome * (2 * int(position.max()) + 10**9))[order]
