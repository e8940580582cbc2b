"""Simulated cohorts: shape, seeds, and the features of real data that they are there to have."""

import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from scipy import stats

from fit_coverage import correlation_by_distance  # in benchmarks/
from vaeimpute.cohorts.simulated_expression import simulate_glioma
from vaeimpute.cohorts.simulated_methylome import simulate_methylome
from vaeimpute.evaluation.structure import correlation_spectrum

glioma = cache(lambda: simulate_glioma(n_samples=300, n_genes=2000))
methylome = cache(lambda: simulate_methylome(n_samples=60, n_sites=4000))


@pytest.mark.parametrize(("n_samples", "n_features"), [(10, 20), (1, 1), (25, 3)])
@pytest.mark.parametrize("simulate", [simulate_glioma, simulate_methylome])
def test_any_size_is_complete_and_says_that_it_is_simulated(simulate, n_samples, n_features):
    size = {"n_genes" if simulate is simulate_glioma else "n_sites": n_features}
    cohort, truth = simulate(n_samples=n_samples, **size)
    assert cohort.values.shape == (n_samples, n_features)
    assert cohort.missing_fraction == 0
    assert truth.latent.index.equals(cohort.values.index)
    assert "SIMULATED" in cohort.notes[0]
    assert "simulated" in cohort.units


def test_subtypes_can_be_stratified_in_a_cohort_of_ten():
    assert simulate_glioma(n_samples=10, n_genes=20)[0].strata.value_counts().min() >= 2


@pytest.mark.parametrize(
    "call", [{"n_samples": 0}, {"n_latent": 1}, {"n_genes": 0}], ids=lambda c: next(iter(c))
)
def test_glioma_of_no_size_is_refused(call):
    with pytest.raises(ValueError, match=f"Expected {next(iter(call))} of at least"):
        simulate_glioma(**call)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"n_sites": 0}, "n_sites of at least 1"),
    ],
)
def test_methylome_refuses_what_makes_no_sense(call, message):
    with pytest.raises(ValueError, match=message):
        simulate_methylome(**({"n_samples": 3, "n_sites": 5} | call))


@pytest.mark.parametrize("simulate", [simulate_glioma, simulate_methylome])
def test_seed_decides_everything(simulate):
    small = {"n_samples": 12, "n_genes" if simulate is simulate_glioma else "n_sites": 40}
    a, b, other = (simulate(**small, seed=seed)[0] for seed in (0, 0, 1))
    assert a.values.equals(b.values)
    assert a.clinical.equals(b.clinical)
    assert not np.array_equal(a.values.to_numpy(), other.values.to_numpy())


def test_features_do_not_depend_on_the_number_of_samples():
    few, many = (simulate_glioma(n_samples=n, n_genes=300)[0].features for n in (5, 50))
    assert few.equals(many)
    few, many = (simulate_methylome(n_samples=n, n_sites=300)[0].features for n in (5, 50))
    assert few.equals(many)


def test_number_of_threads_changes_nothing():
    program = """
import hashlib
from vaeimpute.cohorts.simulated_expression import simulate_glioma
from vaeimpute.cohorts.simulated_methylome import simulate_methylome
g, _ = simulate_glioma(n_samples=150, n_genes=1500)
m, _ = simulate_methylome(n_samples=40, n_sites=1500)
tables = (g.values, m.values, m.coverage)
print(hashlib.sha256(b"".join(t.to_numpy().tobytes() for t in tables)).hexdigest())
"""
    digests = set()
    for threads in ("1", "4"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads),
            check=False,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        digests.add(run.stdout)
    assert len(digests) == 1


def test_expression_has_the_values_of_rnaseq():
    # Quantiles of 40 real TCGA gliomas (RNASeqV2, the 17176 genes with fewest zeros): 2.2 % zeros,
    # 10 % 2.2, 50 % 6.6, 90 % 8.6.
    values = glioma()[0].values.to_numpy()
    assert values.min() == 0
    assert 0.01 < (values == 0).mean() < 0.05
    assert np.quantile(values, [0.1, 0.5, 0.9]) == pytest.approx([2.2, 6.6, 8.55], abs=0.3)
    assert np.median(values.std(axis=0)) == pytest.approx(0.67, abs=0.12)


