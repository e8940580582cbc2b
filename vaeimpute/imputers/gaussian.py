"""The conditional mean of a multivariate normal distribution, in closed form."""

from __future__ import annotations

from numbers import Real

import numpy as np

from vaeimpute.imputers._backend import WithDevice, WithPrecision
from vaeimpute.imputers._base import check_number
from vaeimpute.imputers._gaussian_std import WithSpread
from vaeimpute.imputers._kernel_systems import KernelSystems, LeftOut
from vaeimpute.imputers._tuning import hold_out

_ALPHAS = 10.0 ** np.arange(-2, 3.5, 0.5)
_MOST_ROWS = 200  # to choose an alpha with: each has many values


class GaussianImputer(WithPrecision, WithDevice, WithSpread):
    """Fill missing values with their expectation given the observed ones, under a normal model.

    With standardised training rows Z of shape (n, d), the covariance is ``Z'Z/n + alpha*I``. The
    conditional mean of the missing entries m given the observed entries o of a row z is
    ``S_mo S_oo^-1 z_o``, which needs a d x d system. Since S comes from n rows, it equals ``w'Z``
    with ``w = (Z_o Z_o'/n + alpha*I)^-1 Z_o z_o / n``: an n x n system, and n is the small side
    here.

    Parameters
    ----------
    alpha : float or "auto"
        Ridge added to the covariance's diagonal, in units of the features' mean variance. "auto"
        chooses it at fit: a fifth of the rows (at most 200) lose a tenth of their values, and the
        value in 10^-2, 10^-1.5, ..., 10^3 that restores them best is taken.
    standardize : bool
        Work in standard deviations of the training rows; without it, deviations from their means.
    precision : {"float64", "float32"}
        Of all products; float32 halves the memory and about halves the time. Values have some three
        digits then, in standard deviations, and fewer with an `alpha` below 0.01.
    device : str
        Where conditional means are computed: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU if
        torch finds one. Only then is torch needed.
    random_state : int, Generator or None
        For ``alpha="auto"`` and `sample`.

    Attributes
    ----------
    alpha_ : float
        The ridge used.
    train_ : ndarray of shape (n_train, n_features)
        The training rows, centred, in units of the root of the mean variance; missing entries are
        predicted from the other rows.

    Notes
    -----
    How the systems of all rows are solved at once is told in `vaeimpute.imputers._kernel_systems`.
    While alpha is chosen, they are solved in float32, to four digits. Memory is needed for the
    training rows and for two or three matrices of n x n.

    References
    ----------
    Any textbook on multivariate statistics, for example Anderson, *An Introduction to Multivariate
    Statistical Analysis*, section 2.5. The paper does not compare with it.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 1)) * [1.0, 2.0]  # the second feature is twice the first
    >>> GaussianImputer(alpha=1e-6).fit(X).transform([[0.5, np.nan]]).round(3)
    array([[0.5, 1. ]])
    """

    _learnt = ("train_", "_mean", "_unit", "_holes", "alpha_")

    def __init__(
        self,
        *,
        alpha="auto",
        standardize=True,
        precision="float64",
        device="cpu",
        random_state=None,
    ):
        self.alpha = alpha
        self.standardize = standardize
        self.precision = precision
        self.device = device
        self.random_state = random_state

    def _fit(self, X: np.ndarray) -> None:
        if self.alpha != "auto":
            check_number(self.alpha, "alpha", Real, min_val=0, include_boundaries="neither")
        missing = np.isnan(X)
        self._mean = np.nanmean(X, axis=0) if missing.any() else X.mean(axis=0)
        X -= self._mean
        # One unit for all features, so that alpha means the same whatever they are measured in.
        self._unit = float(np.sqrt(_mean_square(X))) or 1.0
        X /= self._unit
        self.alpha_ = self._choose_alpha(X) if self.alpha == "auto" else float(self.alpha)
        X[missing] = 0.0
        self.train_ = self._complete(X, missing) if missing.any() else X
        self._systems = KernelSystems(self.train_, self._algebra)
        self._systems.prepare()
        self._remember_holes(missing)

    def _complete(self, train: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Fill the holes of the training rows, each from the other rows.

        A training row with zeros in its holes resembles itself best of all when it is imputed, and
        the zeros would come back.
        """
        rows = np.flatnonzero(missing.any(axis=1))
        n_others = np.maximum((~missing).sum(axis=0) - 1, 1)
        # Centred by the mean of all rows, a row would be minus the sum of the others.
        left_out = LeftOut(rows, (-train[rows] / n_others).astype(train.dtype))
        ridge = np.array([self.alpha_ * max(len(train) - 1, 1)], train.dtype)
        systems = KernelSystems(train, self._algebra)
        (weights,) = systems.weights(train[rows], missing[rows], ridge, left_out=left_out)
        others = 1.0 - self._algebra.get(weights.sum(1))[:, None]
        predicted = systems.combine(weights) + others * left_out.shift
        filled = train.copy()
        filled[missing] = predicted[missing[rows]]
        return filled

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        X -= self._mean
        X /= self._unit
        ridge = np.array([self.alpha_ * len(self.train_)], X.dtype)
        if self._systems.algebra != self._algebra:  # another device has been chosen since the fit
            self._systems = KernelSystems(self.train_, self._algebra)
        (weights,) = self._systems.weights(X, missing, ridge)
        predicted = self._systems.combine(weights)
        predicted *= self._unit
        predicted += self._mean
        return predicted

    def _choose_alpha(self, X: np.ndarray) -> float:
        """Return the alpha that best restores values held out from some of the rows."""
        parts = hold_out(X, self._generator("held-out values"))
        if parts is None:
            return 1.0  # nothing to choose with
        kept, true, hidden = parts[0], parts[1][:_MOST_ROWS], parts[2][:_MOST_ROWS]
        # To tell which error is the smallest, predictions to four digits are enough.
        train = np.nan_to_num(kept, nan=0.0).astype(np.float32)
        true = true.astype(np.float32)
        ridges = (_ALPHAS * len(train)).astype(np.float32)
        systems = KernelSystems(train, self._algebra)
        weights = systems.weights(true, hidden | np.isnan(true), ridges, tolerance=1e-4)
        errors = [
            np.abs(systems.combine(one) - true)[hidden].mean(dtype=np.float64) for one in weights
        ]
        return float(_ALPHAS[np.argmin(errors)])

    def _bytes_to_fit(self, n_samples: int, n_features: int) -> int:
        # The kernel, its eigenvectors, and what it takes to find them.
        return super()._bytes_to_fit(n_samples, n_features) + 4 * 8 * n_samples**2

    def _from_arrays(self, arrays: dict[str, np.ndarray], summary: dict) -> None:
        super()._from_arrays(arrays, summary)
        self._systems = KernelSystems(self.train_, self._algebra)


def _mean_square(X: np.ndarray) -> float:
    """Return the mean over features of their mean squares, NaN left out."""
    observed = ~np.isnan(X)
    if observed.all():
        return np.einsum("ij,ij->", X, X) / X.size
    squares = np.where(observed, X * X, 0.0).sum(axis=0)
    return float(np.mean(squares / observed.sum(axis=0)))
