"""Matching features by their names."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vaeimpute.exceptions import TableError, some


def match_features(found: pd.Index, expected: pd.Index, who: str) -> np.ndarray | None:
    """Find the features that a model knows among those of new samples.

    Parameters
    ----------
    found : Index of shape (n_features,)
        Names of the features at hand.
    expected : Index of shape (n_features,)
        Those of the fit, in its order.
    who : str
        Names the model in errors.

    Returns
    -------
    ndarray of int, shape (n_features,), or None
        Where in `found` each of `expected` is; None if both have the same order.

    Raises
    ------
    TableError
        If features are missing, not known or repeated; the message lists the first of them. It is
        a ValueError.

    Examples
    --------
    >>> match_features(pd.Index(["TP53", "EGFR"]), pd.Index(["EGFR", "TP53"]), "The model")
    array([1, 0])
    """
    if np.array_equal(found, expected):
        return None
    faults = {
        "missing": expected[~expected.isin(found)],
        "not known from the fit": found[~found.isin(expected)],
        "there more than once": found[found.duplicated()].unique(),
    }
    if any(map(len, faults.values())):
        raise TableError(
            f"{who} was fitted to {len(expected)} features, and the names of those given differ: "
            + "; ".join(f"{some(names)} {fault}" for fault, names in faults.items() if len(names))
            + ". Drop those that are not known, add an empty column for each that was not "
            "measured, or fit anew."
        )
    return found.get_indexer(expected)
