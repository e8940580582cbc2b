"""The grid cohort x scenario x trial x imputer, one tidy row each."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from tqdm import tqdm

from vaeimpute.cohorts import Cohort
from vaeimpute.exceptions import VaeimputeError
from vaeimpute.experiments.code import code_version, describe
from vaeimpute.experiments.measures import ErrorMeasure, Measure
from vaeimpute.experiments.run import Call, Failure, connected, run_calls
from vaeimpute.experiments.store import UnitStore, digest
from vaeimpute.experiments.units import fit_unit, forget_fitted, impute_unit
from vaeimpute.missingness import Scenario, find_scenario, trial_rng
from vaeimpute.splits import Split, split_rows

logger = logging.getLogger(__name__)

_MOST = 5  # kinds of failures that a message tells apart
FAILURE_COLUMNS = ["cohort", "seed", "method", "scenario", "trial", "cause", "traceback"]


class GridError(VaeimputeError, RuntimeError):
    """Some units of a grid failed, the others are done; the message says which, and why.

    Attributes
    ----------
    results : Results
        With the rows that there are.
    """

    def __init__(self, results: Results) -> None:
        super().__init__(results.describe_failures())
        self.results = results


class Cell(NamedTuple):
    """One row of the table to be; without scenario and trial, the fit that its like depend on."""

    method: str
    scenario: str | None = None
    trial: int | None = None


@dataclass(frozen=True)
class Results:
    """What a run gave.

    Attributes
    ----------
    table : DataFrame
        One row per unit that succeeded: ``cohort``, ``scenario``, ``trial``, ``method``, ``mae``
        and ``rmse`` (standard deviations of the training rows) or the columns of another measure,
        ``n_missing`` (masked entries), ``seconds`` (imputing them), ``fit_seconds`` (fitting the
        method, once for all its rows; both were taken when it was computed, among other jobs if
        there were any; of a training that went on from a checkpoint, the last part counts), and
        ``seed`` (of the split).
    beside : dict of str to DataFrame
        Tables of other rows that the measure gave.
    failures : DataFrame
        One row per unit that failed: ``cohort``, ``seed``, ``method``, ``scenario``, ``trial``,
        ``cause`` and ``traceback`` (empty if the process was killed). Without scenario and trial,
        it is the fit that failed, and all that depends on it was not tried.
    """

    table: pd.DataFrame
    beside: dict[str, pd.DataFrame]
    failures: pd.DataFrame

    @property
    def samples(self) -> pd.DataFrame:
        """Errors by test sample, over the trials together.

        ``cohort``, ``scenario``, ``method``, ``sample`` (its id), ``mae``, ``mse``, ``n_missing``
        (masked entries of all trials; samples without any are left out) and ``seed``. What a
        bootstrap over samples needs: weighted with ``n_missing``, they add up to the whole.
        """
        return self.beside["samples"]

    @classmethod
    def together(cls, parts: list[Results]) -> Results:
        """Put the results of several splits below each other."""
        names = dict.fromkeys(name for part in parts for name in part.beside)
        return cls(
            pd.concat([part.table for part in parts], ignore_index=True),
            {
                name: pd.concat([p.beside[name] for p in parts if p.beside], ignore_index=True)
                for name in names
            },
            pd.concat([part.failures for part in parts], ignore_index=True),
        )

    def describe_failures(self) -> str:
        """Say which units failed and why, one line each, alike ones together."""
        groups = self.failures.groupby(["method", "scenario", "cause"], dropna=False, sort=False)
        lines = []
        for (method, scenario, cause), group in groups:
            what = f"fitting {method}"
            if isinstance(scenario, str):
                trials = ", ".join(str(trial) for trial in group["trial"])
                what = f"{method} on {scenario}, trial{'s' * (len(group) > 1)} {trials}"
            lines.append(f"  {what}: {cause}")
        if len(lines) > _MOST:
            lines = [*lines[:_MOST], f"  and {len(lines) - _MOST} more"]
        n = len(self.failures)
        return "\n".join([f"{n} unit{'s' * (n != 1)} failed:", *lines])


def run_experiment(
    cohort: Cohort,
    imputers: Mapping[str, BaseEstimator] | Callable[[int], Mapping[str, BaseEstimator]],
    scenarios: Iterable[str | Scenario],
    *,
    n_trials: int = 10,
    seed: int = 0,
    n_splits: int = 1,
    split: Split | None = None,
    measure: Measure | None = None,
    progress: bool = False,
    n_jobs: int = 1,
    scheduler: str | None = None,
    store: str | Path | None = None,
) -> Results:
    """Mask the test rows in several ways, impute them with several methods, and measure the error.

    Every value is standardised with the training rows' means and standard deviations first. An
    imputer is fitted once in a split, to all training rows; trials differ in their masks only, as
    in the paper (section "Missing data simulations"). How much results differ between patients and
    trainings shows between splits only.

    Parameters
    ----------
    cohort : Cohort
        In its own units.
    imputers : mapping of str to estimator, or callable
        Fitted in this order; or what builds them from the seed of a split. Without a store and
        with one job they are fitted in place, else copies are.
    scenarios : iterable of str or Scenario
        Keys of `vaeimpute.missingness.SCENARIOS`, or scenarios with other parameters.
    n_trials : int
        Masks drawn per scenario. Trial 7 has the same mask whatever the number of trials.
    seed : int
        Root of the split and the masks.
    n_splits : int
        How many splits: of this seed and those that follow it.
    split : Split, optional
        Instead of the one that `seed` gives.
    measure : Measure, optional
        What to compute of an imputation instead of the errors, such as
        `vaeimpute.experiments.ClinicalConcordance`.
    progress : bool
        Show a bar over the units of work, with the time left.
    n_jobs : int
        Processes to use, which share the processors. More than one protects the others from one
        that the system kills for want of memory.
    scheduler : str, optional
        Address of a Dask scheduler (``tcp://...``) whose workers to use instead. They need this
        version of the package, and `store` at the same place.
    store : str or path, optional
        Folder for finished units. What is there already is not computed again, so an interrupted
        run goes on where it was, with the same result: give the imputers a ``random_state``. Units
        of an imputer whose file has changed, or any that it imports, are computed again.

    Returns
    -------
    Results
        ``.table``, and ``.samples`` with the errors by test sample.

    Raises
    ------
    ValueError
        If a scenario is unknown or does not apply to the cohort, or `measure` does not apply to the
        test rows.
    GridError
        If a unit failed, after all others were tried; with the rows of these.

    Examples
    --------
    >>> from vaeimpute.cohorts import load_cohort
    >>> from vaeimpute.imputers import MeanImputer
    >>> cohort = load_cohort("breast-gse1992")
    >>> results = run_experiment(cohort, {"mean": MeanImputer()}, ["mcar_10"], n_trials=1)
    >>> results.table[["method", "n_missing"]].to_dict("records")
    [{'method': 'mean', 'n_missing': 38825}]
    """
    scenarios = list(scenarios)
    parts = []
    for number in range(seed, seed + n_splits):
        built = imputers(number) if callable(imputers) else imputers
        grid = Grid(
            cohort, built, scenarios, n_trials=n_trials, seed=number, split=split, measure=measure
        )
        parts.append(grid.run(n_jobs=n_jobs, scheduler=scheduler, store=store, progress=progress))
    results = Results.together(parts)
    if len(results.failures):
        raise GridError(results)
    return results


class Grid:
    """The grid of one split, ready to run: values standardised, masks drawn, units counted.

    Parameters
    ----------
    cohort, imputers, scenarios, n_trials, seed, split, measure
        As in `run_experiment`.

    Attributes
    ----------
    cells : list of Cell
        What to compute, in the order of the table.
    train, test : ndarray of shape (n_rows, n_features)
        Standardised.
    measure : Measure
        Prepared for the test rows.
    """

    def __init__(
        self,
        cohort: Cohort,
        imputers: Mapping[str, BaseEstimator],
        scenarios: Iterable[str | Scenario],
        *,
        n_trials: int = 10,
        seed: int = 0,
        split: Split | None = None,
        measure: Measure | None = None,
    ) -> None:
        chosen = [find_scenario(scenario) for scenario in scenarios]
        keys = [scenario.key for scenario in chosen]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        if repeated:
            raise ValueError(f"Scenarios are given twice: {', '.join(repeated)}.")
        if split is None:
            split = split_rows(len(cohort.values), strata=cohort.strata, seed=seed)
        standardized = cohort.standardize(split.train)
        values = standardized.values.to_numpy()
        self.cohort, self.seed = cohort, seed
        self.imputers = dict(imputers)
        # In one memory layout here and in other processes: it decides the last bits of products.
        self.train = np.ascontiguousarray(values[split.train])
        self.test = np.ascontiguousarray(values[split.test])
        unprepared: Measure = ErrorMeasure() if measure is None else measure
        self.measure = unprepared.prepare(self.test, cohort.clinical.iloc[split.test])
        # Drawn once for all imputers. Packed, because all of them are kept; a bit per value is
        # little beside the values.
        self._masks: dict[Any, np.ndarray] = {
            (scenario.key, trial): np.packbits(
                scenario.mask(standardized, split.test, trial_rng(seed, scenario.key, trial))
            )
            for scenario in chosen
            for trial in range(n_trials)
        }
        self.cells = [Cell(method, *place) for method in self.imputers for place in self._masks]
        self._train_hash, self._test_hash = joblib.hash(self.train), joblib.hash(self.test)
        # Before they are fitted, which uses up a random_state that is no integer.
        self._imputers = {name: describe(imputer) for name, imputer in self.imputers.items()}

    def describe(self) -> str:
        """Say how much there is to compute."""
        methods, scenarios, trials = map(dict.fromkeys, zip(*self.cells, strict=True))
        return (
            f"{len(methods)} methods ({', '.join(methods)}) x {len(scenarios)} scenarios x "
            f"{len(trials)} trials; {len(self.train)} samples to train on and {len(self.test)} to "
            f"test on, {self.test.shape[1]} features"
        )

    def run(
        self,
        *,
        n_jobs: int = 1,
        scheduler: str | None = None,
        store: str | Path | None = None,
        progress: bool = False,
    ) -> Results:
        """Compute what the store does not have.

        Parameters
        ----------
        n_jobs, scheduler, store, progress
            As in `run_experiment`.

        Returns
        -------
        Results
            Nothing is raised for units that fail: they are in its table of failures, and are tried
            again in the next run.
        """
        if scheduler is not None and store is None:
            raise ValueError(
                "A scheduler needs a store: a folder that its workers see at the same place."
            )
        failures: dict[Cell, Failure] = {}
        with ExitStack() as stack:
            client = stack.enter_context(connected(scheduler))
            if store is None and joblib.effective_n_jobs(n_jobs) > 1:
                # Processes pass each other imputers there.
                store = stack.enter_context(tempfile.TemporaryDirectory(prefix="vaeimpute-"))
            units = None if store is None else UnitStore(store)
            stack.enter_context(warnings.catch_warnings())
            # joblib starts a process anew that has grown by 300 MB, which a network does at once.
            warnings.filterwarnings("ignore", "A worker stopped while some jobs were", UserWarning)
            stack.callback(forget_fitted)
            # The workers of a cluster, other machines, have to have the same code.
            code = None if client is None else code_version()
            found = {} if units is None else self.finished(units)
            pending = [cell for cell in self.cells if cell not in found]
            methods = list(dict.fromkeys(cell.method for cell in pending))
            n_units = len(self.cells) + len(methods)
            bar = stack.enter_context(
                tqdm(total=n_units, initial=len(found), unit="unit", disable=not progress)
            )

            def run(calls: dict[Any, Call]) -> Iterator[tuple[Cell, Any]]:
                for cell, outcome in run_calls(calls, n_jobs=n_jobs, client=client):
                    bar.set_description(cell.method, refresh=False)
                    bar.update()
                    if isinstance(outcome, Failure):
                        logger.debug("%s failed:\n%s", cell, outcome.traceback or outcome.cause)
                        failures[cell] = outcome
                    else:
                        yield cell, outcome

            fits: dict[Any, Call] = {
                Cell(method): (
                    fit_unit,
                    (self.imputers[method], self.train, units, self.fit_key(method), code),
                )
                for method in methods
            }
            fitted = {cell.method: fit for cell, fit in run(fits)}
            work: dict[Any, Call] = {
                cell: (
                    impute_unit,
                    (fitted[cell.method], self.test, self._masks[cell[1:]], cell.trial,
                     self.measure, code),
                )
                for cell in pending
                if cell.method in fitted
            }  # fmt: skip
            for cell, result in run(work):
                found[cell] = result
                if units is not None:
                    units.write(self.cell_key(cell), result)
        return self._results(found, failures)

    def finished(self, store: UnitStore) -> dict[Cell, dict[str, Any]]:
        """Return the results that a store has."""
        found = {cell: store.read(self.cell_key(cell)) for cell in self.cells}
        return {cell: result for cell, result in found.items() if result is not None}

    def fit_key(self, method: str) -> dict[str, Any]:
        """Return all that a fitted imputer depends on."""
        return {
            "unit": "fit",
            "code": code_version(fit_unit.__module__),
            "train": self._train_hash,
            "imputer": self._imputers[method],
        }

    def cell_key(self, cell: Cell) -> dict[str, Any]:
        """Return all that a row of the table depends on.

        The mask stands for scenario, seed and trial, which it follows from; the name of the
        method is no part of it.
        """
        return {
            "unit": "impute",
            "fit": digest(self.fit_key(cell.method)),
            "test": self._test_hash,
            "scenario": cell.scenario,
            "trial": cell.trial,
            "mask": joblib.hash(self._masks[cell[1:]]),
            "measure": digest([describe(type(self.measure)), self.measure.key()]),
        }

    def _results(self, found: dict[Cell, dict[str, Any]], failures: dict[Cell, Failure]) -> Results:
        cohort, seed = self.cohort.name, self.seed
        rows, parts = [], []
        for cell in self.cells:
            if cell in found:
                place = {"cohort": cohort, "scenario": cell.scenario, "trial": cell.trial,
                         "method": cell.method}  # fmt: skip
                rows.append({**place, **found[cell]["row"], "seed": seed})
                parts.append(pd.DataFrame(found[cell]["beside"]).assign(**place))
        columns = ["cohort", "scenario", "trial", "method", *self.measure.columns, "n_missing",
                   "seconds", "fit_seconds", "seed"]  # fmt: skip
        beside = self.measure.tables(pd.concat(parts)) if parts else {}
        failed = [
            (cohort, seed, *cell, failures[cell].cause, failures[cell].traceback)
            for cell in sorted(failures, key=[*map(Cell, self.imputers), *self.cells].index)
        ]
        return Results(
            pd.DataFrame(rows, columns=columns),
            {name: table.assign(seed=seed) for name, table in beside.items()},
            pd.DataFrame(failed, columns=FAILURE_COLUMNS).astype({"trial": "Int64"}),
        )
