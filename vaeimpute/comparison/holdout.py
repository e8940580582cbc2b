"""Methods compared on values that are hidden from a matrix of one's own."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import clone
from tqdm import tqdm

from vaeimpute.evaluation import mean_absolute_error, root_mean_squared_error
from vaeimpute.exceptions import NothingToHideError, duration
from vaeimpute.files import machine_memory
from vaeimpute.imputers._base import BaseImputer
from vaeimpute.missingness import Drawn, hide
from vaeimpute.seeding import generator
from vaeimpute.tables.transforms import Scale

logger = logging.getLogger(__name__)

#: Above these, methods are compared on a part: fits take long, and it is enough to rank them.
MOST_SAMPLES, MOST_FEATURES = 500, 5000
#: A method that takes longer, or more memory than there is, is no choice where others do not.
MOST_SECONDS = 120
_FEW_MISSING = 50  # fewer show no pattern
_FEW_HIDDEN = 20  # on fewer, the order of methods is chance
# What numbers can do to a method: a matrix that has no decomposition, a training that diverges, a
# device without memory, an error that is not finite.
_FAILURES = (ArithmeticError, RuntimeError, ValueError)


@dataclass(frozen=True)
class HoldOut:
    """A way of hiding values of a user's matrix.

    Attributes
    ----------
    words : str
        What is hidden.
    fraction, drawn
        Share of the eligible values, and how it is drawn: see `vaeimpute.missingness.hide`.
    samples : float
        Share of the samples, drawn at random, that lose values.
    below : float
        Quantile of all values, in standard deviations of their features, below which a value is
        eligible.
    """

    words: str
    fraction: float
    drawn: Drawn = "among all"  # of every sample, one with few values would lose none
    samples: float = 1.0
    below: float = 1.0


#: By the name that the command line knows.
HOLD_OUTS = {
    "random": HoldOut("10 % of the observed values, at random", 0.1),
    "features": HoldOut(
        "a quarter of the features, each of them whole, in a fifth of the samples",
        0.25, drawn="by feature", samples=0.2,
    ),
    "low": HoldOut(
        "half of the values below the 10 % quantile (of values in standard deviations of their "
        "features)",
        0.5, below=0.1,
    ),
}  # fmt: skip


def guess_scenario(values: pd.DataFrame) -> tuple[str, str]:
    """Say which way of losing values resembles what is missing in a matrix, and why.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    key : str
        Of `HOLD_OUTS`.
    reason : str

    Notes
    -----
    Whole features are missing if at least half of the missing values are in features that lack
    exactly the same three or more samples as another one, as happens where a part of the samples
    was measured on another platform. Low values are missing if features of lower values miss more
    of them (rank correlation below -0.3, p < 0.001). What depends on the values themselves in
    another way leaves no trace in those that are left: who knows of it has to say so.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(40, 30)) + np.arange(30)
    >>> guess_scenario(pd.DataFrame(np.where(rng.random((40, 30)) < 0.1, np.nan, values)))[0]
    'random'
    >>> guess_scenario(pd.DataFrame(np.where(values < 5, np.nan, values)))[0]
    'low'
    >>> values[:9, 10:20] = np.nan
    >>> guess_scenario(pd.DataFrame(values))[0]
    'features'
    """
    values = values.loc[:, values.notna().any()]  # nobody can impute the others
    missing = values.isna().to_numpy()
    n_missing = int(missing.sum())
    if n_missing < _FEW_MISSING:
        return "random", f"{n_missing} missing values are too few to show a pattern"
    counts = missing.sum(axis=0)
    shared = _share_in_blocks(missing, counts)
    if shared >= 0.5:
        return "features", (
            f"{100 * shared:.0f} % of the missing values are in features that are missing in the "
            "same samples as others"
        )
    some = (counts > 0) | (counts.min() == 0)
    means = np.nanmean(values.to_numpy(dtype=np.float64)[:, some], axis=0)
    if some.sum() >= 10 and np.ptp(counts[some]) > 0 and np.ptp(means) > 0:
        correlation, p = stats.spearmanr(means, counts[some])
        if correlation < -0.3 and p < 0.001:
            if not _low(values, HOLD_OUTS["low"].below).any():  # ties, as in counts of many zeros
                return "random", "low values, which are missing, are too many alike to be hidden"
            return "low", (
                f"features of lower values miss more of them (rank correlation {correlation:.2f})"
            )
    return "random", "the missing values show no pattern"


def _share_in_blocks(missing: np.ndarray, counts: np.ndarray) -> float:
    """Share of the missing values in features that miss the same samples as another one."""
    candidates = np.flatnonzero(counts >= 3)
    if not len(candidates):
        return 0.0
    patterns = np.packbits(missing[:, candidates], axis=0)
    _, which, repeats = np.unique(patterns, axis=1, return_inverse=True, return_counts=True)
    return float(counts[candidates][repeats[which.ravel()] > 1].sum() / counts.sum())


@dataclass(frozen=True, eq=False)
class Comparison:
    """How well methods restore values that were hidden.

    Attributes
    ----------
    table : DataFrame
        One row per method and trial: ``cohort, scenario, trial, method, mae, rmse, n_missing,
        seconds, fit_seconds``. Errors are in standard deviations of the features.
    residuals : dict of str to DataFrame
        By method, in the order in which they were given: one row per hidden value, with its
        ``sample`` and ``feature`` (positions), the ``error`` (imputed minus true) and the
        predictive ``std`` (NaN if there is none), both in standard deviations of the feature.
    features : Index
    hidden : str
        What was hidden, of how many samples and features if not of all, and why.
    """

    table: pd.DataFrame
    residuals: dict[str, pd.DataFrame]
    features: pd.Index
    hidden: str

    @property
    def scenario(self) -> str:
        """Key of the way in which values were hidden."""
        return self.table["scenario"].iloc[0]

    @property
    def summary(self) -> pd.DataFrame:
        """Mean ``mae, rmse, seconds, fit_seconds`` by method, the smallest error first."""
        columns = ["mae", "rmse", "seconds", "fit_seconds"]
        means = self.table.groupby("method", sort=False)[columns].mean()
        return means.sort_values("mae", kind="stable")

    @property
    def ranking(self) -> pd.Series:
        """Mean absolute error by method, over all trials, the smallest first."""
        return self.summary["mae"]

    @property
    def best(self) -> str:
        """The method of the smallest error."""
        return str(self.ranking.index[0])

    def margin(self, method: str, other: str) -> tuple[float, float]:
        """Return by how much one method errs less than another, and the standard error of that.

        Values of one sample stand or fall together, so the standard error is that of the samples'
        means.

        Parameters
        ----------
        method, other : str

        Returns
        -------
        difference : float
            Mean over samples of the absolute error of `other` minus that of `method`.
        standard_error : float
            NaN for a single sample.
        """
        ours, theirs = self.residuals[method], self.residuals[other]
        differences = theirs["error"].abs() - ours["error"].abs()
        by_sample = differences.groupby(ours["sample"]).mean()
        return float(by_sample.mean()), float(by_sample.sem())

    def within_noise(self, method: str | None = None) -> list[str]:
        """Return the methods whose error is no more than two standard errors above another's.

        Parameters
        ----------
        method : str, optional
            That other one; the best if it is not given, which is not among them itself.

        Returns
        -------
        list of str
            In the order in which the methods were given.
        """
        method = self.best if method is None else method
        margins = {other: self.margin(method, other) for other in self.residuals if other != method}
        return [other for other, (less, noise) in margins.items() if not less > 2 * noise]

    def preferred(self, among: Collection[str] | None = None) -> str:
        """Return the first, in the order given, of the methods that equal the best within noise.

        Parameters
        ----------
        among : collection of str, optional
            The methods that can be taken; all if not given.

        Returns
        -------
        str
        """
        able = [name for name in self.ranking.index if among is None or name in among]
        equal = {able[0], *self.within_noise(able[0])}
        return next(name for name in self.residuals if name in able and name in equal)

    def errors_per_feature(self, method: str) -> pd.DataFrame:
        """Return the mean absolute error of every feature that lost values, the largest first.

        Parameters
        ----------
        method : str

        Returns
        -------
        DataFrame
            Indexed by feature: ``mae``, in standard deviations, and ``n_hidden``.
        """
        errors = self.residuals[method].set_index("feature")["error"].abs().groupby("feature")
        table = errors.agg(mae="mean", n_hidden="size")
        table.index = self.features[table.index]
        return table.sort_values("mae", ascending=False, kind="stable")

    def standardized_residuals(self, method: str) -> np.ndarray | None:
        """Return the errors over the predictive standard deviations, None if there are none.

        Parameters
        ----------
        method : str

        Returns
        -------
        ndarray of shape (n_hidden,) or None
        """
        residuals = self.residuals[method]
        if residuals["std"].isna().any():
            return None
        # A feature without any spread is restored without any error.
        return (residuals["error"] / residuals["std"].clip(lower=1e-12)).to_numpy()

    def describe(self) -> str:
        """Say which method is best, by how much, and how sure that is."""
        best, error = self.best, self.ranking.iloc[0]
        others = "; ".join(f"{name} {value:.3f}" for name, value in self.ranking.iloc[1:].items())
        words = f"{best} errs least on hidden values: {error:.3f} standard deviations"
        words += f" ({others})." if others else "."
        if close := self.within_noise():
            verb = "is" if len(close) == 1 else "are"
            words += f" {'; '.join(close)} {verb} no worse within the noise."
        return words


def compare_on(
    values: pd.DataFrame,
    imputers: Mapping[str, BaseImputer],
    scenario: str = "auto",
    *,
    scales: Mapping[str, Scale] | None = None,
    n_trials: int = 1,
    seed: int = 0,
    whole: bool = False,
    with_std: bool = False,
    progress: bool = False,
) -> Comparison:
    """Hide values of a matrix, let every method fill the rest from what is left, and compare.

    Each method is fitted to the whole matrix with its missing values, as it is when the matrix is
    imputed; no row is set apart.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
        NaN means missing. Every feature has a value.
    imputers : mapping of str to imputer
        By the name that they get in the table, the simplest first. Not changed.
    scenario : str
        Key of `HOLD_OUTS`: what is hidden; "auto" for what `guess_scenario` says.
    scales : mapping of str to Scale, optional
        By the name of a method, the scale that it works on, if that is another one than that of the
        values. Errors are in any case those of the values.
    n_trials : int
        Times that values are hidden anew.
    seed : int
        Root of what is hidden.
    whole : bool
        Do not leave it at a part, drawn at random, of a matrix of more than `MOST_SAMPLES` or
        `MOST_FEATURES`.
    with_std : bool
        Ask the methods that have them for predictive standard deviations.
    progress : bool

    Returns
    -------
    Comparison

    Raises
    ------
    NothingToHideError
        If no value can be hidden.
    ValueError
        If the scenario does not apply to these values.
    RuntimeError
        If no method works. One that fails is left out, with a warning.

    Examples
    --------
    >>> from vaeimpute.imputers import KNNImputer, MeanImputer
    >>> rng = np.random.default_rng(0)
    >>> values = pd.DataFrame(rng.normal(size=(60, 2)) @ rng.normal(size=(2, 20)))
    >>> found = compare_on(values, {"mean": MeanImputer(), "KNN": KNNImputer()}, "random")
    >>> found.best, found.within_noise()
    ('KNN', [])
    """
    shape = values.shape
    if not whole:
        values = _part(values, seed)
    scenario, reason = guess_scenario(values) if scenario == "auto" else (scenario, "as asked for")
    on = "" if values.shape == shape else " of {} samples x {} features of it".format(*values.shape)
    hidden = f"To compare methods, hid {HOLD_OUTS[scenario].words}{on}; {reason}."
    masks = [draw_mask(values, scenario, seed, trial) for trial in range(n_trials)]
    logger.info(hidden)
    rows: list[dict] = []
    residuals: dict[str, pd.DataFrame] = {}
    bar = tqdm(total=n_trials * len(imputers), disable=not progress, desc="comparing", leave=False)
    with bar:
        for name, imputer in imputers.items():
            bar.set_postfix_str(name)
            scores, parts = [], []
            try:
                for trial, mask in enumerate(masks):
                    scale = (scales or {}).get(name, Scale())
                    part, score = _restore(values, mask, imputer, scale, with_std)
                    where = {"cohort": "own", "scenario": scenario, "trial": trial, "method": name}
                    scores.append(where | score)
                    parts.append(part)
                    logger.debug("trial %d, %s: %.1f s to fit", trial, name, score["fit_seconds"])
                    bar.update()
            except _FAILURES as error:
                if len(imputers) == 1:
                    raise
                logger.warning("%s fails on this matrix and is left out: %s", name, error)
            else:
                rows += scores
                residuals[name] = pd.concat(parts, ignore_index=True)
    if not residuals:
        raise RuntimeError("No method works on this matrix; the warnings say why.")
    return Comparison(pd.DataFrame(rows), residuals, values.columns, hidden)


def choose(
    values: pd.DataFrame,
    imputers: Mapping[str, BaseImputer],
    *,
    among: Sequence[str] | None = None,
    compare: bool = False,
    **options: Any,
) -> tuple[str, Comparison | None]:
    """Compare methods on hidden values of a matrix, and take the simplest of those that do best.

    Parameters
    ----------
    values, imputers
        As for `compare_on`.
    among : sequence of str, optional
        The methods that can be taken; all if not given. Those that would take minutes for the whole
        matrix, or more memory than the machine has, are left out where others would not, and a
        message says so.
    compare : bool
        Compare even if there is but one to take.
    **options
        Of `compare_on`.

    Returns
    -------
    method : str
        KNN, if that can be taken, where there are too few values for a choice: it stays among
        values that were observed.
    comparison : Comparison or None
        None if nothing was compared, or no value can be hidden.
    """
    among = list(imputers) if among is None else among
    imputers, among = _quick(imputers, among, values.shape)
    usual = "KNN" if "KNN" in among else among[0]
    if len(among) == 1 and not compare:
        return usual, None
    few = "There are too few values to %s; took %s."
    try:
        found = compare_on(values, imputers, **options)
    except NothingToHideError:
        logger.warning(few, "hide any", usual)
        return usual, None
    able = [name for name in among if name in found.residuals]
    if len(among) == 1 or not able:
        return usual, found
    if len(found.residuals[able[0]]) < _FEW_HIDDEN:
        logger.warning(few, "compare methods on", usual)
        return usual, found
    chosen = found.preferred(able)
    simplest = chosen != next(name for name in found.ranking.index if name in able)
    logger.info(found.describe() + (f" Of equals, took the simplest: {chosen}." * simplest))
    return chosen, found


def too_much(imputer: BaseImputer, shape: tuple[int, int]) -> str | None:
    """Say what a method takes for a matrix, if that is more than a machine or a user can wait for.

    Parameters
    ----------
    imputer : imputer
    shape : tuple
        Samples and features.

    Returns
    -------
    str or None
    """
    seconds, memory = imputer.expected_seconds(*shape), machine_memory()
    needed = imputer._bytes_to_fit(*shape)
    if needed > memory:
        return f"about {needed / 1e9:.2g} GB of the machine's {memory / 1e9:.2g}"
    return f"about {duration(seconds)}" if seconds > MOST_SECONDS else None


def _quick(
    imputers: Mapping[str, BaseImputer], among: Sequence[str], shape: tuple[int, int]
) -> tuple[Mapping[str, BaseImputer], Sequence[str]]:
    """Leave out what takes too long or too much memory for a matrix, if others do not."""
    on = "{} samples x {} features".format(*shape)
    slow = {name: much for name in among if (much := too_much(imputers[name], shape))}
    if slow and len(slow) < len(among):
        words = "; ".join(f"{name}, {much}" for name, much in slow.items())
        logger.info(f"Left out, because of what they take on {on}: {words}. Name one to have it.")
        imputers = {name: imputer for name, imputer in imputers.items() if name not in slow}
        return imputers, [name for name in among if name not in slow]
    for name, much in slow.items():
        logger.info(f"{name} takes {much} on {on}.")
    return imputers, among


def _part(values: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw samples and features of a matrix that is large."""
    if values.shape[0] <= MOST_SAMPLES and values.shape[1] <= MOST_FEATURES:
        return values
    rng = generator(seed, "part")
    rows, columns = (
        np.sort(rng.permutation(size)[:most])
        for size, most in zip(values.shape, (MOST_SAMPLES, MOST_FEATURES), strict=True)
    )
    part = values.iloc[rows, columns]
    return part.loc[:, part.notna().any()]


