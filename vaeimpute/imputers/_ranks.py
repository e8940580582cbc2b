"""Features by rank, as normal scores, and back: the marginals of a Gaussian copula."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

_REACH = 3.0  # scores that a value beyond the extremes may go beyond theirs
_FEW = 10  # values of a feature whose ranks say too little


@dataclass(frozen=True)
class RankToNormal:
    """A map of every feature to normal scores, and back through its quantiles.

    The value of rank i among n goes to the normal quantile of ``(i - 1/2) / n``; equal values share
    their mean rank. Scores are standardised. Values between two training values go between their
    scores; values beyond the extremes go on in a straight line, from the outermost twentieth to the
    extreme, for at most 3 scores, but not where a twentieth of the values is the extreme: 0, often,
    which nothing is below. Features with fewer than 10 values stay as they are.

    Attributes
    ----------
    values : ndarray of shape (n_train, n_features)
        The training values of each feature by size, NaN last.
    scores : ndarray of shape (n_train, n_features)
        Theirs.

    Examples
    --------
    >>> ranks = RankToNormal.of(np.exp(np.arange(12.0))[:, None])
    >>> scores = ranks.forward(np.array([[np.exp(3.0)], [np.exp(8.0)], [1e9]])).round(2)
    >>> scores.ravel(), ranks.backward(np.array([[0.0]])).round()
    (array([-0.58,  0.58,  4.83]), array([[276.]]))
    """

    values: np.ndarray
    scores: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> RankToNormal:
        """Learn from training rows; NaN means missing."""
        return cls.from_sorted(np.sort(X, axis=0))

    @classmethod
    def with_scores(cls, X: np.ndarray) -> tuple[RankToNormal, np.ndarray]:
        """Learn from training rows; return their scores as well, which need no interpolation."""
        order = np.argsort(X, axis=0)
        ranks, scores = cls.from_sorted(np.take_along_axis(X, order, axis=0)), np.empty_like(X)
        np.put_along_axis(scores, order, ranks.scores, axis=0)
        return ranks, scores

    @classmethod
    def from_sorted(cls, values: np.ndarray) -> RankToNormal:
        """Learn from what is in the attribute `values`."""
        count = (~np.isnan(values)).sum(axis=0)
        ranks = rankdata(np.nan_to_num(values, nan=np.inf), axis=0)
        scores = np.where(np.isnan(values), np.nan, (ranks - 0.5) / np.maximum(count, 1))
        scores = ndtri(scores)
        scores -= np.nanmean(scores, axis=0)
        std = np.nanstd(scores, axis=0)
        scores /= np.where(std > 0, std, 1.0)
        return cls(values, np.where(count < _FEW, values, scores))

    def __getitem__(self, features: np.ndarray | slice) -> RankToNormal:
        """Return that of some features."""
        return RankToNormal(self.values[:, features], self.scores[:, features])

    def forward(self, X: np.ndarray) -> np.ndarray:
        """Return the scores of values, of shape (n_rows, n_features); NaN stays."""
        return self._interpolate(X, self.values, self.scores, _REACH)

    def backward(self, scores: np.ndarray) -> np.ndarray:
        """Return the values that have such scores, of shape (..., n_features); NaN stays."""
        return self._interpolate(scores, self.scores, self.values)

    def _interpolate(
        self, X: np.ndarray, start: np.ndarray, end: np.ndarray, reach: float = np.inf
    ) -> np.ndarray:
        found = np.array(X)
        count = (~np.isnan(self.values)).sum(axis=0)
        for feature in np.flatnonzero(count >= _FEW):
            given = start[: count[feature], feature], end[: count[feature], feature]
            found[..., feature] = np.interp(X[..., feature], *given)
        step = np.clip(count // 20, 1, np.maximum(count - 1, 0))
        every = np.arange(len(count))
        for inner, last in ((step, 0 * step), (count - 1 - step, count - 1)):
            run, rise = (one[last, every] - one[inner, every] for one in (start, end))
            follows = (count >= _FEW) & (run != 0) & (rise != 0)
            slope = np.divide(rise, np.abs(run), out=np.zeros(len(run)), where=follows)
            beyond = np.maximum((X - start[last, every]) * np.sign(run), 0.0)
            found += np.clip(beyond * slope, -reach, reach)
        return found
