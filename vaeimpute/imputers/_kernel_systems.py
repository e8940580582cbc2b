"""Many systems of equations that differ from one another in what a row has observed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils import gen_batches

from vaeimpute.imputers._backend import Algebra, Array, few_threads
from vaeimpute.imputers._patterns import distinct_patterns

_WORKING_BYTES = 2**28  # what a block of rows may need
_ITERATIONS_PER_DIGIT = 0.8  # of conjugate gradients, with a tenth of the values missing
_WELL_CONDITIONED = 1e4  # largest eigenvalue, in ridges
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
    shift: Array

    def __getitem__(self, chosen: slice | np.ndarray) -> LeftOut:
        """Return some of them."""
        return LeftOut(self.rows[chosen], self.shift[chosen])


@dataclass(frozen=True, eq=False)
class KernelSystems:
    """The weights with which training rows Z take part in the conditional means of other rows.

    For a row x with observed features o and a ridge r, they solve
    ``(Z_o Z_o' + r*I) w = Z_o x_o``, a system of its own for each set o.

    Attributes
    ----------
    train : ndarray of shape (n_train, n_features)
        Z, without missing values.
    algebra : Algebra
        What to compute with.

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
    algebra: Algebra

    @cached_property
    def placed(self) -> Array:
        """Z where it is computed with."""
        return self.algebra.put(self.train)

    @cached_property
    def kernel(self) -> Array:
        """``ZZ'`` in float64, whatever the type of Z: the ridge may be small beside it."""
        return scalar_products(self.algebra, self.placed, np.float64)

    @cached_property
    def eigen(self) -> tuple[Array, Array]:
        """Eigenvalues and eigenvectors of ``ZZ'``, in the type of Z.

        They are computed in float32, in half the time: they only make a preconditioner.
        """
        algebra, dtype = self.algebra, self.train.dtype
        values, vectors = algebra.eigh(scalar_products(algebra, self.placed, np.float32))
        return algebra.astype(values.clip(0.0), dtype), algebra.astype(vectors, dtype)

    def prepare(self) -> None:
        """Compute what serves all rows."""
        self.eigen  # noqa: B018 - it is cached

    def means(
        self, X: np.ndarray, missing: np.ndarray, ridges: np.ndarray, **options: Any
    ) -> Iterator[np.ndarray]:
        """Yield the conditional means of some rows, (n_rows, n_features), for every ridge.

        Arguments are those of `weights`.
        """
        left_out: LeftOut | None = options.get("left_out")
        for weights in self.weights(X, missing, ridges, **options):
            means = self.algebra.get(weights @ self.placed)
            if left_out is not None:
                means += (1.0 - self.algebra.get(weights.sum(1)))[:, None] * left_out.shift
            yield means

    def draws(self, rng: np.random.Generator, n_rows: int, ridge: float) -> np.ndarray:
        """Draw rows from the normal distribution with the covariance ``Z'Z + r*I``."""
        n_train, n_features = self.train.shape
        draws = rng.standard_normal((n_rows, n_train)) @ self.train
        draws += np.sqrt(ridge) * rng.standard_normal((n_rows, n_features))
        return draws

    def weights(
        self,
        X: np.ndarray,
        missing: np.ndarray,
        ridges: np.ndarray,
        *,
        left_out: LeftOut | None = None,
        tolerance: float | None = None,
    ) -> Array:
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
        array of shape (n_ridges, n_rows, n_train)
            Where it was computed.
        """
        weights = self.algebra.zeros((len(ridges), len(X), len(self.train)), self.train.dtype)
        # Three arrays of the size of the block of rows, and a few of its weights.
        row_bytes = self.train.itemsize * (3 * X.shape[1] + 8 * len(self.train))
        for block in gen_batches(len(X), max(1, _WORKING_BYTES // row_bytes)):
            part = left_out and left_out[block]
            given = np.where(missing[block], 0.0, X[block])
            with few_threads(len(self.train)):
                systems = _Block(self, given, missing[block], part)
                systems.solve(ridges, tolerance or _TOLERANCE[self.train.dtype], weights[:, block])
        return weights


class _Block:
    """As many rows as are solved at once."""

    def __init__(
        self, systems: KernelSystems, X: np.ndarray, missing: np.ndarray, left_out: LeftOut | None
    ) -> None:
        self.systems, self.missing, self.algebra = systems, missing, systems.algebra
        self.train = systems.placed
        self.left_out = None
        if left_out is not None:
            X = np.where(missing, 0.0, X - left_out.shift)
            self.left_out = LeftOut(left_out.rows, self.algebra.put(left_out.shift))
        given = self.algebra.put(X)
        self.right = given @ self.train.T
        if self.left_out is not None:
            self._take_out(self.right, given, self.left_out)

    def _take_out(self, products: Array, X: Array, left_out: LeftOut) -> None:
        """Turn products with the training rows into those with the others, shifted."""
        products -= self.algebra.row_dots(X, left_out.shift)[:, None]
        products[np.arange(len(X)), left_out.rows] = 0.0

    def solve(self, ridges: np.ndarray, tolerance: float, out: Array) -> None:
        n_train, n_features = self.train.shape
        # Rows that miss the same features share a system, unless each is left out of its own.
        first = pattern_of = np.arange(len(self.missing))
        if self.left_out is None:
            first, pattern_of = distinct_patterns(self.missing)
        sharing = np.bincount(pattern_of)
        n_missing = self.missing[first].sum(axis=1)
        decomposition = len(ridges) * n_train**3 / 3
        direct = n_train**2 * np.minimum(n_missing, n_features - n_missing) + decomposition
        # Where small residuals mean small errors even in float32, iterations are in half the time;
        # the direct way is done in float64 all the same.
        largest = _WELL_CONDITIONED * ridges.min()
        if self.systems.train.itemsize < 8 and float(self.systems.eigen[0][-1]) < largest:
            direct = 2 * direct
        iteration = 4 * n_train * n_features * len(ridges)
        expected = -np.log10(tolerance) * _ITERATIONS_PER_DIGIT * iteration
        iterate = (direct > sharing * expected)[pattern_of]
        rows = np.flatnonzero(iterate)
        if len(rows):
            limit = int(np.max((direct / sharing)[pattern_of[rows]]) / iteration)
            with np.errstate(over="ignore", invalid="ignore"):  # those do not converge
                converged = self._iterate(rows, ridges, tolerance, limit, out)
            iterate[rows[~converged]] = False
        for number in np.unique(pattern_of[~iterate]):
            self._solve_directly(np.flatnonzero(pattern_of == number), ridges, out)

    def _solve_directly(self, rows: np.ndarray, ridges: np.ndarray, out: Array) -> None:
        """Solve rows that miss the same features."""
        missing = self.missing[rows[0]]
        few = 2 * np.count_nonzero(missing) < len(missing)
        chosen = self.algebra.columns(self.train, np.flatnonzero(missing if few else ~missing))
        kernel = scalar_products(self.algebra, chosen, np.float64)
        if few:
            kernel = self.systems.kernel - kernel
        if self.left_out is not None:
            (row,) = rows
            shift = self.left_out.shift[row] * self.algebra.put(~missing)
            products = self.train @ shift
            kernel -= products[:, None] + products - shift @ shift
            own = self.left_out.rows[row]
            kernel[own] = kernel[:, own] = 0.0  # with the ridge on the diagonal, its weight is 0
        diagonal = np.diag_indices(len(kernel))
        without_ridge = kernel[diagonal]
        right = self.algebra.astype(self.right[rows], np.float64).T
        for number, ridge in enumerate(ridges):
            kernel[diagonal] = without_ridge + float(ridge)
            try:
                solution = self.algebra.solve(kernel, right)
            except np.linalg.LinAlgError:
                raise too_small(ridge) from None
            out[number, rows] = self.algebra.astype(solution, ridges.dtype).T

    def _iterate(
        self, rows: np.ndarray, ridges: np.ndarray, tolerance: float, limit: int, out: Array
    ) -> np.ndarray:
        """Solve rows by conjugate gradients; return which have converged for all ridges."""
        algebra = self.algebra
        eigenvalues, vectors = self.systems.eigen
        dtype = self.systems.train.dtype
        observed = algebra.astype(algebra.put(~self.missing[rows]), dtype)
        shares = observed.sum(1)[:, None] / observed.shape[1]
        right = self.right[rows]
        enough = tolerance**2 * algebra.row_dots(right, right)
        converged = np.ones(len(rows), dtype=bool)
        previous = None
        for number in np.argsort(ridges)[::-1]:  # the largest is the easiest
            ridge = float(ridges[number])
            inverse = 1.0 / (shares * eigenvalues + ridge)
            solution = previous if previous is not None else self._precondition(
                right, inverse, vectors, rows)  # fmt: skip
            left = np.arange(len(rows))
            residual = right - self._multiply(solution, observed, ridge, rows)
            direction = algebra.zeros(tuple(residual.shape), dtype)
            size = algebra.zeros((len(rows),), dtype) + 1.0
            for iteration in range(limit + 1):
                # NaN, of systems that are singular but for rounding, is not small.
                done = algebra.get(algebra.row_dots(residual, residual) <= enough[left])
                going_on = ~done
                if iteration == limit or not going_on.any():
                    break
                if not going_on.all():
                    kept = np.flatnonzero(going_on)
                    left, residual, direction, size = (
                        array[kept] for array in (left, residual, direction, size)
                    )
                corrected = self._precondition(residual, inverse[left], vectors, rows[left])
                new_size = algebra.row_dots(residual, corrected)
                direction = corrected + (new_size / size)[:, None] * direction
                size = new_size
                seen = observed if len(left) == len(rows) else observed[left]
                product = self._multiply(direction, seen, ridge, rows[left])
                step = (size / algebra.row_dots(direction, product))[:, None]
                solution[left] += step * direction
                residual -= step * product
            converged[left[going_on]] = False
            out[number, rows] = solution
            previous = solution
        return converged

    def _multiply(self, weights: Array, observed: Array, ridge: float, rows: np.ndarray) -> Array:
        """Multiply weights by the matrices of the systems."""
        means = weights @ self.train
        part = self.left_out and self.left_out[rows]
        if part is not None:
            means -= weights.sum(1)[:, None] * part.shift
        means *= observed
        product = means @ self.train.T
        if part is not None:
            self._take_out(product, means, part)
        product += ridge * weights
        return product

    def _precondition(
        self, residual: Array, inverse: Array, vectors: Array, rows: np.ndarray
    ) -> Array:
        corrected = (residual @ vectors * inverse) @ vectors.T
        if self.left_out is not None:
            corrected[np.arange(len(rows)), self.left_out.rows[rows]] = 0.0
        return corrected


def too_small(ridge: float) -> ValueError:
    """Return the error to raise where a ridge is lost in rounding."""
    return ValueError(
        f"With a ridge of {ridge:.3g}, the training rows' products are singular but for rounding. "
        "Choose a larger alpha, or precision='float64'."
    )


def scalar_products(algebra: Algebra, rows: Array, dtype: type[np.floating]) -> Array:
    """Return the scalar products of all pairs of rows, computed in some floating-point type."""
    if rows.itemsize == np.dtype(dtype).itemsize:
        return rows @ rows.T
    total = algebra.zeros((len(rows), len(rows)), dtype)
    for start in range(0, rows.shape[1], 1024):
        part = algebra.astype(rows[:, start : start + 1024], dtype)
        total += part @ part.T
    return total
