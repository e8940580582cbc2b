"""What `vaeimpute reproduce` does around the grids: prepare, and write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vaeimpute.cohorts import Cohort
from vaeimpute.exceptions import ExperimentError
from vaeimpute.experiments.catalogue import Experiment, find_experiments, prepare_cohort
from vaeimpute.experiments.grid import Grid, Results
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.profiles import Profile


def prepare_grids(
    names: Sequence[str],
    cohort: Cohort,
    profile: Profile,
    seed: int = 0,
    without: Sequence[str] = (),
) -> tuple[Cohort, dict[Experiment, Grid]]:
    """Prepare experiments on a cohort.

    Parameters
    ----------
    names : sequence of str
        Experiments; none for all that apply.
    cohort : Cohort
    profile : Profile
    seed : int
        Of the split, and of what is simulated.
    without : sequence of str
        Methods to leave out.

    Returns
    -------
    cohort : Cohort
        With what it lacked.
    grids : dict of Experiment to Grid

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
            grids[experiment] = experiment.grid(cohort, profile, seed, without)
        except ValueError as error:
            raise ExperimentError(f"{experiment.name}: {error}") from error
    return cohort, grids


def write_results(
    results: Results,
    experiment: Experiment,
    cohort: Cohort,
    profile: Profile,
    seeds: Sequence[int],
    output: Path,
) -> Path:
    """Write the tables of an experiment, each with where it comes from, and what failed.

    Parameters
    ----------
    results : Results
    experiment, cohort, profile, seeds
        What was run.
    output : Path
        The folder of all results.

    Returns
    -------
    Path
        Of the main table; the others have its name and their own.
    """
    path = output / cohort.name / profile.name / f"{experiment.name}.csv"
    parameters = {
        "experiment": experiment.name,
        "cohort": cohort.name,
        "cohort_notes": list(cohort.notes),
        "profile": profile.name,
        "seed": seeds[0],
        "n_splits": len(seeds),
        "n_training_rows": len(experiment.split(cohort, seeds[0]).train),
        **profile.parameters(),
    }
    if "gc_source" in cohort.features:  # where it did come from, whatever the profile offers
        parameters["gc_source"] = cohort.features["gc_source"].iloc[0]
    fits = results.table.drop_duplicates(["method", "seed"])["fit_seconds"]
    provenance = collect_provenance(parameters) | {
        # Of all units, those included that an earlier run or another experiment left in the store.
        "seconds": round(results.table["seconds"].sum() + fits.sum(), 1),
        "failed_units": len(results.failures),
    }
    write_table(results.table, path, provenance)
    for name, table in results.beside.items():
        write_table(table, path.with_stem(f"{experiment.name}_{name}"), provenance)
    failures = path.with_suffix(".failures.csv")
    failures.unlink(missing_ok=True)  # of an earlier run
    if len(results.failures):
        results.failures.drop(columns="traceback").to_csv(failures, index=False)
    return path
