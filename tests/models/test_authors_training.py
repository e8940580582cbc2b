"""With the settings of the authors' code, training takes the steps that its formulas give.

Network, loss and Adam are written out here in numpy, as their program defines them; gradients are
complex-step derivatives of that loss.
"""

import numpy as np
import pytest
import torch

from vaeimpute.models import VariationalAutoencoder, train

N_FEATURES, HIDDEN, LATENT = 5, (4, 7), 2  # widening inwards, as in their configuration
BATCH, RATE, BETA = 6, 0.01, 1.5


class Recorded(VariationalAutoencoder):
    """A VAE that remembers the batches and the noise that it learns from."""

    def draw_noise(self, x, generator):
        (epsilon,) = super().draw_noise(x, generator)
        self.seen = [*getattr(self, "seen", []), (x.numpy().copy(), epsilon.numpy().copy())]
        return (epsilon,)


def dense(x, weights, name):
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def relu(x):
    return np.where(x.real > 0, x, 0)


def their_loss(weights, x, epsilon):
    """Mean over the rows of -log p(x|z) + beta KL, with exp of the second head as the scale."""
    hidden = relu(dense(relu(dense(x, weights, "encoder.0")), weights, "encoder.2"))
    mean, log_variance = (dense(hidden, weights, f"latent_{n}") for n in ("mean", "log_variance"))
    z = mean + np.sqrt(np.exp(log_variance)) * epsilon
    hidden = relu(dense(relu(dense(z, weights, "decoder.0")), weights, "decoder.2"))
    center, scale = dense(hidden, weights, "output_mean"), dense(hidden, weights, "output_scale")
    scale = np.exp(scale)
    density = np.exp(-(((x - center) / scale) ** 2) / 2) / (scale * np.sqrt(2 * np.pi))
    divergence = -0.5 * (1 + log_variance - mean**2 - np.exp(log_variance)).sum(axis=1)
    return (-np.log(density).sum(axis=1) + BETA * divergence).mean()


def gradient(weights, name, *batch, step=1e-30):
    """Exact, from the imaginary part of the loss of a weight that is moved by an imaginary step."""
    slope = np.empty_like(weights[name])
    for place in np.ndindex(slope.shape):
        moved = weights[name].astype(complex)
        moved[place] += step * 1j
        slope[place] = their_loss(weights | {name: moved}, *batch).imag / step
    return slope


def adam(weights, moments, gradients, number):
    """Take a step in place, as algorithm 1 of Kingma and Ba.

    TensorFlow adds epsilon before the second moment is corrected, so that it weighs up to 30 times
    as much; of these gradients, only those below 1e-5 feel it.
    """
    for name, slope in gradients.items():
        first, second = moments.get(name, (0.0, 0.0))
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        moments[name] = first, second
        first, second = first / (1 - 0.9**number), second / (1 - 0.999**number)
        weights[name] = weights[name] - RATE * first / (np.sqrt(second) + 1e-8)


@pytest.fixture
def model():
    return Recorded(
        N_FEATURES, hidden_sizes=HIDDEN, latent_dim=LATENT, beta=BETA, scale="paper",
        generator=torch.Generator().manual_seed(3),
    )  # fmt: skip


def test_losses_and_weights_are_those_of_their_formulas(model):
    data = torch.randn(17, N_FEATURES, generator=torch.Generator().manual_seed(4))
    weights = {name: w.detach().double().numpy() for name, w in model.state_dict().items()}
    before = {name: w.copy() for name, w in weights.items()}
    history = train(
        model, data, n_epochs=2, batch_size=BATCH, drop_last=True, learning_rate=RATE,
        generator=torch.Generator().manual_seed(5),
    )  # fmt: skip
    assert len(model.seen) == 2 * (17 // BATCH)
    losses, moments = [], {}
    for number, batch in enumerate(model.seen, start=1):
        losses.append(their_loss(weights, *batch))
        adam(weights, moments, {name: gradient(weights, name, *batch) for name in weights}, number)
    np.testing.assert_allclose(history["loss"], np.mean(np.reshape(losses, (2, -1)), 1), rtol=1e-5)
    for name, weight in model.state_dict().items():
        np.testing.assert_allclose(weight, weights[name], atol=1e-6, err_msg=name)
        assert np.abs(weights[name] - before[name]).max() > RATE  # there was something to compare


def test_initial_weights_are_theirs():
    """Uniform within the square root of 6 / (inputs + outputs), which the largest come close to."""
    wide = VariationalAutoencoder(60, hidden_sizes=(40, 80), latent_dim=20)
    for name, weight in wide.state_dict().items():
        if name.endswith("bias"):
            assert (weight == 0).all(), name
        else:
            bound = np.sqrt(6 / sum(weight.shape))
            assert 0.95 * bound < weight.abs().max() <= bound, name
            assert float(weight.std()) == pytest.approx(bound / np.sqrt(3), rel=0.1), name
