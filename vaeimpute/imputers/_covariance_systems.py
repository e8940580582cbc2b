"""Conditional means and variances from the covariance of features that are fewer than the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from vaeimpute.imputers._backend import Algebra
from vaeimpute.imputers._kernel_systems import LeftOut, scalar_products, too_small
from vaeimpute.imputers._patterns import distinct_patterns

_WORKING_BYTES = 2**28  # what a block of rows may need


class _Update(NamedTuple):
    """What is added to a matrix for every row: ``U C U'``, of rank 2.

    Attributes
    ----------
    columns : ndarray of shape (n_rows, n_features, 2)
        U.
    inverse : ndarray of shape (n_rows, 2, 2)
        Of C.
    """

    columns: np.ndarray
    inverse: np.ndarray

    def times(self, vectors: np.ndarray) -> np.ndarray:
        """Multiply it with a vector for every row, (n_rows, n_features)."""
        turned = self.columns.swapaxes(1, 2)
        inner = np.linalg.solve(self.inverse, turned @ vectors[..., None])
        return (self.columns @ inner)[..., 0]


@dataclass(frozen=True, eq=False)
class CovarianceSystems:
    """Conditional means as `KernelSystems` has them, by way of d x d matrices instead of n x n.

    For a row x with observed features o and missing ones m, and a ridge r, the means are
    ``S_mo (S_oo + r*I)^-1 x_o`` with ``S = Z'Z``: Anderson, section 2.5.

    Attributes
    ----------
    train : ndarray of shape (n_train, n_features)
        Z, without missing values.
    algebra : Algebra
        What to multiply Z with. The rest is done by numpy, in float64.

    Notes
    -----
    With ``P = (S + r*I)^-1`` the means are also ``-P_mm^-1 P_mo x_o``. The system is that of the
    observed features or of the missing ones, whichever are fewer. Rows that miss the same features
    share its inverse, and inverses of the same size are computed together.

    A training row i that is predicted from the others has a covariance of its own. Without it, and
    about other means s, ``S_i = S - zz' + zs' + sz' + (n-1)*ss'``: an update of rank 2, with which
    shared inverses still serve (the identity of Sherman, Morrison and Woodbury).
    """

    train: np.ndarray
    algebra: Algebra

    @cached_property
    def scatter(self) -> np.ndarray:
        """S."""
        placed = self.algebra.put(self.train)
        return self.algebra.get(scalar_products(self.algebra, placed.T, np.float64))

    def prepare(self) -> None:
        """Compute what serves all rows."""
        self.scatter  # noqa: B018 - it is cached

    def draws(self, rng: np.random.Generator, n_rows: int, ridge: float) -> np.ndarray:
        """Draw rows from the normal distribution with the covariance ``S + r*I``."""
        identity = np.eye(len(self.scatter))
        root = np.linalg.cholesky(self.scatter + ridge * identity)
        return rng.standard_normal((n_rows, len(root))) @ root.T

    def means(
        self,
        X: np.ndarray,
        missing: np.ndarray,
        ridges: np.ndarray,
        *,
        left_out: LeftOut | None = None,
        tolerance: float | None = None,
    ) -> Iterator[np.ndarray]:
        """Yield the conditional means of some rows for every ridge.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            What it has at `missing` plays no part.
        missing : boolean ndarray of shape (n_rows, n_features)
        ridges : ndarray of shape (n_ridges,)
            Positive.
        left_out : LeftOut, optional
            If the rows are training rows.
        tolerance : float, optional
            Ignored: nothing is iterated here.

        Yields
        ------
        ndarray of shape (n_rows, n_features)
            The means where something is missing.
        """
        n_features = X.shape[1]
        for ridge in map(float, ridges):
            matrix = self.scatter + ridge * np.eye(n_features)
            inverse = self._inverse(ridge)
            means = np.empty_like(X)
            for rows in gen_batches(len(X), max(1, _WORKING_BYTES // (160 * n_features))):
                part = left_out and left_out[rows]
                means[rows] = self._means(X[rows], missing[rows], matrix, inverse, part)
            yield means

    def _means(
        self,
        X: np.ndarray,
        missing: np.ndarray,
        matrix: np.ndarray,
        inverse: np.ndarray,
        left_out: LeftOut | None,
    ) -> np.ndarray:
        shift = 0.0 if left_out is None else left_out.shift.astype(np.float64)
        given = np.where(missing, 0.0, X - shift)
        few = 2 * missing.sum(axis=1) < X.shape[1]
        means = np.empty(X.shape)
        update = None if left_out is None else self._without(left_out)

        rows = np.flatnonzero(few)
        added = update and _Update(update.columns[rows], update.inverse[rows])
        turned = added and self._inverted(added, inverse)
        right = _multiply(inverse, given[rows], turned)
        means[rows] = -_solve(inverse, missing[rows], right, turned)

        rows = np.flatnonzero(~few)
        added = update and _Update(update.columns[rows], update.inverse[rows])
        weights = _solve(matrix, ~missing[rows], given[rows], added)
        means[rows] = _multiply(matrix, weights, added)
        return means + shift

    def _without(self, left_out: LeftOut) -> _Update:
        """Return what turns S into that of the other rows."""
        own = self.train[left_out.rows].astype(np.float64)
        n = len(self.train)
        core = np.array([[1.0 - n, 1.0], [1.0, 1.0]]) / n  # of [[-1, 1], [1, n - 1]]
        columns = np.stack([own, left_out.shift], axis=-1)
        return _Update(columns, np.broadcast_to(core, (len(own), 2, 2)))

    @staticmethod
    def _inverted(update: _Update, inverse: np.ndarray) -> _Update:
        """Return the update of the inverse that goes with one of the matrix."""
        columns = inverse @ update.columns
        return _Update(columns, -update.inverse - update.columns.swapaxes(1, 2) @ columns)

    def variances(self, missing: np.ndarray, ridge: float) -> np.ndarray:
        """Return conditional variances under the covariance ``S + r*I``, 0 where observed.

        Parameters
        ----------
        missing : boolean ndarray of shape (n_rows, n_features)
        ridge : float

        Returns
        -------
        ndarray of shape (n_rows, n_features)
        """
        matrix = self.scatter + ridge * np.eye(missing.shape[1])
        variances = np.zeros(missing.shape)
        few = 2 * missing.sum(axis=1) < missing.shape[1]
        rows = np.flatnonzero(few)
        for same, columns, inverses in _inverses(self._inverse(ridge), missing[rows]):
            diagonals = np.diagonal(inverses, axis1=1, axis2=2)
            variances[rows[same][:, None], columns] = diagonals
        rows = np.flatnonzero(~few)
        variances[rows] = np.where(missing[rows], np.diagonal(matrix), 0.0)
        for same, columns, inverses in _inverses(matrix, ~missing[rows]):
            across = matrix[columns]  # (n, n_observed, n_features)
            explained = np.einsum("nij,nij->nj", across, inverses @ across)
            variances[rows[same]] -= np.where(missing[rows[same]], explained, 0.0)
        return variances

    def _inverse(self, ridge: float) -> np.ndarray:
        identity = np.eye(len(self.scatter))
        try:
            return self.algebra.get(
                self.algebra.solve(
                    self.algebra.put(self.scatter + ridge * identity), self.algebra.put(identity)
                )
            )
        except np.linalg.LinAlgError:
            raise too_small(ridge) from None


def _inverses(
    matrix: np.ndarray, chosen: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Invert the part of a matrix that each row has chosen.

    Yields
    ------
    rows : ndarray of shape (n,)
        Some that have chosen as many.
    columns : ndarray of shape (n, n_chosen)
    inverses : ndarray of shape (n, n_chosen, n_chosen)
    """
    first, pattern_of = distinct_patterns(chosen)
    patterns = chosen[first]
    sizes = patterns.sum(axis=1)
    for size in np.unique(sizes[sizes > 0]):
        alike = np.flatnonzero(sizes == size)
        most = max(1, _WORKING_BYTES // (4 * 8 * size * max(size, len(matrix) // 4)))
        for some in gen_batches(len(alike), most):
            columns = np.nonzero(patterns[alike[some]])[1].reshape(-1, size)
            inverses = np.linalg.inv(matrix[columns[:, :, None], columns[:, None, :]])
            rows = np.flatnonzero(np.isin(pattern_of, alike[some]))
            which = np.searchsorted(alike[some], pattern_of[rows])
            for part in gen_batches(len(rows), most):
                yield rows[part], columns[which[part]], inverses[which[part]]


def _solve(
    matrix: np.ndarray, chosen: np.ndarray, right: np.ndarray, update: _Update | None
) -> np.ndarray:
    """Solve for every row the system of the features that it has chosen; elsewhere return 0."""
    solution = np.zeros(right.shape)
    for rows, columns, inverses in _inverses(matrix, chosen):
        place = rows[:, None], columns
        found = inverses @ right[place][..., None]
        if update is not None:
            added = update.columns[place]
            turned, across = inverses @ added, added.swapaxes(1, 2)
            core = update.inverse[rows] + across @ turned
            found -= turned @ np.linalg.solve(core, across @ found)
        solution[place] = found[..., 0]
    return solution


def _multiply(matrix: np.ndarray, vectors: np.ndarray, update: _Update | None) -> np.ndarray:
    product = vectors @ matrix
    return product if update is None else product + update.times(vectors)
