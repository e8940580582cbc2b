"""The grid cohort x scenario x trial x imputer, one tidy row each."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from tqdm import tqdm

from vaeimpute.cohorts import Cohort
from vaeimpute.experiments.measures import ErrorMeasure, Measure
from vaeimpute.experiments.run import (
    Call,
    Failure,
    FittedFile,
    UnitStore,
    array_digest,
    code_version,
    connected,
    digest,
    file_digest,
    fit_unit,
    foreign_source,
    forget_fitted,
    impute_unit,
    parameters_for_key,
    run_calls,
)
from vaeimpute.imputers.storage import can_save
from vaeimpute.missingness import SCENARIOS, Scenario, trial_rng
from vaeimpute.splits import Split, split_rows

logger = logging.getLogger(__name__)

FAILURE_COLUMNS = ["cohort", "method", "scenario", "trial", "cause"]


class GridError(RuntimeError):
    """Some units of a grid failed, the others are done; the message says which, and why.

    Attributes
    ----------
    outcome : GridOutcome
        With the rows that there are.
    """

    def __init__(self, outcome: GridOutcome) -> None:
        super().__init__(outcome.describe_failures())
        self.outcome = outcome


class Cell(NamedTuple):
    """One row of the table to be."""

    method: str
    scenario: str
    trial: int


@dataclass(frozen=True)
class GridOutcome:
    """What a run of a grid gave.

    Attributes
    ----------
    table : DataFrame
        One row per unit that succeeded; see `run_experiment`.
    failures : DataFrame
        One row per unit that failed: ``cohort``, ``method``, ``scenario``, ``trial`` and
        ``cause``. Without scenario and trial, it is the fit that failed, and all that depends on
        it was not tried.
    tracebacks : tuple of str
        Of the failures, in their order.
    """

    table: pd.DataFrame
    failures: pd.DataFrame
    tracebacks: tuple[str, ...] = ()

    def describe_failures(self, most: int = 5) -> str:
        """Say which units failed and why, one line each, alike ones together."""
        if not len(self.failures):
            return "No unit failed."
        groups = self.failures.groupby(["method", "scenario", "cause"], dropna=False, sort=False)
        lines = []
        for (method, scenario, cause), group in groups:
            what = f"fitting {method}"
            if isinstance(scenario, str):
                trials = ", ".join(str(trial) for trial in group["trial"])
                what = f"{method} on {scenario}, trial{'s' * (len(group) > 1)} {trials}"
            lines.append(f"  {what}: {cause}")
        if len(lines) > most:
            lines = [*lines[:most], f"  and {len(lines) - most} more"]
        n = len(self.failures)
        return "\n".join([f"{n} unit{'s' if n > 1 else ''} failed:", *lines])


def run_experiment(
    cohort: Cohort,
    imputers: Mapping[str, BaseEstimator],
    scenarios: Iterable[str | Scenario],
    *,
    n_trials: int = 10,
    seed: int = 0,
    split: Split | None = None,
    measure: Measure | None = None,
    progress: bool = False,
    n_jobs: int = 1,
    scheduler: str | None = None,
    store: str | Path | None = None,
) -> pd.DataFrame:
    """Mask the test rows in several ways, impute them with several methods, and measure the error.

    Every value is standardised with the training rows' means and standard deviations first. An
    imputer is fitted once, to all training rows; trials differ in their masks only, as in the
    paper (section "Missing data simulations").

    Parameters
    ----------
    cohort : Cohort
        In its own units.
    imputers : mapping of str to estimator
        Fitted in this order. With one job they are fitted in place, but only if the store lacks
        something of theirs; with more, copies are.
    scenarios : iterable of str or Scenario
        Keys of `vaeimpute.missingness.SCENARIOS`, or scenarios with other parameters.
    n_trials : int
        Masks drawn per scenario. Trial 7 has the same mask whatever the number of trials.
    seed : int
        Root of the split and the masks.
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
        run goes on where it was, with the same result: give the imputers a ``random_state``.

    Returns
    -------
    DataFrame
        One row per scenario, trial and method: ``cohort``, ``scenario``, ``trial``, ``method``,
        ``mae`` and ``rmse`` (standard deviations of the training rows) or the columns of `measure`,
        ``n_missing`` (masked entries), ``seconds`` (imputing them; taken when it was computed,
        among other jobs if there were any).

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
    >>> table = run_experiment(cohort, {"mean": MeanImputer()}, ["mcar_10"], n_trials=1)
    >>> table[["method", "n_missing"]].to_dict("records")
    [{'method': 'mean', 'n_missing': 38825}]
    """
    grid = Grid(
        cohort, imputers, scenarios, n_trials=n_trials, seed=seed, split=split, measure=measure
    )
    outcome = grid.run(n_jobs=n_jobs, scheduler=scheduler, store=store, progress=progress)
    if len(outcome.failures):
        raise GridError(outcome)
    return outcome.table


class Grid:
    """A grid, ready to run: values standardised, masks drawn, units counted.

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
    columns : list of str
        Of the table to be.
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
        chosen = [_find_scenario(scenario) for scenario in scenarios]
        keys = [scenario.key for scenario in chosen]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        if repeated:
            raise ValueError(f"Scenarios are given twice: {', '.join(repeated)}.")
        if split is None:
            split = split_rows(len(cohort.values), strata=cohort.strata, seed=seed)
        standardized = cohort.standardize(split.train)
        values = standardized.values.to_numpy()
        self.cohort = cohort
        self.imputers = dict(imputers)
        # In one memory layout here and in other processes: it decides the last bits of products.
        self.train = np.ascontiguousarray(values[split.train])
        self.test = np.ascontiguousarray(values[split.test])
        unprepared: Measure = ErrorMeasure() if measure is None else measure
        self.measure = unprepared.prepare(self.test, cohort.clinical.iloc[split.test])
        self.columns = [
            "cohort", "scenario", "trial", "method", *self.measure.columns, "n_missing", "seconds",
        ]  # fmt: skip
        # Drawn once for all imputers. Packed, because all of them are kept; a bit per value is
        # little beside the values.
        self._masks = {
            (scenario.key, trial): np.packbits(
                scenario.mask(standardized, split.test, trial_rng(seed, scenario.key, trial))
            )
            for scenario in chosen
            for trial in range(n_trials)
        }
        self.cells = [Cell(method, *place) for method in self.imputers for place in self._masks]
        self._digests: dict[Any, str] = {}
        self._fit_keys: dict[str, dict[str, Any]] = {}
        self._measure_key: dict[str, Any] = {}

    def run(
        self,
        *,
        n_jobs: int = 1,
        scheduler: str | None = None,
        store: str | Path | None = None,
        progress: bool = False,
    ) -> GridOutcome:
        """Compute what the store does not have.

        Parameters
        ----------
        n_jobs, scheduler, store, progress
            As in `run_experiment`.

        Returns
        -------
        GridOutcome
            Nothing is raised for units that fail: they are in its table of failures, and are tried
            again in the next run.
        """
        if scheduler is not None and store is None:
            raise ValueError(
                "A scheduler needs a store: a folder that its workers see at the same place."
            )
        with (
            connected(scheduler) as client,
            _opened(store, n_jobs, client) as units,
            warnings.catch_warnings(),
        ):
            # joblib starts a process anew that has grown by 300 MB, which a network does at once.
            warnings.filterwarnings("ignore", "A worker stopped while some jobs were", UserWarning)
            run = _Run(self, units, n_jobs, client)
            try:
                with tqdm(
                    total=len(self.cells) + len(self.imputers),
                    initial=run.n_finished,
                    unit="unit",
                    disable=not progress,
                ) as bar:
                    run.fit(bar)
                    run.impute(bar)
            finally:
                forget_fitted()
        return run.outcome()

    def finished(self, store: str | Path | UnitStore | None) -> dict[Cell, dict[str, Any]]:
        """Return the results that a store has."""
        if store is None:
            return {}
        units = store if isinstance(store, UnitStore) else UnitStore(store)
        found = {cell: units.read(self.cell_key(cell)) for cell in self.cells}
        return {cell: result for cell, result in found.items() if result is not None}

    def fit_key(self, method: str) -> dict[str, Any]:
        """Return all that a fitted imputer depends on."""
        if method not in self._fit_keys:  # once: to fit uses up a random_state that is no integer
            imputer = self.imputers[method]
            cls = type(imputer)
            self._fit_keys[method] = {
                "unit": "fit",
                "train": self._digest(self.train, "train"),
                "imputer": f"{cls.__module__}.{cls.__qualname__}",
                "parameters": parameters_for_key(imputer.get_params(deep=False)),
                "code": code_version(cls),
                "source": foreign_source(cls),
            }
        return self._fit_keys[method]

    def measure_key(self) -> dict[str, Any]:
        """Return all that a measure depends on besides the values and the mask."""
        if not self._measure_key:
            cls = type(self.measure)
            self._measure_key = {
                "measure": f"{cls.__module__}.{cls.__qualname__}",
                "parameters": self.measure.key(),
                "code": code_version(cls),
                "source": foreign_source(cls),
            }
        return self._measure_key

    def cell_key(self, cell: Cell) -> dict[str, Any]:
        """Return all that a row of the table depends on.

        The mask stands for scenario, seed and trial, which it follows from; the name of the
        method is no part of it.
        """
        return {
            "unit": "impute",
            "fit": digest(self.fit_key(cell.method)),
            "test": self._digest(self.test, "test"),
            "scenario": cell.scenario,
            "trial": cell.trial,
            "mask": self._digest(self._masks[cell[1:]], cell[1:]),
            "measure": digest(self.measure_key()),
        }

    def packed_mask(self, cell: Cell) -> np.ndarray:
        """Return the mask of a cell as bits, for `units.unpack`."""
        return self._masks[cell[1:]]

    def _digest(self, array: np.ndarray, name: Any) -> str:
        if name not in self._digests:
            self._digests[name] = array_digest(array)
        return self._digests[name]


