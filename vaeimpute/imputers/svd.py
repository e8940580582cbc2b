"""Iterative singular value decomposition, by way of the products of the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from numbers import Real

import numpy as np
from scipy.linalg import eigh
from sklearn.utils._param_validation import StrOptions

from vaeimpute.imputers._backend import ClosedFormImputer, few_threads
from vaeimpute.imputers._base import COUNT, Number

_OVERSAMPLING = 10  # vectors more than asked for, with which the last ones converge sooner
_N_SCANS = 6


class SVDImputer(ClosedFormImputer):
    """Fill missing values with those of a matrix of low rank that is fitted to all rows at once.

    The rows to impute are put below the training rows. Missing values of both start from the mean
    of their feature. Then, again and again, the matrix is approximated by its leading singular
    vectors (the paper's eigengenes), and the missing values are replaced by the approximation's.
    (The paper's text speaks of a regression on them; its program, fancyimpute's, does this.) As
    there, the rank doubles from one iteration to the next until it reaches `n_components`. At once
    with all singular vectors, the approximation of a matrix is the matrix, and every value would
    stay what it was in the beginning.

    Parameters
    ----------
    n_components : int or "auto"
        Rank of the approximation. The default is the paper's, and more than most matrices need.
        "auto" chooses it at fit: a fifth of the rows lose a tenth of their values, and of 1, 2, 4,
        8, ... up to half of the possible rank, and all of it, the one that restores them best is
        taken. Without `joint`, missing values of training rows get a rank of their own.
    schedule : {"doubling", "fixed"}
        Ranks 1, 2, 4, 8, ..., `n_components`, or `n_components` from the beginning.
    max_iter : int
        Iterations at most.
    tol : float
        Stop when the squared change of the missing values is, in sum, less than this share of the
        sum of their squares. The paper's software has the same rule; it is asked from the second
        iteration on, whether or not the full rank has been reached.
    joint : bool
        Decompose the training rows and the rows to impute together, as the paper did. The result
        for a row then depends on the rows that it is imputed with. Without it, the training rows
        alone are decomposed, once, at fit; every other row is approximated in their singular
        vectors, and stops by itself.
    standardize : bool
        Work in standard deviations of the training rows; without it, deviations from their means.
    precision : {"float64", "float32"}
        Of all computations; float32 halves the memory and about halves the time.
    device : str
        Where the matrix is decomposed: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU if torch
        finds one. Only then is torch needed.
    random_state : int, Generator or None
        For ``n_components="auto"``.
    missing_values, add_indicator, keep_empty_features, min_value, max_value
        As in scikit-learn's imputers; see `BaseImputer`.

    Attributes
    ----------
    n_components_ : int
        The rank asked for or chosen; that of the training rows limits it without `joint`. With it,
        the rank of training rows and rows to impute together does, and the number of features
        stands for all of it.
    train_ : ndarray of shape (n_train, n_features)
        With `joint`: the training rows as deviations from their means, NaN where missing.
    components_ : ndarray of shape (n_components, n_features)
        Without `joint`: the leading right singular vectors of the training rows.

    Notes
    -----
    With n rows and d > n features, the left singular vectors U are the eigenvectors of the n x n
    matrix of the rows' products, and the approximation is ``UU'X``. Only rows and features with
    missing values have to be computed anew in an iteration. What that takes is exact up to
    rounding; there is no n x d decomposition. Where n > d, the features take the rows' part.

    References
    ----------
    Troyanskaya et al. 2001, Bioinformatics 17:520-525, which has a fixed rank. The growing one is
    that of fancyimpute's `IterativeSVD`.

    Examples
    --------
    >>> X = np.outer([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 10.0, 100.0])
    >>> X[4, 2] = np.nan
    >>> imputer = SVDImputer(n_components=1, max_iter=100, tol=1e-12)
    >>> imputer.fit(X[:4]).transform(X[4:]).round(3)
    array([[  5.,  50., 500.]])
    """

    _parameter_constraints = ClosedFormImputer._parameter_constraints | {
        "n_components": [COUNT, StrOptions({"auto"})],
        "schedule": [StrOptions({"doubling", "fixed"})],
        "max_iter": [COUNT],
        "tol": [Number(Real, 0, None, closed="left")],
        "joint": ["boolean"],
    }

    def __init__(
        self,
        *,
        n_components=415,
        schedule="doubling",
        max_iter=16,
        tol=5e-4,
        joint=True,
        standardize=True,
        precision="float64",
        device="cpu",
        random_state=None,
        missing_values=np.nan,
        add_indicator=False,
        keep_empty_features=False,
        min_value=-np.inf,
        max_value=np.inf,
    ):
        super().__init__(
            missing_values=missing_values,
            add_indicator=add_indicator,
            keep_empty_features=keep_empty_features,
            min_value=min_value,
            max_value=max_value,
        )
        self.n_components = n_components
        self.schedule = schedule
        self.max_iter = max_iter
        self.tol = tol
        self.joint = joint
        self.standardize = standardize
        self.precision = precision
        self.device = device
        self.random_state = random_state

    @property
    def _learnt(self) -> dict[str, str]:  # type: ignore[override]
        rows = "train_" if self.joint else "components_"
        return {rows: "nd", "n_components_": "", "_mean": "d"}

    def _fit(self, X: np.ndarray) -> None:
        self._mean = np.nanmean(X, axis=0)
        X -= self._mean
        auto = self.n_components == "auto"
        if not auto:
            rank = int(self.n_components)
        elif self.joint or np.isnan(X).any():
            rank = self._best_rank(X)
        else:
            rank = X.shape[1]  # nothing is missing in the rows that are decomposed
        if self.joint:
            self.n_components_, self.train_ = rank, X
            return
        # Rows that the singular vectors come from tolerate fewer of them than other rows do.
        n_components = self._best_rank(X, rank) if auto else rank
        self.components_ = self._right_singular_vectors(self._complete(X, rank), n_components)
        self.n_components_ = len(self.components_)

    def _operations(self, n_samples: int, n_features: int) -> tuple[float, float]:
        small = min(n_samples, n_features)
        # Every rank that is tried stops after some iterations, most of them early.
        iterations = self.max_iter
        if self.n_components == "auto":
            iterations = 6 * small.bit_length() + self.max_iter
        entries = n_samples * n_features
        return iterations * (2.0 * small * entries + 10.0 * small**3), 20.0 * iterations * entries

    @property
    def _streams(self) -> bool:  # type: ignore[override]
        return not self.joint and self.n_components != "auto"  # which is chosen on rows in memory

    def _fit_scans(self, mean: np.ndarray, scan: Callable[[], Iterator[np.ndarray]]) -> None:
        """Find the leading singular vectors by subspace iteration (Halko et al. 2011, alg. 4.4).

        From one scan to the next, missing values are replaced by what the vectors found so far make
        of them.
        """
        self._mean = mean.astype(self._dtype)
        n_features = len(mean)
        n_components = int(self.n_components)
        width = min(n_components + _OVERSAMPLING, n_features)
        rng = self._generator("first basis")
        basis = np.linalg.qr(rng.normal(size=(n_features, width)).astype(self._dtype))[0]
        self.components_ = basis[:, :0].T  # nothing is known yet
        for _ in range(_N_SCANS):
            image = np.zeros(basis.shape, self._dtype)
            products = np.zeros((width, width))
            for X in scan():
                missing = np.isnan(X)
                X -= self._mean
                X[missing] = 0.0
                if missing.any() and len(self.components_):
                    old = X
                    for _ in range(2):  # from zero, one projection would shrink the values
                        old = np.where(missing, old @ self.components_.T @ self.components_, X)
                    X = old
                scores = X @ basis
                image += X.T @ scores
                products += scores.T @ scores
            squares, vectors = eigh(products, check_finite=False)
            found = squares > 4500 * np.finfo(self._dtype).eps * squares[-1]
            components = (basis @ vectors[:, found].astype(self._dtype)).T[::-1]
            self.components_ = components[:n_components].copy()
            basis = np.linalg.qr(image)[0]
        self.n_components_ = len(self.components_)

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        X = X - self._mean
        if self.joint:
            stacked = np.concatenate([self.train_, X])
            filled = self._complete(stacked, self.n_components_)[len(self.train_) :]
        else:
            filled = self._project(X, self.components_)
        return self._mean + filled

    def _ranks(self, n_components: int) -> Iterator[int]:
        for iteration in range(self.max_iter):
            yield n_components if self.schedule == "fixed" else min(2**iteration, n_components)

    def _complete(self, X: np.ndarray, n_components: int) -> np.ndarray:
        """Fill a matrix, in place, from itself."""
        missing = np.isnan(X)
        X[missing] = 0.0
        with few_threads(min(X.shape)):
            if len(X) > X.shape[1]:  # the shorter side is the one to be decomposed
                self._complete_wide(X.T, missing.T, n_components)
            else:
                self._complete_wide(X, missing, n_components)
        return X

    def _complete_wide(self, X: np.ndarray, missing: np.ndarray, n_components: int) -> None:
        """Fill, in place, a matrix that has zeros for its missing values."""
        rows, columns = missing.any(axis=1), missing.any(axis=0)
        if not rows.any():
            return
        algebra = self._algebra
        # Rows without missing values come first, so that what changes is a block at the end. Of a
        # large matrix, copies that are not needed cost as much as a few iterations.
        order = np.argsort(rows, kind="stable")
        in_order = bool((np.diff(order) == 1).all())
        ordered = algebra.put(np.ascontiguousarray(X if in_order else X[order]))
        n_changing = np.count_nonzero(rows)
        products = ordered @ ordered.T
        constant = None
        if not columns.all():
            complete = algebra.columns(ordered, np.flatnonzero(~columns))
            constant = complete[-n_changing:] @ complete.T
            ordered = algebra.columns(ordered, np.flatnonzero(columns))
        block = ordered[-n_changing:]
        values = block.reshape(-1)
        gaps = algebra.put(np.flatnonzero(missing[np.ix_(rows, columns)]))
        old = values[gaps]
        approximation = algebra.zeros(block.shape, X.dtype)
        for rank in self._ranks(n_components):
            if rank >= len(X):
                break  # the approximation is the matrix itself
            vectors = algebra.eigh(products, n_largest=rank)[1]
            algebra.dot([vectors[-n_changing:], vectors.T, ordered], out=approximation)
            new = approximation.take(gaps)
            converged = ((new - old) ** 2).sum() < self.tol * (old**2).sum()
            values[gaps] = old = new
            if converged:
                break
            # Of the symmetric matrix, the part below the diagonal is all that is read.
            products[-n_changing:] = block @ ordered.T
            if constant is not None:
                products[-n_changing:] += constant
        X[missing] = algebra.get(old)

    def _project(self, X: np.ndarray, components: np.ndarray) -> np.ndarray:
        """Fill every row by itself, as a combination of the components.

        The missing values of a row are ``B'w`` at any time, with B the components at these
        features, so that the iterations are about w, which is short.
        """
        missing = np.isnan(X)
        filled = np.where(missing, 0.0, X)
        scores = filled @ components.T
        for row in np.flatnonzero(missing.any(axis=1)):
            gaps = components[:, missing[row]]
            overlap = gaps @ gaps.T
            weights = np.zeros_like(scores[row])
            for rank in self._ranks(len(components)):
                old, weights = weights, scores[row] + overlap @ weights
                weights[rank:] = 0.0
                change = weights - old
                if change @ overlap @ change < self.tol * (old @ overlap @ old):
                    break
            filled[row, missing[row]] = weights @ gaps
        return filled

    def _right_singular_vectors(self, X: np.ndarray, rank: int) -> np.ndarray:
        """Return the leading ones as rows, by falling singular value, without those that vanish."""
        algebra = self._algebra
        wide = len(X) <= X.shape[1]
        rank = min(rank, *X.shape)
        placed = algebra.put(X)
        squares, vectors = algebra.eigh(
            placed @ placed.T if wide else placed.T @ placed, n_largest=rank
        )
        # Rounding leaves about 1e-16 of the largest square (1e-7 in float32) where nothing is.
        n_found = int((squares > 4500 * np.finfo(X.dtype).eps * squares[-1]).sum())
        rows = vectors[:, rank - n_found :].T
        rows = algebra.get(rows @ placed if wide else rows)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True))[::-1].copy()

    def _best_rank(self, X: np.ndarray, rank_to_complete: int | None = None) -> int:
        """Return the rank that best restores hidden values.

        They are those of rows that are decomposed themselves or, if the rank to complete these with
        is given, of other rows.
        """
        parts = self._hold_out(X)
        if parts is None:
            return 1  # nothing to choose with
        kept, true, hidden = parts
        gappy = np.where(hidden, np.nan, true)
        if rank_to_complete is None:
            stacked = np.concatenate([kept, gappy])
            ranks = _candidates(stacked)
            filled = (self._complete(stacked.copy(), rank)[len(kept) :] for rank in ranks)
        else:
            ranks = _candidates(kept)
            completed = self._complete(kept, rank_to_complete)
            components = self._right_singular_vectors(completed, ranks[-1])
            filled = (self._project(gappy, components[:rank]) for rank in ranks)
        errors = [np.abs(one - true)[hidden].mean() for one in filled]
        return ranks[int(np.argmin(errors))]


def _candidates(X: np.ndarray) -> list[int]:
    """Return ranks that mean the same for a matrix with some more rows."""
    # Just below the full rank, an approximation changes so little that the iterations stop early,
    # for better or worse, depending on the number of rows. At the full rank, they always end with
    # the last doubling that is less.
    half = min(X.shape) // 2
    return [*(2**k for k in range(half.bit_length())), X.shape[1]]
