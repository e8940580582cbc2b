"""The command ``vaeimpute``, a module per subcommand.

Nothing heavy is imported before a command runs: its help and its errors of usage come at once.
A command is a function that runs within `running.running`; an option that several commands have is
a type in `options`; what they do with a matrix alike is in `matrices`.
"""

from __future__ import annotations

import typer

from vaeimpute.cli import apply, compare, fetch, impute, reproduce

app = typer.Typer(
    help="Impute missing values in genomic data.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command(epilog=impute.EXAMPLES)(impute.impute)
app.command(epilog=apply.EXAMPLES)(apply.apply)
app.command(epilog=compare.EXAMPLES)(compare.compare)
app.command()(fetch.fetch)
app.command()(reproduce.reproduce)


@app.callback()
def _commands() -> None:
    """Impute missing values in genomic data."""
