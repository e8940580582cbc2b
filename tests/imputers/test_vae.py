from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

from vaeimpute.imputers import (
    AutoencoderImputer,
    MeanImputer,
    VAEImputer,
    load_imputer,
    save_imputer,
)
from vaeimpute.methods import build_own
from vaeimpute.models import Checkpoint, VariationalAutoencoder

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
    incomplete = np.where(mask, np.nan, true)
    error = np.abs(fitted.transform(incomplete) - true)[mask].mean()
    assert error < 0.5 * np.abs(MeanImputer().fit(train).transform(incomplete) - true)[mask].mean()


def test_imputing_equals_iterations_written_out(low_rank, fitted):
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


def test_a_draw_of_the_latent_distribution_can_take_the_place_of_its_mean(low_rank, fitted):
    """In every iteration another one, as in the authors' code."""
    train, true, mask = low_rank
    incomplete = np.where(mask, np.nan, true)
    plain = clone(fitted).set_params(init="mean", n_epochs=20).fit(train)
    from_mean = plain.transform(incomplete)
    sampled = plain.set_params(sample_posterior=True).transform(incomplete)
    mean, sd = train.mean(axis=0), train.std(axis=0)
    z = torch.tensor(np.where(mask, 0.0, (true - mean) / sd)).float()
    generator = torch.Generator().manual_seed(plain._guess_seed)
    with torch.no_grad():
        for _ in range(3):
            center, log_variance = plain.model_.encode(z)
            noise = torch.randn(center.shape, generator=generator)
            decoded, _ = plain.model_.decode(center + (log_variance / 2).exp() * noise)
            z = torch.where(torch.tensor(mask), decoded, z)
    np.testing.assert_allclose(sampled, z.numpy() * sd + mean, atol=1e-4)
    np.testing.assert_array_equal(sampled, plain.transform(incomplete))
    errors = (np.square(filled - true)[mask].mean() for filled in (from_mean, sampled))
    assert next(errors) < next(errors)  # noise adds to the squared error


def test_the_guess_matters_less_after_every_iteration(low_rank, fitted):
    _, true, mask = low_rank
    incomplete = np.where(mask, np.nan, true)
    gaps = []
    for n_iterations in (1, 3, 30):
        fitted.set_params(n_iterations=n_iterations)
        random, mean = (
            fitted.set_params(init=init).transform(incomplete) for init in ("random", "mean")
        )
        gaps.append(np.abs(random - mean).max())
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 0.01


def test_a_network_that_is_sized_for_the_matrix_beats_the_mean(low_rank):
    train, true, mask = low_rank
    incomplete = np.where(mask, np.nan, true)
    sized = build_own("vae", train.shape[1], init="mean", device="cpu")
    error = np.abs(sized.fit(train).transform(incomplete) - true)[mask].mean()
    assert error < 0.6 * np.abs(MeanImputer().fit(train).transform(incomplete) - true)[mask].mean()
    assert sized.model_.encode(torch.zeros(1, 50))[0].shape == (1, 12)


def test_torchs_global_state_is_left_alone(low_rank):
    before = torch.random.get_rng_state()
    VAEImputer(**SMALL, n_epochs=1, random_state=0).fit(low_rank[0]).transform(low_rank[1])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_another_seed_gives_another_model(low_rank):
    incomplete = np.where(low_rank[2], np.nan, low_rank[1])
    first, second = (
        VAEImputer(**SMALL, n_epochs=3, random_state=seed).fit(low_rank[0]).transform(incomplete)
        for seed in (0, 1)
    )
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_epochs": 0}, "'n_epochs' parameter of VAEImputer must be an int in the range"),
        ({"hidden_sizes": 64}, "'hidden_sizes' .* must be an instance of 'tuple'"),
        ({"hidden_sizes": (64, 0)}, "hidden_sizes as integers above 0 but got 0"),
        ({"beta": -1.0}, "'beta' .* must be a float in the range .* Got -1.0"),
        ({"scale": "per gene"}, "'scale' .* Got 'per gene'"),
        ({"init": "zeros"}, "'init' .* must be a str among .* Got 'zeros'"),
    ],
)
def test_bad_parameters_are_refused(low_rank, parameters, message):
    with pytest.raises(ValueError, match=message):
        VAEImputer(**{**SMALL, **parameters}).fit(low_rank[0])


