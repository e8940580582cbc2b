"""A simulated bisulfite sequencing cohort whose true methylation levels are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from vaeimpute.cohorts.cohort import Cohort, Truth
from vaeimpute.cohorts.coverage import (
    correlated_normals,
    coverage_fit,
    coverage_model,
    draw_coverage,
    spacing_scores,
)
from vaeimpute.seeding import generator

_FIRST_POSITION = 16_000_000  # the short arm of chromosome 22 is not sequenced
_CELL_TYPES = ("monocyte", "neutrophil", "B cell", "CD4 T cell", "CD8 T cell")

# The base level of a site is a logistic function of a field along the chromosome. The slope is so
# steep that most sites end near 0 or 1; the ranges are those over which real levels are alike.
_LOWEST, _HIGHEST = 0.01, 0.95  # what the logistic function runs between
_BASE_LEVEL = 2.5  # logit of the typical site: mostly methylated
_BASE_SLOPE = 3.5
_BASE_DENSITY_LOADING = 0.4  # dense sites (CpG islands) tend to be unmethylated
_BASE_FIELDS = ((0.20, 40.0), (0.40, 600.0), (0.24, 20_000.0))  # share of the variance, base pairs
_REGION_RANGE = 1500.0  # base pairs over which the effect of a latent state keeps its sign
_REGION_THRESHOLD = 0.9  # only where its field exceeds this does a state change the level
_REGION_EFFECT = 1.5  # logits per unit of state and of field above the threshold
_WITHIN_TYPE_SD = 0.5  # samples of one cell type differ, relative to a distance of 1 between types


def simulate_methylome(
    *, n_samples: int = 206, n_sites: int = 21220, seed: int = 0, n_latent: int = 6
) -> tuple[Cohort, Truth]:
    """Simulate bisulfite sequencing of one chromosome, with read coverage.

    Parameters
    ----------
    n_samples, n_sites : int
        By default the shape of the paper's chromosome 22.
    seed : int
        The same seed gives the same sites whatever the number of samples.
    n_latent : int
        Latent states by which the samples differ.

    Returns
    -------
    cohort : Cohort
        Methylated reads over all reads, with `coverage`. It has no missing values: every site has
        at least one read in every sample, as in the paper, which dropped the others. Feature
        columns: ``chromosome``, ``position``. Clinical columns: ``cell_type``.
    truth : Truth
        Its noise-free values are the true levels, of which the cohort shows a binomial sample.

    Notes
    -----
    A site's logit level is a steep function of random fields along the chromosome, plus the effects
    of the latent states in scattered regions. CpG spacing and coverage follow distributions
    fitted to real counts (``vaeimpute/cohorts/coverage_fit.json``). Reads are binomial, so that a
    level behind few reads is a rough one.

    Examples
    --------
    >>> cohort, truth = simulate_methylome(n_samples=20, n_sites=500)
    >>> cohort
    <Cohort 'simulated-methylome': 20 samples x 500 features, methylation
    (methylation level (simulated)), 0.0 % missing>
    >>> error = (cohort.values - truth.noise_free).abs()
    >>> few = cohort.coverage < 6
    >>> bool(error.where(few).stack().mean() > error.where(~few).stack().mean())
    True
    """
    for what, size in (("n_samples", n_samples), ("n_sites", n_sites), ("n_latent", n_latent)):
        if size < 1:
            raise ValueError(f"Expected {what} of at least 1 but got {size}.")

    def stream(*names: str) -> np.random.Generator:
        return generator(seed, "simulated-methylome", *names)

    positions = cpg_positions(n_sites, stream("positions"))
    base, effects = _sites(positions, n_latent, stream("sites"))
    cell_type, latent = _samples(n_samples, n_latent, stream("types"), stream("samples"))
    # einsum without optimisation is no BLAS: the sum, and so every read drawn from it, is the
    # same on any number of threads.
    logit = base + np.einsum("nk,ks->ns", latent, effects)
    level = _LOWEST + (_HIGHEST - _LOWEST) * expit(logit)
    reads = draw_coverage(n_samples, positions, stream("coverage"))
    methylated = stream("reads").binomial(reads, level)

    samples = pd.Index([f"SIM-{i:04d}" for i in range(1, n_samples + 1)], name="sample")
    sites = pd.Index([f"chr22:{position}" for position in positions], name="cpg")
    values = pd.DataFrame((methylated / reads).astype(np.float32), samples, sites)
    cohort = Cohort(
        name="simulated-methylome",
        values=values,
        clinical=pd.DataFrame({"cell_type": cell_type}, index=samples),
        units="methylation level (simulated)",
        data_type="methylation",
        features=pd.DataFrame({"chromosome": "chr22", "position": positions}, index=sites),
        coverage=pd.DataFrame(reads, samples, sites),
        stratify_by="cell_type" if pd.Series(cell_type).value_counts().min() >= 5 else None,
        notes=(
            f"SIMULATED, seed {seed}: no sample, site or read is real.",
            f"Coverage (mean depth {coverage_model().mean_reads:g}) and CpG spacing are drawn from "
            f"fitted distributions. {coverage_fit()['source']}",
            "Every site has at least one read in every sample, so nothing is missing.",
            "Cell types are labels of simulated groups and say nothing about real cells.",
        ),
    )
    truth = Truth(
        latent=pd.DataFrame(latent, samples, [f"latent_{k}" for k in range(1, n_latent + 1)]),
        noise_free=pd.DataFrame(level.astype(np.float32), samples, sites),
    )
    return cohort, truth


def cpg_positions(n_sites: int, rng: np.random.Generator) -> np.ndarray:
    """Draw positions of neighbouring CpG sites, spaced as on chromosome 22.

    Parameters
    ----------
    n_sites : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (n_sites,)
        Strictly increasing base pairs.

    Examples
    --------
    >>> gaps = np.diff(cpg_positions(20_000, np.random.default_rng(0)))
    >>> int(gaps.min()), bool(25 < np.median(gaps) < 45)  # 2 and 35 in the real data
    (2, True)
    """
    fit = coverage_fit()["spacing"]
    site = np.arange(n_sites)
    alone = 1 - fit["short_share"] - fit["long_share"]
    score = (
        np.sqrt(fit["short_share"]) * correlated_normals(site, fit["short_range_sites"], rng)[0]
        + np.sqrt(fit["long_share"]) * correlated_normals(site, fit["long_range_sites"], rng)[0]
        + np.sqrt(alone) * rng.standard_normal(n_sites)
    )
    gaps = np.rint(np.exp(fit["log_mean"] + fit["log_sd"] * score)).astype(np.int64)
    return _FIRST_POSITION + np.cumsum(np.maximum(gaps, fit["minimum"]))


def _sites(
    positions: np.ndarray, n_latent: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Logit level of each site, and what each latent state adds to it: (n_latent, n_sites)."""
    field = _BASE_DENSITY_LOADING * spacing_scores(positions)
    for share, length in _BASE_FIELDS:
        field = field + np.sqrt(share) * correlated_normals(positions, length, rng)[0]
    region = correlated_normals(positions, _REGION_RANGE, rng, n_series=n_latent)
    beyond = np.sign(region) * np.maximum(np.abs(region) - _REGION_THRESHOLD, 0.0)
    return _BASE_LEVEL + _BASE_SLOPE * field, _REGION_EFFECT * beyond


def _samples(
    n_samples: int, n_latent: int, types_rng: np.random.Generator, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cell type and latent state of each sample."""
    centres = types_rng.standard_normal((len(_CELL_TYPES), n_latent))
    number = rng.permutation(np.arange(n_samples) % len(_CELL_TYPES))  # groups of equal size
    latent = centres[number] + _WITHIN_TYPE_SD * rng.standard_normal((n_samples, n_latent))
    return np.array(_CELL_TYPES, dtype=object)[number], latent