def test_weakly_expressed_genes_vary_more():
    values = glioma()[0].values
    mean, sd = values.mean(), values.std()
    assert sd[(mean > 2) & (mean < 4)].median() > 1.5 * sd[mean > 7].median()


def test_correlation_spectrum_is_that_of_real_gliomas():
    # 40 real gliomas, half of them GBM: 0.37, then 0.10; ten components hold 0.77.
    cohort = glioma()[0]
    gbm = cohort.clinical["subtype"] == "GBM"
    forty = np.r_[np.flatnonzero(gbm)[:20], np.flatnonzero(~gbm)[:20]]
    shares = correlation_spectrum(cohort.values.iloc[forty])
    assert shares[0] == pytest.approx(0.37, abs=0.1)
    assert shares[1] < 0.5 * shares[0]
    assert shares[:10].sum() == pytest.approx(0.77, abs=0.06)


def test_latent_structure_is_curved():
    _, truth = glioma()
    noise_free = truth.noise_free.to_numpy(dtype=float)
    shares = correlation_spectrum(noise_free)
    n_latent = truth.latent.shape[1]
    # Without noise, a linear map of the latent state would be held whole by as many components.
    assert 0.5 < shares[:n_latent].sum() < 0.97
    assert shares[:n_latent].sum() < shares[: 4 * n_latent].sum() < 1
    # And the state itself, linearly, explains a gene less than it does through its curve.
    design = np.c_[np.ones(len(truth.latent)), truth.latent.to_numpy()]
    fitted = design @ np.linalg.lstsq(design, noise_free, rcond=None)[0]
    unexplained = (noise_free - fitted).var(axis=0) / noise_free.var(axis=0)
    assert 0.02 < np.median(unexplained) < 0.5


def test_genes_have_noise_that_the_truth_has_not():
    cohort, truth = glioma()
    noise = (cohort.values - truth.noise_free).var() / cohort.values.var()
    assert noise.between(0, 1.2).mean() > 0.99
    assert noise.quantile(0.1) < 0.1 < 0.3 < noise.quantile(0.9)


def test_genes_of_a_module_are_more_alike():
    cohort, truth = glioma()
    corr = np.abs(np.corrcoef(truth.noise_free.to_numpy(dtype=float).T))
    module = cohort.features["module"].to_numpy()
    same = module[:, None] == module
    np.fill_diagonal(same, False)
    different = module[:, None] != module
    assert corr[same].mean() > corr[different].mean() + 0.15


def test_grade_and_subtype_follow_the_latent_state():
    cohort, truth = simulate_glioma(n_samples=667, n_genes=3)
    clinical, malignancy = cohort.clinical, truth.latent["malignancy"]
    assert clinical["grade"].value_counts().to_dict() == {3: 270, 2: 243, 4: 154}
    assert ((clinical["grade"] == 4) == (clinical["subtype"] == "GBM")).all()
    assert stats.spearmanr(malignancy, clinical["grade"]).statistic > 0.7


def test_survival_follows_the_latent_state():
    # Real: medians of 105, 58 and 13 months for grades 2, 3 and 4; 28 % of patients died.
    cohort, truth = simulate_glioma(n_samples=667, n_genes=3)
    clinical, malignancy = cohort.clinical, truth.latent["malignancy"]
    assert clinical["time"].min() > 0
    assert 0.2 < clinical["event"].mean() < 0.4
    bad = malignancy > malignancy.median()
    ends = [
        stats.CensoredData.right_censored(clinical["time"][g], clinical["event"][g] == 0)
        for g in (bad, ~bad)
    ]
    test = stats.logrank(*ends)
    assert test.statistic > 0  # more deaths among the malignant than expected
    assert test.pvalue < 1e-6
    # Grade 2 has the longest curve.
    survival = {
        grade: stats.ecdf(
            stats.CensoredData.right_censored(g["time"], g["event"] == 0)
        ).sf.evaluate(24.0)
        for grade, g in clinical.groupby("grade")
    }
    assert survival[2] > survival[3] > survival[4]


