import numpy as np
import pytest
import torch

from vaeimpute.evaluation.networks import describe_noise, measure_noise
from vaeimpute.models import VariationalAutoencoder


def test_spread_and_noise_are_those_of_the_samples():
    rng = np.random.default_rng(0)
    mean = rng.normal(scale=[3.0, 0.1], size=(5000, 2))
    std = np.full((5000, 2), [0.5, 1.0])
    std[:50, 0] = 148.0  # what the model's bound allows
    noise = describe_noise(mean, std)
    np.testing.assert_allclose(noise["spread"], [3.0, 0.1], rtol=0.05)
    np.testing.assert_allclose(noise["noise"], [0.5, 1.0])
    np.testing.assert_allclose(noise["signal_to_noise"], noise["spread"] / noise["noise"])
    assert noise["active"].tolist() == [True, False]
    assert noise["variation"].tolist() == [0, 0]  # but for a few samples
    half = describe_noise(mean, np.where(mean > 0, 2.0, 1.0))
    np.testing.assert_allclose(half["variation"], np.where(half["noise"] == 2, 0.5, 1), atol=0.4)


def test_noise_of_a_linear_model_is_the_length_of_its_columns():
    model = VariationalAutoencoder(
        40, hidden_sizes=(), latent_dim=3, generator=torch.Generator().manual_seed(0)
    )
    with torch.no_grad():  # the same noise for every sample
        model.latent_log_variance.weight.zero_()
        model.latent_log_variance.bias.copy_(2 * torch.tensor([0.1, 0.5, 2.0]).log())
    rows = np.random.default_rng(0).normal(size=(200, 40))
    latent, output = measure_noise(model, rows, n_draws=20)
    np.testing.assert_allclose(latent["noise"], [0.1, 0.5, 2.0], rtol=1e-5)
    columns = model.output_mean.weight.detach().numpy() * [0.1, 0.5, 2.0]
    assert output == pytest.approx(np.sqrt(np.square(columns).sum(axis=1).mean()), rel=0.05)
    assert measure_noise(model, rows, n_draws=20)[1] == output
