"""The scales that values are worked on, what comes back from them, and which the values ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from vaeimpute.exceptions import TableError

# Log2 of anything that sequencers or scanners measure stays below 30.
_COUNTS_LOOK_LIKE = 100.0
# Of whole numbers, so many or fewer are codes or doses: copies, genotypes, grades.
_CODES = 8
_MANY = 100
_ENOUGH = 10**6  # values to look at


def sample_of(values: np.ndarray) -> np.ndarray:
    """Return what is there of a matrix, or enough of it to tell how values are distributed.

    Examples
    --------
    >>> sample_of(np.array([[0.5, np.nan], [np.nan, 2.0]]))
    array([0.5, 2. ])
    """
    flat = values.ravel(order="K")
    sample = flat[:: max(1, flat.size // _ENOUGH)].astype(np.float64)
    return sample[~np.isnan(sample)]


def looks_like_counts(low: float, middle: float, high: float) -> bool:
    """Tell by smallest, median and largest whether values are from zero up, a few very large."""
    return low >= 0 and high > max(_COUNTS_LOOK_LIKE, 20 * middle)


def to_log(values: pd.DataFrame) -> pd.DataFrame:
    """Take ln(x + 1), as the paper does.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
        From zero up; NaN means missing.

    Returns
    -------
    DataFrame

    Raises
    ------
    TableError
        If a value is negative; the message names the first.

    Examples
    --------
    >>> to_log(pd.DataFrame({"TP53": [0.0, np.e - 1]})).round(6)["TP53"].tolist()
    [0.0, 1.0]
    """
    negative = (values < 0).to_numpy()
    if negative.any():
        row, column = np.argwhere(negative)[0]
        raise TableError(
            f"The logarithm needs values from zero up, but {negative.sum()} are negative, the "
            f"first of them {values.iloc[row, column]:g} in sample {values.index[row]!r}, feature "
            f"{values.columns[column]!r}. Is it taken already?"
        )
    return np.log1p(values)


def suggest_transforms(
    values: pd.DataFrame, *, log: bool, zscore: bool, tries_log: bool = False
) -> list[str]:
    """Say which transforms the values ask for. Nothing is transformed.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
    log, zscore : bool
        What is done already.
    tries_log : bool
        Whether the logarithm is tried anyway.

    Returns
    -------
    list of str

    Examples
    --------
    >>> counts = pd.DataFrame(np.random.default_rng(0).lognormal(5, 2, size=(20, 9)))
    >>> suggest_transforms(counts, log=False, zscore=True)
    ['The values look like counts or intensities (from zero up, a few very large): consider --log.']
    """
    array = values.to_numpy()
    suggestions = []
    middle, largest = np.median(sample_of(array)), np.nanmax(array)
    if not (log or tries_log) and looks_like_counts(np.nanmin(array), middle, largest):
        suggestions.append(
            "The values look like counts or intensities (from zero up, a few very large): consider "
            "--log."
        )
    if log and 0 < largest < 25:
        suggestions.append(
            f"The largest value is {largest:.3g}: the logarithm seems to be taken already. "
            "Consider leaving --log out."
        )
    if not zscore:
        spread = values.std().dropna()
        spread = spread[spread > 0]
        if len(spread) > 1 and spread.quantile(0.95) > 10 * spread.quantile(0.05):
            suggestions.append(
                "Some features vary more than ten times as much as others, and without --zscore "
                "they decide which samples are alike: consider --zscore."
            )
    return suggestions


@dataclass(frozen=True)
class Scale:
    """A scale to work on, and the way back.

    Attributes
    ----------
    kind : {"", "log", "logit"}
        The values as they are; ``ln(x + offset)`` for values from zero up; or
        ``ln((x + offset) / (1 - x + offset))`` for values between 0 and 1.
    offset : float

    Examples
    --------
    >>> scale = Scale("logit", 0.01)
    >>> scale.back(scale.forward(np.array([0.0, 0.3, 1.0]))).round(6)
    array([0. , 0.3, 1. ])
    >>> Scale.parse(str(scale)) == scale
    True
    """

    kind: Literal["", "log", "logit"] = ""
    offset: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Scale:
        """Read what ``str`` writes, as it stands in the card of a saved model."""
        kind, _, offset = text.partition(" ")
        return cls(kind, float(offset or 1.0))  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.kind} {self.offset!r}" if self.kind else ""

    @property
    def words(self) -> str:
        """What is worked on."""
        if not self.kind:
            return "the values as they are"
        if self.kind == "log":
            return f"ln(x + {self.offset:.3g})"
        return "logits" if not self.offset else f"logits (with {self.offset:.2g} added)"

    def forward(self, values):
        """Take values, a DataFrame or an array, to the scale."""
        if self.kind == "log":
            return to_log(values) if self.offset == 1 else np.log(values + self.offset)
        if self.kind == "logit":
            return np.log((values + self.offset) / (1 - values + self.offset))
        return values

    def limit(self, bound: float) -> float:
        """Take a bound to the scale, on which one that no value reaches is infinite."""
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.kind == "log":
                return float(np.log(np.maximum(bound + self.offset, 0.0)))
            if self.kind == "logit":
                share = (bound + self.offset) / (1 + 2 * self.offset)
                return float(logit(np.clip(share, 0.0, 1.0)))
        return bound

    def back(self, array: np.ndarray) -> np.ndarray:
        """Bring values back: half of what they stand for is below, and half above.

        That is the median of what was normal on the scale, whatever its standard deviation. What
        would become negative, which no measured value was, becomes zero.
        """
        if self.kind == "log":
            with np.errstate(over="ignore"):
                return np.maximum(np.expm1(array) + (1.0 - self.offset), 0.0)
        if self.kind == "logit":
            share = expit(array) * (1 + 2 * self.offset) - self.offset
            return np.clip(share, 0.0, 1.0)
        return array

    def back_std(self, array: np.ndarray, std: np.ndarray) -> np.ndarray:
        """Return how far values typically are from `back`, for normal ones on the scale.

        It is the root of the mean squared distance, about the value filled in and not the mean.
        """
        if not self.kind:
            return std
        if self == Scale("log"):  # exp(y) is log-normal
            variance = np.square(std)
            with np.errstate(over="ignore", invalid="ignore"):
                mean = np.exp(array + variance / 2)
                return np.hypot(mean * np.sqrt(np.expm1(variance)), mean - 1 - self.back(array))
        nodes, weights = np.polynomial.hermite_e.hermegauss(31)
        center, total = self.back(array), np.zeros(np.shape(array))
        with np.errstate(over="ignore", invalid="ignore"):
            for node, weight in zip(nodes, weights / weights.sum(), strict=True):
                total += weight * np.square(self.back(array + node * std) - center)
        return np.sqrt(total)


class Bounds(NamedTuple):
    """Between what values are; `guessed` if nobody has said so."""

    low: float
    high: float
    guessed: bool

    def __str__(self) -> str:
        low, high = (f"{bound:g}" for bound in (self.low, self.high))
        if np.isinf(self.high):
            return f"{low} or more"
        return f"{high} or less" if np.isinf(self.low) else f"between {low} and {high}"


def guess_bounds(
    values: pd.DataFrame, low: float | None = None, high: float | None = None
) -> Bounds:
    """Say between what the values of a matrix must be, from what is observed.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
    low, high : float, optional
        Where it is known.

    Returns
    -------
    Bounds
        Between 0 and 1, or 0 and 100, if all are and some come near both; of a few whole numbers,
        as of genotypes, between the smallest and the largest; else from zero up if none is
        negative. A bound that is not guessed nor known is infinite.

    Examples
    --------
    >>> str(guess_bounds(pd.DataFrame({"cg1": [0.02, 0.97]})))
    'between 0 and 1'
    >>> str(guess_bounds(pd.DataFrame({"TP53": [3.0, 1017.5]})))
    '0 or more'
    """
    array = values.to_numpy()
    least, most = np.fmin.reduce(array, axis=None), np.fmax.reduce(array, axis=None)
    found = (-np.inf, np.inf)
    if least >= 0:
        found = (0.0, 1.0 if most <= 1 else 100.0 if 99 < most <= 100 and least < 1 else np.inf)
    # A matrix of so few values of its own says nothing of others.
    few = most - least < _CODES and np.count_nonzero(~np.isnan(array)) > _MANY
    if few and all((row[~np.isnan(row)] % 1 == 0).all() for row in array):
        found = (least, most)
    guessed = (low is None and np.isfinite(found[0])) or (high is None and np.isfinite(found[1]))
    return Bounds(
        float(found[0] if low is None else low), float(found[1] if high is None else high), guessed
    )


def suggest_scale(values: pd.DataFrame) -> Scale | None:
    """Return a scale on which values that have bounds may be easier to predict.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    Scale or None
        Logits of values between 0 and 1; the logarithm of values from zero up of which a few are
        very large. What is added to them is 1 for counts, and else half of what only one in a
        hundred is closer to the bound.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> suggest_scale(pd.DataFrame(rng.poisson(rng.lognormal(3, 2, size=(20, 9)))))
    Scale(kind='log', offset=1.0)
    >>> suggest_scale(pd.DataFrame(rng.normal(20, 3, size=(20, 9)))) is None
    True
    """
    array = values.to_numpy()
    least, most = np.fmin.reduce(array, axis=None), np.fmax.reduce(array, axis=None)
    if least < 0 or least == most:
        return None
    observed = sample_of(array)
    if most <= 1:
        distance = np.minimum(observed, 1 - observed)
        return Scale("logit", _half_of_the_closest(distance)) if (distance > 0).any() else None
    if not (observed > 0).any() or most <= 20 * np.median(observed[observed > 0]):
        return None
    counts = (observed % 1 == 0).all()
    return Scale("log", 1.0 if counts else _half_of_the_closest(observed))


def _half_of_the_closest(distances: np.ndarray) -> float:
    return float(np.quantile(distances[distances > 0], 0.01) / 2)
