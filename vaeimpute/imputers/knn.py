"""K nearest neighbours, with the distances of all pairs of rows from two matrix products."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from sklearn.metrics import pairwise_distances
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import StrOptions

from vaeimpute.imputers._backend import Algebra, Array, ClosedFormImputer
from vaeimpute.imputers._base import BLOCK_ENTRIES, COUNT

_CHUNK = 2**18  # numbers of which a chunk of features has about so many: it stays in the cache
_WORKING_BYTES = 2**28  # what a block of rows may need


class KNNImputer(ClosedFormImputer):
    """Fill a missing value with the weighted mean (average) of its feature in similar rows.

    The most similar rows are those at the smallest Euclidean distance over the features that both
    rows have, scaled up for those that they have not. Neighbours are sought separately for each
    feature, among the training rows in which it is observed. A feature that no neighbour has gets
    its mean. With ``standardize=False`` the result is that of `sklearn.impute.KNNImputer`.

    Parameters
    ----------
    n_neighbors : int
        The paper takes 10.
    weights : {"distance", "uniform"} or callable
        Weigh neighbours by the inverse of their distance, or all alike, or by a function that turns
        an array of distances, (..., n_neighbors) and NaN where there are fewer, into weights.
    metric : "nan_euclidean" or callable
        Another distance of two rows, ``metric(x, y, missing_values=np.nan)``. Calling it for all
        pairs of rows is slow.
    standardize : bool
        Measure distances in standard deviations of the training rows, so that no feature dominates
        because of its units.
    precision : {"float64", "float32"}
        Of all computations. float32 halves the memory and about halves the time; distances have
        some six digits then.
    device : str
        Where distances are computed: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU if torch finds
        one. Only then is torch needed.
    missing_values, add_indicator, keep_empty_features, min_value, max_value
        As in scikit-learn's imputers; see `BaseImputer`.

    Attributes
    ----------
    train_ : ndarray of shape (n_train, n_features)
        The training rows, less `center_`; 0 where missing.
    center_ : ndarray of shape (n_features,)
        Round numbers near the means.

    Notes
    -----
    A distance is expanded, ``|x|^2 + |y|^2 - 2xy`` over the features that both rows have, so that
    all of them come from products of matrices. Two things keep the digits. `center_` is subtracted
    first: a common offset cancels in a distance, but would eat up the digits of its square. And a
    distance much smaller than the rows themselves is computed again, from the differences; that of
    a row to its twin is exactly 0, and none is the root of a negative number.

    Of several rows that are as far away as the k-th neighbour, numpy's `argpartition` takes some,
    as in scikit-learn. The choice is the same where distances are computed without rounding, as
    they are if all values are integers (genotypes, say) of moderate size: `center_` is round enough
    to keep them so. Elsewhere two rows that are equally far away on paper seldom remain so in
    floating point, and which is taken for nearer depends on the program.

    Rows are imputed in blocks, so that the memory needed besides the training rows' own is some
    hundred megabytes, however many rows there are.

    References
    ----------
    Troyanskaya et al. 2001, Bioinformatics 17:520-525.

    Examples
    --------
    >>> X = [[0.0, 1.0], [0.1, 3.0], [9.0, 50.0]]
    >>> imputer = KNNImputer(n_neighbors=2, weights="uniform", standardize=False).fit(X)
    >>> imputer.transform([[0.0, np.nan]])
    array([[0., 2.]])
    """

    _parameter_constraints = ClosedFormImputer._parameter_constraints | {
        "n_neighbors": [COUNT],
        "weights": [StrOptions({"distance", "uniform"}), callable],
        "metric": [StrOptions({"nan_euclidean"}), callable],
    }
    _learnt: ClassVar[dict[str, str]] = {
        "train_": "nd",
        "center_": "d",
        "_observed": "nd",
        "_mean": "d",
    }

    def __init__(
        self,
        *,
        n_neighbors=10,
        weights="distance",
        metric="nan_euclidean",
        standardize=True,
        precision="float64",
        device="cpu",
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
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.metric = metric
        self.standardize = standardize
        self.precision = precision
        self.device = device

    def _fit(self, X: np.ndarray) -> None:
        self._observed = ~np.isnan(X)
        parts = gen_batches(X.shape[1], max(1, BLOCK_ENTRIES // len(X)))
        self.center_ = np.concatenate([_round_center(X[:, features]) for features in parts])
        X -= self.center_
        if not self._observed.all():
            X[~self._observed] = 0.0
        self.train_ = X
        self._mean = X.sum(axis=0) / self._observed.sum(axis=0)

    def _operations(self, n_samples: int, n_features: int) -> tuple[float, float]:
        pairs = n_samples**2
        return 6.0 * pairs * n_features, 40.0 * pairs + 50.0 * n_samples * n_features

    @property
    def _k(self) -> int:
        """Neighbours there can be; not in a type of numpy's, in which twice as many may be few."""
        return min(int(self.n_neighbors), len(self.train_))

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        n_train, n_features = self.train_.shape
        # Distances, what they are made of, and a copy of the rows and of where they are observed.
        row_bytes = (5 * n_train + 4 * n_features) * X.itemsize
        gappy = ~self._observed.all(axis=0)
        X -= self.center_
        X[missing] = 0.0
        for rows in gen_batches(len(X), max(1, _WORKING_BYTES // row_bytes)):
            distances = self._distances(X[rows], ~missing[rows])
            self._fill_complete(X[rows], distances, missing[rows] & ~gappy)
            self._fill_gappy(X[rows], distances, missing[rows] & gappy)
        X += self.center_
        return X

    def _distances(self, x: np.ndarray, observed: np.ndarray) -> np.ndarray:
        """Distances to the training rows, (n_rows, n_train); NaN where no feature is shared."""
        if callable(self.metric):
            gappy = [
                np.where(seen, rows + self.center_, np.nan)
                for rows, seen in ((x, observed), (self.train_, self._observed))
            ]
            return pairwise_distances(
                *gappy, metric=self.metric, missing_values=np.nan, ensure_all_finite="allow-nan"
            )
        squares, sizes, shared = self._expand(x, observed)
        # What is left of the sizes after so much cancels has lost a quarter of its digits.
        close = squares < np.finfo(x.dtype).eps ** 0.25 * sizes
        for row in np.flatnonzero(close.any(axis=1)):
            columns, others = np.flatnonzero(observed[row]), np.flatnonzero(close[row])
            for part in gen_batches(len(others), 1 + _CHUNK // len(columns)):
                block = np.ix_(others[part], columns)
                differences = (x[row, columns] - self.train_[block]) * self._observed[block]
                squares[row, others[part]] = np.einsum("ij,ij->i", differences, differences)
        # In scikit-learn's order, so that rounding is the same.
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(squares / shared * x.shape[1])

    def _expand(self, x: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return squared distances, the terms they are small against, and numbers of features."""
        algebra = self._algebra
        train, given, seen = self._placed("train_"), algebra.put(x), algebra.put(observed)
        sizes = _squares_where(algebra, train, seen, x.dtype)  # |y|^2 over the features that x has
        if self._observed.all():
            sizes += algebra.row_dots(given, given)[:, None]
            shared = observed.sum(axis=1)[:, None]
        else:
            known = self._placed("_observed")
            sizes += _squares_where(algebra, given, known, x.dtype).T
            shared = algebra.get(_squares_where(algebra, known, seen, x.dtype))
        squares = given @ train.T
        squares *= -2.0
        squares += sizes
        return algebra.get(squares), algebra.get(sizes), shared

    def _fill_complete(self, out: np.ndarray, distances: np.ndarray, missing: np.ndarray) -> None:
        """Predict features that all training rows have: a row has the same neighbours for all."""
        k = self._k
        nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
        weights = self._weigh(np.take_along_axis(distances, nearest, axis=1).T).T
        for row in np.flatnonzero(missing.any(axis=1)):
            columns = np.flatnonzero(missing[row])
            if weights[row].any():
                out[row, columns] = weights[row] @ self.train_[np.ix_(nearest[row], columns)]
            else:
                out[row, columns] = self._mean[columns]

    def _fill_gappy(self, out: np.ndarray, distances: np.ndarray, missing: np.ndarray) -> None:
        """Predict features that some training rows lack: neighbours are those that have them."""
        for row in np.flatnonzero(missing.any(axis=1)):
            columns = np.flatnonzero(missing[row])
            nearest = self._nearest_observed(distances[row], columns)
            distance = np.where(nearest < 0, np.nan, distances[row, nearest])
            weights = self._weigh(distance)
            mean = np.einsum("ij,ij->j", weights, self.train_[nearest, columns])
            out[row, columns] = np.where(weights.any(axis=0), mean, self._mean[columns])

    def _nearest_observed(self, distance: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return neighbours of one row for each column, (n_neighbors, n_columns); -1 for none.

        They are sought among the samples that have a value in that gene.
        """
        k = self._k
        nearest = np.full((k + 1, len(columns)), -1)  # one more than needed, to see ties
        n_known = np.count_nonzero(~np.isnan(distance))  # NaN is sorted to the end
        # Sorting all of many rows would take longer than their distances.
        near = np.argpartition(distance, 32 * k)[: 32 * k] if n_known > 64 * k else slice(None)
        order = np.arange(len(distance))[near][np.argsort(distance[near])][:n_known]
        pending, depth = np.arange(len(columns)), 2 * k
        while len(pending):
            if depth > len(order) and len(order) < n_known:
                order = np.argsort(distance)[:n_known]
            seen = self._observed[np.ix_(order[:depth], columns[pending])]
            rank = np.cumsum(seen, axis=0)
            place, column = np.nonzero(seen & (rank <= k + 1))
            nearest[rank[place, column] - 1, pending[column]] = order[place]
            # Farther rows are looked at only for features that are still short of neighbours.
            pending = pending[nearest[k, pending] < 0] if depth < n_known else pending[:0]
            depth *= 4
        tied = (nearest[k] >= 0) & (distance[nearest[k - 1]] == distance[nearest[k]])
        for tie in np.flatnonzero(tied):
            donors = np.flatnonzero(self._observed[:, columns[tie]])
            taken = np.argpartition(distance[donors], k - 1)[:k]
            nearest[:k, tie] = donors[taken]
        return nearest[:k]

    def _weigh(self, distance: np.ndarray) -> np.ndarray:
        """Return weights of sum 1, or all 0, for each column of distances; NaN gets none."""
        known = ~np.isnan(distance)
        given = self.weights(distance.T) if callable(self.weights) else None
        if given is not None:
            weights = np.nan_to_num(np.asarray(given, distance.dtype).T, nan=0.0)
        elif self.weights != "distance":
            weights = known.astype(distance.dtype)
        else:
            with np.errstate(divide="ignore"):
                weights = np.where(known, 1.0 / distance, 0.0)
            twins = np.isinf(weights)  # they settle it, as in scikit-learn
            weights = np.where(twins.any(axis=0), twins, weights)
        total = weights.sum(axis=0)
        return weights / np.where(total == 0, 1.0, total)


def _round_center(X: np.ndarray) -> np.ndarray:
    """Return numbers near the means, with as few digits as the spread of each feature allows.

    Subtracting them from integers, or from multiples of a power of two, is exact.
    """
    low, high = np.fmin.reduce(X, axis=0), np.fmax.reduce(X, axis=0)
    spread = high - low
    middle = low + (np.nanmean(X - low, axis=0) if np.isnan(X).any() else (X - low).mean(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.exp2(np.floor(np.log2(spread / 8)))
        return np.where(spread > 0, np.round(middle / step) * step, low).astype(X.dtype)


def _squares_where(algebra: Algebra, values: Array, seen: Array, dtype: np.dtype) -> Array:
    """Sum the squares of rows of `values` over the features that rows of `seen` have.

    Nothing is subtracted, so the sums over few features are as precise as those over many.

    Parameters
    ----------
    algebra : Algebra
    values : array of shape (n_values, n_features)
    seen : boolean array of shape (n_seen, n_features)
    dtype : numpy type
        Of the sums.

    Returns
    -------
    array of shape (n_seen, n_values)
    """
    total = algebra.zeros((len(seen), len(values)), dtype)
    for chunk in gen_batches(values.shape[1], max(256, _CHUNK // len(values))):
        part = algebra.astype(values[:, chunk], dtype)
        total += algebra.astype(seen[:, chunk], dtype) @ (part * part).T
    return total
