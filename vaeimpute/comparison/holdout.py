"""Methods compared on values that are hidden from a matrix of one's own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import clone
from tqdm import tqdm

from vaeimpute.cohorts import Cohort
from vaeimpute.evaluation import mean_absolute_error, root_mean_squared_error
from vaeimpute.exceptions import (
    NothingToHideError,
)
from vaeimpute.imputers._base import BaseImputer
from vaeimpute.missingness import Scenario, mcar, mnar_low_values, mnar_whole_genes, trial_rng
from vaeimpute.seeding import generator

_FEW = 50  # missing values; fewer show no pattern


@dataclass(frozen=True)
class HoldOut:
    """A way of hiding values of a user's matrix.

    Attributes
    ----------
    words : str
        What is hidden.
    build : callable
        Returns the scenario.
    share_of_samples : float
        Share of the samples, drawn at random, that lose values.
    """

    words: str
    build: Callable[[], Scenario]
    share_of_samples: float = 1.0


#: By the name that the command line knows.
SCENARIOS = {
    "random": HoldOut(
        "10 % of the observed values, at random",
        # Not so many of every sample: one with few values has a tenth of none.
        lambda: replace(mcar(0.1), drawn="among all"),
    ),
    "features": HoldOut(
        "a quarter of the features, each of them whole, in a fifth of the samples",
        lambda: mnar_whole_genes(0.25),
        share_of_samples=0.2,
    ),
    "low": HoldOut(
        "half of the values below the 10 % quantile (of values in standard deviations of their "
        "features)",
        mnar_low_values,
    ),
}


def guess_scenario(values: pd.DataFrame) -> tuple[str, str]:
    """Say which way of losing values resembles the holes of a matrix, and why.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)

    Returns
    -------
    key : str
        Of `SCENARIOS`.
    reason : str

    Notes
    -----
    Holes come in whole features if at least half of them are in features that are missing in
    exactly the same three or more samples as another one, as happens where a part of the samples
    was measured on another platform. They are low values if features of lower values miss more of
    them (rank correlation below -0.3, p < 0.001). What depends on the values themselves in another
    way leaves no trace in those that are left: who knows of it has to say so.

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
    if n_missing < _FEW:
        return "random", f"{n_missing} missing values are too few to show a pattern"
    counts = missing.sum(axis=0)
    shared = _share_in_blocks(missing, counts)
    if shared >= 0.5:
        return "features", (
            f"{shared:.0%} of the missing values are in features that are missing in the same "
            "samples as others".replace("%", " %", 1)
        )
    some = (counts > 0) | (counts.min() == 0)
    means = np.nanmean(values.to_numpy(dtype=np.float64)[:, some], axis=0)
    if some.sum() >= 10 and np.ptp(counts[some]) > 0 and np.ptp(means) > 0:
        correlation, p = stats.spearmanr(means, counts[some])
        if correlation < -0.3 and p < 0.001:
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


logger = logging.getLogger(__name__)

# What numbers can do to a method: a matrix that has no decomposition, a training that diverges, a
# device without memory, an error that is not finite.
_FAILURES = (ArithmeticError, RuntimeError, ValueError)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What one method made of the hidden values of one trial.

    Attributes
    ----------
    rows, columns : integer array of shape (n_hidden,)
        Where they are.
    true, imputed : array of shape (n_hidden,)
    std : array of shape (n_hidden,) or None
        Predictive standard deviations, if the method has any.
    """

    rows: np.ndarray
    columns: np.ndarray
    true: np.ndarray
    imputed: np.ndarray
    std: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Comparison:
    """How well methods restore values that were hidden.

    Attributes
    ----------
    table : DataFrame
        One row per method and trial: ``cohort, scenario, trial, method, mae, rmse, n_missing,
        seconds``. Errors are in standard deviations of the features.
    held_out : dict of str to list of HeldOut
        By method, one per trial.
    scale : ndarray of shape (n_features,)
        The standard deviations.
    features : Index
    n_samples : int
    """

    table: pd.DataFrame
    held_out: dict[str, list[HeldOut]]
    scale: np.ndarray
    features: pd.Index
    n_samples: int

    @property
    def scenario(self) -> str:
        """Key of the way in which values were hidden."""
        return self.table["scenario"].iloc[0]

    @property
    def ranking(self) -> pd.Series:
        """Mean absolute error by method, over all trials, the smallest first."""
        return self.table.groupby("method", sort=False)["mae"].mean().sort_values(kind="stable")

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
        differences = pd.concat(
            [
                pd.Series(self._errors(theirs) - self._errors(ours)).groupby(ours.rows).mean()
                for ours, theirs in zip(self.held_out[method], self.held_out[other], strict=True)
            ]
        )
        by_sample = differences.groupby(level=0).mean()
        spread = by_sample.std() / np.sqrt(len(by_sample))
        return float(by_sample.mean()), float(spread)

    def within_noise(self) -> list[str]:
        """Return the methods whose error is no more than two standard errors above the best's."""
        close = []
        for other in self.ranking.index[1:]:
            difference, spread = self.margin(self.best, other)
            if not difference > 2 * spread:
                close.append(str(other))
        return close

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
        columns = np.concatenate([part.columns for part in self.held_out[method]])
        errors = np.concatenate([self._errors(part) for part in self.held_out[method]])
        groups = pd.Series(errors).groupby(columns)
        table = pd.DataFrame({"mae": groups.mean(), "n_hidden": groups.size()})
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
        parts = self.held_out[method]
        residuals = []
        for part in parts:
            if part.std is None:
                return None
            # A feature without any spread is restored without any error.
            residuals.append((part.imputed - part.true) / np.maximum(part.std, 1e-12))
        return np.concatenate(residuals)

    def describe(self) -> str:
        """Say which method is best, by how much, and how sure that is."""
        ranking = self.ranking
        best, error = self.best, ranking.iloc[0]
        others = "; ".join(f"{name} {value:.3f}" for name, value in ranking.iloc[1:].items())
        words = f"{best} errs least on hidden values: {error:.3f} standard deviations"
        words += f" ({others})." if others else "."
        close = self.within_noise()
        if close:
            verb = "is" if len(close) == 1 else "are"
            words += f" {'; '.join(close)} {verb} no worse within the noise."
        return words

    def _errors(self, part: HeldOut) -> np.ndarray:
        return np.abs(part.imputed - part.true) / self.scale[part.columns]


