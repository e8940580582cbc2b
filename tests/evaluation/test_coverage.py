"""Errors by read coverage: every masked value counts once, and nothing else does."""

import numpy as np
import pytest

from vaeimpute.evaluation import mean_absolute_error
from vaeimpute.evaluation.errors import error_by_coverage, error_by_group

EDGES = [1, 2, 4, 6, 10, 20]


@pytest.fixture
def parts():
    rng = np.random.default_rng(0)
    shape = (30, 200)
    reads = rng.integers(1, 40, size=shape)
    true = rng.normal(size=shape)
    return true, true + rng.normal(size=shape) / np.sqrt(reads), rng.random(shape) < 0.3, reads


def test_classes_make_up_the_whole(parts):
    table = error_by_coverage(*parts, EDGES)
    assert table["label"].tolist() == ["1", "2-3", "4-5", "6-9", "10-19", "20+"]
    assert table["n_values"].sum() == parts[2].sum()
    whole = np.average(table["mae"], weights=table["n_values"])
    assert whole == pytest.approx(mean_absolute_error(*parts[:3]))


def test_noise_of_few_reads_shows(parts):
    true, imputed, mask, reads = parts
    table = error_by_coverage(*parts, EDGES)
    assert table["mae"].is_monotonic_decreasing
    one = mask & (reads >= 4) & (reads < 6)
    assert table["mae"][2] == pytest.approx(np.abs(imputed - true)[one].mean())


def test_empty_classes_and_fewer_reads_are_left_out(parts):
    true, imputed, mask, reads = parts
    table = error_by_coverage(true, imputed, mask & (reads > 8), reads, [3, 5, 20])
    assert table["label"].tolist() == ["5-19", "20+"]
    table = error_by_coverage(*parts, [10])
    assert table["n_values"].tolist() == [(mask & (reads >= 10)).sum()]


@pytest.mark.parametrize("axis", [0, 1])
def test_sites_and_samples_have_their_own_means(parts, axis):
    true, imputed, mask, _ = parts
    mask[3], mask[:, 5] = False, False  # a sample and a site that lose nothing
    group = np.arange(200) if axis == 0 else np.arange(30)[:, None]
    table = error_by_group(true, imputed, mask, group)
    error = np.where(mask, np.abs(imputed - true), 0).sum(axis=axis)
    n = mask.sum(axis=axis)
    lost = np.flatnonzero(n)
    assert table.index.tolist() == lost.tolist()
    assert len(lost) == len(n) - 1
    np.testing.assert_allclose(table["mae"], error[lost] / n[lost])
    assert table["n_values"].tolist() == n[lost].tolist()


def test_what_does_not_fit_is_said(parts):
    true, imputed, mask, reads = parts
    with pytest.raises(ValueError, match=r"of one shape but got true \(30, 200\), .*\(29, 200\)"):
        error_by_coverage(true, imputed[1:], mask, reads, EDGES)
    with pytest.raises(ValueError, match="broadcast"):
        error_by_coverage(true, imputed, mask, reads[1:], EDGES)
    with pytest.raises(ValueError, match=r"edges that increase but got \[2, 1\]"):
        error_by_coverage(*parts, [2, 1])