def test_iterations_settle(low_rank, fitted):
    incomplete = np.where(low_rank[2], np.nan, low_rank[1])
    followed = fitted.set_params(init="random").follow_iterations(incomplete, n_iterations=12)
    assert followed["iteration"].tolist() == list(range(2, 13))
    assert followed["mean_change"].iloc[-1] < followed["mean_change"].iloc[0] / 20
    assert (followed["mean_change"] <= followed["max_change"]).all()
    with pytest.raises(ValueError, match="nothing to follow"):
        fitted.follow_iterations(low_rank[1])


def test_draws_differ_where_values_are_missing_and_only_there(low_rank, fitted):
    _, true, mask = low_rank
    incomplete = np.where(mask, np.nan, true)
    draws = fitted.sample(incomplete, n_draws=200)
    assert draws.shape == (200, *true.shape)
    np.testing.assert_array_equal(
        draws[:, ~mask], np.broadcast_to(true[~mask], (200, (~mask).sum()))
    )
    assert (draws[:, mask].std(axis=0) > 0).all()
    np.testing.assert_array_equal(draws[:3], fitted.sample(incomplete, n_draws=200)[:3])
    # Their spread is what predict_std says it is.
    std = fitted.predict_std(incomplete, n_draws=200)
    assert (std[~mask] == 0).all()
    ratio = draws[:, mask].std(axis=0) / std[mask]
    assert ratio.mean() == pytest.approx(1, abs=0.05)


def test_predictive_deviations_are_in_the_units_of_the_input(low_rank):
    train, true, mask = low_rank
    incomplete = np.where(mask, np.nan, true)
    first, second = (
        VAEImputer(**SMALL, n_epochs=5, random_state=0).fit(train * k).predict_std(incomplete * k)
        for k in (1.0, 100.0)
    )
    np.testing.assert_allclose(second, first * 100, rtol=1e-2)


@pytest.mark.parametrize("noise", [{}, {"masking_noise": 0.2}, {"gaussian_noise": 0.3}])
def test_the_deterministic_autoencoder_beats_the_mean_too(low_rank, noise):
    train, true, mask = low_rank
    incomplete = np.where(mask, np.nan, true)
    imputer = AutoencoderImputer(
        **SMALL, **noise, n_epochs=150, batch_size=50, init="mean", random_state=0
    )
    error = np.abs(imputer.fit(train).transform(incomplete) - true)[mask].mean()
    assert error < 0.5 * np.abs(MeanImputer().fit(train).transform(incomplete) - true)[mask].mean()


def test_the_random_guess_is_standard_normal_and_the_mean_is_zero(low_rank, fitted, monkeypatch):
    _, true, mask = low_rank
    incomplete = np.where(mask, np.nan, true)
    inputs = []

    def record(x, shift):
        inputs.append(x.clone())
        return x

    monkeypatch.setattr(fitted.model_, "reconstruct", record)
    for init in ("random", "mean"):
        fitted.set_params(init=init, n_iterations=1).transform(incomplete)
    random, zero = (x[torch.tensor(mask)] for x in inputs)
    assert random.mean() == pytest.approx(0, abs=0.15)  # about 400 draws
    assert random.std() == pytest.approx(1, abs=0.1)
    assert (zero == 0).all()


