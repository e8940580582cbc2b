"""Predictions on one scale of values, or on several: a conditional Gaussian, with regressions."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from vaeimpute.imputers._adaptive_ridge import AdaptiveRidge, Gain, Regressions
from vaeimpute.imputers._calibration import variance_by_axes
from vaeimpute.imputers._ranks import RankToNormal
from vaeimpute.imputers.gaussian import GaussianImputer
from vaeimpute.seeding import generator

_PRIOR = 20  # errors of the usual size, with which those of a row are averaged
_LARGEST = 25.0  # square of an error, in its variance, that says no more about its row


class Penalties(NamedTuple):
    """How regressions are penalised: see `AdaptiveRidge`."""

    ridge: float
    gain: Gain


@dataclass(eq=False)
class ScaleModel:
    """Predictions on one scale: the values themselves, or the normal scores of their ranks."""

    ranks: RankToNormal | None
    gaussian: GaussianImputer
    penalties: Penalties | None = None
    regressions: Regressions | None = None

    @classmethod
    def fit(cls, X: np.ndarray, gaussian: GaussianImputer, *, by_rank: bool) -> ScaleModel:
        """Learn from training rows in standard deviations, NaN where missing."""
        ranks, scaled = RankToNormal.with_scores(X) if by_rank else (None, X)
        return cls(ranks, gaussian.fit(scaled))

    @cached_property
    def ridge(self) -> AdaptiveRidge:
        """What regressions are fitted by."""
        return AdaptiveRidge(self.gaussian.train_)

    def refined(self, penalties: Penalties | None, features: np.ndarray) -> ScaleModel:
        """Return a model that predicts some features anew, from those most like them."""
        if penalties is None:
            return self
        around = self.ridge.neighbourhoods(features, [penalties.gain])
        (regressions,) = self.ridge.fit(around, penalties.ridge)
        return self.with_(penalties, regressions)

    def with_(self, penalties: Penalties, regressions: Regressions) -> ScaleModel:
        """Return one with regressions, and with all else that is known here."""
        like = copy(self)
        like.penalties, like.regressions = penalties, regressions
        return like

    def forward(self, X: np.ndarray, features: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Turn standard deviations into the scale, for all features or those that `X` has."""
        return X if self.ranks is None else self.ranks[features].forward(X)

    def backward(self, X: np.ndarray, features: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Turn the scale into standard deviations."""
        return X if self.ranks is None else self.ranks[features].backward(X)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict what is missing in rows in standard deviations; return it so."""
        scaled = self.forward(X)
        filled = self.gaussian.transform(scaled)
        if self.regressions is not None:
            features = self.regressions.features
            regressed = self.regress(self.regressions, filled)
            filled[:, features] = np.where(
                np.isnan(scaled[:, features]), regressed, filled[:, features]
            )
        return self.backward(filled)

    def std(self, missing: np.ndarray) -> np.ndarray:
        """Return standard deviations of what is missing, on the scale; elsewhere 0."""
        variance = variance_by_axes(*self.ridge.principal, missing, self.gaussian.alpha_)
        return np.sqrt(self.gaussian._calibrated.apply(variance)) * self.gaussian._unit

    def regress(self, regressions: Regressions, filled: np.ndarray) -> np.ndarray:
        """Predict the features of regressions from rows on the scale that are filled."""
        mean, unit = self.gaussian._mean, self.gaussian._unit
        return regressions.predict((filled - mean) / unit) * unit + mean[regressions.features]


def expect(models: list[ScaleModel], X: np.ndarray) -> np.ndarray:
    """Return the mean of what models predict for rows in standard deviations.

    It is a value that the scale of the last one has: not below a 0 that many values are.
    """
    predicted = [model.predict(X) for model in models]
    if len(models) == 1:
        return predicted[0]
    return models[-1].backward(models[-1].forward(np.mean(predicted, axis=0)))


def distribution(
    models: list[ScaleModel], X: np.ndarray, fitted: np.ndarray | bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return means and standard deviations of what is missing in rows in standard deviations.

    They are on the scale of the last model. Standard deviations are those of its Gaussian, times
    how much larger than these its errors are in a row, on a tenth of the features, hidden besides.
    That says nothing of rows that the model was fitted to: it knows what is hidden there.
    """
    scale = models[-1]
    scaled = scale.forward(X)
    probed = (generator(0, "probe").random(X.shape[1]) < 0.1) & ~np.isnan(X)
    probed &= ~np.broadcast_to(fitted, len(X))[:, None]
    gappy = np.where(probed, np.nan, scaled)
    off, std = scale.gaussian.transform(gappy) - scaled, scale.std(np.isnan(gappy))
    relative = np.divide(off, std, out=np.zeros(X.shape), where=probed & (std > 0))
    squares = np.minimum(np.square(relative), _LARGEST).sum(axis=1)
    factor = np.sqrt((_PRIOR + squares) / (_PRIOR + probed.sum(axis=1)))
    return scale.forward(expect(models, X)), scale.std(np.isnan(X)) * factor[:, None]
