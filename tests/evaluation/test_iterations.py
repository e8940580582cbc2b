import numpy as np
import pandas as pd
import pytest

from vaeimpute.evaluation import first_stable_iteration, follow_iterations
from vaeimpute.evaluation.networks import reconstruct_rows
from vaeimpute.imputers import VAEImputer


def test_iterations_are_those_of_the_imputer():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 12)) + 0.1 * rng.normal(size=(60, 12))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    mask = rng.random(X.shape) < 0.2
    imputer = VAEImputer(
        hidden_sizes=(16,), latent_dim=3, n_epochs=60, learning_rate=1e-2, init="mean",
        random_state=0,
    ).fit(X)  # fmt: skip
    curve = follow_iterations(
        lambda rows: reconstruct_rows(imputer.model_, rows), X, mask, n_iterations=4
    )
    assert curve["iteration"].tolist() == [0, 1, 2, 3, 4]
    assert curve["mae"][0] == pytest.approx(np.abs(X[mask]).mean())
    for n_iterations in (1, 4):
        filled = imputer.set_params(n_iterations=n_iterations).transform(np.where(mask, np.nan, X))
        expected = np.abs(filled - X)[mask].mean()
        assert curve["mae"][n_iterations] == pytest.approx(expected, rel=1e-4)
    changes = imputer.follow_iterations(np.where(mask, np.nan, X), n_iterations=4)
    np.testing.assert_allclose(curve["mean_change"][2:], changes["mean_change"], rtol=1e-3)


def test_observed_values_stay_and_the_guess_matters():
    true, mask = np.ones((2, 3)), np.eye(2, 3, dtype=bool)
    seen = []
    follow_iterations(lambda rows: seen.append(rows) or rows, true, mask, 5.0, n_iterations=2)
    assert [rows[mask].tolist() for rows in seen] == [[5.0, 5.0]] * 2
    assert all((rows[~mask] == 1).all() for rows in seen)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([1.0, 0.5, 0.5], 1),
        ([0.5, 0.5, 0.5], 0),
        ([0.5, 0.6, 0.5], 2),  # near the end, away, and back
        ([3.0, 2.0, 1.0], 2),
    ],
)
def test_stable_means_from_there_on(errors, expected):
    assert first_stable_iteration(pd.Series(errors)) == expected


@pytest.mark.parametrize("away", [np.nan, np.inf])
def test_numbers_that_ran_away_are_not_stable(away):
    assert np.isnan(first_stable_iteration(pd.Series([1.0, away, away])))
    assert np.isnan(first_stable_iteration(pd.Series([1.0, away, 0.5])))
