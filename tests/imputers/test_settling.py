"""Iterations that run away are stopped, said, and never worse than the feature's mean."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from vaeimpute.exceptions import DivergenceWarning
from vaeimpute.imputers import (
    AutoencoderImputer,
    SVDImputer,
    VAEImputer,
    load_imputer,
    save_imputer,
)
from vaeimpute.models import Autoencoder, VariationalAutoencoder, iterate, settle

SMALL = {
    "hidden_sizes": (64,), "latent_dim": 16, "learning_rate": 1e-3, "n_epochs": 150,
    "device": "cpu", "random_state": 0,
}  # fmt: skip
NETWORKS = [VAEImputer(**SMALL), AutoencoderImputer(**SMALL)]


def proteins(n_samples, share, n_features=120, seed=1):
    """Log intensities near a plane of four dimensions; some of them are missing at random."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(n_samples, 4)) @ rng.normal(size=(4, n_features)) / 2
    true += 0.4 * rng.normal(size=true.shape) + rng.normal(20, 3, n_features)
    mask = rng.random(true.shape) < share
    keep = ~mask.all(axis=0)
    return true[:, keep], mask[:, keep]


def errors(imputer, true, mask):
    """Return how far values filled in, and means of the features, are off on average."""
    holes = np.where(mask, np.nan, true)
    sd = true.std(axis=0)
    means = np.abs(np.nanmean(holes, axis=0) - true) / sd
    return (np.abs(imputer.fit_transform(holes) - true) / sd)[mask].mean(), means[mask].mean()


@pytest.mark.parametrize("imputer", NETWORKS, ids=lambda imputer: type(imputer).__name__)
@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("init", ["random", "mean"])
def test_the_papers_iterations_are_what_they_are_to_the_last_bit(imputer, share, init):
    """Complete training rows, three iterations: rows that settle are not touched."""
    true, mask = proteins(100, share)
    imputer.set_params(init=init).fit(true[:80])
    rows = imputer._scale(np.where(mask, np.nan, true)[80:])
    *_, expected = iterate(imputer._predict, *imputer._start(rows, mask[80:]), 3)
    filled = imputer._impute(rows, mask[80:])
    assert filled.astype(np.float32).tobytes() == expected.numpy().tobytes()


@pytest.mark.parametrize("imputer", NETWORKS, ids=lambda imputer: type(imputer).__name__)
@pytest.mark.parametrize("n_samples", [30, 90])
@pytest.mark.parametrize("share", [0.6, 0.7, 0.8, 0.95])
def test_it_is_not_worse_than_the_mean_where_most_is_missing(imputer, n_samples, share):
    ours, means = errors(imputer, *proteins(n_samples, share))
    assert ours < 1.02 * means
    if share < 0.9 and n_samples == 90:
        assert ours < 0.95 * means


def test_more_iterations_change_nothing_where_they_run_away():
    true, mask = proteins(90, 0.8)
    holes = np.where(mask, np.nan, true)
    imputer = VAEImputer(**SMALL, init="mean").fit(holes)
    changes = imputer.follow_iterations(holes, 8)["mean_change"]
    assert changes.iloc[-1] > 10 * changes.iloc[0]  # it would, if it was left alone
    with pytest.warns(DivergenceWarning, match=r"settling in 90 of 90 rows; 80% of the values"):
        few, many = (imputer.set_params(n_iterations=k).transform(holes) for k in (6, 30))
    np.testing.assert_allclose(many, few, rtol=1e-5)


def test_standard_deviations_and_draws_match_the_errors(tmp_path):
    true, mask = proteins(90, 0.8)
    holes = np.where(mask, np.nan, true)
    imputer = VAEImputer(**SMALL).fit(holes)
    with pytest.warns(DivergenceWarning):
        filled = imputer.transform(holes)
    std = imputer.predict_std(holes)
    z = ((filled - true) / np.where(mask, std, 1.0))[mask]
    assert 0.85 < np.mean(np.abs(z) < 2) < 0.99
    draws = imputer.sample(holes, n_draws=100)
    off = (draws.mean(axis=0) - filled)[mask] / std[mask]
    assert np.abs(off.mean()) < 0.05
    assert draws.std(axis=0)[mask].mean() == pytest.approx(std[mask].mean(), rel=0.1)
    save_imputer(imputer, tmp_path / "model.safetensors")
    loaded = load_imputer(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.predict_std(holes), std)
    with pytest.warns(DivergenceWarning):
        np.testing.assert_array_equal(loaded.transform(holes), filled)


def test_only_rows_that_run_away_are_stopped():
    """Each row by itself: what is beside it does not matter."""
    guess = torch.tensor([[1.0, 2.0, 0.0], [1.0, 0.5, 0.0], [1.0, 3.0, 7.0]])
    observed = guess != 0

    def predict(x):  # the third value is multiplied by the second in every iteration
        return torch.stack([x[:, 0], x[:, 1], x[:, 0] + x[:, 1] * x[:, 2]], dim=1)

    settled = settle(predict, guess, observed, 5)
    assert settled.ran_away.tolist() == [True, False, False]
    assert settled.filled.tolist() == [[1.0, 2.0, 1.0], [1.0, 0.5, 1.9375], [1.0, 3.0, 7.0]]
    assert settled.encoded[0].tolist() == [1.0, 2.0, 0.0]
    *_, plain = iterate(predict, guess, observed, 5)
    assert torch.equal(settled.filled[1:], plain[1:])
    for row in range(3):
        alone = settle(predict, guess[[row]], observed[[row]], 5)
        assert torch.equal(alone.filled[0], settled.filled[row])


def test_values_that_overflow_start_anew():
    model = Autoencoder(4, hidden_sizes=(), latent_dim=1)
    guess, observed = torch.ones(2, 4), torch.tensor([[True, True, False, False]] * 2)
    settled = settle(lambda x: 1e30 * model.reconstruct(x) * x**2, guess, observed, 9)
    assert settled.ran_away.all()
    assert torch.isfinite(settled.filled).all()


def test_an_untrained_network_that_settles_is_left_alone():
    """What a network restores badly from the beginning is no reason to stop."""
    model = VariationalAutoencoder(
        50, hidden_sizes=(20,), latent_dim=4, generator=torch.Generator().manual_seed(0)
    )
    guess = torch.randn(30, 50, generator=torch.Generator().manual_seed(1))
    settled = settle(model.reconstruct, guess, guess > 0, 3)
    assert not settled.ran_away.any()


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_the_svd_cannot_run_away(joint, share):
    """It replaces a row by its projection, and a projection moves nothing further apart."""
    true, mask = proteins(60, share)
    holes = np.where(mask, np.nan, true)
    sd = true.std(axis=0)
    imputer = SVDImputer(n_components=3, schedule="fixed", tol=0.0, joint=joint)
    filled = [
        imputer.set_params(max_iter=k).fit(holes).transform(holes) / sd for k in (1, 2, 3, 4, 5)
    ]
    steps = [np.linalg.norm(after - before) for before, after in pairwise(filled)]
    assert (np.diff(steps) <= 1e-9).all()
    auto = SVDImputer(n_components="auto", joint=joint, random_state=0)
    ours, means = errors(auto, true, mask)
    assert ours < 1.05 * means  # of a rank that is chosen on few values
