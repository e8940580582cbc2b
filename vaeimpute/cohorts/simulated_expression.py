"""A simulated glioma cohort: gene expression whose latent state and noise-free values are known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit

from vaeimpute.cohorts.cohort import Cohort, Truth
from vaeimpute.seeding import generator

# Numbers below were chosen so that the cohort resembles real RNASeqV2 data; where a comparison
# decided, it is named. Grade and survival follow the 667 gliomas of Ceccarelli et al. 2016.
_SUBTYPES = ("IDHmut-codel", "IDHmut-non-codel", "IDHwt")
_SUBTYPE_SHARES = (0.26, 0.39, 0.35)
_SUBTYPE_CENTRES = ((-0.7, 1.2), (-0.5, -0.8), (1.1, 0.0))  # in the first two latent dimensions
_WITHIN_SUBTYPE_SD = 0.6  # of these two; the others have a standard deviation of 1 overall
_GRADE_4_SHARE, _GRADE_3_SHARE = 154 / 667, 270 / 667
_GRADE_NOISE = 0.5  # a pathologist does not see the latent state
_MEDIAN_SURVIVAL = 48.0  # months at a latent malignancy of 0
_SURVIVAL_SHAPE = 1.2
_LOG_HAZARD_RATIO = 1.0  # per unit of latent malignancy
_MEDIAN_FOLLOW_UP, _FOLLOW_UP_LOG_SD = 14.0, 1.2  # months

_MODULES_PER_ROOT_GENE = 1.3  # 170 modules of 100 genes at the default size, 13 of 8 for 100
_HIDDEN = 3  # units of the random network behind each module
_MAX_MODULES_PER_GENE = 3
_GAIN, _BIAS_SD = 2.0, 0.7  # of the hidden units
_IMPORTANCE_DECAY = 0.7  # of the latent dimensions, as a power of their number
_MALIGNANCY_IMPORTANCE = 2.2  # of the first one: a dominant axis, as in the 40 real gliomas
_LOW_GENES = 0.27  # share of genes that are hardly expressed
_LOW_LOG_MEAN, _LOG_MEAN = (2.7, 1.7), (7.1, 1.15)  # mean and standard deviation over genes
_RESIDUAL_MEDIAN, _RESIDUAL_LOGIT_SD = 0.30, 0.9  # share of a gene's standard deviation
_LEAST_SD = 0.55  # typical standard deviation of the log rate of a highly expressed gene
_SD_LOG_SD = 0.34  # genes differ in it
_DEPTH_LOG_SD = 0.25
# Beta distribution of the GC fraction of 20330 human genes (mean 0.502, sd 0.085): the moments of
# the column gcContent of the table geneInfo in the Bioconductor package TCGAbiolinks.
_GC_ALPHA, _GC_BETA = 16.99, 16.84
_GC_SLOPE_SD = 0.08  # ln units per standard deviation of GC content
_REFERENCE_SAMPLES = 2000  # a population that modules are standardised on


def simulate_glioma(
    *, n_samples: int = 667, n_genes: int = 17176, seed: int = 0, n_latent: int = 12
) -> tuple[Cohort, Truth]:
    """Simulate RNA sequencing of gliomas, with subtype, grade and survival.

    Parameters
    ----------
    n_samples, n_genes : int
        By default the shape of the paper's expression data.
    seed : int
        The same seed gives the same genes whatever the number of samples.
    n_latent : int
        Dimension of the latent state; at least 2.

    Returns
    -------
    cohort : Cohort
        ln(count + 1), complete. Clinical columns: ``subtype`` (LGG or GBM), ``molecular_subtype``,
        ``grade`` (2 to 4; GBM is 4), ``time`` (months), ``event`` (1 = dead). Feature columns:
        ``gc_content`` (fraction), ``gc_source``, ``module`` (the gene's main one).
    truth : Truth
        The first column of its latent state, ``malignancy``, drives grade and survival. Its
        noise-free values are ln(rate + 1), where the rate follows from the latent state alone:
        without the gene's own variation, the sample's GC bias and the counting of reads.

    Notes
    -----
    Every module's activity is a small random network of the latent state, and a gene's log rate
    is a mixture of one to three modules, of a variation of its own and of a GC bias that the
    sample has. Reads are counted (Poisson) at the sample's depth, and divided by it. So the
    signal has few dimensions, but they are curved, and no few principal components hold it.

    Examples
    --------
    >>> cohort, truth = simulate_glioma(n_samples=30, n_genes=200)
    >>> cohort
    <Cohort 'simulated-glioma': 30 samples x 200 features, expression
    (ln(normalised count + 1) (simulated)), 0.0 % missing>
    >>> cohort.clinical["subtype"].value_counts().to_dict()
    {'LGG': 23, 'GBM': 7}
    >>> truth.latent.shape, truth.noise_free.shape
    ((30, 12), (30, 200))
    """
    for what, size, least in (
        ("n_samples", n_samples, 1),
        ("n_genes", n_genes, 1),
        ("n_latent", n_latent, 2),
    ):
        if size < least:
            raise ValueError(f"Expected {what} of at least {least} but got {size}.")

    def stream(*names: str) -> np.random.Generator:
        return generator(seed, "simulated-glioma", *names)

    molecular, latent = _tumours(n_samples, n_latent, stream("tumours"))
    _, reference = _tumours(_REFERENCE_SAMPLES, n_latent, stream("reference"))
    n_modules = max(3, round(_MODULES_PER_ROOT_GENE * n_genes**0.5))
    activity, correlation = _modules(latent, reference, n_modules, stream("modules"))
    genes = _genes(n_genes, correlation, stream("genes"))
    gc = stream("gc").beta(_GC_ALPHA, _GC_BETA, size=n_genes)
    values, noise_free = _expression(activity, genes, gc, stream("expression"))

    samples = pd.Index([f"SIM-{i:04d}" for i in range(1, n_samples + 1)], name="sample")
    names = pd.Index([f"GENE{i:05d}" for i in range(1, n_genes + 1)], name="gene")
    clinical = _clinic(latent[:, 0], stream("clinic")).set_index(samples)
    clinical.insert(1, "molecular_subtype", molecular)
    cohort = Cohort(
        name="simulated-glioma",
        values=pd.DataFrame(values, samples, names),
        clinical=clinical,
        units="ln(normalised count + 1) (simulated)",
        data_type="expression",
        is_log=True,
        features=pd.DataFrame(
            {"gc_content": gc, "gc_source": "simulated", "module": genes.module[:, 0]}, index=names
        ),
        stratify_by="subtype" if n_samples >= 10 else None,
        notes=(
            f"SIMULATED, seed {seed}: no tumour, gene, grade or survival time is real.",
            "GC content is simulated; its distribution is that of real genes.",
        ),
    )
    latent_names = ["malignancy", *(f"latent_{k}" for k in range(2, n_latent + 1))]
    truth = Truth(
        latent=pd.DataFrame(latent, samples, latent_names),
        noise_free=pd.DataFrame(noise_free, samples, names),
    )
    return cohort, truth


def simulate_many_gliomas(
    *, n_samples: int = 12_500, n_genes: int = 200, seed: int = 0
) -> tuple[Cohort, Truth]:
    """Simulate as `simulate_glioma` does: so many tumours that 10 000 are left to learn from.

    Few genes share a module, so that its other genes do not tell all that the latent state does.

    Parameters
    ----------
    n_samples, n_genes, seed : int

    Returns
    -------
    cohort : Cohort
    truth : Truth
    """
    cohort, truth = simulate_glioma(n_samples=n_samples, n_genes=n_genes, seed=seed)
    return replace(cohort, name="simulated-glioma-large"), truth


def _tumours(
    n_samples: int, n_latent: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Molecular subtype and latent state."""
    kind = rng.choice(len(_SUBTYPES), size=n_samples, p=_SUBTYPE_SHARES)
    latent = rng.standard_normal((n_samples, n_latent))
    latent[:, :2] = np.array(_SUBTYPE_CENTRES)[kind] + _WITHIN_SUBTYPE_SD * latent[:, :2]
    return np.array(_SUBTYPES, dtype=object)[kind], latent


def _modules(
    latent: np.ndarray, reference: np.ndarray, n_modules: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Activity of each module, standardised on the reference population, and its correlations."""
    n_latent = latent.shape[1]
    importance = np.arange(1.0, n_latent + 1) ** -_IMPORTANCE_DECAY
    importance[0] = _MALIGNANCY_IMPORTANCE
    weights = rng.standard_normal((n_modules, _HIDDEN, n_latent)) * importance
    weights *= _GAIN / np.sqrt((weights**2).sum(axis=2, keepdims=True))
    bias = rng.normal(0.0, _BIAS_SD, size=(n_modules, _HIDDEN))
    out = rng.standard_normal((n_modules, _HIDDEN))

    def network(states: np.ndarray) -> np.ndarray:
        # einsum without optimisation is no BLAS: the same sums on any number of threads.
        hidden = np.tanh(np.einsum("nk,mhk->nmh", states, weights) + bias)
        return np.einsum("nmh,mh->nm", hidden, out)

    population = network(reference)
    mean, sd = population.mean(axis=0), population.std(axis=0)
    population = (population - mean) / sd
    correlation = np.einsum("nm,nk->mk", population, population) / len(population)
    return (network(latent) - mean) / sd, correlation


@dataclass(frozen=True, eq=False)
class _Genes:
    """Parameters of each gene, whatever the samples."""

    log_mean: np.ndarray  # of the rate
    sd: np.ndarray  # of the log rate
    residual: np.ndarray  # share of the standard deviation that no module explains
    module: np.ndarray  # (n_genes, _MAX_MODULES_PER_GENE)
    weight: np.ndarray  # of the same shape; a gene's signal has unit variance


def _genes(n_genes: int, correlation: np.ndarray, rng: np.random.Generator) -> _Genes:
    low = rng.random(n_genes) < _LOW_GENES
    log_mean = np.where(low, rng.normal(*_LOW_LOG_MEAN, n_genes), rng.normal(*_LOG_MEAN, n_genes))
    # Weakly expressed genes vary more, on the logarithmic scale.
    sd = (_LEAST_SD + 0.65 * expit((5.0 - log_mean) / 0.7)) * np.exp(
        rng.normal(0, _SD_LOG_SD, n_genes)
    )
    residual = expit(
        np.log(_RESIDUAL_MEDIAN / (1 - _RESIDUAL_MEDIAN))
        + rng.normal(0.0, _RESIDUAL_LOGIT_SD, n_genes)
    )
    shape = (n_genes, _MAX_MODULES_PER_GENE)
    module = rng.integers(len(correlation), size=shape)
    weight = (
        rng.choice([-1.0, 1.0], size=shape) * [1.0, 0.5, 0.5] * (rng.random(shape) < [1, 0.6, 0.3])
    )
    pairs = correlation[module[:, :, None], module[:, None, :]]
    weight /= np.sqrt(np.einsum("gi,gij,gj->g", weight, pairs, weight))[:, None]
    return _Genes(log_mean, sd, residual, module, weight)


def _expression(
    activity: np.ndarray, genes: _Genes, gc: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Observed and noise-free ln(count + 1)."""
    shape = (len(activity), len(gc))
    explained = genes.sd * np.sqrt(1 - genes.residual**2)
    log_rate = np.zeros(shape)
    for column in range(_MAX_MODULES_PER_GENE):
        log_rate += activity[:, genes.module[:, column]] * (genes.weight[:, column] * explained)
    log_rate += genes.log_mean
    noise_free = np.log1p(np.exp(log_rate)).astype(np.float32)
    log_rate += (genes.sd * genes.residual) * rng.standard_normal(shape)
    gc_slope = _GC_SLOPE_SD * rng.standard_normal((shape[0], 1))
    log_rate += gc_slope * ((gc - gc.mean()) / max(gc.std(), 1e-9))
    depth = np.exp(rng.normal(0.0, _DEPTH_LOG_SD, size=(shape[0], 1)))
    counts = rng.poisson(np.exp(log_rate, out=log_rate) * depth) / depth
    return np.log1p(counts).astype(np.float32), noise_free


def _clinic(malignancy: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Grade and survival; the shares of the grades are those of the real cohort."""
    n = len(malignancy)
    rank = np.argsort(np.argsort(-(malignancy + _GRADE_NOISE * rng.standard_normal(n))))
    n_grade_4, n_grade_3 = round(_GRADE_4_SHARE * n), round(_GRADE_3_SHARE * n)
    grade = np.where(rank < n_grade_4, 4, np.where(rank < n_grade_4 + n_grade_3, 3, 2))
    hazard = np.exp(_LOG_HAZARD_RATIO * malignancy)
    survival = _MEDIAN_SURVIVAL * (rng.exponential(size=n) / np.log(2) / hazard) ** (
        1 / _SURVIVAL_SHAPE
    )
    follow_up = _MEDIAN_FOLLOW_UP * np.exp(rng.normal(0.0, _FOLLOW_UP_LOG_SD, size=n))
    return pd.DataFrame(
        {
            "subtype": np.where(grade == 4, "GBM", "LGG"),
            "grade": grade,
            "time": np.minimum(survival, follow_up),
            "event": (survival <= follow_up).astype(int),
        }
    )
