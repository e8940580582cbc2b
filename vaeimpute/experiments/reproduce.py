"""What `vaeimpute reproduce` does, in steps: plan, say so, run, write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaeimpute.cohorts import Cohort
from vaeimpute.exceptions import ExperimentError
from vaeimpute.experiments.catalogue import Experiment, find_experiments, prepare_cohort
from vaeimpute.experiments.grid import Grid, Results
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.profiles import Profile


@dataclass(frozen=True)
class Plan:
    """Experiments on one cohort, ready to run; `make_plan` makes it.

    Attributes
    ----------
    cohort : Cohort
        Prepared.
    profile : Profile
    seeds : range
        Of the splits.
    without : sequence of str
        Methods to leave out.
    grids : dict of str to (Experiment, Grid)
        The first split of each, by the experiment's name.
    """

    cohort: Cohort
    profile: Profile
    seeds: range
    without: Sequence[str]
    grids: dict[str, tuple[Experiment, Grid]]

    def describe(self) -> str:
        """Say what there is to do."""
        first = next(iter(self.grids.values()))[1]
        seeds = f"seed {self.seeds[0]}" + f" to {self.seeds[-1]}" * (len(self.seeds) > 1)
        lines = [
            f"{self.cohort.name}: {len(first.train)} samples to train on and {len(first.test)} to "
            f"test on, {first.train.shape[1]} features; {seeds}."
        ]
        for name, (_, grid) in self.grids.items():
            methods, scenarios, trials = (
                dict.fromkeys(parts) for parts in zip(*grid.cells, strict=True)
            )
            lines.append(
                f"{name}: {len(methods)} methods ({', '.join(methods)}) x {len(scenarios)} "
                f"scenarios x {len(trials)} trials x {len(self.seeds)} splits = "
                f"{len(grid.cells) * len(self.seeds)} units."
            )
        return "\n".join(lines)

    def run(self, **options: Any) -> Iterator[tuple[str, Results]]:
        """Run the experiments.

        Parameters
        ----------
        **options
            Of `Grid.run`.

        Yields
        ------
        name : str
        results : Results
        """
        for name, (experiment, first) in self.grids.items():
            parts = [first.run(**options)]
            for seed in self.seeds[1:]:
                grid = experiment.grid(self.cohort, self.profile, seed, self.without)
                parts.append(grid.run(**options))
            yield name, Results.together(parts)

    def write(self, name: str, results: Results, output: Path) -> Path:
        """Write the tables of an experiment, each with where it comes from, and what failed.

        Parameters
        ----------
        name : str
        results : Results
        output : Path
            The folder of all results.

        Returns
        -------
        Path
            Of the main table; the others have its name and their own.
        """
        path = output / self.cohort.name / f"{name}.csv"
        provenance = collect_provenance(
            {
                "experiment": name,
                "cohort": self.cohort.name,
                "cohort_notes": list(self.cohort.notes),
                "seed": self.seeds[0],
                "n_splits": len(self.seeds),
                **self.profile.parameters(),
            }
        ) | {"failed_units": len(results.failures)}
        write_table(results.table, path, provenance)
        for other, table in results.beside.items():
            write_table(table, path.with_stem(f"{name}_{other}"), provenance)
        failures = path.with_suffix(".failures.csv")
        failures.unlink(missing_ok=True)  # of an earlier run
        if len(results.failures):
            results.failures.to_csv(failures, index=False)
        return path


def make_plan(
    names: Sequence[str],
    cohort: Cohort,
    profile: Profile,
    *,
    seed: int = 0,
    n_splits: int = 1,
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
        Of the first split.
    n_splits : int
        How many, of this seed and those that follow.
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
    obstacles = {e: e.obstacle(cohort) for e in find_experiments(names)}
    for experiment, obstacle in obstacles.items():
        if names and obstacle:
            raise ExperimentError(f"Experiment {experiment.name!r} {obstacle}.")
    cohort = prepare_cohort(cohort, profile, seed)
    grids = {}
    for experiment in [e for e, obstacle in obstacles.items() if not obstacle]:
        try:
            grid = experiment.grid(cohort, profile, seed, without)
        except ValueError as error:
            raise ExperimentError(f"{experiment.name}: {error}") from error
        grids[experiment.name] = experiment, grid
    return Plan(cohort, profile, range(seed, seed + n_splits), without, grids)