@pytest.fixture(scope="module")
def noisy():
    """Rows with as much noise as signal, and two masks of the last forty: random and low values."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 4)) @ rng.normal(size=(4, 50)) + rng.normal(size=(240, 50))
    train, true = X[:200], X[200:]
    mean, sd = train.mean(axis=0), train.std(axis=0)
    low = (true - mean) / sd < np.quantile((train - mean) / sd, 0.1)
    masks = {"random": rng.random(true.shape) < 0.05, "low": low & (rng.random(low.shape) < 0.5)}
    return train, true, masks


def fitted_to(train, **parameters):
    settings = SMALL | {"n_epochs": 150, "batch_size": 50, "random_state": 0}
    return VAEImputer(**settings, **parameters).fit(train)


def error(imputer, true, mask):
    return np.abs(imputer.transform(np.where(mask, np.nan, true)) - true)[mask].mean()


def test_the_shift_is_subtracted_in_every_iteration(low_rank):
    train, true, mask = low_rank
    imputer = VAEImputer(
        **SMALL, n_epochs=5, init="mean", n_iterations=2, shift=0.7, random_state=0
    ).fit(train)
    filled = imputer.transform(np.where(mask, np.nan, true))
    mean, sd = train.mean(axis=0), train.std(axis=0)
    z = torch.tensor(np.where(mask, 0.0, (true - mean) / sd)).float()
    with torch.no_grad():
        for _ in range(2):
            mu, sigma = imputer.model_.decode(imputer.model_.encode(z)[0])
            z = torch.where(torch.tensor(mask), mu - 0.7 * sigma, z)
    np.testing.assert_allclose(filled, z.numpy() * sd + mean, atol=1e-4)


def test_auto_finds_a_shift_that_helps_low_values_and_hurts_others(noisy):
    train, true, masks = noisy
    plain, shifted = (fitted_to(train, shift=shift) for shift in (None, "auto"))
    curve = shifted.shift_curve_.set_index("shift")["mae"]
    assert shifted.shift_ == curve.idxmin() > 0
    assert error(shifted, true, masks["low"]) < 0.7 * error(plain, true, masks["low"])
    assert error(shifted, true, masks["random"]) > 1.2 * error(plain, true, masks["random"])


def test_the_shift_can_be_chosen_on_rows_of_ones_own(noisy):
    train, true, masks = noisy
    plain = fitted_to(train, init="mean")
    curve = plain.shift_curve(true, masks["low"]).set_index("shift")["mae"]
    applied = fitted_to(train, init="mean", shift=float(curve.idxmin()))
    sd = train.std(axis=0)
    filled = applied.transform(np.where(masks["low"], np.nan, true))
    assert curve.min() == pytest.approx(np.abs((filled - true) / sd)[masks["low"]].mean(), rel=1e-5)
    assert curve.idxmin() > 0
    again = plain.with_shift(curve.idxmin()).transform(np.where(masks["low"], np.nan, true))
    np.testing.assert_array_equal(again, filled)
    assert plain.shift_ == 0  # not changed
    assert plain.shift is None
    trained_in = fitted_to(train, shift=0.8, train_shift=True)
    with pytest.raises(ValueError, match=r"has learnt with a shift of 0\.8"):
        trained_in.shift_curve(true, masks["low"])
    with pytest.raises(ValueError, match=r"has learnt with a shift of 0\.8"):
        trained_in.with_shift(0)


def test_where_no_value_is_low_nothing_is_shifted():
    imputer = fitted_to(np.ones((10, 6)), shift="auto")
    assert imputer.shift_ == 0
    assert imputer.shift_curve_["mae"].isna().all()


def test_a_shift_that_is_trained_in_comes_to_nearly_the_same(noisy):
    """At the optimum, mu of the shifted model is mu - shift * sigma of the ordinary one."""
    train, true, masks = noisy
    low = masks["low"]
    incomplete = np.where(low, np.nan, true)
    plain, after, trained = (
        fitted_to(train, **parameters).transform(incomplete)[low]
        for parameters in ({}, {"shift": 0.8}, {"shift": 0.8, "train_shift": True})
    )
    # What separates the two is small beside what the shift does.
    assert np.abs(after - trained).mean() < 0.4 * np.abs(after - plain).mean()
    errors = [np.abs(filled - true[low]).mean() for filled in (after, trained)]
    assert errors[0] == pytest.approx(errors[1], rel=0.1)


def test_draws_are_shifted_too(noisy):
    train, true, masks = noisy
    incomplete = np.where(masks["low"], np.nan, true)
    means = []
    for shift in (None, 1.0):
        imputer = VAEImputer(**SMALL, n_epochs=20, shift=shift, random_state=0).fit(train)
        means.append(imputer.sample(incomplete, n_draws=30)[:, masks["low"]].mean())
    assert means[1] < means[0] - 0.5


def test_a_shift_survives_saving(noisy, tmp_path):
    train, true, masks = noisy
    incomplete = np.where(masks["low"], np.nan, true)
    imputer = VAEImputer(**SMALL, n_epochs=5, shift="auto", random_state=0).fit(train)
    save_imputer(imputer, tmp_path / "vae.safetensors")
    loaded = load_imputer(tmp_path / "vae.safetensors")
    assert loaded.shift_ == imputer.shift_
    pd.testing.assert_frame_equal(loaded.shift_curve_, imputer.shift_curve_)
    np.testing.assert_allclose(
        loaded.transform(incomplete), imputer.transform(incomplete), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"shift": None, "train_shift": True},
            "train_shift needs shift as a number but it is None",
        ),
        ({"shift": "auto", "train_shift": True}, "as a number but it is 'auto'"),
        ({"patience": 5}, "need validation rows: set validation_fraction"),
        ({"validation_fraction": 0.001}, r"of 200 rows leaves 200 for training and 0 for"),
        ({"validation_fraction": 1.0}, "'validation_fraction' .* Got 1.0"),
        ({"shift": np.nan}, "'shift' .* Got nan"),
        ({"shift": np.inf}, "'shift' .* Got inf"),
        ({"learning_rate": 0.0}, "'learning_rate' .* Got 0.0"),
        ({"learning_rate": np.inf}, "'learning_rate' .* Got inf"),
        ({"checkpoint": "x", "random_state": None}, "checkpoint needs random_state as an integer"),
        ({"device": "cuda:7"}, "torch finds no such GPU .*take 'auto' or 'cpu'"),
        ({"precision": "half"}, "'precision' .* Got 'half'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(low_rank, parameters, message):
    with pytest.raises(ValueError, match=message):
        VAEImputer(**{**SMALL, **parameters}).fit(low_rank[0])


def test_validation_rows_are_not_trained_on_and_their_error_is_followed(low_rank):
    train, *_ = low_rank
    imputer = VAEImputer(
        **SMALL, n_epochs=200, batch_size=50, validation_fraction=0.2, patience=10,
        restore_best=True, random_state=0,
    ).fit(train)  # fmt: skip
    followed = imputer.history_["validation_error"]
    assert followed.min() < followed.iloc[0] / 2
    best = int(followed.idxmin())
    assert len(followed) in (200, best + 11)


def test_a_fit_that_is_interrupted_can_be_used(low_rank, monkeypatch):
    train, true, mask = low_rank
    imputer = VAEImputer(**SMALL, n_epochs=200, batch_size=50, random_state=0)
    drawn = VariationalAutoencoder.draw_noise
    left = iter(range(10))

    def interrupt(self, x, generator):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return drawn(self, x, generator)

    monkeypatch.setattr(VariationalAutoencoder, "draw_noise", interrupt)
    with pytest.raises(KeyboardInterrupt):
        imputer.fit(train)
    assert imputer.history_["epoch"].tolist() == [1, 2]  # of four batches each
    assert np.isfinite(imputer.transform(np.where(mask, np.nan, true))).all()


def test_held_out_rows_are_those_that_training_does_not_see(low_rank, monkeypatch):
    train, *_ = low_rank
    seen = {}

    def spy(model, data, *, callbacks, **settings):
        seen.update(data=data, validation=callbacks[0])
        return pd.DataFrame({"epoch": [1], "loss": [0.0]})

    monkeypatch.setattr("vaeimpute.models.train", spy)
    VAEImputer(**SMALL, n_epochs=1, validation_fraction=0.25, random_state=0).fit(train)
    assert len(seen["data"]) == 150
    assert len(seen["validation"].data) == 50
    z = (train - train.mean(axis=0)) / train.std(axis=0)
    both = torch.cat([seen["data"], seen["validation"].data])
    np.testing.assert_allclose(np.sort(both[:, 0]), np.sort(z[:, 0]), atol=1e-5)
    assert seen["validation"].hidden.float().mean() == pytest.approx(0.1, abs=0.02)


def test_with_full_batches_an_epoch_leaves_rows_out(low_rank, monkeypatch):
    drawn, sizes = VariationalAutoencoder.draw_noise, []
    monkeypatch.setattr(
        VariationalAutoencoder, "draw_noise",
        lambda self, x, generator: sizes.append(len(x)) or drawn(self, x, generator),
    )  # fmt: skip
    imputer = VAEImputer(**SMALL, n_epochs=2, batch_size=60, drop_last=True, random_state=0)
    imputer.fit(low_rank[0])
    assert sizes == [60] * 6  # of 200 rows
    with pytest.raises(ValueError, match="200 training rows fill no batch of 250"):
        imputer.set_params(batch_size=250).fit(low_rank[0])


def test_few_values_are_enough_to_validate_on():
    rng = np.random.default_rng(0)
    for seed in range(20):
        imputer = VAEImputer(
            hidden_sizes=(4,), latent_dim=1, n_epochs=2, device="cpu", validation_fraction=0.2,
            random_state=seed,
        )  # fmt: skip
        history = imputer.fit(rng.normal(size=(5, 3))).history_
        assert history["validation_error"].notna().all()
    empty = np.full((5, 3), np.nan)
    empty[0] = 1.0
    imputer.set_params(random_state=0)
    with pytest.raises(ValueError, match=r"of 5 rows leaves no value to hide"):
        imputer.fit(empty)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_checkpoint_is_gone_on_from(low_rank, tmp_path, monkeypatch, precision):
    """Interrupted right after a checkpoint was written, and fitted again."""
    train, true, mask = low_rank
    incomplete = np.where(mask, np.nan, true)
    settings = SMALL | {"n_epochs": 6, "batch_size": np.int64(50), "random_state": 0}
    settings |= {"precision": precision, "scale": "shared"}
    whole = VAEImputer(**settings).fit(train).transform(incomplete)

    monkeypatch.setattr("vaeimpute.models.Checkpoint", partial(Checkpoint, seconds=0))
    imputer = VAEImputer(**settings, checkpoint=tmp_path / "run")
    drawn, left = VariationalAutoencoder.draw_noise, iter(range(10))

    def interrupt(self, x, generator):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return drawn(self, x, generator)

    with monkeypatch.context() as patch:
        patch.setattr(VariationalAutoencoder, "draw_noise", interrupt)
        with pytest.raises(KeyboardInterrupt):
            imputer.fit(train)
    assert (tmp_path / "run").exists()
    n_batches = []
    monkeypatch.setattr(
        VariationalAutoencoder, "draw_noise",
        lambda self, x, generator: n_batches.append(len(x)) or drawn(self, x, generator),
    )  # fmt: skip
    resumed = imputer.fit(train)
    assert len(n_batches) == 4 * 4  # the last four of six epochs
    np.testing.assert_array_equal(resumed.transform(incomplete), whole)
    assert not list(tmp_path.iterdir())
    save_imputer(resumed, tmp_path / "vae.safetensors")
    assert load_imputer(tmp_path / "vae.safetensors").checkpoint is None


def test_the_training_that_chose_a_shift_is_not_repeated(noisy, tmp_path, monkeypatch):
    """Interrupted in the second training, after the one on four fifths of the rows."""
    X, true, masks = noisy
    settings = SMALL | {"n_epochs": 6, "batch_size": 500, "random_state": 0, "shift": "auto"}
    whole = VAEImputer(**settings).fit(X)
    monkeypatch.setattr("vaeimpute.models.Checkpoint", partial(Checkpoint, seconds=0))
    imputer = VAEImputer(**settings, checkpoint=tmp_path / "run")
    n_rows, drawn = [], VariationalAutoencoder.draw_noise

    def note(self, x, generator):
        n_rows.append(len(x))
        if len(n_rows) == 9:
            raise KeyboardInterrupt
        return drawn(self, x, generator)

    monkeypatch.setattr(VariationalAutoencoder, "draw_noise", note)
    with pytest.raises(KeyboardInterrupt):
        imputer.fit(X)
    assert n_rows == [160] * 6 + [200] * 3
    resumed = imputer.fit(X)
    assert n_rows[9:] == [160] + [200] * 4  # from the fifth epoch of one, the second of the other
    assert not list(tmp_path.iterdir())
    pd.testing.assert_frame_equal(resumed.shift_curve_, whole.shift_curve_)
    incomplete = np.where(masks["low"], np.nan, true)
    np.testing.assert_array_equal(resumed.transform(incomplete), whole.transform(incomplete))


def test_a_second_fit_without_a_shift_forgets_the_first(noisy, tmp_path):
    train, *_ = noisy
    imputer = VAEImputer(**SMALL, n_epochs=2, shift="auto", random_state=0).fit(train)
    imputer.set_params(shift=None).fit(train)
    assert imputer.shift_ == 0
    assert not hasattr(imputer, "shift_curve_")