def test_expression_follows_grade_through_the_latent_state():
    cohort, _ = glioma()
    correlation = cohort.values.corrwith(cohort.clinical["grade"], method="spearman")
    assert (correlation.abs() > 0.4).mean() > 0.1


def test_gc_content_is_labelled_and_biases_samples():
    cohort, truth = glioma()
    assert (cohort.features["gc_source"] == "simulated").all()
    assert cohort.features["gc_content"].mean() == pytest.approx(0.502, abs=0.01)
    high = cohort.values.mean(axis=0) > 7  # where counting noise is small
    deviation = (cohort.values - truth.noise_free).loc[:, high].to_numpy()
    gc = cohort.features["gc_content"][high].to_numpy()
    slope = [np.polyfit((gc - gc.mean()) / gc.std(), row, 1)[0] for row in deviation]
    assert np.std(slope) == pytest.approx(0.08, abs=0.02)


def test_methylation_is_bimodal():
    level = methylome()[1].noise_free.to_numpy()
    assert (level < 0.2).mean() > 0.08
    assert (level > 0.8).mean() > 0.4
    assert (level < 0.2).mean() + (level > 0.8).mean() > 0.65
    assert (level > 0.8).mean() > 3 * ((level > 0.4) & (level < 0.6)).mean()


def test_levels_are_what_reads_give():
    cohort, truth = methylome()
    reads = cohort.coverage.to_numpy()
    methylated = cohort.values.to_numpy(dtype=float) * reads
    assert np.abs(methylated - np.rint(methylated)).max() < 1e-4
    level = truth.noise_free.to_numpy(dtype=float)
    score = (cohort.values.to_numpy() - level) / np.sqrt(level * (1 - level) / reads)
    assert score.mean() == pytest.approx(0, abs=0.02)
    assert score.std() == pytest.approx(1, abs=0.02)


def test_sites_are_spaced_as_on_a_chromosome():
    position = simulate_methylome(n_samples=1, n_sites=20_000)[0].features["position"]
    gaps = np.diff(position)
    assert gaps.min() == 2
    # Quantiles of chromosome 22, recorded in coverage_fit.json.
    expected = [4, 13, 35, 89, 276]
    found = np.quantile(gaps, [0.05, 0.25, 0.5, 0.75, 0.95])
    assert found == pytest.approx(expected, rel=0.25)


def test_levels_and_coverage_are_alike_nearby_and_not_far_away():
    cohort, truth = simulate_methylome(n_samples=30, n_sites=8000)
    position = cohort.features["position"]
    edges = [0, 20, 100, 1000, 20_000]
    for table in (truth.noise_free, cohort.coverage):
        decay = np.mean(
            [correlation_by_distance(row, position, edges) for row in table.to_numpy()], axis=0
        )
        assert decay[0] > 0.7
        assert (np.diff(decay) < 0).all()
        assert decay[-1] < 0.3


def test_cell_types_tell_samples_apart():
    cohort, truth = methylome()
    level = truth.noise_free.to_numpy(dtype=float)
    between = np.array(
        [level[(cohort.clinical["cell_type"] == t).to_numpy()].mean(0)
         for t in cohort.clinical["cell_type"].unique()]
    ).var(axis=0)  # fmt: skip
    assert between.sum() > 0.4 * level.var(axis=0).sum()
    assert cohort.strata.value_counts().min() == 12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("simulate", "shape"),
    [(simulate_glioma, (667, 17176)), (simulate_methylome, (206, 21220))],
)
def test_default_size_is_the_papers(simulate, shape):
    assert simulate()[0].values.shape == shape
