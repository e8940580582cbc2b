"""The coverage distribution: close to the real counts that it was fitted to."""

from dataclasses import replace

import numpy as np
import pytest

from vaeimpute.cohorts.coverage import (
    coverage_fit,
    coverage_model,
    draw_coverage,
    spacing_scores,
)


def draw(n_samples=60, n_sites=4000, **options):
    positions = np.cumsum(np.random.default_rng(1).integers(5, 100, size=n_sites))
    return draw_coverage(n_samples, positions, np.random.default_rng(0), **options)


def test_fit_is_recorded_with_its_source_and_its_rivals():
    fit = coverage_fit()
    assert "dmrseq" in fit["source"]
    assert len(fit["families"]) == 5
    assert all(row["largest_cdf_difference"] < 0.07 for row in fit["samples"])


@pytest.mark.parametrize("row", coverage_fit()["samples"], ids=lambda row: row["sample"])
def test_distribution_has_the_moments_of_the_real_counts(row):
    # The fit shares its shapes among five samples, so that no sample is hit exactly.
    mean = _sample_mean(row["mean"])
    pmf = coverage_model().pmf(np.arange(2000), mean)
    assert pmf[0] == 0
    assert pmf.sum() == pytest.approx(1)
    sd = np.sqrt(pmf @ np.arange(2000) ** 2 - (pmf @ np.arange(2000)) ** 2)
    assert sd == pytest.approx(row["sd"], rel=0.1)
    assert pmf[:6].sum() == pytest.approx(row["below_6"], abs=0.07)


def _sample_mean(covered_mean):
    """Mean that counts zeros too, of a sample with this mean over covered sites."""
    grid = np.linspace(0.5, 1, 200) * covered_mean
    reads = np.arange(2000)
    means = [coverage_model().pmf(reads, m) @ reads for m in grid]
    return np.interp(covered_mean, means, grid)


def test_draws_follow_the_distribution():
    # Independent sites: those of a short region rise and fall together.
    reads = draw_coverage(300, 5000, np.random.default_rng(0))
    model = coverage_model()
    means = model.mean_reads * np.exp(
        model.depth_log_sd * np.random.default_rng(2).standard_normal(2000)
        - model.depth_log_sd**2 / 2
    )
    expected = np.mean([model.pmf(np.arange(400), m) for m in means], axis=0)
    found = np.bincount(reads.ravel(), minlength=400)[:400] / reads.size
    assert reads.min() >= 1
    assert np.abs(np.cumsum(found) - np.cumsum(expected)).max() < 0.03


def test_depth_differs_between_samples_and_can_be_chosen():
    depth = np.log(draw(n_samples=200, n_sites=1000).mean(axis=1))
    assert depth.std() == pytest.approx(coverage_model().depth_log_sd, rel=0.25)
    deep = replace(coverage_model(), mean_reads=30.0)
    assert draw(model=deep).mean() > 1.7 * draw().mean()


def test_site_is_covered_alike_in_all_samples():
    # Between real samples the normal scores correlate at 0.73 to 0.78.
    ranks = np.argsort(np.argsort(draw(n_samples=20, n_sites=8000), axis=1), axis=1)
    correlation = np.corrcoef(ranks)[np.triu_indices(20, 1)]
    assert 0.6 < correlation.mean() < 0.85


def test_dense_sites_have_fewer_reads():
    gaps = np.where(np.arange(6000) // 300 % 2, 8, 150)
    positions = np.cumsum(gaps)
    reads = draw_coverage(50, positions, np.random.default_rng(0)).mean(axis=0)
    assert reads[gaps == 8].mean() < 0.9 * reads[gaps == 150].mean()


def test_sites_without_positions_are_independent():
    reads = draw_coverage(3, 20_000, np.random.default_rng(0))
    assert abs(np.corrcoef(reads[0, 1:], reads[0, :-1])[0, 1]) < 0.03
    assert np.corrcoef(reads[0], reads[1])[0, 1] > 0.5


def test_a_single_site_has_no_neighbours():
    assert spacing_scores(np.array([7])) == [0]
    assert draw_coverage(2, np.array([7]), np.random.default_rng(0)).shape == (2, 1)
