import pytest
import torch

from vaeimpute.models import Autoencoder, VariationalAutoencoder, train


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def test_loss_is_the_squared_distance_of_equation_7(generator):
    x = torch.randn(6, 10, generator=generator)
    model = Autoencoder(10, hidden_sizes=(8,), latent_dim=3, generator=generator)
    expected = torch.linalg.vector_norm(model.reconstruct(x) - x, dim=1).square()
    assert model.draw_noise(x, generator) == ()
    total, reconstruction, divergence = model.loss(x, torch.ones_like(x).bool(), ())
    torch.testing.assert_close(total, expected)
    assert torch.equal(total, reconstruction)
    assert (divergence == 0).all()


def test_masking_noise_hides_the_share_that_it_says(generator):
    model = Autoencoder(4, hidden_sizes=(), latent_dim=2, masking_noise=0.3, generator=generator)
    x = torch.ones(500, 400)
    corrupted = model.corrupt(x, model.draw_noise(x, generator))
    assert (corrupted == 0).float().mean() == pytest.approx(0.3, abs=0.01)
    assert corrupted.mean() == pytest.approx(1.0, abs=0.01)  # of the inputs: what is kept is larger


def test_gaussian_noise_has_the_spread_that_it_says(generator):
    model = Autoencoder(4, hidden_sizes=(), latent_dim=2, gaussian_noise=0.5, generator=generator)
    x = torch.zeros(500, 400)
    corrupted = model.corrupt(x, model.draw_noise(x, generator))
    assert corrupted.std() == pytest.approx(0.5, abs=0.01)


def test_a_linear_autoencoder_finds_the_principal_subspace(generator):
    """Without hidden layers its optimum is known: the projection on the leading components."""
    data = torch.randn(200, 3, generator=generator) @ torch.randn(3, 12, generator=generator)
    data = data - data.mean(dim=0)
    model = Autoencoder(12, hidden_sizes=(), latent_dim=3, generator=generator)
    train(model, data, n_epochs=400, batch_size=50, learning_rate=1e-2, generator=generator)
    with torch.no_grad():
        left = (model.reconstruct(data) - data).square().mean() / data.square().mean()
    assert left < 1e-3


@pytest.mark.parametrize("scale", ["per feature", "paper", "shared", "fixed"])
def test_every_scale_learns_the_mean_and_knows_its_noise(generator, scale):
    signal = torch.randn(300, 2, generator=generator) @ torch.randn(2, 8, generator=generator)
    data = signal + 0.3 * torch.randn(300, 8, generator=generator)
    model = VariationalAutoencoder(
        8, hidden_sizes=(32,), latent_dim=4, scale=scale, generator=generator
    )
    train(model, data, n_epochs=200, batch_size=50, learning_rate=3e-3, generator=generator)
    with torch.no_grad():
        mean, spread = model.decode(model.encode(data)[0])
    assert mean.shape == spread.shape == data.shape
    assert (mean - signal).abs().mean() < 0.5 * signal.abs().mean()
    if scale == "fixed":
        assert (spread == 1).all()
    else:
        assert spread.mean() == pytest.approx(0.3, rel=0.35)


def test_the_papers_scale_is_the_square_of_the_usual_one(generator):
    usual, papers = (
        VariationalAutoencoder(
            8, hidden_sizes=(6,), latent_dim=2, scale=scale,
            generator=torch.Generator().manual_seed(1),
        )
        for scale in ("per feature", "paper")
    )  # fmt: skip
    z = torch.randn(5, 2, generator=generator)
    torch.testing.assert_close(papers.decode(z)[1], usual.decode(z)[1].square())


def test_an_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="but got 'per gene'"):
        VariationalAutoencoder(8, scale="per gene")
