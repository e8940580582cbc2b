"""What a trained network makes of rows: reconstructions, latent distributions, loss terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from vaeimpute.seeding import RandomState, generator, integer

if TYPE_CHECKING:
    import torch

    from vaeimpute.models import Reconstructor, VariationalAutoencoder


def reconstruct_rows(model: Reconstructor, rows: np.ndarray) -> np.ndarray:
    """Encode and decode rows without noise.

    Parameters
    ----------
    model : Reconstructor
        ``model_`` of a fitted imputer.
    rows : array of shape (n_samples, n_features)
        Standardised and complete.

    Returns
    -------
    ndarray of shape (n_samples, n_features)

    Examples
    --------
    >>> from vaeimpute.models import Autoencoder
    >>> reconstruct_rows(Autoencoder(3, hidden_sizes=(), latent_dim=1), np.zeros((2, 3))).shape
    (2, 3)
    """
    import torch

    with torch.inference_mode():
        return model.reconstruct(_to_tensor(model, rows)).cpu().double().numpy()


def latent_distribution(
    model: VariationalAutoencoder, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return means and log-variances of Q(z|X), the latent distribution of every row.

    Parameters
    ----------
    model : VariationalAutoencoder
        ``model_`` of a fitted `vaeimpute.imputers.VAEImputer`.
    rows : array of shape (n_samples, n_features)
        Standardised and complete.

    Returns
    -------
    mean, log_variance : ndarray of shape (n_samples, latent_dim)

    Examples
    --------
    >>> from vaeimpute.models import VariationalAutoencoder
    >>> model = VariationalAutoencoder(3, hidden_sizes=(), latent_dim=2)
    >>> mean, log_variance = latent_distribution(model, np.zeros((4, 3)))
    >>> mean.shape, log_variance[0].tolist()
    ((4, 2), [0.0, 0.0])
    """
    import torch

    with torch.inference_mode():
        mean, log_variance = model.encode(_to_tensor(model, rows))
    return mean.cpu().double().numpy(), log_variance.cpu().double().numpy()


