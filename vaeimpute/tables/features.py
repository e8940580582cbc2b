"""Matching features by their names."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from vaeimpute.exceptions import Guess, TableError, some

_VERSION = re.compile(r"\.\d+$")
_MOST_LACKING = 0.5  # share of a model's features that new samples may be without


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


def align_features(
    values: pd.DataFrame, expected: pd.Index, who: str
) -> tuple[pd.DataFrame, list[str]]:
    """Return the features that a model knows, in its order; those that are lacking are missing.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
    expected : Index of str
        Names of the features of the model, in its order.
    who : str
        Names the model in errors.

    Returns
    -------
    values : DataFrame of shape (n_samples, n_expected)
    notes : list of str
        Which features are not known or lacking, a `Guess` each, or that the order is another.

    Raises
    ------
    TableError
        If more than half of the features are lacking.

    Examples
    --------
    >>> new = pd.DataFrame({"MYC": [3.0], "EGFR": [1.0]})
    >>> aligned, notes = align_features(new, pd.Index(["EGFR", "TP53"]), "The model")
    >>> aligned.to_dict("list")
    {'EGFR': [1.0], 'TP53': [nan]}
    """
    found = values.columns
    lacking, unknown = expected[~expected.isin(found)], found[~found.isin(expected)]
    if len(lacking) > _MOST_LACKING * len(expected):
        message = (
            f"{who} was fitted to {len(expected)} features, of which {len(lacking)} are not there, "
            f"too many to be taken for missing: {some(lacking)}. There are {some(found)}."
        )
        ours, theirs = (
            names.str.lower().str.replace(_VERSION, "", regex=True) for names in (lacking, found)
        )
        n_alike = int(ours.isin(theirs).sum())
        if n_alike:
            message += f" But for case and versions (.1), {n_alike} agree: rename them."
        raise TableError(message)
    notes: list[str] = []
    if len(unknown):
        left = f"{some(unknown)} ({len(unknown)} of {len(found)} features)"
        notes.append(Guess(f"Not known to the model, and left as they are: {left}."))
    if len(lacking):
        taken = f"{some(lacking)} ({len(lacking)} of the model's {len(expected)} features)"
        notes.append(Guess(f"Not in the file, and taken for missing: {taken}."))
    if not notes and not found.equals(expected):
        notes.append("The features are in another order than at fit; matched by name.")
    return values.reindex(columns=expected), notes
