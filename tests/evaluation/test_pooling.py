"""Rubin's rules."""

import numpy as np
import pytest
from scipy import stats

from vaeimpute.evaluation import pool_draws


def test_if_nothing_is_missing_it_is_what_every_draw_says():
    pooled = pool_draws(np.full((5, 2), [1.0, -3.0]), np.full((5, 2), [0.25, 4.0]))
    np.testing.assert_array_equal(pooled["estimate"], [1.0, -3.0])
    np.testing.assert_array_equal(pooled["std_error"], [0.5, 2.0])
    np.testing.assert_allclose(pooled["p"], 2 * stats.norm.sf([2.0, 1.5]))
    assert (pooled["missing_information"] == 0).all()


def test_the_rules_written_out():
    rng = np.random.default_rng(0)
    q, u = rng.normal(size=(7, 4)), rng.uniform(0.5, 1, size=(7, 4))
    pooled = pool_draws(q, u)
    for j, row in pooled.iterrows():
        mean = sum(q[:, j]) / 7
        within, between = sum(u[:, j]) / 7, sum((q[:, j] - mean) ** 2) / 6
        r = (1 + 1 / 7) * between / within  # relative increase in variance
        assert row["std_error"] == pytest.approx(np.sqrt(within + (1 + 1 / 7) * between))
        assert row["df"] == pytest.approx(6 * (1 + 1 / r) ** 2)
        assert row["p"] == pytest.approx(
            2 * (1 - stats.t.cdf(abs(mean) / row["std_error"], row["df"]))
        )


def test_intervals_of_a_mean_with_values_missing_hold_what_they_promise():
    """Half of 40 values are drawn from the posterior of the other half, properly."""
    rng, held, n_runs = np.random.default_rng(1), 0, 400
    for _ in range(n_runs):
        seen = rng.normal(size=20)
        sigma = seen.std(ddof=1) * np.sqrt(19 / rng.chisquare(19, size=20))
        center = seen.mean() + sigma * rng.normal(size=20) / np.sqrt(20)
        draws = center[:, None] + sigma[:, None] * rng.normal(size=(20, 20))
        filled = np.column_stack([np.tile(seen, (20, 1)), draws])
        pooled = pool_draws(
            filled.mean(axis=1)[:, None], (filled.var(axis=1, ddof=1) / 40)[:, None]
        ).iloc[0]
        held += pooled["p"] > 0.05
    assert held / n_runs == pytest.approx(0.95, abs=0.03)


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r"\(3, 2\) and \(2, 3\)"):
        pool_draws(np.zeros((3, 2)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"at least 2 draws, .* got 1"):
        pool_draws(np.zeros((1, 2)), np.zeros((1, 2)))
