"""What all commands share: messages on standard error, and errors without a traceback."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from vaeimpute.interrupts import noting_interrupts

# What to say of an interruption: of commands that go on, and of those that begin again.
GOES_ON = ": the same command goes on from there."
WHOLE_OR_NOT = "Files are written whole or not at all."


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = super().format(record)
        return f"Warning: {message}" if record.levelno >= logging.WARNING else message


@contextmanager
def log_to_stderr(level: int = logging.INFO) -> Iterator[None]:
    """Write what the package logs to standard error.

    Parameters
    ----------
    level : int
        The least that is written.
    """
    log = logging.getLogger("vaeimpute")
    handler, before = logging.StreamHandler(sys.stderr), log.level
    handler.setFormatter(_Formatter())
    log.addHandler(handler)
    log.setLevel(level)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


@contextmanager
def errors_in_one_line(
    debug: bool, interrupted: str, missing_extra: str = "data"
) -> Iterator[None]:
    """End with a message instead of a traceback: status 1 after an error, 130 after Ctrl-C.

    Parameters
    ----------
    debug : bool
        Let errors pass with their tracebacks.
    interrupted : str
        What to say after "Interrupted.".
    missing_extra : str
        The extra to name if a package is missing and its error names none.
    """
    with noting_interrupts() as interrupts:
        try:
            yield
        except KeyboardInterrupt:
            _end_interrupted(interrupted)
        except Exception as error:
            if interrupts:
                _end_interrupted(interrupted)
            # What typer raises to end a command has a status of its own.
            if debug or hasattr(error, "exit_code"):
                raise
            typer.echo(f"Error: {_in_one_line(error, missing_extra)}", err=True)
            raise typer.Exit(1) from None


def _end_interrupted(words: str) -> NoReturn:
    typer.echo(f"Interrupted. {words}", err=True)
    raise typer.Exit(130) from None


def _in_one_line(error: Exception, missing_extra: str) -> str:
    message = str(error)
    if isinstance(error, ModuleNotFoundError):
        if "'vaeimpute[" in message:
            return message
        return (
            f"{message}. Install the project's {missing_extra} extra: "
            f"pip install 'vaeimpute[{missing_extra}]'."
        )
    if isinstance(error, MemoryError):
        return f"Out of memory. {message}".strip()
    if isinstance(error, ValueError | OSError):
        return message
    return f"{type(error).__name__}: {message} (--debug shows where this comes from)"