class _Run:
    """One run of a grid: what there is already, what came of the rest."""

    def __init__(self, grid: Grid, store: UnitStore | None, n_jobs: int, client: Any) -> None:
        self.grid, self.store, self.n_jobs, self.client = grid, store, n_jobs, client
        self.results = grid.finished(store)
        self.pending = [cell for cell in grid.cells if cell not in self.results]
        methods = {cell.method for cell in self.pending}
        self.unfitted = [method for method in grid.imputers if method in methods]
        self.fitted: dict[str, FittedFile | BaseEstimator] = {}
        self.failures: list[tuple[str, Cell | None, Failure]] = []
        for method in list(self.unfitted):
            kept = self._kept_fit(method)
            if kept is not None:
                self.fitted[method] = kept
                self.unfitted.remove(method)

    @property
    def n_finished(self) -> int:
        return len(self.results) + len(self.grid.imputers) - len(self.unfitted)

    def fit(self, bar: tqdm) -> None:
        """Fit the imputers that are needed and not in the store."""
        calls: list[Call] = []
        for method in self.unfitted:
            imputer = self.grid.imputers[method]
            path = self._fit_path(method)
            calls.append((fit_unit, (imputer, self.grid.train, path, self._code(method))))
        bar.set_description("fitting " + ", ".join(self.unfitted) if calls else "")
        for number, outcome in self._run(calls):
            method = self.unfitted[number]
            bar.update()
            if isinstance(outcome, dict):
                outcome = self._keep_fit(method, outcome)
            if isinstance(outcome, Failure):
                self._failed(method, None, outcome)
            else:
                self.fitted[method] = outcome

    def impute(self, bar: tqdm) -> None:
        """Compute the cells whose imputer there is."""
        cells = [cell for cell in self.pending if cell.method in self.fitted]
        bar.total -= len(self.pending) - len(cells)
        calls: list[Call] = []
        for cell in cells:
            code = self._code(cell.method)
            arguments = (
                self.fitted[cell.method],
                self.grid.test,
                self.grid.packed_mask(cell),
                self.grid.measure,
                None if code is None else (code, self.grid.measure_key()["code"]),
            )
            calls.append((impute_unit, arguments))
        for number, outcome in self._run(calls):
            cell = cells[number]
            bar.set_description(f"{cell.method}: {cell.scenario}", refresh=False)
            bar.update()
            if isinstance(outcome, Failure):
                self._failed(cell.method, cell, outcome)
                continue
            self.results[cell] = outcome
            if self.store is not None:
                self.store.write(self.grid.cell_key(cell), outcome)

    def outcome(self) -> GridOutcome:
        name = self.grid.cohort.name
        rows = [
            {
                "cohort": name,
                "scenario": cell.scenario,
                "trial": cell.trial,
                "method": cell.method,
                **self.results[cell],
            }
            for cell in self.grid.cells
            if cell in self.results
        ]
        order: dict[Cell | None, int] = {cell: n for n, cell in enumerate(self.grid.cells)}
        self.failures.sort(key=lambda failed: order.get(failed[1], -1))  # those of fits first
        failures = [
            {
                "cohort": name,
                "method": method,
                "scenario": cell.scenario if cell else None,
                "trial": cell.trial if cell else None,
                "cause": failure.cause,
            }
            for method, cell, failure in self.failures
        ]
        return GridOutcome(
            pd.DataFrame(rows, columns=self.grid.columns),
            pd.DataFrame(failures, columns=FAILURE_COLUMNS).astype({"trial": "Int64"}),
            tuple(failure.traceback for *_, failure in self.failures),
        )

    def _run(self, calls: list[Call]) -> Iterator[tuple[int, Any]]:
        return run_calls(calls, n_jobs=self.n_jobs, client=self.client)

    def _failed(self, method: str, cell: Cell | None, failure: Failure) -> None:
        what = f"{method} on {cell.scenario}, trial {cell.trial}" if cell else f"Fitting {method}"
        logger.debug("%s failed:\n%s", what, failure.traceback or failure.cause)
        self.failures.append((method, cell, failure))

    def _code(self, method: str) -> str | None:
        """Return the code version that the workers of a cluster, other machines, have to have."""
        return None if self.client is None else self.grid.fit_key(method)["code"]

    def _fit_path(self, method: str) -> Path | None:
        """Where a fitted imputer is kept; None if it has to travel by itself."""
        if self.store is None or not can_save(self.grid.imputers[method]):
            return None
        return self.store.path(self.grid.fit_key(method), ".safetensors")

    def _keep_fit(self, method: str, record: dict[str, Any]) -> FittedFile | Failure:
        assert self.store is not None
        path = self._fit_path(method)
        assert path is not None
        if not path.exists():
            return Failure(
                f"FileNotFoundError: The worker has written the fitted imputer to {path}, and here "
                "it is not: the store has to be a folder that all workers share."
            )
        self.store.write(self.grid.fit_key(method), record)
        return FittedFile(path, record["sha256"])

    def _kept_fit(self, method: str) -> FittedFile | None:
        path = self._fit_path(method)
        if path is None or self.store is None or not path.exists():
            return None
        record = self.store.read(self.grid.fit_key(method))
        if record is None:
            return None
        if file_digest(path) != record["sha256"]:
            logger.warning("Fitting %s again, %s is damaged or not its own.", method, path.name)
            return None
        return FittedFile(path, record["sha256"])


@contextmanager
def _opened(store: str | Path | None, n_jobs: int, client: Any) -> Iterator[UnitStore | None]:
    """Open the store; without one, processes pass each other imputers in a folder for the while."""
    if store is not None:
        yield UnitStore(store)
    elif client is None and joblib.effective_n_jobs(n_jobs) == 1:
        yield None
    else:
        with tempfile.TemporaryDirectory(prefix="vaeimpute-") as folder:
            yield UnitStore(folder)


def _find_scenario(scenario: str | Scenario) -> Scenario:
    if isinstance(scenario, Scenario):
        return scenario
    if scenario not in SCENARIOS:
        raise ValueError(f"Unknown scenario {scenario!r}; choose from {list(SCENARIOS)}.")
    return SCENARIOS[scenario]
