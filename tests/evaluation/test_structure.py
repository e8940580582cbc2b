"""Statistics by which cohorts are compared."""

import numpy as np
import pytest

from vaeimpute.evaluation.structure import correlation_spectrum


def test_spectrum_is_that_of_the_correlation_matrix():
    x = np.random.default_rng(0).normal(size=(30, 8)) @ np.random.default_rng(1).normal(size=(8, 8))
    expected = np.linalg.eigvalsh(np.corrcoef(x.T))[::-1] / 8
    np.testing.assert_allclose(correlation_spectrum(x)[:8], expected)
    np.testing.assert_allclose(correlation_spectrum(x)[8:], 0, atol=1e-12)


def test_spectrum_ignores_units_and_constant_features():
    x = np.random.default_rng(0).normal(size=(20, 5))
    scaled = np.c_[x * [1, 10, 1e-3, 5, 2] + 7, np.full(20, 3.0)]
    np.testing.assert_allclose(correlation_spectrum(scaled), correlation_spectrum(x), atol=1e-12)


@pytest.mark.parametrize(
    ("values", "message"),
    [([[1.0, np.nan], [2.0, 3.0]], "1 are missing"), (np.ones((3, 2)), "all are constant")],
)
def test_spectrum_refuses(values, message):
    with pytest.raises(ValueError, match=message):
        correlation_spectrum(np.array(values))
