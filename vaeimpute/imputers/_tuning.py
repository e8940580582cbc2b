"""Values held out of the training rows, on which an imputer chooses a parameter of its own."""

from __future__ import annotations

import numpy as np

from vaeimpute.missingness import hide


def hold_out(
    X: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Set a fifth of the rows apart and choose a tenth of their values to be hidden.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        NaN means missing.
    rng : numpy.random.Generator

    Returns
    -------
    kept : ndarray of shape (n_kept, n_features)
        The other rows, as deviations from their means; NaN where missing.
    held_out : ndarray of shape (n_held_out, n_features)
        As deviations from the same means, with all their values.
    hidden : boolean ndarray of shape (n_held_out, n_features)
        Which of these to hide. They all have a value. Instead of the three, None where there is
        nothing to choose with.
    """
    n_held_out = len(X) // 5
    if n_held_out == 0:
        return None
    order = rng.permutation(len(X))
    held_out, kept = X[order[:n_held_out]], X[order[n_held_out:]]
    # Centred by the mean of all rows, the held-out ones would be minus the sum of the others.
    seen = ~np.isnan(kept)
    mean = np.where(seen, kept, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    kept, held_out = kept - mean, held_out - mean
    hidden = hide(~np.isnan(held_out), 0.1, rng)
    return (kept, held_out, hidden) if hidden.any() else None
