"""The noise in the latent layer of a variational autoencoder, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

if TYPE_CHECKING:  # torch takes a second to import, and the other numbers do without
    from vaeimpute.models import VariationalAutoencoder


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
        that samples can be told apart through the noise.

    Raises
    ------
    ValueError
        If shapes differ, or there are fewer than two samples.

    Examples
    --------
    >>> noise = describe_noise([[-2.0, 0.1], [2.0, -0.1]], [[0.5, 1.0], [0.5, 1.0]])
    >>> noise["signal_to_noise"].tolist(), noise["active"].tolist()
    ([4.0, 0.1], [True, False])
    """
    mean, std = np.asarray(mean, dtype=float), np.asarray(std, dtype=float)
    if mean.shape != std.shape or mean.ndim != 2 or len(mean) < 2:
        raise ValueError(
            "Expected mean and std of one shape, with two samples or more, but got "
            f"{mean.shape} and {std.shape}."
        )
    table = pd.DataFrame({"spread": mean.std(axis=0), "noise": np.median(std, axis=0)})
    table.index.name = "dimension"
    table["signal_to_noise"] = table["spread"] / table["noise"]
    table["active"] = table["signal_to_noise"] > 1
    return table


def measure_noise(
    model: VariationalAutoencoder, rows: np.ndarray, *, n_draws: int = 4, seed: int = 0
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
    seed : int

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

    x = torch.from_numpy(np.asarray(rows)).float().to(next(model.parameters()).device)
    generator = torch.Generator().manual_seed(seed)
    squares = []
    with torch.inference_mode():
        mean, log_variance = model.encode(x)
        std = torch.exp(0.5 * log_variance)
        without = model.decode(mean)[0]
        for _ in range(n_draws):
            epsilon = torch.randn(mean.shape, generator=generator).to(mean)
            change = model.decode(mean + std * epsilon)[0] - without
            squares.append(change.square().mean(dim=1))
    latent = describe_noise(mean.cpu().numpy(), std.cpu().numpy())
    return latent, float(torch.stack(squares).mean(dim=0).sqrt().median())