def divergence_by_dimension(mean: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    """Divergence of Q(z|X) from the standard normal, per latent dimension.

    Parameters
    ----------
    mean, log_variance : array of shape (n_samples, latent_dim)
        From `latent_distribution`.

    Returns
    -------
    ndarray of shape (latent_dim,)
        In nats, a mean over the rows; 0 for a dimension that says nothing about them. Their sum is
        the divergence term of eq. 3.

    Examples
    --------
    >>> divergence_by_dimension(np.array([[1.0, 0.0]]), np.zeros((1, 2))).tolist()
    [0.5, 0.0]
    """
    # From the logarithm: where it is very small, the variance itself is rounded to 0.
    return 0.5 * (np.square(mean) + np.exp(log_variance) - log_variance - 1.0).mean(axis=0)


def loss_terms(
    model: Reconstructor, rows: np.ndarray, *, n_draws: int = 10, random_state: RandomState = 0
) -> pd.Series:
    """Return the terms of a model's loss, as means over rows and over draws of its noise.

    Parameters
    ----------
    model : Reconstructor
        ``model_`` of a fitted imputer.
    rows : array of shape (n_samples, n_features)
        Standardised and complete.
    n_draws : int
        Draws of the noise.
    random_state : int, Generator or None
        Of the noise.

    Returns
    -------
    Series
        ``reconstruction``, ``divergence`` and ``loss``; of a VAE in nats per row.

    Examples
    --------
    >>> from vaeimpute.models import Autoencoder
    >>> loss_terms(Autoencoder(3, hidden_sizes=(), latent_dim=1), np.zeros((2, 3))).to_dict()
    {'reconstruction': 0.0, 'divergence': 0.0, 'loss': 0.0}
    """
    import torch

    x = _to_tensor(model, rows)
    observed = torch.ones_like(x, dtype=torch.bool)
    noise = torch.Generator(x.device).manual_seed(integer(random_state, "loss_terms"))
    with torch.inference_mode():
        draws = [model.loss(x, observed, model.draw_noise(x, noise)) for _ in range(n_draws)]
    fields = {"reconstruction": "reconstruction", "divergence": "divergence", "loss": "total"}
    return pd.Series(
        {
            name: np.mean([getattr(terms, field).double().mean().item() for terms in draws])
            for name, field in fields.items()
        }
    )


def _to_tensor(model: Reconstructor, rows: np.ndarray) -> torch.Tensor:
    import torch

    values = np.asarray(rows, dtype=np.float32)
    if np.isnan(values).any():
        raise ValueError(
            f"Expected complete rows but {np.isnan(values).sum()} values are missing; impute first."
        )
    return torch.from_numpy(values).to(next(model.parameters()).device)


def describe_noise(mean: ArrayLike, std: ArrayLike) -> pd.DataFrame:
    """Compare, in every latent dimension, the noise with what the samples differ by.

    Parameters
    ----------
    mean, std : array-like of shape (n_samples, latent_dim)
        Of Q(z|X), for every sample.

    Returns
    -------
    DataFrame
        One row per dimension: ``spread``, the standard deviation over the samples of `mean`;
        ``noise``, the median over the samples of `std`: a few samples for which a dimension means
        nothing can have a huge one;
        ``signal_to_noise``, the first divided by the second; ``active``, whether it exceeds 1, so
        that samples can be told apart through the noise; and ``variation``, by how much the noise
        depends on the sample: the distance between the quartiles of `std` over the samples, divided
        by the median.

    Examples
    --------
    >>> noise = describe_noise([[-2.0, 0.1], [2.0, -0.1]], [[0.5, 1.0], [0.5, 1.0]])
    >>> noise["signal_to_noise"].tolist(), noise["active"].tolist()
    ([4.0, 0.1], [True, False])
    """
    mean, std = np.asarray(mean, dtype=float), np.asarray(std, dtype=float)
    low, noise, high = np.quantile(std, (0.25, 0.5, 0.75), axis=0)
    spread, variation = mean.std(axis=0), (high - low) / noise
    columns = {"spread": spread, "noise": noise, "signal_to_noise": spread / noise,
               "active": spread > noise, "variation": variation}  # fmt: skip
    return pd.DataFrame(columns).rename_axis("dimension")


def measure_noise(
    model: VariationalAutoencoder,
    rows: np.ndarray,
    *,
    n_draws: int = 4,
    random_state: RandomState = 0,
) -> tuple[pd.DataFrame, float]:
    """Measure the noise of a trained model: in its latent layer, and in what it reconstructs.

    Parameters
    ----------
    model : VariationalAutoencoder
        ``model_`` of a fitted `vaeimpute.imputers.VAEImputer`.
    rows : array of shape (n_samples, n_features)
        Standardised and complete.
    n_draws : int
        Draws of epsilon (eq. 9) per row.
    random_state : int, Generator or None

    Returns
    -------
    latent : DataFrame
        From `describe_noise`.
    output : float
        What the noise changes in the reconstruction of a row, as root mean square over draws and
        features, of the median row; in the units of `rows`, standard deviations.

    Examples
    --------
    >>> from vaeimpute.models import VariationalAutoencoder
    >>> model = VariationalAutoencoder(5, hidden_sizes=(), latent_dim=2)
    >>> latent, output = measure_noise(model, np.random.default_rng(0).normal(size=(20, 5)))
    >>> len(latent), output > 0
    (2, True)
    """
    import torch

    rng = generator(random_state, "measure_noise")
    squares = []
    with torch.inference_mode():
        mean, log_variance = model.encode(_to_tensor(model, rows))
        std = torch.exp(0.5 * log_variance)
        without = model.decode(mean)[0]
        for _ in range(n_draws):
            epsilon = torch.from_numpy(rng.standard_normal(mean.shape)).to(mean)
            change = model.decode(mean + std * epsilon)[0] - without
            squares.append(change.square().mean(dim=1))
    latent = describe_noise(mean.cpu().numpy(), std.cpu().numpy())
    return latent, float(torch.stack(squares).mean(dim=0).sqrt().median())
