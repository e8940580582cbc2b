"""What the training loop feeds to a model, when it stops, and what it leaves."""

import pickle

import pandas as pd
import pytest
import torch
from torch import nn

from vaeimpute.exceptions import TrainingError, TrainingInterrupted
from vaeimpute.models import (
    Autoencoder,
    ProgressBar,
    Validation,
    VariationalAutoencoder,
    callbacks,
    train,
)
from vaeimpute.models.optimizer import Optimizer, choose_precision
from vaeimpute.models.vae import LossTerms, Reconstructor


class Recorder(Reconstructor):
    """A model that learns nothing and remembers every batch."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.batches = []

    def draw_noise(self, x, generator):
        return ()

    def loss(self, x, observed, noise):
        self.batches.append((x.clone(), observed.clone()))
        term = self.weight.square().expand(len(x))
        return LossTerms(term, term, term)


def recorded(data, **settings):
    model = Recorder()
    train(model, data, generator=torch.Generator().manual_seed(0), **settings)
    return model.batches


def test_missing_entries_enter_as_the_mean_and_are_marked():
    data = torch.randn(12, 6, generator=torch.Generator().manual_seed(1)) + 4
    data[2, 3] = data[7, 0] = torch.nan
    (batch,) = recorded(data, n_epochs=1, batch_size=50)
    x, observed = batch
    assert (~observed).sum() == 2
    assert (x[~observed] == 0).all()
    assert torch.equal(x[observed].sort().values, data[~data.isnan()].sort().values)


def test_every_epoch_takes_all_rows_in_another_order():
    data = torch.arange(20.0)[:, None]
    batches = recorded(data, n_epochs=2, batch_size=8)
    assert [len(x) for x, _ in batches] == [8, 8, 4, 8, 8, 4]
    first, second = (torch.cat([x[:, 0] for x, _ in part]) for part in (batches[:3], batches[3:]))
    for epoch in (first, second):
        assert torch.equal(epoch.sort().values, data[:, 0])
        assert not torch.equal(epoch, data[:, 0])
    assert not torch.equal(first, second)


def test_full_batches_are_drawn_anew_from_all_rows():
    data = torch.arange(20.0)[:, None]
    batches = recorded(data, n_epochs=30, batch_size=8, drop_last=True)
    assert [len(x) for x, _ in batches] == [8] * 60  # two in an epoch; four rows are left over
    rows = [set(x[:, 0].tolist()) for x, _ in batches]
    assert {len(batch) for batch in rows} == {8}  # no row twice in a batch
    assert set.union(*rows) == set(range(20))
    shared = [len(first & second) for first, second in zip(rows[::2], rows[1::2], strict=True)]
    assert len(set(shared)) > 1  # not two parts of one order, which share none


def test_full_batches_need_enough_rows():
    with pytest.raises(ValueError, match="7 training rows fill no batch of 8"):
        recorded(torch.ones(7, 1), n_epochs=1, batch_size=8, drop_last=True)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def data(generator):
    """Rows near a plane of three dimensions."""
    plane = torch.randn(120, 3, generator=generator) @ torch.randn(3, 20, generator=generator)
    return plane + 0.3 * torch.randn(120, 20, generator=generator)


@pytest.fixture
def hidden(data, generator):
    return torch.rand((30, 20), generator=generator) < 0.2


@pytest.fixture
def validation(data, hidden):
    return Validation(data[:30], hidden)


def new_vae(seed=1, **settings):
    generator = torch.Generator().manual_seed(seed)
    return VariationalAutoencoder(
        20, hidden_sizes=(32,), latent_dim=4, generator=generator, **settings
    )


def run(model, data, n_epochs, *callbacks, seed=2, **settings):
    generator = torch.Generator().manual_seed(seed)
    settings |= {"generator": generator, "callbacks": callbacks}
    return train(model, data, n_epochs=n_epochs, **settings)


def weights_of(model):
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def assert_same_weights(first, second):
    for (name, ours), (_, theirs) in zip(first.items(), second.items(), strict=True):
        assert torch.equal(ours, theirs), name


def test_validation_error_is_that_of_imputing_the_hidden_entries(data, validation):
    model = new_vae()
    history = run(model, data[30:], 3, validation, learning_rate=1e-3)
    assert list(history) == ["epoch", "loss", "reconstruction", "divergence", "validation_error"]
    # Three iterations written out, from the mean; the last row is of the weights that are left.
    true, hidden = validation.data, validation.hidden
    filled = torch.where(hidden, 0.0, true)
    with torch.no_grad():
        for _ in range(3):
            decoded, _ = model.decode(model.encode(filled)[0])
            filled = torch.where(hidden, decoded, true)
    expected = (filled - true)[hidden].abs().mean()
    assert history["validation_error"].iloc[-1] == pytest.approx(float(expected), rel=1e-5)


def test_looking_at_validation_rows_does_not_change_training(data, validation):
    watched, alone = new_vae(), new_vae()
    run(watched, data[30:], 3, validation, learning_rate=1e-3)
    run(alone, data[30:], 3, learning_rate=1e-3)
    assert_same_weights(weights_of(watched), weights_of(alone))


def test_training_stops_when_patience_is_over_and_the_best_weights_come_back(data, hidden):
    # Few rows and a large network: it learns them by heart, and the validation error rises.
    settings = {"learning_rate": 1e-2, "batch_size": 10}
    model = new_vae(beta=0.0)
    validation = Validation(data[:30], hidden, patience=15, restore_best=True)
    history = run(model, data[30:60], 500, validation, **settings)
    error = history["validation_error"]
    best = int(error.idxmin())
    assert len(history) == best + 1 + 15 < 500
    assert validation.error(model) == pytest.approx(error[best], rel=1e-5)
    assert validation.error(model) < error.iloc[-1]

    shorter = new_vae(beta=0.0)
    run(shorter, data[30:60], best + 1, **settings)
    assert_same_weights(weights_of(model), weights_of(shorter))


def test_validation_that_cannot_be_measured_is_refused(data):
    nothing = torch.zeros(data.shape, dtype=torch.bool)
    for values, hidden in [(data, nothing), (data, ~nothing[1:]), (data * torch.nan, ~nothing)]:
        with pytest.raises(ValueError, match="Expected hidden as a mask of the shape of data"):
            Validation(values, hidden)


class InterruptAfter:
    """Stands in for the user who presses Ctrl-C in the middle of an epoch."""

    def __init__(self, model, n_batches):
        self.loss, self.left = model.loss, n_batches

    def __call__(self, *args):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        return self.loss(*args)


def test_an_interrupt_keeps_what_was_learnt(data, monkeypatch):
    model, shorter = new_vae(), new_vae()
    monkeypatch.setattr(model, "loss", InterruptAfter(model, 4))
    with pytest.raises(TrainingInterrupted, match="in epoch 3") as caught:
        run(model, data, 9, batch_size=60, learning_rate=1e-3)
    assert caught.value.history["epoch"].tolist() == [1, 2]
    assert not model.training
    run(shorter, data, 2, batch_size=60, learning_rate=1e-3)
    assert_same_weights(weights_of(model), weights_of(shorter))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_interrupt_restores_the_best_epoch(data, hidden, monkeypatch, precision):
    model = new_vae(beta=0.0)
    monkeypatch.setattr(model, "loss", InterruptAfter(model, 300))
    validation = Validation(data[:30], hidden, restore_best=True)
    settings = {"batch_size": 10, "learning_rate": 1e-2, "precision": precision}
    with pytest.raises(TrainingInterrupted) as caught:
        run(model, data[30:60], 500, validation, **settings)
    best = caught.value.history["validation_error"].min()
    assert validation.error(model) == pytest.approx(best, rel=0.02)
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_an_interrupt_in_the_first_epoch_is_passed_on(data, monkeypatch):
    model = new_vae()
    monkeypatch.setattr(model, "loss", InterruptAfter(model, 1))
    with pytest.raises(KeyboardInterrupt) as caught:
        run(model, data, 9, batch_size=60)
    assert type(caught.value) is KeyboardInterrupt


def test_a_gradient_that_is_not_finite_stops_before_the_weights_are_lost(data):
    class Broken(Autoencoder):
        def loss(self, x, observed, noise):
            terms = super().loss(x, observed, noise)
            # Its value is finite at 0, its slope is not.
            steep = torch.sqrt(self.output.bias.square().sum())
            return LossTerms(terms.total + steep, terms.reconstruction, terms.divergence)

    model = Broken(20, hidden_sizes=(8,), latent_dim=2, generator=torch.Generator().manual_seed(0))
    with pytest.raises(TrainingError, match="gradient is not finite in epoch 1, batch 1"):
        run(model, data, 2)
    assert all(torch.isfinite(weight).all() for weight in model.parameters())


def test_bfloat16_learns_as_float32_does(data, validation):
    """One run may end a little better or worse; over several they are equal."""
    errors = {"float32": [], "bfloat16": []}
    for seed in range(4):
        for precision, found in errors.items():
            model = new_vae(seed)
            settings = {"batch_size": 30, "learning_rate": 3e-3, "precision": precision}
            run(model, data[30:], 100, seed=seed, **settings)
            found.append(validation.error(model))
            assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    float32, bfloat16 = (sum(found) / 4 for found in errors.values())
    assert float32 < 0.7 * validation.error(new_vae())
    assert bfloat16 == pytest.approx(float32, rel=0.05)


def test_steps_too_small_for_bfloat16_are_not_lost():
    """A weight of 1 has neighbours 2^-8 below and 2^-7 above in bfloat16."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    optimizer = Optimizer(model, learning_rate=1e-4, precision="bfloat16")
    for _ in range(100):
        model(torch.ones(1, 1, dtype=torch.bfloat16)).sum().backward()
        optimizer.step()
    optimizer.release()
    assert model.weight.item() == pytest.approx(0.99, abs=1e-4)  # 100 steps of the learning rate


