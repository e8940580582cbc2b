"""What `vaeimpute reproduce` does, in steps: plan, say so, run, write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vaeimpute.cohorts import Cohort
from vaeimpute.exceptions import ExperimentError, duration
from vaeimpute.experiments.catalogue import Experiment, choose_experiments, prepare_cohort
from vaeimpute.experiments.estimate import estimate_seconds
from vaeimpute.experiments.grid import Grid, GridOutcome
from vaeimpute.experiments.profiles import Profile
from vaeimpute.files import collect_provenance, write_table


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
