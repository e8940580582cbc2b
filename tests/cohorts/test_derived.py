"""Fewer samples and fewer reads: what stays as it was, and what the noise is like."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import (
    Cohort,
    draw_samples,
    negative_log,
    with_read_noise,
    with_simulated_coverage,
)
from vaeimpute.exceptions import CohortError


@pytest.fixture
def cohort():
    rng = np.random.default_rng(0)
    values = pd.DataFrame(rng.random((40, 300))).rename("s{}".format).rename(columns="cg{}".format)
    clinical = pd.DataFrame({"age": np.arange(40)}, index=values.index)
    return with_simulated_coverage(Cohort("toy", values, clinical, "level", "methylation"))


def with_reads(cohort, reads):
    values = cohort.values
    return replace(
        cohort, coverage=pd.DataFrame(reads, index=values.index, columns=values.columns, dtype=int)
    )


def test_drawn_samples_keep_their_rows_and_their_order(cohort):
    drawn = draw_samples(cohort, 15, seed=1)
    assert len(drawn.values) == 15
    assert drawn.clinical["age"].is_monotonic_increasing
    pd.testing.assert_frame_equal(drawn.values, cohort.values.loc[drawn.values.index])
    pd.testing.assert_frame_equal(drawn.coverage, cohort.coverage.loc[drawn.values.index])
    assert drawn.notes[-1] == "15 of 40 samples, drawn at random (seed 1)."


def test_the_seed_decides_who_is_drawn(cohort):
    first, again, other = (draw_samples(cohort, 15, seed=s).values.index for s in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_all_samples_are_the_cohort_itself(cohort):
    assert draw_samples(cohort, 0) is cohort
    assert draw_samples(cohort, 40) is cohort
    for n_samples in (-1, 41):
        with pytest.raises(ValueError, match=r"from 0 \(all\) to 40, .* but got -?\d+\."):
            draw_samples(cohort, n_samples)


def test_noise_is_binomial(cohort):
    levels = cohort.values.to_numpy()
    for reads in (4, 25):
        noise = with_read_noise(with_reads(cohort, reads), seed=2).values.to_numpy() - levels
        expected = levels * (1 - levels) / reads
        assert noise.mean() == pytest.approx(0, abs=4 * np.sqrt(expected.mean() / noise.size))
        assert np.square(noise).mean() == pytest.approx(expected.mean(), rel=0.05)


def test_measured_levels_are_counts_of_reads(cohort):
    measured = with_read_noise(cohort, seed=2)
    counts = measured.values * cohort.coverage
    np.testing.assert_allclose(counts, counts.round(), atol=1e-9)
    assert measured.values.min(axis=None) >= 0
    assert measured.values.max(axis=None) <= 1
    pd.testing.assert_frame_equal(measured.coverage, cohort.coverage)
    assert "SIMULATED" in measured.notes[-1]
    pd.testing.assert_frame_equal(measured.values, with_read_noise(cohort, seed=2).values)
    assert not measured.values.equals(with_read_noise(cohort, seed=3).values)


def test_what_is_missing_stays_so(cohort):
    holed = replace(cohort, values=cohort.values.mask(cohort.values < 0.2))
    measured = with_read_noise(holed)
    pd.testing.assert_frame_equal(measured.values.isna(), holed.values.isna())


def test_levels_without_reads_are_refused(cohort):
    with pytest.raises(CohortError, match="has no read coverage"):
        with_read_noise(replace(cohort, coverage=None))
    with pytest.raises(CohortError, match="12000 values have no read"):
        with_read_noise(with_reads(cohort, 0))
    with pytest.raises(CohortError, match=r"from 1 to .*; expected methylation levels"):
        with_read_noise(replace(cohort, values=cohort.values + 1))


def test_logarithms_are_no_levels_whatever_their_range(cohort):
    high = negative_log(replace(cohort, values=cohort.values / 2 + 0.45))
    assert high.values.min(axis=None) > 0
    assert high.values.max(axis=None) < 1
    with pytest.raises(CohortError, match="logarithms already"):
        with_read_noise(high)
