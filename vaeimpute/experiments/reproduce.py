"""What `vaeimpute reproduce` does around the grids: prepare, and write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

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
    only: Sequence[str] = (),
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
    only : sequence of str
        The methods to keep, if any is named.

    Returns
    -------
    cohort : Cohort
        With what it lacked.
    grids : dict of Experiment to Grid

    Raises
    ------
    ExperimentError
        If an experiment is unknown, it or one of its scenarios does not apply to the cohort, or a
        method is not in it.
    """
    obstacles = {e: e.obstacle(cohort) for e in find_experiments(names)}
    for experiment, obstacle in obstacles.items():
        if names and obstacle:
            raise ExperimentError(f"Experiment {experiment.name!r} {obstacle}.")
    cohort = prepare_cohort(cohort, profile, seed)
    grids = {}
    for experiment in [e for e, obstacle in obstacles.items() if not obstacle]:
        try:
            grids[experiment] = experiment.grid(cohort, profile, seed, without, only)
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
    *,
    add: bool = False,
) -> Path:
    """Write the tables of an experiment, each with where it comes from, and what failed.

    Parameters
    ----------
    results : Results
    experiment, cohort, profile, seeds
        What was run.
    output : Path
        The folder of all results.
    add : bool
        Put the methods of these results in the place that they have in the tables that are there.

    Raises
    ------
    ExperimentError
        If they should be added to a table that is not there, or was made with other parameters.

    Returns
    -------
    Path
        Of the main table; the others have its name and their own.
    """
    import torch  # noqa: F401 (for the provenance: a GPU that other processes may have used)

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
    if experiment.n_features:
        parameters["n_features"] = min(experiment.n_features, cohort.values.shape[1])
    if "gc_source" in cohort.features:  # where it did come from, whatever the profile offers
        parameters["gc_source"] = cohort.features["gc_source"].iloc[0]
    fits = results.table.drop_duplicates(["method", "seed"])["fit_seconds"]
    provenance = collect_provenance(parameters) | {
        # Of all units, those included that an earlier run or another experiment left in the store.
        "seconds": round(results.table["seconds"].sum() + fits.sum(), 1),
        "failed_units": len(results.failures),
    }
    if add:
        results, provenance = _added(results, provenance, path)
    write_table(results.table, path, provenance)
    for name, table in results.beside.items():
        write_table(table, _beside(path, name), provenance)
    failures = path.with_suffix(".failures.csv")
    failures.unlink(missing_ok=True)  # of an earlier run
    if len(results.failures):
        results.failures.drop(columns="traceback").to_csv(failures, index=False)
    return path


def _beside(path: Path, name: str) -> Path:
    return path.with_stem(f"{path.stem}_{name}")


def _added(results: Results, provenance: dict, path: Path) -> tuple[Results, dict]:
    """Return the results of all methods, and the provenance of the table with what is added."""
    try:
        before = json.loads(path.with_suffix(".provenance.json").read_text("utf-8"))
    except FileNotFoundError:
        raise ExperimentError(
            f"There is no {path} to add methods to: run the experiment with all of them first."
        ) from None
    ours, theirs = provenance["parameters"], before["parameters"]
    if ours != theirs:
        other = ", ".join(k for k in {**ours, **theirs} if ours.get(k) != theirs.get(k))
        raise ExperimentError(f"{path} was made with other parameters ({other}).")
    methods = list(dict.fromkeys(results.table["method"]))

    def together(table: pd.DataFrame, path: Path) -> pd.DataFrame:
        there = pd.read_csv(path, dtype={"sample": str})
        return pd.concat([there[~there["method"].isin(methods)], table], ignore_index=True)

    what = {key: provenance[key] for key in ("versions", "hardware", "commit", "date", "seconds")}
    kept = [one for one in before.get("added", ()) if not set(one["methods"]) <= set(methods)]
    return replace(
        results,
        table=together(results.table, path),
        beside={
            name: together(table, _beside(path, name))
            for name, table in results.beside.items()
            if _beside(path, name).exists()  # not of an older table
        },
    ), before | {"added": [*kept, {"methods": methods, **what}]}
