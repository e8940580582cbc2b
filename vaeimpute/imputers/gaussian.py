"""The conditional mean of a multivariate normal distribution, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from sklearn.utils import check_random_state, check_scalar

from vaeimpute.imputers._gaussian_std import WithSpread
from vaeimpute.imputers._tuning import hold_out

_ALPHAS = 10.0 ** np.arange(-2, 3.5, 0.5)


class GaussianImputer(WithSpread):
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
        chooses it at fit: a fifth of the rows lose a tenth of their values, and the value in
        10^-2, 10^-1.5, ..., 10^3 that restores them best is taken.
    standardize : bool
        Work in standard deviations of the training rows; without it, deviations from their means.
    random_state : int, RandomState instance or None
        For ``alpha="auto"`` and `sample`.

    Attributes
    ----------
    alpha_ : float
        The ridge used.
    train_ : ndarray of shape (n_train, n_features)
        The training rows, centred, in units of the root of the mean variance; missing entries are
        predicted from the other rows.

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

    _learnt = ("train_", "_mean", "_unit", "_kernel", "_holes", "alpha_")

    def __init__(self, *, alpha="auto", standardize=True, random_state=None):
        self.alpha = alpha
        self.standardize = standardize
        self.random_state = random_state

    def _fit(self, X: np.ndarray) -> None:
        self._mean = np.nanmean(X, axis=0)
        # One unit for all features, so that alpha means the same whatever they are measured in.
        self._unit = np.sqrt(np.nanvar(X, axis=0).mean()) or 1.0
        X = (X - self._mean) / self._unit
        self.train_ = np.nan_to_num(X, nan=0.0)
        if self.alpha == "auto":
            self.alpha_ = self._choose_alpha(X)
        else:
            check_scalar(self.alpha, "alpha", Real, min_val=0, include_boundaries="neither")
            self.alpha_ = float(self.alpha)
        self._kernel = self.train_ @ self.train_.T
        missing = np.isnan(X)
        if missing.any():
            self._complete(missing)
        self._remember_holes(missing)

    def _complete(self, missing: np.ndarray) -> None:
        """Fill the holes of the training rows, each from the other rows.

        A training row with zeros in its holes resembles itself best of all when it is imputed, and
        the zeros would come back.
        """
        filled = self.train_.copy()
        n_others = np.maximum((~missing).sum(axis=0) - 1, 1)
        for row in np.flatnonzero(missing.any(axis=1)):
            # Centred by the mean of all rows, the row would be minus the sum of the others.
            shift = -self.train_[row] / n_others
            others = np.delete(self.train_, row, axis=0)
            products = others @ shift
            kernel = np.delete(np.delete(self._kernel, row, axis=0), row, axis=1)
            kernel = kernel - products[:, None] - products + shift @ shift
            row_shifted, gaps = (self.train_[row] - shift)[None], missing[[row]]
            (predicted,) = self._predict(others - shift, kernel, row_shifted, gaps, [self.alpha_])
            filled[row, gaps[0]] = predicted[0, gaps[0]]
        self.train_ = filled
        self._kernel = filled @ filled.T

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        (predicted,) = self._predict(
            self.train_, self._kernel, (X - self._mean) / self._unit, missing, [self.alpha_]
        )
        return self._mean + self._unit * predicted

    @staticmethod
    def _predict(
        train: np.ndarray,
        kernel: np.ndarray,
        X: np.ndarray,
        missing: np.ndarray,
        alphas: Sequence[float] | np.ndarray,
    ) -> list[np.ndarray]:
        """Predict whole rows from their observed entries, once for every alpha."""
        n = len(train)
        projections = np.where(missing, 0.0, X) @ train.T
        weights = np.empty((len(alphas), *projections.shape))
        patterns, pattern_of = np.unique(missing, axis=0, return_inverse=True)
        for number, pattern in enumerate(patterns):
            rows = pattern_of == number  # rows that miss the same features share the system
            # Downdate: fewer products than building the kernel of the observed features afresh.
            lost = train[:, pattern]
            observed_kernel = kernel - lost @ lost.T
            for number_of_alpha, alpha in enumerate(alphas):
                factor = cho_factor(observed_kernel + n * alpha * np.eye(n))
                weights[number_of_alpha, rows] = cho_solve(factor, projections[rows].T).T
        return [one @ train for one in weights]

    def _choose_alpha(self, X: np.ndarray) -> float:
        """Return the alpha that best restores values held out from some of the rows."""
        parts = hold_out(X, check_random_state(self.random_state))
        if parts is None:
            return 1.0  # nothing to choose with
        kept, true, hidden = parts
        train = np.nan_to_num(kept, nan=0.0)
        missing = hidden | np.isnan(true)
        predictions = self._predict(train, train @ train.T, true, missing, _ALPHAS)
        errors = [np.abs(predicted - true)[hidden].mean() for predicted in predictions]
        return float(_ALPHAS[np.argmin(errors)])
