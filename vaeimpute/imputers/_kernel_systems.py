"""Many systems of equations that differ from one another in what a row has observed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh
from sklearn.utils import gen_batches

_WORKING_BYTES = 2**28  # what a block of rows may need
_ITERATIONS_PER_DIGIT = 0.8  # of conjugate gradients, with a tenth of the values missing
_TOLERANCE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}


@dataclass(frozen=True)
class LeftOut:
    """Training rows that are to be predicted from the other training rows.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,)
        Their numbers.
    shift : ndarray of shape (n_rows, n_features)
        For each of them, the means of the others: the deviations are taken from there.
    """

    rows: np.ndarray
    shift: np.ndarray


@dataclass(frozen=True, eq=False)
class KernelSystems:
    """The weights with which training rows Z take part in the conditional means of other rows.

    For a row x with observed features o and a ridge r, they solve
    ``(Z_o Z_o' + r*I) w = Z_o x_o``, a system of its own for each set o.

    Attributes
    ----------
    train : ndarray of shape (n_train, n_features)
        Z, without missing values.

    Notes
    -----
    There are two ways to solve them, and the one with fewer operations is taken.

    Directly: ``Z_o Z_o'`` is ``ZZ'`` less the products of the missing features, or the products of
    the observed ones if these are fewer; a Cholesky decomposition follows for each ridge. Rows that
    share o share all this.

    By conjugate gradients, for all rows at once: an iteration is two products with Z whatever is
    missing. With a share c of the features observed at random, ``Z_o Z_o'`` is about ``c*ZZ'``, so
    the inverse of ``c*ZZ' + r*I`` makes a preconditioner that leaves little to be done. It comes
    from one eigendecomposition of ``ZZ'`` for all rows and ridges. Rows that have not converged
    when the direct way would have been done are solved directly.
    """

    train: np.ndarray

    def prepare(self) -> None:
        """Compute now what all rows need, and not when the first one comes."""
        self._eigen  # noqa: B018 - cached

    @cached_property
    def kernel(self) -> np.ndarray:
        """``ZZ'`` in float64, whatever the type of Z: the ridge may be small beside it."""
        return _products(self.train)

    @cached_property
    def _eigen(self) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = eigh(self.kernel, driver="evd", check_finite=False)
        dtype = self.train.dtype
        return np.maximum(values, 0.0).astype(dtype), vectors.astype(dtype)

    def weights(
        self,
        X: np.ndarray,
        missing: np.ndarray,
        ridges: np.ndarray,
        *,
        left_out: LeftOut | None = None,
        tolerance: float | None = None,
    ) -> np.ndarray:
        """Solve for some rows and every ridge.

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
            Of the residual, relative to the right-hand side; the default is about what the
            floating-point type allows.

        Returns
        -------
        ndarray of shape (n_ridges, n_rows, n_train)
        """
        weights = np.empty((len(ridges), len(X), len(self.train)), self.train.dtype)
        # Three arrays of the size of the block of rows, and a few of its weights.
        row_bytes = self.train.itemsize * (3 * X.shape[1] + 8 * len(self.train))
        for block in gen_batches(len(X), max(1, _WORKING_BYTES // row_bytes)):
            part = left_out and LeftOut(left_out.rows[block], left_out.shift[block])
            systems = _Block(self, np.where(missing[block], 0.0, X[block]), missing[block], part)
            systems.solve(ridges, tolerance or _TOLERANCE[self.train.dtype], weights[:, block])
        return weights


class _Block:
    """As many rows as are solved at once."""

    def __init__(
        self, systems: KernelSystems, X: np.ndarray, missing: np.ndarray, left_out: LeftOut | None
    ) -> None:
        self.systems, self.missing, self.left_out = systems, missing, left_out
        self.train = systems.train
        if left_out is not None:
            X = np.where(missing, 0.0, X - left_out.shift)
        self.right = X @ self.train.T
        if left_out is not None:
            self._take_out(self.right, X, left_out)

    @staticmethod
    def _take_out(products: np.ndarray, X: np.ndarray, left_out: LeftOut) -> None:
        """Turn products with the training rows into those with the others, shifted."""
        products -= np.einsum("ij,ij->i", X, left_out.shift)[:, None]
        products[np.arange(len(X)), left_out.rows] = 0.0

    def solve(self, ridges: np.ndarray, tolerance: float, out: np.ndarray) -> None:
        n_train, n_features = self.train.shape
        # Rows that miss the same features share a system, unless each is left out of its own.
        each = np.arange(len(self.missing))[:, None]
        keys = np.packbits(self.missing, axis=1) if self.left_out is None else each
        _, first, pattern_of, sharing = np.unique(
            keys, axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        pattern_of = pattern_of.reshape(-1)
        n_missing = self.missing[first].sum(axis=1)
        decomposition = len(ridges) * n_train**3 / 3
        direct = n_train**2 * np.minimum(n_missing, n_features - n_missing) + decomposition
        iteration = 4 * n_train * n_features * len(ridges)
        expected = -np.log10(tolerance) * _ITERATIONS_PER_DIGIT * iteration
        iterate = (direct > sharing * expected)[pattern_of]
        rows = np.flatnonzero(iterate)
        if len(rows):
            limit = int(np.max((direct / sharing)[pattern_of[rows]]) / iteration)
            converged = self._iterate(rows, ridges, tolerance, limit, out)
            iterate[rows[~converged]] = False
        for number in np.unique(pattern_of[~iterate]):
            self._solve_directly(np.flatnonzero(pattern_of == number), ridges, out)

    def _solve_directly(self, rows: np.ndarray, ridges: np.ndarray, out: np.ndarray) -> None:
        """Solve rows that miss the same features."""
        missing = self.missing[rows[0]]
        if 2 * np.count_nonzero(missing) < len(missing):
            kernel = self.systems.kernel - _products(self.train[:, missing])
        else:
            kernel = _products(self.train[:, ~missing])
        if self.left_out is not None:
            (row,) = rows
            shift = np.where(missing, 0.0, self.left_out.shift[row])
            products = self.train @ shift
            kernel -= products[:, None] + products - shift @ shift
            own = self.left_out.rows[row]
            kernel[own] = kernel[:, own] = 0.0  # with the ridge on the diagonal, its weight is 0
        diagonal = np.diag_indices_from(kernel)
        without_ridge = kernel[diagonal]
        for number, ridge in enumerate(ridges):
            kernel[diagonal] = without_ridge + ridge
            factor = cho_factor(kernel, lower=True, check_finite=False)
            out[number, rows] = cho_solve(factor, self.right[rows].T, check_finite=False).T

    def _iterate(
        self, rows: np.ndarray, ridges: np.ndarray, tolerance: float, limit: int, out: np.ndarray
    ) -> np.ndarray:
        """Solve rows by conjugate gradients; return which have converged for all ridges."""
        eigenvalues, vectors = self.systems._eigen
        observed = (~self.missing[rows]).astype(self.train.dtype)
        shares = observed.mean(axis=1)[:, None]
        right = self.right[rows]
        enough = tolerance * np.linalg.norm(right, axis=1)
        converged = np.ones(len(rows), dtype=bool)
        previous = None
        for number in np.argsort(ridges)[::-1]:  # the largest is the easiest
            inverse = 1.0 / (shares * eigenvalues + ridges[number])
            solution = previous if previous is not None else self._precondition(
                right, inverse, vectors, rows)  # fmt: skip
            left = np.arange(len(rows))
            residual = right - self._multiply(solution, observed, ridges[number], rows)
            direction = np.zeros_like(residual)
            size = np.ones(len(rows), residual.dtype)
            for iteration in range(limit + 1):
                going_on = np.linalg.norm(residual, axis=1) > enough[left]
                if iteration == limit or not going_on.any():
                    break
                if not going_on.all():
                    left, residual, direction, size = (
                        array[going_on] for array in (left, residual, direction, size)
                    )
                corrected = self._precondition(residual, inverse[left], vectors, rows[left])
                new_size = np.einsum("ij,ij->i", residual, corrected)
                direction = corrected + (new_size / size)[:, None] * direction
                size = new_size
                seen = observed if len(left) == len(rows) else observed[left]
                product = self._multiply(direction, seen, ridges[number], rows[left])
                step = (size / np.einsum("ij,ij->i", direction, product))[:, None]
                solution[left] += step * direction
                residual -= step * product
            converged[left[going_on]] = False
            out[number, rows] = solution
            previous = solution
        return converged

    def _multiply(
        self, weights: np.ndarray, observed: np.ndarray, ridge: float, rows: np.ndarray
    ) -> np.ndarray:
        """Multiply weights by the matrices of the systems."""
        means = weights @ self.train
        part = self.left_out and LeftOut(self.left_out.rows[rows], self.left_out.shift[rows])
        if part is not None:
            means -= weights.sum(axis=1)[:, None] * part.shift
        means *= observed
        product = means @ self.train.T
        if part is not None:
            self._take_out(product, means, part)
        product += ridge * weights
        return product

    def _precondition(
        self, residual: np.ndarray, inverse: np.ndarray, vectors: np.ndarray, rows: np.ndarray
    ) -> np.ndarray:
        corrected = (residual @ vectors * inverse) @ vectors.T
        if self.left_out is not None:
            corrected[np.arange(len(rows)), self.left_out.rows[rows]] = 0.0
        return corrected


def _products(rows: np.ndarray) -> np.ndarray:
    if rows.dtype == np.float64:
        return rows @ rows.T
    total = np.zeros((len(rows), len(rows)))
    for start in range(0, rows.shape[1], 1024):
        part = rows[:, start : start + 1024].astype(np.float64)
        total += part @ part.T
    return total
