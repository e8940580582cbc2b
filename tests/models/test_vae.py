import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vaeimpute.exceptions import TrainingError
from vaeimpute.models import VariationalAutoencoder, train
from vaeimpute.models.vae import gaussian_nll, kl_to_standard_normal


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_divergence_equals_torch_distributions(generator):
    mean, log_variance = (torch.randn(20, 5, generator=generator) for _ in range(2))
    posterior = Normal(mean, torch.exp(0.5 * log_variance))
    expected = kl_divergence(posterior, Normal(0.0, 1.0)).sum(dim=1)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), expected)


def test_divergence_equals_monte_carlo(generator):
    mean, log_variance = torch.tensor([[0.7, -1.2]]), torch.tensor([[0.4, -1.0]])
    scale = torch.exp(0.5 * log_variance)
    z = mean + scale * torch.randn(400_000, 2, generator=generator)
    estimate = (Normal(mean, scale).log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(dim=1)
    expected = kl_to_standard_normal(mean, log_variance)
    # Four standard errors of the Monte Carlo mean.
    assert (estimate.mean() - expected).abs() < 4 * estimate.std() / len(estimate) ** 0.5


def test_likelihood_equals_torch_distributions(generator):
    x, mean, scale = (torch.randn(7, 3, generator=generator) for _ in range(3))
    scale = scale.exp()
    torch.testing.assert_close(gaussian_nll(x, mean, scale), -Normal(mean, scale).log_prob(x))


def test_loss_weighs_the_divergence_by_beta(generator):
    x = torch.randn(6, 10, generator=generator)
    observed = torch.ones_like(x, dtype=torch.bool)
    model = VariationalAutoencoder(
        10, hidden_sizes=(8,), latent_dim=3, beta=4.0, generator=generator
    )
    total, reconstruction, divergence = model.loss(x, observed, model.draw_noise(x, generator))
    torch.testing.assert_close(total, reconstruction + 4.0 * divergence)


def test_masking_noise_hides_inputs_from_the_encoder_alone(generator):
    x = torch.randn(6, 10, generator=generator)
    observed = torch.ones_like(x, dtype=torch.bool)
    model = VariationalAutoencoder(
        10, hidden_sizes=(8,), latent_dim=3, masking_noise=0.3, generator=generator
    )
    epsilon, kept = model.draw_noise(torch.ones(1000, 10), generator)
    assert epsilon.shape == (1000, 3)
    assert 0.68 < kept.float().mean() < 0.72
    epsilon, kept = epsilon[:6], kept[:6]
    mean, log_variance = model.encode(x * kept / 0.7)
    z = mean + torch.exp(0.5 * log_variance) * epsilon
    expected = gaussian_nll(x, *model.decode(z)).sum(dim=1)  # of all values, the hidden ones too
    torch.testing.assert_close(model.loss(x, observed, (epsilon, kept)).reconstruction, expected)


def test_the_gradient_is_the_slope_of_the_loss(generator):
    x = torch.randn(20, 10, generator=generator)
    model = VariationalAutoencoder(10, hidden_sizes=(16,), latent_dim=3, generator=generator)
    observed, noise = torch.ones_like(x).bool(), model.draw_noise(x, generator)

    def loss():
        return model.loss(x, observed, noise).total.sum()

    loss().backward()
    for weights in model.parameters():  # along a random direction, for one tensor at a time
        direction = torch.randn(weights.shape, generator=generator)
        direction /= direction.norm()
        with torch.no_grad():
            weights += 2e-3 * direction
            above = loss()
            weights -= 4e-3 * direction
            slope = (above - loss()) / 4e-3
            weights += 2e-3 * direction
        expected = (weights.grad * direction).sum()
        assert slope == pytest.approx(float(expected), rel=0.02, abs=0.05)


def test_missing_entries_do_not_count(generator):
    x = torch.randn(6, 10, generator=generator)
    model = VariationalAutoencoder(10, hidden_sizes=(8,), latent_dim=3, generator=generator)
    observed = torch.rand(x.shape, generator=generator) < 0.7
    (noise,) = model.draw_noise(x, generator)
    got = model.loss(x, observed, [noise]).reconstruction
    mean, log_variance = model.encode(x)
    terms = gaussian_nll(x, *model.decode(mean + torch.exp(0.5 * log_variance) * noise))
    expected = [row[seen].sum() for row, seen in zip(terms, observed, strict=True)]
    torch.testing.assert_close(got, torch.stack(expected))


def test_the_same_generator_gives_the_same_weights():
    first, second = (
        VariationalAutoencoder(10, hidden_sizes=(8,), generator=torch.Generator().manual_seed(3))
        for _ in range(2)
    )
    for ours, theirs in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(ours, theirs)
        assert torch.isfinite(ours).all()


@pytest.mark.parametrize("learning_rate", [1e-5, 5e-5, 1e-4, 5e-4, 1e-2])
@pytest.mark.parametrize("n_samples", [1, 7, 51])
def test_training_stays_finite_on_the_papers_grid_and_beyond(generator, learning_rate, n_samples):
    data = torch.randn(n_samples, 3, generator=generator) @ torch.randn(3, 40, generator=generator)
    model = VariationalAutoencoder(40, hidden_sizes=(64, 32), latent_dim=8, generator=generator)
    # Batches of 50: fewer samples than a batch, and a last batch of one.
    settings = {"n_epochs": 60, "batch_size": 50, "learning_rate": learning_rate}
    history = train(model, data, generator=generator, **settings)
    assert history.notna().all(axis=None)


def test_a_loss_that_is_not_finite_stops_training_and_says_where(generator):
    data = torch.full((10, 4), 1e30)
    model = VariationalAutoencoder(4, hidden_sizes=(8,), latent_dim=2, generator=generator)
    with pytest.raises(TrainingError, match=r"epoch 1, batch 1\. Try a lower learning_rate"):
        train(model, data, batch_size=5, learning_rate=1e-3, generator=generator)
