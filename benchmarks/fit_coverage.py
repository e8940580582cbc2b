"""Fit the coverage model of vaeimpute/cohorts/coverage.py to real bisulfite sequencing counts.

Run by hand when the data or the families change::

    VAEIMPUTE_DATA=<folder> python benchmarks/fit_coverage.py [--write]

It reads the folder ``wgbs_counts_with_coverage``, prints what it finds, and with
``--write`` replaces ``vaeimpute/cohorts/coverage_fit.json``. The parameters and one
histogram are all that enters the repository. A quarter of a minute.

The counts
----------
* ``dmrseq``: chromosome 21, two replicates each of IMR90 and H1 cells (Bioconductor
  package dmrseq, MIT). Only sites with a methylated read in all four samples are in it.
* ``methylseekr``: part of chromosome 22 (hg18), IMR90 (Bioconductor package MethylSeekR, GPL).
* ``biseq``: reduced representation (RRBS) of ten samples (Bioconductor package BiSeq, LGPL-3). RRBS
  reads pile up at restriction sites and half of its entries have no read, so the counts' family is
  not fitted to it; it is the only set with ten people, and gives the variation of depth.

What is left out: sites without reads. The first two sets do not have them, so how many there would
be cannot be known from them, and all distributions are conditional on at least one read.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

import vaeimpute.cohorts.coverage as coverage

OUT = Path(coverage.__file__).with_name("coverage_fit.json")
SOURCE = (
    "Real counts of the Bioconductor packages dmrseq (chr21, IMR90 and H1, 4 samples, MIT) and "
    "MethylSeekR (chr22, IMR90, 1 sample, GPL); variation of depth from BiSeq (RRBS, 10 samples, "
    "LGPL-3). Fitted by benchmarks/fit_coverage.py."
)
_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(60)
_EDGES = np.array([0, 2, 5, 10, 20, 35, 50, 75, 100, 150, 200, 300, 500, 1000, 2000, 5000, 20000])
_MOST_SHOWN = 60  # reads
_LAGS = [*range(1, 40), 50, 70, 100, 150, 200, 300]


def log_negative_binomial(k, mean, size):
    """Log probability of k reads."""
    return stats.nbinom.logpmf(k, size, size / (size + mean))


def log_poisson_lognormal(k, mean, sigma):
    """Log probability of k reads, the rate being log-normal."""
    rate = mean * np.exp(np.sqrt(2) * sigma * _NODES - sigma**2 / 2)
    terms = stats.poisson.logpmf(np.asarray(k)[:, None], rate) + np.log(_WEIGHTS / np.sqrt(np.pi))
    return special.logsumexp(terms, axis=1)


def log_poisson_inverse_gaussian(k, mean, phi):
    """Log probability of k reads, the rate being inverse Gaussian (by its recursion)."""
    p = np.empty(max(int(np.max(k)), 1) + 1)
    p[0] = np.exp((1 - np.sqrt(1 + 2 * phi)) * mean / phi)
    p[1] = mean * p[0] / np.sqrt(1 + 2 * phi)
    for n in range(2, len(p)):
        p[n] = (2 * phi * (1 - 1.5 / n) * p[n - 1] + mean**2 / (n * (n - 1)) * p[n - 2]) / (
            1 + 2 * phi
        )
    return np.log(np.maximum(p[k], 1e-300))


def log_discrete_weibull(k, mean, shape):
    """Log probability of k reads, a Weibull variable rounded down."""
    scale = (mean + 0.5) / special.gamma(1 + 1 / shape)
    k = np.asarray(k, dtype=float)
    return np.log(
        np.maximum(np.exp(-((k / scale) ** shape)) - np.exp(-(((k + 1) / scale) ** shape)), 1e-300)
    )


def log_two_negative_binomials(k, mean, low_size, high_size, odds, low_ratio):
    """Log probability of k reads under the mixture that `CoverageModel.pmf` draws from."""
    weight, ratio = odds / (1 + odds), low_ratio / (1 + low_ratio)  # both between 0 and 1
    high = (1 - weight * ratio) / (1 - weight)
    return np.logaddexp(
        np.log(weight) + log_negative_binomial(k, mean * ratio, low_size),
        np.log1p(-weight) + log_negative_binomial(k, mean * high, high_size),
    )


# Family -> (log pmf of counts given a mean and the shapes, starting values of the shapes)
FAMILIES = {
    "negative binomial": (log_negative_binomial, [2.5]),
    "Poisson-lognormal": (log_poisson_lognormal, [0.6]),
    "Poisson-inverse Gaussian": (log_poisson_inverse_gaussian, [7.0]),
    "discrete Weibull": (log_discrete_weibull, [1.5]),
    "two negative binomials": (log_two_negative_binomials, [1.5, 4.0, 0.3, 1.0]),
}


def zero_truncated(log_pmf, k, parameters):
    """Log probability of k given that it is not 0."""
    with np.errstate(all="ignore"):
        return log_pmf(k, *parameters) - np.log1p(-np.exp(log_pmf(np.zeros(1, int), *parameters)))


def fit_family(name: str, tables: list) -> tuple[np.ndarray, np.ndarray, float]:
    """Fit one family to all samples: a mean for each, one shape for all.

    Returns the means, the shapes and the log-likelihood, summed over samples, of which each counts
    by its number of sites.
    """
    log_pmf, start = FAMILIES[name]

    def unlikely(theta):
        shapes = np.exp(theta[len(tables) :])
        total = -sum(
            (n * zero_truncated(log_pmf, k, (np.exp(m), *shapes))).sum()
            for (k, n), m in zip(tables, theta, strict=False)
        )
        return total / 1e5 if np.isfinite(total) else 1e6

    means = [np.log((k * n).sum() / n.sum()) for k, n in tables]
    found = optimize.minimize(unlikely, [*means, *np.log(start)], method="L-BFGS-B")
    theta = np.exp(found.x)
    return theta[: len(tables)], theta[len(tables) :], -found.fun * 1e5


def correlation_by_distance(
    values: np.ndarray,
    positions: np.ndarray,
    edges: np.ndarray,
    *,
    other: np.ndarray | None = None,
    lags: Iterable[int] = range(1, 201),
) -> pd.Series:
    """Correlation of the values of two sites by their distance along the chromosome.

    It is taken within each class of distance, since close pairs come from dense regions, whose
    values may vary less than those of all sites.

    Parameters
    ----------
    values : array of shape (n_sites,)
        One sample, or one statistic per site.
    positions : array of shape (n_sites,)
        Base pairs, increasing.
    edges : array
        Limits of the classes of distance; a class includes its upper limit.
    other : array of shape (n_sites,), optional
        Values of the second site of each pair, for the correlation between two samples.
    lags : iterable of int
        Pair sites that are this many sites apart.

    Returns
    -------
    Series
        Correlation by the mean distance of each class; classes with fewer than three pairs are
        left out.
    """
    values, positions = np.asarray(values, dtype=np.float64), np.asarray(positions)
    other = values if other is None else np.asarray(other, dtype=np.float64)
    sums = np.zeros((len(edges) + 1, 7))
    for lag in (lag for lag in lags if lag < len(values)):
        distance = positions[lag:] - positions[:-lag]
        which = np.digitize(distance, edges, right=True)
        a, b = values[:-lag], other[lag:]
        for column, term in enumerate((np.ones_like(a), distance, a, b, a * a, b * b, a * b)):
            sums[:, column] += np.bincount(which, term, minlength=len(edges) + 1)
    sums = sums[1:-1]
    distance, a, b, aa, bb, ab = (sums[sums[:, 0] > 2] / sums[sums[:, 0] > 2, :1])[:, 1:].T
    correlation = (ab - a * b) / np.sqrt((aa - a * a) * (bb - b * b))
    return pd.Series(correlation, index=pd.Index(distance, name="distance"), name="correlation")


def fit_spatial(scores: np.ndarray, positions: np.ndarray) -> tuple[dict, list[dict]]:
    """Split the normal scores of several samples into the parts of `CoverageModel`."""
    density = coverage.spacing_scores(positions)
    loading = float(np.mean(scores @ density / len(density)))
    rest = scores - loading * density
    pairs = [(i, j) for i in range(len(rest)) for j in range(len(rest)) if i != j]
    within_each = [correlation_by_distance(r, positions, _EDGES, lags=_LAGS) for r in rest]
    within, distance = np.mean(within_each, axis=0), within_each[0].index.to_numpy()
    between = np.mean(
        [
            correlation_by_distance(rest[i], positions, _EDGES, other=rest[j], lags=_LAGS)
            for i, j in pairs
        ],
        axis=0,
    )

    def parts(theta):  # of the variance that is left when the density is taken out
        long_share, short_share, own_share = special.softmax([theta[0], theta[1], 0.0])
        ranges = np.exp(theta[2:])
        shared = long_share * np.exp(-distance / ranges[0])
        shared = shared + short_share * np.exp(-distance / ranges[1])
        own = own_share * np.exp(-distance / ranges[2])
        return shared, own, (long_share, short_share, *ranges)

    def misfit(theta):
        shared, own, _ = parts(theta)
        return np.concatenate([shared - between, shared + own - within])

    found = optimize.least_squares(misfit, [0.0, 0.5, np.log(5000), np.log(60), np.log(50)])
    shared, own, (long_share, short_share, long_range, short_range, own_range) = parts(found.x)
    table = [
        {
            "distance": d,
            "within_sample": w,
            "within_sample_fit": wf,
            "between_samples": b,
            "between_samples_fit": bf,
        }
        for d, w, wf, b, bf in zip(distance, within, shared + own, between, shared, strict=True)
    ]
    model = {
        "density_loading": loading,
        "shared_long_share": long_share * (1 - loading**2),
        "shared_long_range": long_range,
        "shared_short_share": short_share * (1 - loading**2),
        "shared_short_range": short_range,
        "own_range": own_range,
    }
    return model, table


def fit_spacing(positions: np.ndarray) -> dict:
    """Distances between neighbouring CpG sites: log-normal, with neighbours alike."""
    gaps = np.diff(positions)
    candidates = {
        name: family.logpdf(gaps, *family.fit(gaps, floc=loc)).mean()
        for name, family, loc in (
            ("log-normal", stats.lognorm, 0),
            ("Weibull", stats.weibull_min, 1),
            ("gamma", stats.gamma, 1),
        )
    }
    scores = coverage.normal_scores(gaps + np.random.default_rng(0).random(len(gaps)))
    lags = np.array([1, 2, 3, 5, 10, 20, 40, 80, 160])
    measured = np.array([np.mean(scores[k:] * scores[:-k]) for k in lags])

    def misfit(theta):
        a, b, short, long = np.exp(theta)
        return a * np.exp(-lags / short) + b * np.exp(-lags / long) - measured

    a, b, short, long = np.exp(optimize.least_squares(misfit, np.log([0.1, 0.15, 4, 90])).x)
    return {
        "log_mean": float(np.log(gaps).mean()),
        "log_sd": float(np.log(gaps).std()),
        "minimum": int(gaps.min()),
        "short_share": a,
        "short_range_sites": short,
        "long_share": b,
        "long_range_sites": long,
        "mean_log_likelihood": candidates,
        "quantiles_5_25_50_75_95": np.percentile(gaps, [5, 25, 50, 75, 95]).tolist(),
    }


def rounded(value):
    """Round every number to four significant digits, so that the file can be read."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) and abs(value) < 1e5 else value


