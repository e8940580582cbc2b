"""``vaeimpute fetch``: cohorts, downloaded and prepared."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Annotated

import typer

from vaeimpute.cli.running import GOES_ON, running


def fetch(
    name: Annotated[str | None, typer.Argument(help="The cohort, as in --list.")] = None,
    list_cohorts: Annotated[
        bool, typer.Option("--list", help="List the cohorts and what is on this machine.")
    ] = False,
    source: Annotated[
        str | None, typer.Option(help="Where to get it, if there is a choice: gdc or xena.")
    ] = None,
    chromosome: Annotated[
        str | None, typer.Option(help="Which chromosome to read, for blueprint-wgbs.")
    ] = None,
    cache_dir: Annotated[
        Path | None,
        typer.Option(help="Keep downloads and prepared cohorts here. Also: VAEIMPUTE_CACHE."),
    ] = None,
    debug: Annotated[bool, typer.Option(help="Show the traceback of an error.")] = False,
) -> None:
    """Download and prepare a cohort, so that it loads at once afterwards."""
    if cache_dir is not None:
        os.environ["VAEIMPUTE_CACHE"] = str(cache_dir)
    if name is None and not list_cohorts:
        raise typer.BadParameter("Which cohort? vaeimpute fetch --list names them.")
    with running(f"What has been downloaded is kept{GOES_ON}", debug=debug):
        # Here and not above: pandas takes half a second that --help need not wait for.
        from vaeimpute.cohorts import load_cohort
        from vaeimpute.cohorts.registry import find

        if name is None or list_cohorts:
            typer.echo(_table())
            return
        downloads = find(name).folder
        options = {"source": source, "chromosome": chromosome}
        cohort = load_cohort(name, **{key: value for key, value in options.items() if value})
        typer.echo(repr(cohort))
        for note in cohort.notes:
            typer.echo(f"- {note}")
        if downloads.exists():
            typer.echo(f"It is prepared now; the downloads in {downloads} may be deleted.")


def _table() -> str:
    from vaeimpute.cohorts import list_cohorts

    lines = []
    for name, row in list_cohorts().iterrows():
        lines.append(f"{name}  [{row['here']}]")
        for label in ("title", "kind", "download", "licence", "citation"):
            lines += textwrap.wrap(
                row[label], 96, initial_indent=f"    {label:<9} ", subsequent_indent=" " * 14
            )
    return "\n".join(lines)