def test_float32_takes_the_steps_of_torchs_adam(generator):
    models = [new_vae(), new_vae()]
    ours = Optimizer(models[0], learning_rate=1e-2, precision="float32")
    theirs = torch.optim.Adam(models[1].parameters(), lr=1e-2)
    x = torch.randn(10, 20, generator=generator)
    for _ in range(5):
        for model in models:
            model.zero_grad()
            model.reconstruct(x).square().sum().backward()
        # torch's Adam skips weights without a gradient, as those of the scale are here.
        for name, weight in models[0].named_parameters():
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
                dict(models[1].named_parameters())[name].grad = torch.zeros_like(weight)
        ours.step()
        theirs.step()
    for first, second in zip(*(model.parameters() for model in models), strict=True):
        torch.testing.assert_close(first, second)


def test_a_gradient_is_shortened_only_if_it_is_too_long():
    model = nn.Linear(2, 1, bias=False)
    optimizer = Optimizer(model, learning_rate=1e-2, precision="float32")
    gradient = torch.tensor([[3.0, 4.0]])
    for largest, length in ((10.0, 5.0), (1.0, 1.0)):
        model.weight.grad = gradient.clone()
        assert optimizer.clip(largest) == 5.0
        torch.testing.assert_close(model.weight.grad, gradient * length / 5.0)


