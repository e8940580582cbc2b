"""Options that the commands on a matrix of one's own have in common."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from vaeimpute.interrupts import noting_interrupts


class MethodName(StrEnum):
    """The keys of `vaeimpute.comparison.METHODS`, which takes a second to import."""

    RANDOM = "random"
    MEAN = "mean"
    KNN = "knn"
    SVD = "svd"
    GAUSSIAN = "gaussian"
    VAE = "vae"


class MethodChoice(StrEnum):
    """A method, or to have one chosen."""

    AUTO = "auto"
    RANDOM = "random"
    MEAN = "mean"
    KNN = "knn"
    SVD = "svd"
    GAUSSIAN = "gaussian"
    VAE = "vae"


class Resemblance(StrEnum):
    """A key of `vaeimpute.comparison.SCENARIOS`, or to have one guessed."""

    AUTO = "auto"
    RANDOM = "random"
    FEATURES = "features"
    LOW = "low"


class NotAtRandom(StrEnum):
    """What is known about the missing values."""

    LOW = "low"


Input = Annotated[
    Path,
    typer.Argument(
        metavar="IN",
        readable=False,  # typer would call it an error of usage
        help="The matrix: .csv, .tsv, .txt (each also .gz), .parquet or .h5ad. Samples in rows, "
        "features in columns, with ids; an empty field or NA is a missing value.",
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", metavar="OUT", help="Write the filled matrix here; same extensions."
    ),
]
FeaturesInRows = Annotated[
    bool, typer.Option("--features-in-rows", help="Rows of the file are features, not samples.")
]
Layer = Annotated[str | None, typer.Option(help="Layer of an .h5ad file, instead of its X.")]
KeepEmpty = Annotated[
    bool,
    typer.Option(
        "--keep-empty",
        help="Leave features without any value empty in the output, and impute the others; "
        "without it, they are an error.",
    ),
]
Log = Annotated[
    bool,
    typer.Option("--log", help="Work on ln(x + 1), for counts; the output is in x again."),
]
ZScore = Annotated[
    bool,
    typer.Option(
        "--zscore/--no-zscore",
        help="Work in standard deviations of each feature; the output is in its units again. The "
        "VAE always does.",
    ),
]
MNAR = Annotated[
    NotAtRandom | None,
    typer.Option(
        help="Low values are the ones that are missing, as below a detection limit: correct the "
        "VAE for it, and compare methods on low values. Only if you know."
    ),
]
MissingLike = Annotated[
    Resemblance,
    typer.Option(
        help="What to hide when methods are compared: values at random, whole features in some "
        "samples, or low values; auto takes what the holes of the matrix look like."
    ),
]
Std = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write predictive standard deviations here, 0 where a value is observed.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Root of all random choices.")]
Device = Annotated[
    str,
    typer.Option(
        help="Where to compute: auto (the VAE on a GPU if there is one, all else on the CPU), cpu, "
        "cuda (all but mean on a GPU), mps (the VAE on that of a Mac)."
    ),
]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace files that exist.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more, with times.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def log_level(quiet: bool, verbose: bool) -> int:
    """Return the least level that is shown."""
    if quiet and verbose:
        raise typer.BadParameter("Choose one of --quiet and --verbose.")
    return logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO


def check_layout(matrix: Path, features_in_rows: bool, layer: str | None) -> None:
    """Refuse options that a format has not."""
    if matrix.suffix == ".h5ad" and features_in_rows:
        raise typer.BadParameter(
            "--features-in-rows does not apply to .h5ad: AnnData keeps samples in rows. Transpose "
            "the object before it is written."
        )
    if matrix.suffix != ".h5ad" and layer is not None:
        raise typer.BadParameter("--layer applies to .h5ad only.")


def check_device(device: str) -> None:
    """Refuse what cannot be a device, before torch is imported."""
    if device not in ("auto", "cpu", "mps") and not re.fullmatch(r"cuda(:\d+)?", device):
        raise typer.BadParameter(
            f"Expected --device as auto, cpu, mps, cuda or cuda:1, but got {device!r}."
        )


def check_distinct(*paths: Path | None) -> None:
    """Refuse to write two things to one file."""
    named = [path.resolve() for path in paths if path is not None]
    if len(set(named)) < len(named):
        raise typer.BadParameter("Two of the files to write are the same; name different ones.")


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
