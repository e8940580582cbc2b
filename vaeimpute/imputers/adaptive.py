"""The recommended imputer: a conditional Gaussian that adapts itself to a matrix, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field, fields
from functools import partial
from hashlib import blake2b
from itertools import chain, product
from numbers import Integral, Real

import numpy as np
from scipy.special import ndtri
from sklearn.utils._param_validation import StrOptions

from vaeimpute.imputers._adaptive_ridge import Gain
from vaeimpute.imputers._base import COUNT, BaseImputer, Number, check_arguments
from vaeimpute.imputers._mechanism import Predicted, Scale, find_curve
from vaeimpute.imputers._moments import Moments, Scaler
from vaeimpute.imputers._ranks import RankToNormal
from vaeimpute.imputers._scale_models import Penalties, ScaleModel, distribution, expect
from vaeimpute.imputers.detection import DetectionCurve, Errors, Units
from vaeimpute.imputers.gaussian import GaussianImputer
from vaeimpute.missingness import hide
from vaeimpute.seeding import generator, integer

_FOLDS = 5
_FEWEST = 100  # missing values that say how they were lost
_OF_CURVE = [one.name for one in fields(DetectionCurve) if one.name != "errors"]
_MOST_ROWS = 200  # to choose with: each has many values
_MOST_FEATURES = 300  # to choose with
_MOST_TO_CALIBRATE = 60  # rows: each takes systems of its own
_CLEARLY = 0.998  # of the error of two predictions' mean, which is the safer choice
_HAIR = 1e-5  # standard deviations
_PRIOR_ERRORS = 50  # of a size as modelled, to which those of all rows are added
_RIDGES = (0.05, 0.5, 2.0, 5.0)
_GAINS = [Gain(0.3, 5), Gain(1.0, 3), Gain(4.0, 3), Gain(4.0, 5)]
# Of a normal distribution, for the mean of a square: exact for polynomials up to degree 17.
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


@dataclass(frozen=True, eq=False)
class _Trial:
    """Rows to learn from and others, to try on, in standard deviations; NaN where missing.

    Attributes
    ----------
    kept : ndarray of shape (n_kept, n_features)
    gappy : ndarray of shape (n_held_out, n_features)
        With some values hidden.
    whole : ndarray of that shape
        Without hidden ones.
    known : boolean ndarray of shape (n_all_features,)
        Which features have a value in the rows to learn from.
    features : integer ndarray of shape (n_tried,)
        Those that are tried.
    true : ndarray of shape (n_held_out, n_tried)
    hidden : boolean ndarray of that shape
    models : dict of bool to ScaleModel
        Fitted to the rows to learn from, by rank or not, as they are asked for.
    """

    kept: np.ndarray
    gappy: np.ndarray
    whole: np.ndarray
    known: np.ndarray
    features: np.ndarray
    true: np.ndarray
    hidden: np.ndarray
    models: dict[bool, ScaleModel] = field(default_factory=dict)


def _n_trials(n_samples: int) -> int:
    return int(np.clip(_FOLDS * _MOST_ROWS // n_samples, 1, _FOLDS))


def _fingerprints(X: np.ndarray) -> np.ndarray:
    """Return a number for each row, by which it is known again."""
    rows = np.where(np.isnan(X), np.nan, X)  # which is not always the same to the bit
    digests = [blake2b(row.tobytes(), digest_size=8).digest() for row in rows]
    return np.frombuffer(b"".join(digests), dtype=np.uint64)


class AdaptiveImputer(BaseImputer):
    """Fill missing values by what a conditional Gaussian says, on the scale on which it errs least.

    Three things are added to `GaussianImputer`, each of which can be switched off. Features that
    are far from normal are predicted by rank. Every feature is predicted anew from the filled rows,
    with smaller penalties for the features that it correlates with most. What is best for a matrix
    is chosen on values that are held out from its rows.

    Parameters
    ----------
    marginals : {"auto", "values", "ranks", "both"}
        The scale that features are predicted on: the values, for features that are about normal,
        the normal scores of their ranks, or the mean of both predictions. "auto" chooses.
    refine : bool
        Predict every feature anew, by `vaeimpute.imputers._adaptive_ridge.AdaptiveRidge`, if that
        is better.
    mechanism : {"auto", "mcar", "curve"}
        How values are lost: by a detection curve, if one explains which are missing clearly better
        than chance; completely at random; or by such a curve in any case. It is found from the
        training rows or, if less than 100 of their values are missing, from the rows to fill.
    precision : {"float64", "float32"}
        Of the products.
    random_state : int, Generator or None
        For what is held out, and for `sample`.
    missing_values, add_indicator, keep_empty_features, min_value, max_value
        As in scikit-learn's imputers; see `BaseImputer`.

    Attributes
    ----------
    marginals_ : str
        Those used.
    errors_ : dict of str to float
        Mean absolute errors on held-out values, in standard deviations: of the Gaussian on the
        values, and of what was compared with it.
    widening_ : float
        What standard deviations are multiplied with so that on held-out values 1.96 of them hold
        95 % of the errors.

    curve_ : DetectionCurve or None
        What is known from the training rows of how values are lost.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 1)) * [1.0, 2.0]  # the second feature is twice the first
    >>> AdaptiveImputer(random_state=0).fit(X).transform([[0.5, np.nan]]).round(1)
    array([[0.5, 1. ]])
    """

    standardize = True  # not a choice: what features share assumes it
    _parameter_constraints = BaseImputer._parameter_constraints | {
        "marginals": [StrOptions({"auto", "values", "ranks", "both"})],
        "refine": ["boolean"],
        "mechanism": [StrOptions({"auto", "mcar", "curve"})],
        "precision": [StrOptions({"float64", "float32"})],
    }
    _scaler: Scaler

    def __init__(
        self,
        *,
        marginals="auto",
        refine=True,
        mechanism="auto",
        precision="float64",
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
        self.marginals = marginals
        self.refine = refine
        self.mechanism = mechanism
        self.precision = precision
        self.random_state = random_state

    @property
    def _dtype(self) -> type[np.floating]:
        return np.dtype(self.precision).type

    def _new_gaussian(self, alpha: float | str = "auto") -> GaussianImputer:
        seed = integer(self.random_state, "Gaussian")
        return GaussianImputer(
            alpha=alpha, standardize=False, precision=self.precision, random_state=seed
        )

    def _fit(self, X: np.ndarray) -> None:
        kinds = ("values", "ranks") if self.marginals in ("auto", "both") else (self.marginals,)
        models = {
            kind: ScaleModel.fit(X, self._new_gaussian(), by_rank=kind == "ranks") for kind in kinds
        }
        self._rows = _fingerprints(X)
        trials = list(self._trials(X))
        true, predictions = self._predict_held_out(trials, models)

        def error(predicted: np.ndarray) -> float:
            return float(np.abs(predicted - true).mean()) if len(true) else np.nan

        best = {}
        for kind in kinds:
            errors = [error(one) for one in predictions[kind].values()]
            best[kind] = list(predictions[kind].items())[int(np.argmin(errors))]
        self.errors_ = {f"{kind}, not refined": error(predictions[kind][None]) for kind in kinds}
        self.errors_ |= {kind: error(predicted) for kind, (_, predicted) in best.items()}
        if len(kinds) == 2:
            mean = (best["values"][1] + best["ranks"][1]) / 2
            self.errors_["both"] = error(mean)
        self.marginals_ = self.marginals
        if self.marginals == "auto":
            single = min(kinds, key=self.errors_.__getitem__)
            better = self.errors_[single] < _CLEARLY * self.errors_["both"]
            self.marginals_ = single if better else "both"
        everything = np.arange(X.shape[1])
        self._models = [
            models[kind].refined(penalties, everything)
            for kind, (penalties, _) in best.items()
            if self.marginals_ in (kind, "both")
        ]
        self.widening_ = self._calibrate(trials)
        self.curve_ = self._detect_at_fit(X, trials)

    @property
    def report_(self) -> str:
        """What was chosen, and why, in words."""
        scale = {
            "values": "the values",
            "ranks": "the normal scores of ranks",
            "both": "the values and on the normal scores of ranks, averaged",
        }[self.marginals_]
        refined = [model.penalties is not None for model in self._models]
        how = "refined" if all(refined) else "partly refined" if any(refined) else "not refined"
        if np.isnan(list(self.errors_.values())).any():
            return f"Predicted on {scale}, {how}: too few values to compare."
        errors = ", ".join(f"{name} {error:.3f}" for name, error in self.errors_.items())
        return (
            f"Predicted on {scale}, {how}. Errors on held-out values, in standard deviations: "
            f"{errors}. Standard deviations are multiplied by {self.widening_:.2f}."
        )

    def _operations(self, n_samples: int, n_features: int) -> tuple[float, float]:
        gaussian = self._new_gaussian()._operations(n_samples, n_features)
        small, n_around = min(n_samples, n_features), min(101, n_features)
        regressions = n_features * (2.0 * small * n_around * (n_around + 2) + n_around**3)
        pairs = 2.0 * n_features * n_samples * n_features
        # Both scales, and trials of them.
        return 5 * gaussian[0] + 4 * (regressions + pairs), 5 * gaussian[1]

    def _bytes_to_fit(self, n_samples: int, n_features: int) -> int:
        ranks_and_axes = 6 * 8 * n_samples * n_features
        gaussians = 2 * self._new_gaussian()._bytes_to_fit(n_samples, n_features)
        return gaussians + (1 + _n_trials(n_samples)) * ranks_and_axes

    def _predict_held_out(
        self, trials: list[_Trial], models: dict[str, ScaleModel]
    ) -> tuple[np.ndarray, dict[str, dict[Penalties | None, np.ndarray]]]:
        """Hide a tenth of some rows, and predict some features from the other rows.

        Returns
        -------
        true : ndarray of shape (n_hidden,)
            In standard deviations.
        predictions : dict
            Of each scale, for all penalties and for none, arrays of that shape.
        """
        refine = self.refine and self._n_known > 1
        ridges = {
            kind: one.ridge.distinct(_RIDGES) if refine else [] for kind, one in models.items()
        }
        penalties = {
            kind: [Penalties(*both) for both in product(ridges[kind], _GAINS)] for kind in models
        }
        true: list[np.ndarray] = [np.zeros(0)]
        found: dict[str, dict] = {
            kind: {key: [np.zeros(0)] for key in (None, *penalties[kind])} for kind in models
        }
        for trial in trials:
            features, hidden = trial.features, trial.hidden
            true.append(trial.true[hidden])
            for kind, whole in models.items():
                model = self._retry(trial, whole)
                filled = model.gaussian.transform(model.forward(trial.gappy))
                found[kind][None].append(model.backward(filled[:, features], features)[hidden])
                if not refine:
                    continue
                around = model.ridge.neighbourhoods(features, _GAINS)
                fits = chain.from_iterable(model.ridge.fit(around, one) for one in ridges[kind])
                for penalty, one in zip(penalties[kind], fits, strict=True):
                    predicted = model.backward(model.regress(one, filled), features)
                    found[kind][penalty].append(predicted[hidden])
        return np.concatenate(true), {
            kind: {key: np.concatenate(parts) for key, parts in by_penalty.items()}
            for kind, by_penalty in found.items()
        }

    def _trials(self, X: np.ndarray) -> Iterator[_Trial]:
        """Hold some rows out after others, up to all of them; hide a tenth of their values."""
        rng = self._generator("held-out values")
        order = rng.permutation(len(X))
        for fold in range(_n_trials(len(X))):
            rows = order[fold::_FOLDS][:_MOST_ROWS]
            kept = np.delete(X, rows, axis=0)
            known = ~np.isnan(kept).all(axis=0)
            true = X[np.ix_(rows, known)]
            hidden = hide(~np.isnan(true), 0.1, rng)
            if hidden.any():
                features = np.sort(rng.permutation(known.sum())[:_MOST_FEATURES])
                gappy = np.where(hidden, np.nan, true)
                tried = true[:, features], hidden[:, features]
                yield _Trial(kept[:, known], gappy, true, known, features, *tried)

    def _retry(self, trial: _Trial, model: ScaleModel) -> ScaleModel:
        """Fit a model like another one to the rows that a trial keeps, once."""
        by_rank = model.ranks is not None
        if by_rank not in trial.models:
            gaussian = self._new_gaussian(model.gaussian.alpha_)
            trial.models[by_rank] = ScaleModel.fit(trial.kept, gaussian, by_rank=by_rank)
        return trial.models[by_rank]

    def _calibrate(self, trials: list[_Trial]) -> float:
        """Return what standard deviations are to be multiplied with.

        They are so many that 1.96 of them hold 95 % of the errors on held-out values.
        """
        errors, n_rows = [np.zeros(0)], 0
        for trial in trials:
            models = self._refitted(trial)._models
            few = slice(_MOST_TO_CALIBRATE)
            mean, std = distribution(models, trial.gappy[few])
            scale, hidden, features = models[-1], trial.hidden[few], trial.features
            off = scale.forward(trial.true[few], features) - mean[:, features]
            hidden = hidden & (std[:, features] > 0)
            errors.append(np.abs(off[hidden] / std[:, features][hidden]))
            n_rows += len(hidden)
            if n_rows >= _MOST_TO_CALIBRATE:
                break
        every = np.concatenate(errors)
        needed = np.quantile(every, 0.95) / ndtri(0.975) if len(every) else 1.0
        return float((needed * len(every) + _PRIOR_ERRORS) / (len(every) + _PRIOR_ERRORS))

    def _needed(self, gaps: np.ndarray) -> np.ndarray:
        return np.ones(len(gaps), dtype=bool)  # whole ones say how much is lost

    def _impute(self, X: np.ndarray, missing: np.ndarray) -> np.ndarray:
        X = np.where(missing, np.nan, X)
        curve, gappy = self._curve_for(X), missing.any(axis=1)
        if curve is None:
            X[gappy] = expect(self._models, X[gappy])
        else:
            X[gappy] = self._predict(X[gappy], curve).at(0.0)
        return X

    def _predict(self, X: np.ndarray, curve: DetectionCurve | None) -> Predicted:
        """Return distributions of what is missing in rows in standard deviations."""
        fitted = np.isin(_fingerprints(X), self._rows)
        mean, std = distribution(self._models, X, fitted)
        model = self._models[-1]
        units: Units = "deviations" if model.ranks is None else "scores"
        scale = Scale(model.forward, model.backward, self._scaler, units)
        return Predicted(mean, std * self.widening_, scale, curve)

    def _curve_for(self, X: np.ndarray) -> DetectionCurve | None:
        """Return the curve to correct rows by, if there is one, which are in deviations."""
        if self.mechanism == "mcar":
            return None
        curve = self.curve_
        if curve is None:  # nothing, or little, was missing in the training rows
            curve = self._find_curve([(X, self)])
        if curve is None or not (curve.lost and (curve.believed or self.mechanism == "curve")):
            return None
        return curve

    def detect(self, X) -> DetectionCurve | None:
        """Say how the values of rows were lost that the imputer was not fitted to.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.

        Returns
        -------
        DetectionCurve or None
            None if nothing is missing.
        """
        return self._find_curve([(self._scale(self._validate(X)), self)])

    def _find_curve(
        self, batches: Iterable[tuple[np.ndarray, AdaptiveImputer]]
    ) -> DetectionCurve | None:
        """Find it from rows in standard deviations, with imputers that were not fitted to them."""
        # The same every time that rows are filled, whatever the random state.
        seeded = isinstance(self.random_state, Integral)
        rng = generator(self.random_state if seeded else 0, type(self).__name__, "detection")
        return find_curve(((X, partial(one._predict, curve=None)) for X, one in batches), rng)

    def _detect_at_fit(self, X: np.ndarray, trials: list[_Trial]) -> DetectionCurve | None:
        """Find the curve by which values of the training rows were lost.

        Some are held out, since of a row that it was fitted to a model knows the values.
        """
        if self.mechanism == "mcar" or np.isnan(X).sum() < _FEWEST:
            return None
        return self._find_curve((trial.whole, self._refitted(trial)) for trial in trials)

    def _refitted(self, trial: _Trial) -> AdaptiveImputer:
        """Return one like this that has learnt from the rows that a trial keeps.

        It refines what it says of the features that are tried.
        """
        like = copy(self)
        like._models = [
            self._retry(trial, model).refined(model.penalties, trial.features)
            for model in self._models
        ]
        like._scaler = Scaler(*(one[trial.known] for one in self._scaler))
        like._rows = np.zeros(0, dtype=np.uint64)  # held out rows are not among those it learnt
        return like

    def predict_std(self, X):
        """Return the predictive standard deviation of every missing entry.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            In the units of `X`; 0 where a value is observed. A DataFrame where `transform` returns
            one.
        """
        scaled = self._scale(self._validate(X))
        predicted = self._predict(scaled, self._curve_for(scaled))
        mean = square = 0.0
        for node, weight in zip(_NODES, _WEIGHTS / _WEIGHTS.sum(), strict=True):
            value = predicted.at(node)
            mean, square = mean + weight * value, square + weight * np.square(value)
        std = np.sqrt(np.maximum(square - np.square(mean), 0.0)) * self._scaler.scale_
        std[~np.isnan(scaled)] = 0.0
        return self._label(X, self._with_empty(std, 0 * self._given_to_empty(X)))

    def predict_interval(self, X, level: float = 0.95) -> tuple:
        """Return the bounds between which a missing entry lies with a given probability.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            NaN means missing.
        level : float
            That probability, below 1.

        Returns
        -------
        low, high : ndarray of shape (n_samples, n_features)
            In the units of `X`; the value itself where it is observed. DataFrames where `transform`
            returns one.
        """
        check_arguments(
            "predict_interval", {"level": [Number(Real, 0, 1, closed="neither")]}, level=level
        )
        values = self._validate(X)
        scaled = self._scale(values)
        predicted = self._predict(scaled, self._curve_for(scaled))
        reach, of_empty = ndtri((1 + level) / 2), self._given_to_empty(X)
        bounds = []
        for sign in (-1, 1):
            bound = predicted.at(sign * reach)
            bound += sign * _HAIR  # rounding must not leave out the 0 that is a feature's least
            bound = self._bounded(self._scaler.inverse_transform(bound), slice(None))
            bound = np.where(np.isnan(values), bound, values)
            bounds.append(self._label(X, self._with_empty(bound, of_empty)))
        return tuple(bounds)

    def sample(self, X, n_draws: int = 10) -> np.ndarray:
        """Draw several fillings of a matrix, for multiple imputation.

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
        values = self._validate(X)
        X_scaled, scale = self._scale(values), self._models[-1]
        # Drawn about what this Gaussian expects, with the spread that it expects.
        own = scale.forward(X_scaled)
        predicted = self._predict(X_scaled, self._curve_for(X_scaled))
        modelled = np.where(np.isnan(values), scale.gaussian.predict_std(own), 1.0)
        error = scale.gaussian.sample(own, n_draws) - scale.gaussian.transform(own)
        scores = error / np.where(modelled > 0, modelled, 1.0)
        draws = np.array([predicted.at(score) for score in scores])
        draws = self._bounded(self._scaler.inverse_transform(draws), slice(None))
        filled = np.where(np.isnan(values), draws, values)
        return self._with_empty(filled, np.nan_to_num(self._given_to_empty(X)))

    def _to_arrays(self) -> tuple[dict[str, np.ndarray], dict]:
        arrays = {"rows": self._rows}
        penalties = []
        for number, model in enumerate(self._models):
            learnt = dict(model.gaussian._to_arrays()[0])
            if model.ranks is not None:
                learnt["values"] = model.ranks.values
            if model.regressions is not None:
                learnt["members"] = model.regressions.members
                learnt["coefficients"] = model.regressions.coefficients
            arrays |= {f"{number}.{name}": array for name, array in learnt.items()}
            penalties.append(model.penalties)
        curve = None
        if self.curve_ is not None:
            curve = {key: value for key, value in vars(self.curve_).items() if key in _OF_CURVE}
            arrays["curve.limits"] = self.curve_.errors.limits
            arrays["curve.masses"] = self.curve_.errors.masses
        return arrays, {
            "marginals": self.marginals_, "errors": self.errors_, "penalties": penalties,
            "widening": self.widening_, "curve": curve,
        }  # fmt: skip

    def _from_arrays(self, arrays: dict[str, np.ndarray], summary: dict) -> None:
        self.marginals_, self.errors_ = summary["marginals"], summary["errors"]
        self.widening_, self.curve_ = summary["widening"], None
        self._rows = arrays["rows"]
        if summary["curve"] is not None:
            errors = Errors(arrays["curve.limits"], arrays["curve.masses"])
            self.curve_ = DetectionCurve(**summary["curve"], errors=errors)
        self._models = []
        for number, penalties in enumerate(summary["penalties"]):
            prefix = f"{number}."
            learnt = {
                name.removeprefix(prefix): array
                for name, array in arrays.items()
                if name.startswith(prefix)
            }
            ranks = RankToNormal.from_sorted(learnt["values"]) if "values" in learnt else None
            model = ScaleModel(ranks, self._restore_gaussian(learnt))
            if penalties is not None:
                ridge, gain = penalties
                known = learnt["members"], learnt["coefficients"]
                regressions = model.ridge.regressions(ridge, *known)
                penalties = Penalties(ridge, Gain(*gain))
                model = model.with_(penalties, regressions)
            self._models.append(model)

    def _restore_gaussian(self, learnt: dict[str, np.ndarray]) -> GaussianImputer:
        gaussian, nothing = self._new_gaussian(), np.zeros(self._n_known)
        gaussian.n_features_in_ = len(nothing)
        gaussian._remember(Moments(nothing, nothing, nothing), nothing + 1, 1)
        gaussian._from_arrays(learnt, {})
        gaussian._is_fitted = True
        return gaussian
