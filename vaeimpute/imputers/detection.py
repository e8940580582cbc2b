"""The detection curve: which values go missing, as a function of the value.

What is known of a missing value from others is a prediction: a mean, a standard deviation, and how
predictions of such a mean err (`Errors`). That it is missing says more: low values are lost more
often, if there is a threshold. The curve that says how often is found from all of a matrix
(`detect`), and the distribution of a missing value is that of its prediction times the curve.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.optimize import minimize
from scipy.special import expit, ndtr, ndtri, softmax

Units = Literal["input", "deviations", "scores"]

_FEWEST = 50  # missing values that a curve is fitted to, and hidden ones of each part
_LEAST_GAIN = 0.01  # per missing value, beyond twice that of the null: less changes nothing
_LEAST_TOTAL = 20.0  # of all missing values together: chance gives a few
_LEAST_AT_RANDOM = 1e-6  # a value far above every threshold was lost all the same
_SHARP = 0.01  # softness, as a share of the threshold, that is not worth a word
_ROUNDS = 4  # of fitting the curve and counting errors
_VALUE_BINS, _MEAN_BINS, _STD_BINS = 1000, 50, 4
_PLACED_BY = 20_000  # values, of which the quantiles are the edges of bins

# Errors in standard deviations: cells of a normal distribution, and the wider ones in which errors
# are counted.
_EDGES = np.linspace(-8, 8, 201)
_CELLS = np.diff(ndtr(_EDGES))
_COUNTED = np.array([0, *range(50, 151, 5), 200])  # every 0.4 from -4 to 4, and what is beyond
_PER_LEVEL, _MOST_LEVELS = 500, 10
_PRIOR = 10.0  # errors of a normal distribution that those counted are added to

# Where distributions are tabulated: at these normal scores, for these places of the threshold in
# standard deviations above the mean, and for these softnesses in the same unit.
_SCORES, _PLACES = np.linspace(-5, 5, 41), np.linspace(-10, 10, 241)
_SOFTNESSES = np.logspace(-1.5, 1.5, 13)


@dataclass(frozen=True)
class Errors:
    """How predictions err, in their standard deviations: normally, or as measured by level.

    Attributes
    ----------
    limits : ndarray of shape (n_levels - 1,)
        Between the levels of the predicted mean.
    masses : ndarray of shape (n_levels, n_cells)
        The distribution of the errors, in cells of a fixed grid.
    """

    limits: np.ndarray = field(default_factory=lambda: np.empty(0))
    masses: np.ndarray = field(default_factory=lambda: _CELLS[None] / _CELLS.sum())

    def level(self, mean: np.ndarray) -> np.ndarray:
        """Return the level that predicted means are on."""
        return np.searchsorted(self.limits, mean)

    def counted(self, counts: np.ndarray) -> Errors:
        """Return those that were counted, in a table of shape (n_levels, n_counted)."""
        normal = np.add.reduceat(_CELLS, _COUNTED[:-1])
        share = (counts + _PRIOR * normal) / (counts.sum(axis=1, keepdims=True) + _PRIOR)
        # Within what is counted together, as in a normal distribution.
        masses = np.repeat(share / normal, np.diff(_COUNTED), axis=1) * _CELLS
        return Errors(self.limits, masses / masses.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class DetectionCurve:
    """The chance that a value is missing: at_random + lost * logistic((threshold - x) / softness).

    Values that are missing completely at random, a detection limit, blurred limits, and mixtures
    of these are special cases.

    Parameters
    ----------
    at_random : float
        Share of all values that is lost whatever they are.
    lost : float
        Share of the low values that is lost besides.
    threshold : float
        Where half of that share is lost.
    softness : float
        How gradually, in units of the values; near 0, the threshold is sharp.
    errors : Errors
        Of the predictions that the curve was found with.
    gain : float
        By how much the log-likelihood per missing value exceeds that of values missing completely
        at random.
    null_gain : float
        What the same fit gains where values were hidden completely at random.
    units : {"input", "deviations", "scores"}
        Of the values: those of the matrix, standard deviations from the mean of each feature, or
        normal scores of its ranks.
    believed : bool
        Whether the first exceeds twice the second clearly.

    References
    ----------
    Li and Smyth 2023, *Bioinformatics* 39:btad200 (limpa's detection probability curve).

    Examples
    --------
    >>> curve = DetectionCurve(at_random=0.01, lost=0.5, threshold=3.2, softness=0.01)
    >>> curve([1.0, 3.2, 5.0]).round(2)
    array([0.51, 0.26, 0.01])
    >>> print(curve.describe())
    values below 3.2 are lost with probability 0.5; 1 % are lost at random
    """

    at_random: float
    lost: float
    threshold: float
    softness: float
    errors: Errors = field(default_factory=Errors, repr=False, compare=False)
    gain: float = np.nan
    null_gain: float = np.nan
    units: Units = "input"
    believed: bool = True

    def __call__(self, x) -> np.ndarray:
        """Return the chance that values are missing."""
        low = expit((self.threshold - np.asarray(x, dtype=np.float64)) / self.softness)
        return self.at_random + self.lost * low

    def chance(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """Return the chance that values are missing that are predicted.

        This is the integral of the curve over the distribution of the prediction.
        """
        joint = self._in_cells(mean, std) * self.errors.masses[self.errors.level(mean)]
        return joint.sum(axis=-1)

    def quantile(self, mean: np.ndarray, std: np.ndarray, level: float | np.ndarray) -> np.ndarray:
        """Return quantiles of missing values: of their predicted distributions times the curve.

        Parameters
        ----------
        mean, std : ndarray
            The predictions.
        level : float or ndarray
            0.5 for the median; with a random level for each value, draws.

        Returns
        -------
        ndarray
            Right to about 0.03 standard deviations.

        Examples
        --------
        >>> limit = DetectionCurve(at_random=1e-6, lost=0.9, threshold=0.0, softness=1e-3)
        >>> limit.quantile(np.zeros(1), np.ones(1), 0.5).round(1)  # of a half-normal distribution
        array([-0.7])
        """
        score = np.broadcast_to(np.clip(ndtri(level), _SCORES[0], _SCORES[-1]), mean.shape)
        shift = self._look_up(self._shifts, mean, std, score)
        return mean + std * (score + shift)

    def std(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """Return standard deviations of missing values, about their means."""
        return std * self._look_up(self._stds, mean, std)

    def describe(self, back: Callable[[np.ndarray], np.ndarray] = np.asarray) -> str:
        """Say it in words; `back` turns values of the input into what they are to be called."""
        at_random = f"{100 * self.at_random:.2g} % are lost at random"
        if not self.believed:
            return f"as far as can be told, {at_random}"

        def place(steps: float) -> str:
            at = self.threshold + steps * self.softness
            if self.units == "scores":
                return f"quantile {ndtr(at):.2g} of their feature"
            if self.units == "deviations":
                return f"{at:+.2f} standard deviations of their feature"
            return f"{back(np.array(at)):.3g}"

        words = f"values below {place(0)} are lost with probability {self.lost:.2g}"
        if self.softness > _SHARP * abs(self.threshold):
            words += f" (half of it at that, 9/10 at {place(-np.log(9))})"
        return f"{words}; {at_random}" if self.at_random >= 5e-4 else words

    def _in_cells(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """Return the mean of the curve in every cell of predicted distributions.

        A sharp threshold within a cell takes its share of it.
        """
        softness = (self.softness / std)[..., None]
        beyond = (((self.threshold - mean) / std)[..., None] - _EDGES) / softness
        low = softness * -np.diff(np.logaddexp(0, beyond)) / np.diff(_EDGES)
        return self.at_random + self.lost * low

    def _look_up(
        self, tables: list[RegularGridInterpolator], mean: np.ndarray, std: np.ndarray,
        *at: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """Look up what depends on the level and on where the threshold is and how soft."""
        std = np.maximum(std, 1e-9 * self.softness)
        softness = np.clip(self.softness / std, _SOFTNESSES[0], _SOFTNESSES[-1])
        place = np.clip(
            (self.threshold - mean) / (std * np.hypot(1, softness)), _PLACES[0], _PLACES[-1]
        )
        found, level = np.empty(mean.shape), self.errors.level(mean)
        for number, table in enumerate(tables):
            here = level == number
            found[here] = table(tuple(one[here] for one in (*at, place, np.log(softness))))
        return found

    @cached_property
    def _tilted(self) -> np.ndarray:
        """Predicted distributions times the curve, by level, place and softness."""
        place = _PLACES[:, None] * np.hypot(1, _SOFTNESSES)
        standard = replace(self, threshold=0.0, softness=1.0)
        curve = standard._in_cells(
            -place / _SOFTNESSES, 1 / np.broadcast_to(_SOFTNESSES, place.shape)
        )
        masses = self.errors.masses[:, None, None] * curve
        return masses / masses.sum(axis=-1, keepdims=True)

    @cached_property
    def _shifts(self) -> list[RegularGridInterpolator]:
        levels, tables = ndtr(_SCORES), []
        axes = (_SCORES, _PLACES, np.log(_SOFTNESSES))
        for masses in self._tilted:
            below = np.cumsum(masses, axis=-1).reshape(-1, len(_CELLS))
            found = np.array([np.interp(levels, cdf, _EDGES[1:]) for cdf in below])
            shift = (found - _SCORES).T.reshape([len(axis) for axis in axes])
            tables.append(RegularGridInterpolator(axes, shift))
        return tables

    @cached_property
    def _stds(self) -> list[RegularGridInterpolator]:
        z = (_EDGES[1:] + _EDGES[:-1]) / 2
        variance = self._tilted @ z**2 - (self._tilted @ z) ** 2
        axes = (_PLACES, np.log(_SOFTNESSES))
        return [RegularGridInterpolator(axes, np.sqrt(one)) for one in np.maximum(variance, 0)]


class Predictions(NamedTuple):
    """Predictions from other values: means, standard deviations and, where known, the true values.

    Attributes
    ----------
    mean, std, true : ndarray of shape (n,)
    """

    mean: np.ndarray
    std: np.ndarray
    true: np.ndarray | None = None


class Evidence(NamedTuple):
    """What tells of a detection curve, in bins, each with the number of entries in it.

    Attributes
    ----------
    value, n_values : ndarray
        Observed values.
    mean, std, n_missing : ndarray
        Predictions of missing ones.
    errors : Errors
        Of these predictions, at first.
    n_errors : ndarray of shape (n_levels, n_counted)
        Errors of predictions of observed values, as if all of these had been predicted.
    """

    value: np.ndarray
    n_values: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    n_missing: np.ndarray
    errors: Errors
    n_errors: np.ndarray

    @classmethod
    def binned(
        cls, observed: np.ndarray, missing: Predictions, hidden: Sequence[Predictions] = ()
    ) -> Evidence:
        """Put entries in bins: millions of them are then as quick as thousands.

        Parameters
        ----------
        observed : ndarray of shape (n_observed,)
        missing : Predictions
        hidden : sequence of Predictions
            Of observed values. Without them, errors are taken for normal.
        """
        (value,), n_values = _means(_bin(observed, _VALUE_BINS), observed)
        at = _bin(missing.mean, _MEAN_BINS) * _STD_BINS + _bin(missing.std, _STD_BINS)
        (mean, std), n_missing = _means(at, missing.mean, missing.std)
        errors = Errors()
        n_counted = len(_COUNTED) - 1
        n_errors: np.ndarray = np.zeros((1, n_counted))
        if hidden:
            means, stds, true = (np.concatenate(parts) for parts in zip(*hidden, strict=True))
            n_levels = int(np.clip(len(means) // _PER_LEVEL, 1, _MOST_LEVELS))
            limits = np.quantile(means, np.arange(1, n_levels) / n_levels)
            errors = Errors(limits, np.repeat(errors.masses, n_levels, axis=0))
            where = np.digitize((true - means) / stds, _EDGES[_COUNTED[1:-1]])
            flat = errors.level(means) * n_counted + where
            count = np.bincount(flat, minlength=n_levels * n_counted).reshape(n_levels, -1)
            n_errors = count * (len(observed) / len(means))
        return cls(value, n_values, mean, std, n_missing, errors, n_errors)

    def log_likelihood(self, curve: DetectionCurve) -> float:
        """Return that of a curve: which values are missing, which are not, and how far off."""
        found = self.n_missing @ np.log(curve.chance(self.mean, self.std))
        found += self.n_values @ np.log1p(-curve(self.value))
        if self.n_errors.any():
            shares = np.add.reduceat(curve.errors.masses, _COUNTED[:-1], axis=1)
            found += (self.n_errors * np.log(shares)).sum()
        return float(found)

    def slope(self, curve: DetectionCurve) -> np.ndarray:
        """Return the derivatives of that by at_random, lost, threshold and softness."""
        std, softness = self.std[:, None], curve.softness
        beyond = (curve.threshold - self.mean[:, None] - std * _EDGES) / softness
        step, ramp = expit(beyond), np.logaddexp(0, beyond)
        weight = curve.errors.masses[curve.errors.level(self.mean)] / (std * np.diff(_EDGES))
        low, by_threshold, by_softness = (
            (weight * np.diff(one)).sum(axis=1)
            for one in (-softness * ramp, -step, step * beyond - ramp)
        )
        lost = np.array(
            [np.ones_like(low), low, curve.lost * by_threshold, curve.lost * by_softness]
        )
        found = lost @ (self.n_missing / (curve.at_random + curve.lost * low))
        beyond = (curve.threshold - self.value) / softness
        low = expit(beyond)
        steep = curve.lost * low * (1 - low) / softness
        seen = np.array([np.ones_like(low), low, steep, -steep * beyond])
        return found - seen @ (self.n_values / (1 - curve.at_random - curve.lost * low))

    def all_errors(self, curve: DetectionCurve) -> Errors:
        """Return the errors of observed values and those that a curve expects of missing ones."""
        if not self.n_errors.any():
            return self.errors
        level = self.errors.level(self.mean)
        joint = curve._in_cells(self.mean, self.std) * curve.errors.masses[level]
        joint *= (self.n_missing / joint.sum(axis=1))[:, None]
        counts = self.n_errors.copy()
        np.add.at(counts, level, np.add.reduceat(joint, _COUNTED[:-1], axis=1))
        return self.errors.counted(counts)


def detect(
    observed: np.ndarray, missing: Predictions, hidden: Sequence[Predictions]
) -> DetectionCurve:
    """Find the detection curve of a matrix, and whether to believe it.

    Parameters
    ----------
    observed : ndarray of shape (n_observed,)
        All that is observed.
    missing : Predictions
        Of all that is missing.
    hidden : sequence of Predictions
        Of observed values that were hidden completely at random, in several parts, such as of
        different features. They tell how predictions err; and each part in turn is taken for
        missing, to see what the fit gains where there is no curve.

    Returns
    -------
    DetectionCurve

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=20_000)
    >>> mean, std = (x + rng.normal(scale=0.5, size=x.size)) / 1.25, np.full(x.size, np.sqrt(0.2))
    >>> lost = (x < -1) & (rng.random(x.size) < 0.8)
    >>> parts = np.array_split(np.flatnonzero(~lost)[:5000], 5)
    >>> hidden = [Predictions(mean[part], std[part], x[part]) for part in parts]
    >>> curve = detect(x[~lost], Predictions(mean[lost], std[lost]), hidden)
    >>> curve.believed, round(curve.threshold, 1), round(curve.lost, 1)
    (True, -1.0, 0.8)
    """
    n = len(missing.mean)
    if min(n, *(len(part.mean) for part in hidden), len(observed)) < _FEWEST:
        return DetectionCurve(n / max(n + len(observed), 1), 0.0, 0.0, 1.0, believed=False)
    curve = fit_curve(Evidence.binned(observed, missing, hidden))
    nulls = [
        fit_curve(Evidence.binned(observed, part, [one for one in hidden if one is not part]))
        for part in hidden
    ]
    null_gain = max(null.gain for null in nulls)
    needed = 2 * null_gain + _LEAST_GAIN + _LEAST_TOTAL / n
    return replace(curve, null_gain=null_gain, believed=bool(curve.gain > needed))


def fit_curve(evidence: Evidence) -> DetectionCurve:
    """Return the curve of the greatest likelihood, with what it gains.

    By turns, the curve is fitted with the errors as they are, and the errors are counted anew, of
    missing values as the curve expects them.
    """
    n_missing, n_values = evidence.n_missing.sum(), evidence.n_values.sum()
    rate = n_missing / (n_missing + n_values)
    center = np.average(evidence.value, weights=evidence.n_values)
    variance = np.average((evidence.value - center) ** 2, weights=evidence.n_values)
    unit = np.sqrt(variance) or 1.0

    def curve_of(parameters: np.ndarray, errors: Errors) -> DetectionCurve:
        at_random, lost, _ = softmax([*parameters[:2], 0.0])
        return DetectionCurve(
            float(max(at_random, _LEAST_AT_RANDOM)), float(lost),
            float(center + unit * parameters[2]), float(unit * np.exp(parameters[3])), errors,
        )  # fmt: skip

    at_random = DetectionCurve(rate, 0.0, 0.0, 1.0, evidence.errors)
    at_random = replace(at_random, errors=evidence.all_errors(at_random))
    null = evidence.log_likelihood(at_random)

    def loss(parameters: np.ndarray, errors: Errors) -> float:
        return (null - evidence.log_likelihood(curve_of(parameters, errors))) / n_missing

    def slope(parameters: np.ndarray, errors: Errors) -> np.ndarray:
        curve = curve_of(parameters, errors)
        *by_share, by_threshold, by_softness = evidence.slope(curve) / -n_missing
        shares = np.array([curve.at_random, curve.lost])
        by_share = shares * (by_share - shares @ by_share)  # of the softmax
        return np.array([*by_share, unit * by_threshold, curve.softness * by_softness])

    places = (np.concatenate([evidence.value, evidence.mean]) - center) / unit
    bounds = [(-14, 8), (-14, 8), (places.min(), places.max()), np.log([1e-3, 10])]
    starts = [
        np.array([np.log(rate / 2), lost, place, softness])
        for place in np.quantile((evidence.value - center) / unit, [0.0, 0.05, 0.2, 0.5])
        for softness in np.log([0.05, 0.5])
        for lost in (-1.0, 1.0)
    ]
    errors = evidence.errors
    best = min(starts, key=lambda start: loss(start, errors))
    for _ in range(_ROUNDS):
        best = minimize(
            loss, best, (errors,), "L-BFGS-B", slope, bounds=bounds, options={"maxiter": 20}
        ).x
        for _ in range(3):
            errors = evidence.all_errors(curve_of(best, errors))
    return replace(curve_of(best, errors), gain=float(-loss(best, errors)))


def _bin(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Return which of bins of about the same number of entries each value is in."""
    some = values[:: max(len(values) // _PLACED_BY, 1)]
    edges = np.unique(np.quantile(some, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.searchsorted(edges, values)


def _means(bins: np.ndarray, *values: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the means in all bins that have entries, and the numbers of these."""
    count = np.bincount(bins)
    some = count > 0
    sums = [np.bincount(bins, weights=one)[some] / count[some] for one in values]
    return sums, count[some]
