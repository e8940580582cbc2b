"""How values of rows were lost, told from predictions of them, and what that says of the values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from vaeimpute.imputers._moments import Scaler
from vaeimpute.imputers.detection import DetectionCurve, Predictions, Units, detect
from vaeimpute.missingness import hide

_ROWS, _ENTRIES = 60, 20_000  # rows to ask at least, and missing values that are enough
_HIDDEN = 0.15
_PARTS = 3
_LEAST_STD = 1e-9
_FAR, _SHARP = 0.5, 0.25  # standard deviations

Map = Callable[[np.ndarray], np.ndarray]
Predict = Callable[[np.ndarray], "Predicted"]


@dataclass(frozen=True)
class Scale:
    """The scale that rows are predicted on.

    Attributes
    ----------
    forward, backward : callable
        Turn rows in standard deviations into it, and back.
    scaler : Scaler
        Turns standard deviations into the units of the input.
    units : {"deviations", "scores"}
        What it is in.
    """

    forward: Map
    backward: Map
    scaler: Scaler
    units: Units

    def to_input(self, X: np.ndarray) -> np.ndarray:
        """Return what is on the scale in the units of the input."""
        return self.scaler.inverse_transform(self.backward(X))

    def least_std(self, units: Units) -> float | np.ndarray:
        """Return what is no spread any more, but a matter of rounding."""
        return _LEAST_STD * self.scaler.scale_ if units == "input" else _LEAST_STD


@dataclass(frozen=True)
class Predicted:
    """The distribution of what is missing.

    Attributes
    ----------
    mean, std : ndarray of shape (n_rows, n_features)
        Of the normal distribution on the scale that it is predicted on. What they have where
        nothing is missing plays no part.
    scale : Scale
    curve : DetectionCurve or None
        What the distribution is multiplied with.
    """

    mean: np.ndarray
    std: np.ndarray
    scale: Scale
    curve: DetectionCurve | None = None

    def at(self, score: float | np.ndarray) -> np.ndarray:
        """Return quantiles in standard deviations, of levels that are scores of a normal one.

        Of standard normal scores, these are draws.
        """
        curve = self.curve
        if curve is None:
            return self.scale.backward(self.mean + self.std * score)
        mean, std = self.in_units(curve.units)
        value = curve.quantile(mean, std, ndtr(score))
        least = self.scale.least_std(curve.units)
        # Where a normal error leads to the same value either way, a curve has nothing to say.
        steps = np.where(std > least, (value - mean) / np.maximum(std, least), score)
        stepped = self.scale.backward(self.mean + self.std * steps)
        if curve.units != "input":
            return stepped
        center, unit = self.scale.scaler
        return stepped + self._stays * ((value - center) / unit - stepped)

    @cached_property
    def _stays(self) -> float | np.ndarray:
        """Whether a value stays where the curve finds it in the input's units: 0 to 1.

        As many steps may lead elsewhere on the scale, which knows how a feature is skewed, but not
        where a threshold is. So what a sharp one moves far stays where it was found; but not if the
        feature has many equal values there, of which a normal distribution knows nothing. It is the
        same for all quantiles of a value, which keeps their order.
        """
        curve = self.curve
        if curve is None or curve.units != "input":
            return 0.0
        mean, std = self.in_units("input")
        std = np.maximum(std, self.scale.least_std("input"))
        moved = (mean - curve.quantile(mean, std, 0.5)) / std
        sharp = 2 - curve.softness / std / _SHARP
        below, further = (self.scale.backward(self.mean - k * self.std) for k in (1, 2))
        return np.clip(moved / _FAR, 0, 1) * np.clip(sharp, 0, 1) * (below != further)

    def in_units(self, units: Units) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations on the scale, or about those of the input."""
        return self._in_input if units == "input" else (self.mean, self.std)

    @cached_property
    def _in_input(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = (self.scale.to_input(self.mean + sign * self.std) for sign in (-1, 1))
        return (low + high) / 2, (high - low) / 2


def find_curve(
    batches: Iterable[tuple[np.ndarray, Predict]], rng: np.random.Generator
) -> DetectionCurve | None:
    """Find the curve by which values of rows were lost, in the units in which it explains more.

    Parameters
    ----------
    batches : iterable of pairs
        Rows in standard deviations, of shape (n_rows, n_features), NaN where missing; and what
        predicts them, which was not learnt from them. No more are taken than are needed.
    rng : numpy.random.Generator

    Returns
    -------
    DetectionCurve or None
        None if nothing is missing.
    """
    found: dict[Units, list[_Told]] = {}
    entries = 0
    for rows, predict in batches:
        gappy = np.isnan(rows).any(axis=1)
        some = rng.permutation(np.flatnonzero(gappy))
        counts = np.cumsum(np.isnan(rows[some]).sum(axis=1))
        some = some[: max(_ROWS, int(np.searchsorted(counts, _ENTRIES - entries)) + 1)]
        if not len(some):
            continue
        # Of rows that miss nothing, as large a share: they say how much is lost.
        whole = rows[~gappy][: round(len(some) / gappy.sum() * (~gappy).sum())]
        for units, told in _ask(rows[some], whole, predict, rng).items():
            found.setdefault(units, []).append(told)
        entries += int(np.isnan(rows[some]).sum())
        if entries >= _ENTRIES:
            break
    curves = []
    for units, all_told in found.items():
        observed = np.concatenate([told.observed for told in all_told])
        missing, *hidden = (
            _together([told.predictions[number] for told in all_told])
            for number in range(1 + _PARTS)
        )
        curves.append(replace(detect(observed, missing, hidden), units=units))
    return max(curves, key=lambda curve: (curve.believed, curve.gain), default=None)


class _Told(NamedTuple):
    """What rows tell of how values were lost: see `vaeimpute.imputers.detection.detect`.

    Attributes
    ----------
    observed : ndarray of shape (n_observed,)
    predictions : list of 1 + _PARTS
        Of what is missing, and of parts of what was hidden.
    """

    observed: np.ndarray
    predictions: list[Predictions]


def _ask(
    X: np.ndarray, whole: np.ndarray, predict: Predict, rng: np.random.Generator
) -> dict[Units, _Told]:
    """Predict what is missing in rows and what is hidden in addition, in both units.

    Rows that miss nothing are only counted.
    """
    missing = np.isnan(X)
    hidden = hide(~missing, _HIDDEN, rng, "within rows")
    part = rng.permutation(X.shape[1]) % _PARTS
    found, guess = predict(X), predict(np.where(hidden, np.nan, X))
    observed, complete = found.scale.forward(X), found.scale.forward(whole)
    told: dict[Units, _Told] = {}
    for units in (found.scale.units, "input"):
        values, others = observed, complete
        if units == "input":
            values, others = found.scale.to_input(observed), found.scale.to_input(complete)
        mean, std = found.in_units(units)
        least = found.scale.least_std(units)
        at = missing & (std > least)
        predictions = [Predictions(mean[at], std[at], values[at])]
        mean, std = guess.in_units(units)
        for number in range(_PARTS):
            at = hidden & (std > least) & (part == number)
            predictions.append(Predictions(mean[at], std[at], values[at]))
        told[units] = _Told(np.concatenate([values[~missing], others.ravel()]), predictions)
    return told


def _together(parts: list[Predictions]) -> Predictions:
    return Predictions(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
