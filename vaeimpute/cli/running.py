"""How every command runs: what it logs goes to standard error, and it ends in one line."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, NoReturn

import typer

from vaeimpute.exceptions import DivergenceWarning, ExperimentError, OptionError, ProfileError
from vaeimpute.interrupts import noting_interrupts

# What to say of an interruption: of commands that go on, and of those that begin again.
GOES_ON = ": the same command goes on from there."
WHOLE_OR_NOT = "Files are written whole or not at all."

_USAGE = (ExperimentError, OptionError, ProfileError)  # no such name, or it does not apply

logger = logging.getLogger("vaeimpute")


@contextmanager
def running(
    interrupted: str,
    *,
    quiet: bool = False,
    verbose: bool = False,
    debug: bool = False,
    to_stdout: bool = False,
) -> Iterator[None]:
    """Run a command and end it with a message instead of a traceback.

    The status is 0, 1 after an error, 2 after one in what was asked for, or 130 after Ctrl-C.

    Parameters
    ----------
    interrupted : str
        What to say after "Interrupted.".
    quiet, verbose : bool
        Show nothing but warnings; or more than usual.
    debug : bool
        Let errors pass with their tracebacks.
    to_stdout : bool
        Whether what is logged is what the command is for.
    """
    if quiet and verbose:
        raise typer.BadParameter("Choose one of --quiet and --verbose.")
    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO

    def last_words() -> None:
        if files := sys.modules.get("vaeimpute.files"):  # else none is being written
            files.remove_unfinished()
        typer.echo(f"Interrupted. {interrupted}", err=True)

    # What goes on from where it was keeps more if it ends by itself.
    watched = last_words if interrupted == WHOLE_OR_NOT else None
    with (
        _logging_to(sys.stdout if to_stdout else sys.stderr, level),
        noting_interrupts(watched) as interrupts,
    ):
        try:
            yield
        except KeyboardInterrupt:
            _end_interrupted(interrupted)
        except Exception as error:
            if interrupts:
                _end_interrupted(interrupted)
            if isinstance(error, _USAGE):
                raise typer.BadParameter(str(error)) from None
            # What typer raises to end a command has a status of its own.
            if debug or hasattr(error, "exit_code"):
                raise
            typer.echo(f"Error: {_in_one_line(error)}", err=True)
            raise typer.Exit(1) from None


def shows_progress() -> bool:
    """Tell whether someone watches standard error, and nothing but errors was not asked for."""
    return sys.stderr.isatty() and logger.isEnabledFor(logging.INFO)


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = super().format(record)
        return f"Warning: {message}" if record.levelno >= logging.WARNING else message


@contextmanager
def _logging_to(stream: IO[str], level: int) -> Iterator[None]:
    handler, before = logging.StreamHandler(stream), logger.level
    handler.setFormatter(_Formatter())
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", DivergenceWarning)
            # What is wrong, and not in which line of a library that is found.
            warnings.showwarning = lambda message, *_, **__: logger.warning(message)
            yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def _end_interrupted(words: str) -> NoReturn:
    typer.echo(f"Interrupted. {words}", err=True)
    raise typer.Exit(130) from None


def _in_one_line(error: Exception) -> str:
    message = str(error)
    if isinstance(error, ModuleNotFoundError):
        extra = "Install the project's data extra: pip install 'vaeimpute[data]'."
        return message if "'vaeimpute[" in message else f"{message}. {extra}"
    if isinstance(error, MemoryError):
        return f"Out of memory. {message}".strip()
    if isinstance(error, ValueError | OSError):
        return message
    return f"{type(error).__name__}: {message} (--debug shows where this comes from)"
