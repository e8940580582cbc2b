"""``vaeimpute reproduce``: the paper's experiments."""

from __future__ import annotations

import textwrap
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from vaeimpute.cli.running import GOES_ON, running


def reproduce(
    experiments: Annotated[
        list[str] | None,
        typer.Argument(help="As in --list; all that apply to the cohort if none is named."),
    ] = None,
    cohort: Annotated[
        str, typer.Option(help="A name as in vaeimpute fetch --list, or the path of a matrix.")
    ] = "breast-gse1992",
    data_type: Annotated[
        str | None, typer.Option(help="Of a matrix from a path: expression or methylation.")
    ] = None,
    clinical: Annotated[
        Path | None,
        typer.Option(help="Of a matrix from a path: a table with grade, time, event by sample."),
    ] = None,
    profile: Annotated[
        str, typer.Option(help="The sizes of the run: quick, paper, or the path of a .yml file.")
    ] = "quick",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Change a size of the profile; may be repeated."
        ),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="A method to leave out; may be repeated.")
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(help="A method to add to the tables that are there; may be repeated."),
    ] = None,
    splits: Annotated[
        int,
        typer.Option(min=1, help="Splits into training and test: of --seed and those after it."),
    ] = 1,
    output: Annotated[
        Path,
        typer.Option(help="Write to this folder: COHORT/PROFILE/EXPERIMENT.csv, with provenance."),
    ] = Path("results"),
    store: Annotated[
        Path | None,
        typer.Option(help="Keep finished units here. It is a folder of the cache by default."),
    ] = None,
    jobs: Annotated[
        int, typer.Option(help="Processes to use; -1 for as many as there are processors.")
    ] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Use the workers of this Dask cluster, tcp://...; they share --store."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Root of all random choices.")] = 0,
    list_experiments: Annotated[
        bool, typer.Option("--list", help="List the experiments and the profiles.")
    ] = False,
    debug: Annotated[bool, typer.Option(help="Show the tracebacks of errors.")] = False,
) -> None:
    """Run the paper's experiments and write their tables; an interrupted run goes on."""
    if jobs == 0:
        raise typer.BadParameter("Expected --jobs as 1 or more, or -1, but got 0.")
    with running(f"The units that are finished are kept{GOES_ON}", debug=debug):
        if list_experiments:
            typer.echo(_experiments())
            return
        from vaeimpute.cohorts import load_cohort
        from vaeimpute.cohorts.cache import cache_dir
        from vaeimpute.experiments.catalogue import find_experiments
        from vaeimpute.experiments.grid import Results
        from vaeimpute.experiments.reproduce import prepare_grids, write_results
        from vaeimpute.profiles import parse_overrides, read_profile

        find_experiments(experiments or [])  # before the cohort, which may take a while to load
        sizes = read_profile(profile, **parse_overrides(changes or []))
        options = {"data_type": data_type, "clinical": clinical}
        found = load_cohort(cohort, **{key: value for key, value in options.items() if value})
        choice = (without or [], add or [])
        found, grids = prepare_grids(experiments or [], found, sizes, seed, *choice)
        for experiment, grid in grids.items():
            typer.echo(f"{experiment.name}: {splits} x {grid.describe()}.")
        store = cache_dir() / "units" if store is None else store
        seeds = range(seed, seed + splits)
        failed = False
        for experiment, first in grids.items():
            later = (experiment.grid(found, sizes, s, *choice) for s in seeds[1:])
            results = Results.together(
                [
                    grid.run(n_jobs=jobs, scheduler=scheduler, store=store, progress=True)
                    for grid in chain([first], later)
                ]
            )
            path = write_results(results, experiment, found, sizes, seeds, output, add=bool(add))
            typer.echo(f"{path}: {len(results.table)} rows")
            if len(results.failures):
                failed = True
                typer.echo(f"{experiment.name}: {results.describe_failures()}", err=True)
                if debug:
                    typer.echo("\n".join(results.failures["traceback"]), err=True)
    if failed:
        typer.echo("What failed is tried again by the same command; the rest is kept.", err=True)
        raise typer.Exit(1)


def _experiments() -> str:
    from vaeimpute.experiments.catalogue import EXPERIMENTS
    from vaeimpute.profiles import PROFILES, read_profile

    lines = [f"{experiment.name}\n    {experiment.about}" for experiment in EXPERIMENTS.values()]
    for name in PROFILES:
        sizes = ", ".join(f"{k}={v}" for k, v in read_profile(name).parameters().items())
        lines.append(f"profile {name}")
        lines += textwrap.wrap(sizes, 96, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines)
