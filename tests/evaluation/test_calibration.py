import numpy as np
import pytest

from vaeimpute.evaluation import interval_coverage


def test_normal_residuals_are_covered_as_promised():
    z = np.random.default_rng(0).normal(size=200_000)
    table = interval_coverage(z)
    np.testing.assert_allclose(table["coverage"], table["level"], atol=0.005)


def test_standard_deviations_that_are_half_as_large_cover_less():
    z = 2 * np.random.default_rng(0).normal(size=200_000)
    assert interval_coverage(z, [0.95])["coverage"].item() == pytest.approx(0.673, abs=0.005)


@pytest.mark.parametrize("residuals", [[], [1.0, np.nan], [np.inf]])
def test_what_is_no_residual(residuals):
    with pytest.raises(ValueError, match="Expected finite residuals"):
        interval_coverage(residuals)