def compare_on(
    values: pd.DataFrame,
    imputers: Mapping[str, BaseImputer],
    scenario: str,
    *,
    n_trials: int = 1,
    seed: int = 0,
    with_std: bool = False,
    progress: bool = False,
) -> Comparison:
    """Hide values of a matrix, let every method fill the rest from what is left, and compare.

    Each method is fitted to the whole matrix with its holes, as it is when the matrix is imputed;
    no row is set apart.

    Parameters
    ----------
    values : DataFrame of shape (n_samples, n_features)
        NaN means missing. Every feature has a value.
    imputers : mapping of str to imputer
        By the name that they get in the table. Not changed.
    scenario : str
        Key of `SCENARIOS`: what is hidden.
    n_trials : int
        Times that values are hidden anew.
    seed : int
        Root of what is hidden.
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
    masks = [_draw(values, scenario, seed, trial) for trial in range(n_trials)]
    true = values.to_numpy(dtype=np.float64)
    scale = np.nanstd(true, axis=0)
    scale[~(scale > 0)] = 1.0
    rows: list[tuple] = []
    held_out: dict[str, list[HeldOut]] = {}
    bar = tqdm(total=n_trials * len(imputers), disable=not progress, desc="comparing", leave=False)
    with bar:
        for name, imputer in imputers.items():
            bar.set_postfix_str(name)
            parts: list[HeldOut] = []
            try:
                for mask in masks:
                    started = time.perf_counter()
                    parts.append(_restore(values, mask, imputer, with_std))
                    imputed = np.where(mask, np.nan, true)
                    imputed[mask] = parts[-1].imputed
                    errors = (
                        measure(true / scale, imputed / scale, mask)
                        for measure in (mean_absolute_error, root_mean_squared_error)
                    )
                    seconds = time.perf_counter() - started
                    trial = len(parts) - 1
                    rows.append(("own", scenario, trial, name, *errors, int(mask.sum()), seconds))
                    logger.debug("trial %d, %s: %.1f s", trial, name, seconds)
                    bar.update()
            except _FAILURES as error:
                if len(imputers) == 1:
                    raise
                logger.warning("%s fails on this matrix and is left out: %s", name, error)
                rows = [row for row in rows if row[3] != name]
            else:
                held_out[name] = parts
    if not held_out:
        raise RuntimeError("No method works on this matrix; the warnings say why.")
    columns = "cohort", "scenario", "trial", "method", "mae", "rmse", "n_missing", "seconds"
    table = pd.DataFrame(rows, columns=columns)
    return Comparison(table, held_out, scale, values.columns, len(values))


def _restore(
    values: pd.DataFrame, mask: np.ndarray, imputer: BaseImputer, with_std: bool
) -> HeldOut:
    """Let a method fill a matrix from which values are hidden."""
    kept = values.mask(mask)
    fitted = clone(imputer).fit(kept)
    imputed = np.asarray(fitted.transform(kept), dtype=np.float64)[mask]
    std = None
    if with_std and hasattr(fitted, "predict_std"):
        std = np.asarray(fitted.predict_std(kept))[mask]
    rows, columns = np.nonzero(mask)
    return HeldOut(rows, columns, values.to_numpy(dtype=np.float64)[mask], imputed, std)


def _draw(values: pd.DataFrame, scenario: str, seed: int, trial: int) -> np.ndarray:
    """Choose values to hide; every feature keeps one at least."""
    how = SCENARIOS[scenario]
    rng = trial_rng(seed, scenario, trial)
    everyone = np.arange(len(values))
    clinical = pd.DataFrame(index=values.index)
    cohort = Cohort("own", values, clinical, "as in the file", "expression").standardize(everyone)
    n_rows = max(1, round(how.share_of_samples * len(values)))
    rows = np.sort(generator(seed, "rows", trial).permutation(everyone)[:n_rows])
    mask = np.zeros(values.shape, dtype=bool)
    mask[rows] = how.build().mask(cohort, rows, rng)
    observed = values.notna().to_numpy()
    mask[:, ~(observed & ~mask).any(axis=0)] = False
    if not mask.any():
        # A matrix so small that a tenth of it is none.
        free = np.flatnonzero((observed & (observed.sum(axis=0) > 1)).ravel())
        if not len(free):
            raise NothingToHideError(
                "No feature has two values, so that one of them can be hidden."
            )
        mask.ravel()[rng.choice(free)] = True
    return mask