def test_only_large_models_compute_in_bfloat16_by_themselves(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert choose_precision(nn.Linear(100, 100), "cpu") == "float32"
    with torch.device("meta"):
        large = nn.Linear(10_000, 10_000)
    assert choose_precision(large, "cpu") == "bfloat16"
    assert choose_precision(large, "mps") == "float32"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False})
    assert choose_precision(large, "cpu") == "float32"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"precision": "float16"}, "precision 'float32', 'bfloat16' or 'auto' but got 'float16'"),
        ({"n_epochs": 0}, "of 1 or more, .* but got 0, 250 and 5e-05"),
        ({"batch_size": -1}, "but got 250, -1 and 5e-05"),
        ({"batch_size": 2.5}, "'float' object cannot be interpreted as an integer"),
        ({"learning_rate": float("inf")}, "finite learning_rate above 0, .* and inf"),
        ({"learning_rate": float("nan")}, "finite learning_rate above 0, .* and nan"),
    ],
)
def test_settings_that_make_no_sense_are_refused(data, settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        train(new_vae(), data, **settings)


def test_no_gradient_is_left_on_the_model(data):
    for precision in ("float32", "bfloat16"):
        model = new_vae()
        run(model, data, 2, precision=precision)
        assert all(weight.grad is None for weight in model.parameters())


def test_the_interrupt_travels_between_processes():
    interrupt = TrainingInterrupted("in epoch 3", pd.DataFrame({"epoch": [1, 2]}))
    copy = pickle.loads(pickle.dumps(interrupt))
    assert str(copy) == "in epoch 3"
    pd.testing.assert_frame_equal(copy.history, interrupt.history)


def test_the_bar_shows_the_loss_and_the_time_left(data, validation, capsys, monkeypatch):
    monkeypatch.setattr(callbacks.tqdm, "monitor_interval", 0)
    run(new_vae(), data[30:], 3, validation, ProgressBar())
    shown = capsys.readouterr().err
    assert "3/3" in shown
    assert "loss=" in shown
    assert "validation_error=" in shown
    run(new_vae(), data[30:], 3)
    assert capsys.readouterr().err == ""


def test_history_is_one_row_per_epoch(data):
    history = run(new_vae(), data, 4, batch_size=7)
    assert isinstance(history, pd.DataFrame)
    assert history["epoch"].tolist() == [1, 2, 3, 4]
    total = history["reconstruction"] + history["divergence"]
    pd.testing.assert_series_equal(history["loss"], total, check_names=False, rtol=1e-5)
