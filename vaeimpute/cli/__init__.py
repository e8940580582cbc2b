"""The command ``vaeimpute``, a module per subcommand.

Nothing heavy is imported before a command runs: its help and its errors of usage come at once.
A command is a function that runs within `running.running`; an option that several commands have is
a type in `options`; what they do with a matrix alike is in `matrices`.
"""

from __future__ import annotations

from typing import Annotated

import typer

import vaeimpute
from vaeimpute.cli import apply, check, compare, fetch, impute, reproduce

app = typer.Typer(
    help="Impute missing values in genomic data.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command(epilog=impute.EXAMPLES)(impute.impute)
app.command(epilog=apply.EXAMPLES)(apply.apply)
app.command(epilog=check.EXAMPLES)(check.check)
app.command(epilog=compare.EXAMPLES)(compare.compare)
app.command()(fetch.fetch)
app.command()(reproduce.reproduce)


def _show_version(asked_for: bool) -> None:
    if asked_for:
        typer.echo(f"vaeimpute {vaeimpute.__version__}")
        raise typer.Exit


@app.callback()
def _commands(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Impute missing values in genomic data."""
