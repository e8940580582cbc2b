import numpy as np
import pytest
import torch

from vaeimpute.evaluation.networks import (
    divergence_by_dimension,
    latent_distribution,
    loss_terms,
    reconstruct_rows,
)
from vaeimpute.models import VariationalAutoencoder
from vaeimpute.models.vae import kl_to_standard_normal


@pytest.fixture
def model():
    generator = torch.Generator().manual_seed(0)
    return VariationalAutoencoder(6, hidden_sizes=(5,), latent_dim=3, generator=generator)


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(size=(8, 6))


def test_a_reconstruction_decodes_the_latent_mean(model, rows):
    mean, _ = latent_distribution(model, rows)
    decoded, _ = model.decode(torch.from_numpy(mean).float())
    np.testing.assert_allclose(reconstruct_rows(model, rows), decoded.detach().numpy(), atol=1e-5)


def test_the_dimensions_add_up_to_the_divergence(model, rows):
    mean, log_variance = latent_distribution(model, rows)
    by_dimension = divergence_by_dimension(mean, log_variance)
    expected = kl_to_standard_normal(torch.from_numpy(mean), torch.from_numpy(log_variance))
    assert by_dimension.shape == (3,)
    assert by_dimension.sum() == pytest.approx(expected.mean().item())


def test_a_vanishing_variance_has_a_finite_divergence():
    divergence = divergence_by_dimension(np.zeros((1, 1)), np.full((1, 1), -800.0))
    assert divergence.tolist() == [399.5]


def test_the_terms_add_up_and_depend_on_the_seed_alone(model, rows):
    terms = loss_terms(model, rows)
    assert terms["loss"] == pytest.approx(terms["reconstruction"] + terms["divergence"])
    assert terms.equals(loss_terms(model, rows))
    assert terms["reconstruction"] != loss_terms(model, rows, random_state=1)["reconstruction"]
    many = loss_terms(model, rows, n_draws=400)
    assert many["divergence"] == pytest.approx(
        divergence_by_dimension(*latent_distribution(model, rows)).sum(), rel=1e-5
    )


def test_incomplete_rows_are_refused(model, rows):
    rows[0, :2] = np.nan
    with pytest.raises(ValueError, match="2 values are missing; impute first"):
        reconstruct_rows(model, rows)
