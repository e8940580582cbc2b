import numpy as np
import pytest
import torch

from vaeimpute.imputers import AutoencoderImputer, MeanImputer, VAEImputer

SMALL = {"hidden_sizes": (64,), "latent_dim": 8, "learning_rate": 1e-3, "device": "cpu"}


@pytest.fixture(scope="module")
def low_rank():
    """Rows that lie near a plane of four dimensions, and the mask of the last forty of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 4)) @ rng.normal(size=(4, 50)) + 0.1 * rng.normal(size=(240, 50))
    return X[:200], X[200:], rng.random((40, 50)) < 0.2


@pytest.fixture(scope="module")
def fitted(low_rank):
    return VAEImputer(**SMALL, n_epochs=150, batch_size=50, random_state=0).fit(low_rank[0])


def test_the_loss_falls_by_half(fitted):
    loss = fitted.history_["loss"]
    assert len(loss) == 150
    assert loss.iloc[-1] < loss.iloc[0] / 2


def test_beats_the_mean_on_a_low_rank_matrix(low_rank, fitted):
    train, true, mask = low_rank
    holes = np.where(mask, np.nan, true)
    error = np.abs(fitted.transform(holes) - true)[mask].mean()
    assert error < 0.5 * np.abs(MeanImputer().fit(train).transform(holes) - true)[mask].mean()


def test_imputing_equals_passes_written_out(low_rank, fitted):
    """Encode the mean, decode the mean, replace what is missing: three times (paper, p. 9)."""
    train, true, mask = low_rank
    fitted.set_params(init="mean")
    filled = fitted.transform(np.where(mask, np.nan, true))
    mean, sd = train.mean(axis=0), train.std(axis=0)
    z = torch.tensor(np.where(mask, 0.0, (true - mean) / sd)).float()
    with torch.no_grad():
        for _ in range(3):
            latent_mean, _ = fitted.model_.encode(z)
            decoded, _ = fitted.model_.decode(latent_mean)
            z = torch.where(torch.tensor(mask), decoded, z)
    np.testing.assert_allclose(filled, z.numpy() * sd + mean, atol=1e-4)


def test_the_guess_matters_less_after_every_pass(low_rank, fitted):
    _, true, mask = low_rank
    holes = np.where(mask, np.nan, true)
    gaps = []
    for n_iterations in (1, 3, 30):
        fitted.set_params(n_iterations=n_iterations)
        random, mean = (
            fitted.set_params(init=init).transform(holes) for init in ("random", "mean")
        )
        gaps.append(np.abs(random - mean).max())
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 0.01


def test_torchs_global_state_is_left_alone(low_rank):
    before = torch.random.get_rng_state()
    VAEImputer(**SMALL, n_epochs=1, random_state=0).fit(low_rank[0]).transform(low_rank[1])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_another_seed_gives_another_model(low_rank):
    holes = np.where(low_rank[2], np.nan, low_rank[1])
    first, second = (
        VAEImputer(**SMALL, n_epochs=3, random_state=seed).fit(low_rank[0]).transform(holes)
        for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


def test_a_single_width_is_explained(low_rank):
    with pytest.raises(TypeError, match=r"for one hidden layer, write \(64,\)"):
        VAEImputer(**{**SMALL, "hidden_sizes": 64}).fit(low_rank[0])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_epochs": 0}, "n_epochs == 0, must be >= 1"),
        ({"hidden_sizes": (64, 0)}, "hidden_sizes == 0, must be >= 1"),
        ({"beta": -1.0}, "beta == -1.0, must be >= 0"),
        ({"init": "zeros"}, "Expected init 'random' or 'mean' but got 'zeros'"),
    ],
)
def test_bad_parameters_are_refused(low_rank, parameters, message):
    with pytest.raises(ValueError, match=message):
        VAEImputer(**{**SMALL, **parameters}).fit(low_rank[0])


def test_iterations_settle(low_rank, fitted):
    holes = np.where(low_rank[2], np.nan, low_rank[1])
    followed = fitted.set_params(init="random").follow_iterations(holes, n_iterations=12)
    assert followed["iteration"].tolist() == list(range(2, 13))
    assert followed["mean_change"].iloc[-1] < followed["mean_change"].iloc[0] / 20
    assert (followed["mean_change"] <= followed["max_change"]).all()
    with pytest.raises(ValueError, match="nothing to follow"):
        fitted.follow_iterations(low_rank[1])


def test_draws_differ_where_values_are_missing_and_only_there(low_rank, fitted):
    _, true, mask = low_rank
    holes = np.where(mask, np.nan, true)
    draws = fitted.sample(holes, n_draws=200)
    assert draws.shape == (200, *true.shape)
    np.testing.assert_array_equal(
        draws[:, ~mask], np.broadcast_to(true[~mask], (200, (~mask).sum()))
    )
    assert (draws[:, mask].std(axis=0) > 0).all()
    np.testing.assert_array_equal(draws[:3], fitted.sample(holes, n_draws=200)[:3])
    # Their spread is what predict_std says it is.
    std = fitted.predict_std(holes, n_draws=200)
    assert (std[~mask] == 0).all()
    ratio = draws[:, mask].std(axis=0) / std[mask]
    assert ratio.mean() == pytest.approx(1, abs=0.05)


def test_predictive_deviations_are_in_the_units_of_the_input(low_rank):
    train, true, mask = low_rank
    holes = np.where(mask, np.nan, true)
    first, second = (
        VAEImputer(**SMALL, n_epochs=5, random_state=0).fit(train * k).predict_std(holes * k)
        for k in (1.0, 100.0)
    )
    np.testing.assert_allclose(second, first * 100, rtol=1e-2)


@pytest.mark.parametrize("noise", [{}, {"masking_noise": 0.2}, {"gaussian_noise": 0.3}])
def test_the_deterministic_autoencoder_beats_the_mean_too(low_rank, noise):
    train, true, mask = low_rank
    holes = np.where(mask, np.nan, true)
    imputer = AutoencoderImputer(
        **SMALL, **noise, n_epochs=150, batch_size=50, init="mean", random_state=0
    )
    error = np.abs(imputer.fit(train).transform(holes) - true)[mask].mean()
    assert error < 0.5 * np.abs(MeanImputer().fit(train).transform(holes) - true)[mask].mean()


def test_the_random_guess_is_standard_normal_and_the_mean_is_zero(low_rank, fitted, monkeypatch):
    _, true, mask = low_rank
    holes = np.where(mask, np.nan, true)
    inputs = []

    def record(x):
        inputs.append(x.clone())
        return x

    monkeypatch.setattr(fitted.model_, "reconstruct", record)
    for init in ("random", "mean"):
        fitted.set_params(init=init, n_iterations=1).transform(holes)
    random, zero = (x[torch.tensor(mask)] for x in inputs)
    assert random.mean() == pytest.approx(0, abs=0.15)  # about 400 draws
    assert random.std() == pytest.approx(1, abs=0.1)
    assert (zero == 0).all()