def _restore(
    values: pd.DataFrame, mask: np.ndarray, imputer: BaseImputer, on: Scale, with_std: bool
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Let a method fill a matrix from which values are hidden; return errors and their means."""
    kept, fitted = on.forward(values.mask(mask)), clone(imputer)
    if "progress" in fitted.get_params():
        fitted.set_params(progress=False)  # the comparison has a bar of its own
    started = time.perf_counter()
    fitted.fit(kept)
    fit_done = time.perf_counter()
    filled = np.asarray(fitted.transform(kept), dtype=np.float64)
    done = time.perf_counter()
    std = np.full(values.shape, np.nan)
    if with_std and hasattr(fitted, "predict_std"):
        std = on.back_std(filled, np.asarray(fitted.predict_std(kept)))
    imputed, scale = on.back(filled), _spread(values)
    true, imputed = values.to_numpy(dtype=np.float64) / scale, imputed / scale
    score = {
        "mae": mean_absolute_error(true, imputed, mask),
        "rmse": root_mean_squared_error(true, imputed, mask),
        "n_missing": int(mask.sum()),
        "seconds": done - fit_done,
        "fit_seconds": fit_done - started,
    }
    residuals = pd.DataFrame(np.argwhere(mask), columns=["sample", "feature"])
    return residuals.assign(error=(imputed - true)[mask], std=(std / scale)[mask]), score


def draw_mask(values: pd.DataFrame, scenario: str, seed: int, trial: int) -> np.ndarray:
    """Choose values to hide; every feature keeps one at least.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
    scenario : str
        Key of `HOLD_OUTS`.
    seed, trial : int

    Returns
    -------
    boolean array of shape (n_samples, n_features)
        True where a value is hidden.

    Raises
    ------
    NothingToHideError
        If no feature has two values.
    ValueError
        If low values are to be hidden and none are lower than a tenth of all.
    """
    how, rng = HOLD_OUTS[scenario], generator(seed, scenario, trial)
    observed = values.notna().to_numpy()
    if not (observed.sum(axis=0) > 1).any():
        raise NothingToHideError("No feature has two values, so that one of them can be hidden.")
    low = _low(values, how.below)
    if not low.any():
        raise ValueError(
            f"The matrix has no value below its {100 * how.below:.0f} % quantile, because that "
            "many values are the lowest one: hide other values, with --missing-like."
        )
    spared = rng.permutation(len(values))[max(1, round(how.samples * len(values))) :]
    eligible = observed & low
    eligible[spared] = False
    return hide(eligible, how.fraction, rng, how.drawn, observed=observed)


def _low(values: pd.DataFrame, quantile: float) -> np.ndarray:
    """Tell which values are below a quantile of all, in standard deviations of their features."""
    if quantile == 1:
        return np.ones(values.shape, dtype=bool)
    array = values.to_numpy(dtype=np.float64)
    array = (array - np.nanmean(array, axis=0)) / _spread(values)
    return array < np.nanquantile(array, quantile)


def _spread(values: pd.DataFrame) -> np.ndarray:
    """Return the standard deviation of every feature, 1 for one that has none."""
    spread = np.nanstd(values.to_numpy(dtype=np.float64), axis=0)
    return np.where(spread > 0, spread, 1.0)
