"""What `vaeimpute reproduce` does, in steps: plan, say so, run, write."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import BaseEstimator, clone

from vaeimpute.cohorts import Cohort
from vaeimpute.exceptions import ExperimentError, duration
from vaeimpute.experiments.catalogue import Experiment, choose_experiments, prepare_cohort
from vaeimpute.experiments.grid import Cell, Grid, GridOutcome
from vaeimpute.experiments.run import UnitStore, digest, unpack
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.profiles import Profile

logger = logging.getLogger(__name__)

_ROWS = 5  # imputed in a trial


def estimate_seconds(grids: Iterable[Grid], store: str | Path, *, n_jobs: int = 1) -> float | None:
    """Estimate how long it takes to finish some grids.

    Parameters
    ----------
    grids : iterable of Grid
        What one finishes, the others need not do again.
    store : str or path
        What has been finished tells how long its like takes. Of other imputers a copy is fitted,
        networks for one epoch, and imputes five rows.
    n_jobs : int
        As in `Grid.run`.

    Returns
    -------
    float or None
        Seconds; None if an imputer fails in the trial.
    """
    units = UnitStore(store)
    fits: dict[str, float] = {}
    cells: dict[str, float] = {}
    for grid in grids:
        finished = grid.finished(units)
        for method, imputer in grid.imputers.items():
            pending = [c for c in grid.cells if c.method == method and c not in finished]
            pending = [c for c in pending if digest(grid.cell_key(c)) not in cells]
            if not pending:
                continue
            key = digest(grid.fit_key(method))
            is_fitted = key in fits or units.read(grid.fit_key(method)) is not None
            known = [
                result["seconds"] + result.get("evaluation_seconds", 0.0)
                for c, result in finished.items()
                if c.method == method
            ]
            if is_fitted and known:
                fit, one = 0.0, float(np.mean(known))
            else:
                try:
                    fit, one = _try(grid, imputer, pending[0])
                except Exception as error:  # it will be a failed unit, with its cause
                    logger.debug("No estimate for %s: %s", method, error)
                    return None
            fits.setdefault(key, 0.0 if is_fitted else fit)
            cells |= {digest(grid.cell_key(c)): one for c in pending}
    workers = joblib.effective_n_jobs(n_jobs)
    longest_fit = max(fits.values(), default=0.0)
    return max(longest_fit, sum(fits.values()) / workers) + sum(cells.values()) / workers


def _try(grid: Grid, imputer: BaseEstimator, cell: Cell) -> tuple[float, float]:
    """Time a fit and the imputation of a few rows, scale both up, and time a measurement."""
    imputer = clone(imputer)
    n_epochs = imputer.get_params().get("n_epochs")
    if n_epochs is None:
        fit = _time_fit(imputer, grid.train)
    else:
        # The first call of all imports torch, and any builds the model: neither is for every epoch.
        _time_fit(imputer.set_params(n_epochs=1), grid.train[:, :2])
        one, two = (_time_fit(imputer.set_params(n_epochs=n), grid.train) for n in (1, 2))
        fit = one + (n_epochs - 1) * max(two - one, 0.0)
    mask = unpack(grid.packed_mask(cell), grid.test.shape)
    holed = np.where(mask, np.nan, grid.test)[:_ROWS]
    start = time.perf_counter()
    imputer.transform(holed)
    impute = (time.perf_counter() - start) * len(grid.test) / len(holed)
    start = time.perf_counter()
    grid.measure(grid.test, grid.test, mask)
    return fit, impute + time.perf_counter() - start


def _time_fit(imputer: BaseEstimator, X: np.ndarray) -> float:
    start = time.perf_counter()
    imputer.fit(X)
    return time.perf_counter() - start


@dataclass(frozen=True)
class Plan:
    """Experiments on one cohort, ready to run.

    Attributes
    ----------
    cohort : Cohort
        Prepared.
    profile : Profile
    seed : int
    grids : dict of Experiment to Grid
    """

    cohort: Cohort
    profile: Profile
    seed: int
    grids: dict[Experiment, Grid]

    def describe(self, store: Path) -> str:
        """Say what there is to do, and how much of it is done."""
        first = next(iter(self.grids.values()))
        n_train, n_features = first.train.shape
        lines = [
            f"{self.cohort.name}: {n_train} samples to train on and {len(first.test)} to test on, "
            f"{n_features} features; seed {self.seed}."
        ]
        for experiment, grid in self.grids.items():
            counts = f"{len(grid.imputers)} methods ({', '.join(grid.imputers)})"
            n_scenarios = len({cell.scenario for cell in grid.cells})
            lines.append(
                f"{experiment.name}: {counts} x {n_scenarios} scenarios x "
                f"{self.profile.n_trials} trials = {len(grid.cells)} units, "
                f"{len(grid.finished(store))} of them finished."
            )
        return "\n".join(lines)

    def describe_time(self, store: Path, n_jobs: int) -> str:
        """Say about how long it will take."""
        if all(len(grid.finished(store)) == len(grid.cells) for grid in self.grids.values()):
            return "Nothing is left to compute."
        seconds = estimate_seconds(self.grids.values(), store, n_jobs=n_jobs)
        if seconds is None:
            return "How long it takes cannot be told; the bar will show the time left."
        return f"It takes about {duration(seconds)}: a rough figure, from short trials here."

    def write(self, experiment: Experiment, outcome: GridOutcome, output: Path) -> Path:
        """Write the table of an experiment, and beside it where it comes from and what failed.

        Parameters
        ----------
        experiment : Experiment
        outcome : GridOutcome
        output : Path
            The folder of all results.

        Returns
        -------
        Path
            Of the table.
        """
        path = output / self.cohort.name / f"{experiment.name}.csv"
        parameters = {
            "experiment": experiment.name,
            "cohort": self.cohort.name,
            "cohort_notes": list(self.cohort.notes),
            "seed": self.seed,
            **self.profile.parameters(),
        }
        provenance = collect_provenance(parameters)
        write_table(outcome.table, path, provenance | {"failed_units": len(outcome.failures)})
        failures = path.with_suffix(".failures.csv")
        if len(outcome.failures):
            outcome.failures.to_csv(failures, index=False)
        else:
            failures.unlink(missing_ok=True)  # of an earlier run
        return path


def make_plan(
    names: Sequence[str],
    cohort: Cohort,
    profile: Profile,
    seed: int,
    without: Sequence[str] = (),
) -> Plan:
    """Prepare experiments on a cohort.

    Parameters
    ----------
    names : sequence of str
        Experiments; none for all that apply.
    cohort : Cohort
    profile : Profile
    seed : int
    without : sequence of str
        Methods to leave out.

    Returns
    -------
    Plan

    Raises
    ------
    ExperimentError
        If an experiment is unknown, it or one of its scenarios does not apply to the cohort, or a
        method to leave out is not in it.
    """
    experiments = choose_experiments(names, cohort)
    cohort = prepare_cohort(cohort, profile, seed)
    grids = {}
    for experiment in experiments:
        try:
            grids[experiment] = experiment.grid(cohort, profile, seed, without)
        except ValueError as error:
            raise ExperimentError(f"{experiment.name}: {error}") from error
    return Plan(cohort, profile, seed, grids)
