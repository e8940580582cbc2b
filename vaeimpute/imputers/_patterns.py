"""Rows that miss the same features share what it takes to fill them."""

from __future__ import annotations

import numpy as np
import pandas as pd


def distinct_patterns(missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows that are the same.

    ``np.unique(missing, axis=0)`` compares feature by feature, which takes longer than many a
    system of equations.

    Parameters
    ----------
    missing : boolean ndarray of shape (n_rows, n_features)

    Returns
    -------
    first : integer ndarray of shape (n_patterns,)
        Where each pattern comes first, ascending.
    pattern_of : integer ndarray of shape (n_rows,)
        The number of every row's pattern.

    Examples
    --------
    >>> distinct_patterns(np.array([[True, False], [False, False], [True, False]]))
    (array([0, 1]), array([0, 1, 0]))
    """
    keys = [row.tobytes() for row in np.packbits(missing, axis=1)]
    pattern_of, _ = pd.factorize(np.array(keys, dtype=object))
    return np.unique(pattern_of, return_index=True)[1], pattern_of
