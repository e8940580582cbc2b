"""The conditional mean of a multivariate normal distribution, in closed form."""

from __future__ import annotations

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import StrOptions

from vaeimpute.imputers._backend import ClosedFormImputer
from vaeimpute.imputers._base import COUNT, Number, check_arguments
from vaeimpute.imputers._calibration import Calibration, calibrate, conditional_variance
from vaeimpute.imputers._covariance_systems import CovarianceSystems
from vaeimpute.imputers._kernel_systems import KernelSystems, LeftOut
from vaeimpute.imputers._pooling import predictive_variance

_ALPHAS = 10.0 ** np.arange(-2, 3.5, 0.5)
_MOST_ROWS = 200  # to choose an alpha with: each has many values
_MOST_TO_CALIBRATE = 1000  # rows: every fifth of them is predicted from the others


class GaussianImputer(ClosedFormImputer):
    """Fill missing values with their expectation given the observed ones, under a normal model.

    With standardised training rows Z of shape (n, d), the covariance is ``Z'Z/n + alpha*I``. The
    conditional mean of the missing entries m given the observed entries o of a row z is
    ``S_mo S_oo^-1 z_o``, which needs a d x d system. Since S comes from n rows, it equals ``w'Z``
    with ``w = (Z_o Z_o'/n + alpha*I)^-1 Z_o z_o / n``: an n x n system. The smaller of the two is
    solved: n is small on a genome, d on a panel.

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
    missing_values, add_indicator, keep_empty_features, min_value, max_value
        As in scikit-learn's imputers; see `BaseImputer`.

    Attributes
    ----------
    alpha_ : float
        The ridge used.
    train_ : ndarray of shape (n_train, n_features)
        The training rows, centred, in units of the root of the mean variance; missing entries are
        predicted from the other rows.

    Notes
    -----
    How the systems of all rows are solved at once is told in `vaeimpute.imputers._kernel_systems`
    and, where rows are more than features, in `vaeimpute.imputers._covariance_systems`. While alpha
    is chosen, they are solved in float32, to four digits. Memory is needed for the training rows
    and for two or three matrices of n x n or d x d.

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

    _parameter_constraints = ClosedFormImputer._parameter_constraints | {
        "alpha": [Number(Real, 0, None, closed="neither"), StrOptions({"auto"})],
    }
    _learnt: ClassVar[dict[str, str]] = {
        "train_": "nd",
        "_mean": "d",
        "_unit": "",
        "_missing": "nd",
        "alpha_": "",
    }

    def __init__(
        self,
        *,
        alpha="auto",
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
        self.alpha = alpha
        self.standardize = standardize
        self.precision = precision
        self.device = device
        self.random_state = random_state

    def _fit(self, X: np.ndarray) -> None:
        missing = np.isnan(X)
        self._mean = np.nanmean(X, axis=0) if missing.any() else X.mean(axis=0)
        X -= self._mean
        # One unit for all features, so that alpha means the same whatever they are measured in.
        self._unit = float(np.sqrt(_mean_square(X))) or 1.0
        X /= self._unit
        self.alpha_ = self._choose_alpha(X) if self.alpha == "auto" else float(self.alpha)
        X[missing] = 0.0
        self.train_ = self._complete(X, missing) if missing.any() else X
        self._missing = missing  # there is nothing to learn about errors there
        self._calibration: Calibration | None = None
        self._systems = self._systems_of(self.train_)
        self._systems.prepare()  # now, and not when the first row comes

    def _systems_of(self, train: np.ndarray) -> CovarianceSystems | KernelSystems:
        """Return the systems of the size of what there is less of, features or rows."""
        kind = KernelSystems if len(train) <= train.shape[1] else CovarianceSystems
        return kind(train, self._algebra)

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
        systems = self._systems_of(train)
        (predicted,) = systems.means(train[rows], missing[rows], ridge, left_out=left_out)
        filled = train.copy()
        filled[missing] = predicted[missing[rows]]
        return filled

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        X -= self._mean
        X /= self._unit
        ridge = np.array([self.alpha_ * len(self.train_)], X.dtype)
        (predicted,) = self._fitted_systems.means(X, missing, ridge)
        predicted *= self._unit
        predicted += self._mean
        return predicted

    @property
    def _fitted_systems(self) -> CovarianceSystems | KernelSystems:
        systems = getattr(self, "_systems", None)  # not in a file
        if systems is None or systems.algebra != self._algebra:  # of another device
            systems = self._systems = self._systems_of(self.train_)
        return systems

    def _choose_alpha(self, X: np.ndarray) -> float:
        """Return the alpha that best restores values held out from some of the rows."""
        parts = self._hold_out(X)
        if parts is None:
            return 1.0  # nothing to choose with
        kept, true, hidden = parts[0], parts[1][:_MOST_ROWS], parts[2][:_MOST_ROWS]
        # To tell which error is the smallest, predictions to four digits are enough.
        train = np.nan_to_num(kept, nan=0.0).astype(np.float32)
        true = true.astype(np.float32)
        ridges = (_ALPHAS * len(train)).astype(np.float32)
        means = self._systems_of(train).means(true, hidden | np.isnan(true), ridges, tolerance=1e-4)
        errors = [np.abs(one - true)[hidden].mean(dtype=np.float64) for one in means]
        return float(_ALPHAS[np.argmin(errors)])

    def _operations(self, n_samples: int, n_features: int) -> tuple[float, float]:
        entries, small = n_samples * n_features, min(n_samples, n_features)
        return 40.0 * small * entries + 20.0 * small**3, 200.0 * entries

    def _bytes_to_fit(self, n_samples: int, n_features: int) -> int:
        # The products of rows or features, their eigenvectors, and what it takes to find them.
        return (
            super()._bytes_to_fit(n_samples, n_features) + 4 * 8 * min(n_samples, n_features) ** 2
        )

    def predict_std(self, X):
        """Return the predictive standard deviation of every missing entry.

        The normal distribution says which share of a feature's variance the observed entries of a
        row leave open. A power of it, one per feature, is taken so that on held-out rows variances
        agree with squared errors.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the units of `X`; 0 where a value is observed. A DataFrame where `transform` returns
            one.

        Notes
        -----
        A feature's variance is that of a new value about the mean of those observed: of its own
        variance and the typical one of all features, an average by their degrees of freedom
        (Smyth 2004, *Statistical Applications in Genetics and Molecular Biology* 3:3, as limma's
        `squeezeVar`), plus that of the mean, and enlarged where Student's distribution is wider
        than the normal one. A feature that was seen once or twice thus has the variance of the
        others, and twice or half as much again. How much the other features of a row say about one
        that was seen so seldom is found by hiding as many values of features that were seen often.

        The powers are found at the first call, which therefore takes longer. They are found with
        values that are missing at random: where it is the low ones that are missing, or new rows
        are of another kind, errors are larger than this says. So are they if `alpha` is set to
        much less than "auto" chooses, and training rows have many holes. Of rows that it was fitted
        to, where a row is among those that it is predicted from, it says a little too little.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(200, 1)) + 0.1 * rng.normal(size=(200, 30))
        >>> X[0, 0] = np.nan
        >>> GaussianImputer(random_state=0).fit(X).predict_std(X)[0, :2].round(1)
        array([0.1, 0. ])
        """
        missing = np.isnan(self._validate(X))
        std, _ = self._spread(missing)
        unit = self._unit if self._scaler is None else self._unit * self._scaler.scale_
        return self._label(X, self._with_empty(std * unit, 0 * self._given_to_empty(X)))

    def sample(self, X, n_draws: int = 10) -> np.ndarray:
        """Draw several fillings of a matrix, for multiple imputation.

        The missing entries of a row are drawn together, so that features which vary together in the
        training rows do so in the draws. The spread of an entry is its `predict_std`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.
        n_draws : int

        Returns
        -------
        ndarray of shape (n_draws, n_samples, n_features)
            In the units of `X`, features in the order of the fit; observed entries are the same in
            all draws. The same draws every time if `random_state` is an integer.
        """
        check_arguments("sample", {"n_draws": [COUNT]}, n_draws=n_draws)
        values = self._validate(X).astype(np.float64, copy=False)
        missing = np.isnan(values)
        predicted = self._impute(self._scale(values), missing)
        # A draw from the normal distribution itself, without regard to the row, minus what would
        # be predicted from the observed part of it is distributed around 0 as the missing entries
        # are around their prediction.
        rng = self._generator("draws")
        n = len(self.train_)
        prior = self._fitted_systems.draws(rng, n_draws * len(values), n * self.alpha_)
        prior /= np.sqrt(n)
        prior = (self._mean + self._unit * prior).astype(self.train_.dtype, copy=False)
        error = prior - self._impute(prior.copy(), np.tile(missing, (n_draws, 1)))
        calibrated, modelled = self._spread(missing)
        scale = calibrated / np.where(missing, modelled, 1.0)
        draws = predicted + error.reshape(n_draws, *values.shape) * scale
        if self._scaler is not None:
            draws = self._scaler.inverse_transform(draws)
        filled = np.where(missing, self._bounded(draws), values)
        return self._with_empty(filled, np.nan_to_num(self._given_to_empty(X)))

    def _spread(self, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return standard deviations, in units of `train_`, as calibrated and as modelled.

        Both take a system of the size of the training rows, or of the features if these are fewer,
        for every row that misses other features.
        """
        modelled = conditional_variance(self.train_, missing, self.alpha_)
        return np.sqrt(self._calibrated.apply(modelled)), np.sqrt(modelled)

    @property
    def _calibrated(self) -> Calibration:
        calibration = getattr(self, "_calibration", None)
        if calibration is None:
            order = self._generator("calibration").permutation(len(self.train_))
            some = np.sort(order[:_MOST_TO_CALIBRATE])
            calibration = calibrate(
                self.train_[some], self._missing[some], self.alpha_,
                count=(~self._missing).sum(axis=0), variance=self._variance_about_mean(),
            )  # fmt: skip
            self._calibration = calibration
        return calibration

    def _variance_about_mean(self) -> np.ndarray:
        """Return that of a new value about the mean of the observed ones, in units of `train_`."""
        observed = ~self._missing
        squares = np.where(observed, np.square(self.train_, dtype=np.float64), 0.0).sum(axis=0)
        # Pooled in the units of the input: a feature that was seen once has no other.
        unit = np.square(1.0 if self._scaler is None else self._scaler.scale_)
        return predictive_variance(squares * unit, observed.sum(axis=0)) / unit


def _mean_square(X: np.ndarray) -> float:
    """Return the mean over features of their mean squares, NaN left out."""
    observed = ~np.isnan(X)
    if observed.all():
        return np.einsum("ij,ij->", X, X) / X.size
    squares = np.where(observed, X * X, 0.0).sum(axis=0)
    return float(np.mean(squares / observed.sum(axis=0)))
