"""Numbers that may stand for a missing value: 0, -9, -999, and whatever else lies apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vaeimpute.tables.transforms import sample_of

_FEW = 3  # a number that occurs less often is a value
_USUAL = (-1, -9, -99, -999, -9999, 9, 99, 999, 9999)
# How far away other values are, in ranges of the middle 98 % of them, of what may be a code.
_GAP, _WIDE_GAP = 0.5, 0.75
_NO_LOGARITHM = 100.0  # logarithms of what is measured are smaller
_MOST = 4  # codes at either end
_FLOOR = 0.01  # share of the values, from which on it is worth a word that they are all alike


@dataclass(frozen=True)
class Code:
    """A number that occurs often, and may not be a value.

    Attributes
    ----------
    number : float
    count : int
        How many values it is.
    share : float
        Of all that are there.
    next : float or None
        The value next to it, if that is far away; None if values go on from here.
    """

    number: float
    count: int
    share: float
    next: float | None

    def __str__(self) -> str:
        """Say what it looks like, and what to do."""
        these = f"{self.count} values ({100 * self.share:.3g} %) are exactly {self.number:g}"
        advice = f"--missing-value {self.number:g} (missing_values=[{self.number:g}] in Python)"
        if self.next is None:
            return f"{these}, and are taken for values. If they are missing, say {advice}."
        return (
            f"{these}, and the next is {self.next:.4g}: do they stand for missing values? They are "
            "taken for values, and so what methods learn, and are compared on, is a mixture of "
            f"both. If they are missing, say {advice}."
        )


def find_codes(values: np.ndarray) -> list[Code]:
    """Find extremes that occur repeatedly far from all other values, and count what is exactly 0.

    Far is three quarters of the range of the middle 98 % of the others, or of the
    logarithms of what is none, half of it for the usual codes; or on the other side of zero.

    Parameters
    ----------
    values : array of shape (n_samples, n_features)
        NaN where missing.

    Returns
    -------
    list of Code

    Examples
    --------
    >>> intensities = np.random.default_rng(0).lognormal(20, 1, size=(40, 30))
    >>> intensities[::3] = 0
    >>> [(code.number, code.count) for code in find_codes(intensities)]
    [(0.0, 420)]
    """
    n_given = int(np.count_nonzero(~np.isnan(values)))
    if not n_given:
        return []
    sample = sample_of(values)
    ends = [float(np.nanmin(values)), float(np.nanmax(values))]
    codes: dict[float, Code] = {}
    for side in (0, 1):
        for _ in range(_MOST):  # as -999 and -9, one after the other
            number = ends[side]
            next_, count = _next(values, number, upward=side == 0), np.sum(values == number)
            if not np.isfinite(next_):
                break
            others = sample[(sample > ends[0]) & (sample < ends[1])]
            apart = count >= _FEW and _is_far(number, next_, others)
            if apart or (side == 0 and count >= max(_FEW, _FLOOR * n_given)):
                share = float(count / n_given)
                codes[number] = Code(number, int(count), share, next_ if apart else None)
            if not apart:
                break
            ends[side] = next_
    zeros = int(np.sum(values == 0))
    if 0.0 not in codes and zeros >= max(_FEW, _FLOOR * n_given):
        codes[0.0] = Code(0.0, zeros, zeros / n_given, None)
    return list(codes.values())


def _next(values: np.ndarray, number: float, *, upward: bool) -> float:
    """Return the value next to an extreme; infinite if there is none."""
    if upward:
        return float(np.min(values, where=values > number, initial=np.inf))
    return float(np.max(values, where=values < number, initial=-np.inf))


def _is_far(number: float, next_: float, others: np.ndarray) -> bool:
    """Tell whether there is a gap between an extreme and the other values."""
    if number < 0 <= next_ and next_ - number > 1:
        return True
    if len(np.unique(others[:1000])) < 2:
        return False
    if (others % 1 == 0).all() and abs(next_ - number) <= 1:
        return False
    gap = _GAP if number in _USUAL else _WIDE_GAP
    scales: list[Callable] = [np.asarray]
    if min(number, next_, others.min()) >= 0 and others.max() > _NO_LOGARITHM:
        scales.append(np.log1p)
    for scale in scales:
        low, high = np.quantile(scale(others), [0.01, 0.99])
        if abs(scale(next_) - scale(number)) > gap * (high - low) > 0:
            return True
    return False
