"""What a matrix is taken for, in words: the same whether it is filled or only checked."""

from __future__ import annotations

import numpy as np

from vaeimpute.exceptions import some
from vaeimpute.tables.checks import empty_samples
from vaeimpute.tables.formats import FORMATS
from vaeimpute.tables.notes import Guess
from vaeimpute.tables.orientation import describe_orientation
from vaeimpute.tables.read import Source

_SAMPLED = 1_000_000  # values that tell what scale all are on


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
    flat = values.ravel(order="K")
    sample = flat[:: max(1, flat.size // _SAMPLED)].astype(np.float64)
    middle = float(np.nanmedian(sample))
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    sample = sample[~np.isnan(sample)]
    if low >= 0 and (sample % 1 == 0).all():
        kind = f"whole numbers, such as {'counts' if high < 1e7 else 'intensities'}"
    elif low >= 0 and high <= 1:
        kind = "proportions, such as beta values"
    elif low >= 0 and high > 100 and high > 20 * max(middle, 1.0):
        kind = "intensities or normalised counts, of which no logarithm was taken"
    elif high < 30 and low > -30:
        kind = "logarithms" if low >= 0 else "logarithms, ratios or standard deviations"
    else:
        kind = "no scale in particular"
    return f"Values are from {low:.4g} to {high:.4g}, half of them below {middle:.4g}: like {kind}."
