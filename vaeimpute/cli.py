"""The command ``vaeimpute``."""

from __future__ import annotations

import logging
import os
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Impute missing values in genomic data.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _commands() -> None:
    """Impute missing values in genomic data."""


@app.command()
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
    options = {"source": source, "chromosome": chromosome}
    with _log_to_stderr(), _errors_in_one_line(debug):
        if name is None or list_cohorts:
            typer.echo(_table())
        else:
            _fetch(name, {key: value for key, value in options.items() if value is not None})


def _fetch(name: str, options: dict[str, str]) -> None:
    # Here and not above: pandas takes half a second that --help need not wait for.
    from vaeimpute.cohorts import load_cohort
    from vaeimpute.cohorts.catalogue import OptionError, find

    try:
        downloads = find(name).folder
        cohort = load_cohort(name, **options)
    except OptionError as error:
        raise typer.BadParameter(str(error)) from None
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


@contextmanager
def _log_to_stderr() -> Iterator[None]:
    log = logging.getLogger("vaeimpute")
    handler, level = logging.StreamHandler(sys.stderr), log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


@contextmanager
def _errors_in_one_line(debug: bool) -> Iterator[None]:
    """End with status 1 and the message of an error that a user can do something about."""
    from vaeimpute.cohorts import CohortError
    from vaeimpute.cohorts.download import DownloadError

    try:
        yield
    except KeyboardInterrupt:
        typer.echo(
            "Interrupted. What has been downloaded is kept: the same command goes on from there.",
            err=True,
        )
        raise typer.Exit(130) from None
    except (CohortError, DownloadError, ModuleNotFoundError, OSError) as error:
        if debug:
            raise
        message = str(error)
        if isinstance(error, ModuleNotFoundError) and "vaeimpute[data]" not in message:
            message += ". Install the project's data extra: pip install 'vaeimpute[data]'."
        typer.echo(f"Error: {message}", err=True)
        raise typer.Exit(1) from None