def main() -> None:
    """Fit, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"replace {OUT.name} in the package")
    arguments = parser.parse_args()
    folder = Path(os.environ["VAEIMPUTE_DATA"]) / "wgbs_counts_with_coverage"
    dmrseq = pd.read_parquet(folder / "dmrseq_chr21_imr90_h1.parquet")
    methylseekr = pd.read_parquet(folder / "methylseekr_chr22_imr90_hg18.parquet")
    biseq = pd.read_parquet(folder / "biseq_rrbs_apl.parquet").filter(like="_Cov")

    counts = {
        f"dmrseq {column.removesuffix('_Cov')}": dmrseq[column].to_numpy()
        for column in dmrseq.filter(like="_Cov")
    } | {"MethylSeekR imr90": methylseekr["Cov"].to_numpy()}
    real_counts = list(counts.values())[:4]
    tables = [np.unique(x, return_counts=True) for x in counts.values()]
    n_sites = sum(len(x) for x in counts.values())

    families, fits = [], {}
    for name in FAMILIES:
        means, shapes, log_likelihood = fits[name] = fit_family(name, tables)
        n_parameters = len(means) + len(shapes)
        families.append(
            {
                "family": name,
                "n_parameters": n_parameters,
                "log_likelihood_per_site": log_likelihood / n_sites,
                "bic": round(n_parameters * np.log(n_sites) - 2 * log_likelihood),
            }
        )
    means, (low_size, high_size, odds, ratio), _ = fits["two negative binomials"]
    scores = np.array([coverage.normal_scores(x) for x in real_counts])
    spatial_model, spatial = fit_spatial(scores, dmrseq["pos"].to_numpy())
    model = {
        "mean_reads": float(means[:4].mean()),  # MethylSeekR's is one deep sample of its own
        "depth_log_sd": float(np.log(biseq.mean()).std(ddof=1)),
        "low_weight": odds / (1 + odds),
        "low_ratio": ratio / (1 + ratio),
        "low_size": low_size,
        "high_size": high_size,
    } | spatial_model

    fitted = coverage.CoverageModel(**model)
    samples = []
    for (name, x), mean in zip(counts.items(), means, strict=True):
        grid = np.arange(x.max() + 1)
        pmf = fitted.pmf(grid, mean)
        real = np.bincount(x) / len(x)
        samples.append(
            {
                "sample": name,
                "n_sites": len(x),
                "mean": float(x.mean()),
                "mean_fit": float(pmf @ grid),
                "sd": float(x.std()),
                "sd_fit": float(np.sqrt(pmf @ grid**2 - (pmf @ grid) ** 2)),
                "below_6": float((x < 6).mean()),
                "below_6_fit": float(pmf[:6].sum()),
                "largest_cdf_difference": float(np.abs(np.cumsum(pmf) - np.cumsum(real)).max()),
            }
        )
    # For pictures of real beside simulated coverage: the share of sites by their reads, 1 and up.
    histogram = np.mean(
        [
            np.bincount(x, minlength=_MOST_SHOWN + 1)[1 : _MOST_SHOWN + 1] / len(x)
            for x in real_counts
        ],
        axis=0,
    )
    result = rounded(
        {
            "source": SOURCE,
            "model": model,
            "families": families,
            "samples": samples,
            "histogram": {
                "sample": "dmrseq, mean of the four samples",
                "reads": [1, _MOST_SHOWN],
                "share": histogram.tolist(),
            },
            "spatial": spatial,
            "spacing": fit_spacing(methylseekr["pos"].to_numpy())
            | {"source": "MethylSeekR, chr22 (hg18)"},
        }
    )
    print(json.dumps(result, indent=1))
    if arguments.write:
        OUT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
