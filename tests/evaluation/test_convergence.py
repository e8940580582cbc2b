import numpy as np
import pytest
import torch

from vaeimpute.evaluation.convergence import spectral_radius
from vaeimpute.models import Autoencoder, iterate


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def linear(generator, n_features, scale):
    matrix = torch.randn(n_features, n_features, generator=generator, dtype=torch.float64)
    return scale * matrix / n_features**0.5


def test_equals_the_eigenvalues_of_the_missing_block(generator):
    matrix = linear(generator, 12, 1.0)
    matrix = matrix @ matrix.T  # real eigenvalues, so that power iteration settles
    rows = torch.randn(3, 12, generator=generator, dtype=torch.float64)
    missing = torch.rand(3, 12, generator=generator) < 0.6
    measured = spectral_radius(lambda x: x @ matrix.T, rows, missing, n_steps=400)
    expected = [
        np.abs(np.linalg.eigvals(matrix[row][:, row].numpy())).max() for row in missing.numpy()
    ]
    np.testing.assert_allclose(measured, expected, rtol=1e-4)


def test_a_rotation_is_a_pair_of_complex_eigenvalues():
    rotation = 0.8 * torch.tensor([[0.0, -4.0], [0.25, 0.0]])  # single steps grow 3.2 and 0.2 times
    rows = torch.zeros(1, 2)
    measured = spectral_radius(lambda x: x @ rotation.T, rows, rows == 0, n_steps=40)
    assert measured == pytest.approx([0.8], rel=0.02)


@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_tells_whether_the_iterations_settle(generator, scale):
    matrix = linear(generator, 30, 1.0)
    matrix = scale * (matrix @ matrix.T) / torch.linalg.eigvalsh(matrix @ matrix.T).max()
    missing = torch.ones(1, 30, dtype=torch.bool)
    guess = torch.randn(1, 30, generator=generator, dtype=torch.float64)
    *_, last = iterate(lambda x: x @ matrix.T, guess, ~missing, 60)
    radius = spectral_radius(lambda x: x @ matrix.T, guess, missing, n_steps=60)
    assert (radius[0] < 1) == bool(last.norm() < 1e-3 * guess.norm()) == (scale < 1)


def test_works_on_a_model_and_is_nothing_where_nothing_is_missing(generator):
    model = Autoencoder(20, hidden_sizes=(10,), latent_dim=3, generator=generator)
    rows = torch.randn(2, 20, generator=generator)
    missing = torch.zeros(2, 20, dtype=torch.bool)
    missing[0, :5] = True
    first, second = spectral_radius(model.reconstruct, rows, missing)
    assert first > 0
    assert second == 0
    jacobian = torch.autograd.functional.jacobian(model.reconstruct, rows[:1])[0, :5, 0, :5]
    radius = np.abs(np.linalg.eigvals(jacobian.numpy())).max()
    assert spectral_radius(model.reconstruct, rows, missing, n_steps=600)[0] == pytest.approx(
        radius, rel=0.05
    )


def test_bad_input_is_refused():
    rows = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"boolean mask of shape \(2, 3\) but got torch.float32"):
        spectral_radius(lambda x: x, rows, rows)
    with pytest.raises(ValueError, match="at least 2 steps but got 1"):
        spectral_radius(lambda x: x, rows, rows == 0, n_steps=1)
