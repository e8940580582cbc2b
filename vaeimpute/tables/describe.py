"""What a matrix is taken for, in words: the same whether it is filled or only checked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vaeimpute.exceptions import Guess, some
from vaeimpute.tables.checks import empty_samples
from vaeimpute.tables.formats import FORMATS
from vaeimpute.tables.known import kind_of
from vaeimpute.tables.read import Source
from vaeimpute.tables.transforms import looks_like_counts, sample_of


def describe(source: Source) -> list[str]:
    """Say what a file is taken for, and what is odd about it.

    Parameters
    ----------
    source : Source

    Returns
    -------
    list of str
        Sentences; what ought to be looked at is a `Guess`.
    """
    values = source.values
    missing = values.isna().to_numpy()
    rows, columns = ("features", "samples") if source.features_in_rows else ("samples", "features")
    format_ = FORMATS[source.format].name
    found = [
        f"{source.path.name}: {format_}, {rows} in rows and {columns} in columns.",
        *source.notes,
        f"{source.path.name}: {values.shape[0]} samples x {values.shape[1]} features; "
        f"{missing.sum()} values are missing ({100 * missing.mean():.3g} %), in "
        f"{missing.any(axis=0).sum()} features.",
    ]
    if not missing.all():
        found.append(describe_scale(values.to_numpy()))
    doubt = describe_orientation(values)
    if doubt is not None:
        advice = (
            "If its rows are samples, leave --features-in-rows out."
            if source.features_in_rows
            else "If its rows are features, say --features-in-rows."
        )
        found.append(Guess(f"Is the matrix transposed? {doubt[0].upper()}{doubt[1:]}. {advice}"))
    nothing = empty_samples(values)
    if len(nothing):
        found.append(
            Guess(
                f"Without any value: {some(nothing)} ({len(nothing)} of {len(values)} samples). "
                "What they get says nothing about them."
            )
        )
    return found


def describe_scale(values: np.ndarray) -> str:
    """Say in which range values are, and what they look like.

    Parameters
    ----------
    values : array of shape (n_samples, n_features)
        NaN where missing.

    Returns
    -------
    str

    Examples
    --------
    >>> describe_scale(np.array([[0.0, 0.25], [np.nan, 1.0]]))
    'Values are from 0 to 1, half of them below 0.25: like proportions, such as beta values.'
    """
    sample = sample_of(values)
    low, middle, high = float(np.nanmin(values)), float(np.median(sample)), float(np.nanmax(values))
    if low >= 0 and (sample % 1 == 0).all():
        kind = f"whole numbers, such as {'counts' if high < 1e7 else 'intensities'}"
    elif low >= 0 and high <= 1:
        kind = "proportions, such as beta values"
    elif looks_like_counts(low, middle, high):
        kind = "intensities or normalised counts, of which no logarithm was taken"
    elif high < 30 and low > -30:
        kind = "logarithms" if low >= 0 else "logarithms, ratios or standard deviations"
    else:
        kind = "no scale in particular"
    return f"Values are from {low:.4g} to {high:.4g}, half of them below {middle:.4g}: like {kind}."


def describe_orientation(values: pd.DataFrame) -> str | None:
    """Say why a matrix looks as if its rows were features, or return None.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    str or None

    Examples
    --------
    >>> genes = pd.Index(["TP53", "EGFR", "PTEN", "MYC"])
    >>> describe_orientation(pd.DataFrame(0.0, genes, [f"s{i}" for i in range(9)]))
    "'TP53', 'EGFR' and 2 more, taken for samples, look like names of features"
    >>> describe_orientation(pd.DataFrame(0.0, [f"s{i}" for i in range(4)], genes))
    """
    samples, features = values.index, values.columns
    if kind_of(samples) == "features":
        return f"{some(samples, 2)}, taken for samples, look like names of features"
    if kind_of(features) == "samples":
        return f"{some(features, 2)}, taken for features, look like names of samples"
    if len(samples) > len(features) and kind_of(features) != "features":
        return f"there are more samples ({len(samples)}) than features ({len(features)})"
    return None
