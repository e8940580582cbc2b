"""What can go wrong, and the words to say it in."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


def some(names: pd.Index | Sequence, most: int = 5) -> str:
    """Name a few of many.

    Parameters
    ----------
    names : Index or sequence
    most : int
        How many to name.

    Returns
    -------
    str

    Examples
    --------
    >>> some(["TP53", "EGFR", "MYC"], most=2)
    "'TP53', 'EGFR' and 1 more"
    >>> some([])
    'none'
    """
    if not len(names):
        return "none"
    return ", ".join(map(repr, names[:most])) + (
        f" and {len(names) - most} more" if len(names) > most else ""
    )


def duration(seconds: float) -> str:
    """Say a time to two digits, in the largest unit of which there are at least two.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str

    Examples
    --------
    >>> [duration(s) for s in (0.0123, 100, 5000, 50_000)]
    ['0.012 seconds', '100 seconds', '83 minutes', '14 hours']
    """
    units = ((3600, "hours"), (60, "minutes"))
    size, unit = next(((s, u) for s, u in units if seconds >= 2 * s), (1, "seconds"))
    return f"{float(f'{seconds / size:.2g}'):g} {unit}"


def import_optional(package: str, what: str, extra: str) -> Any:
    """Import a package that only an extra of this one brings, or say which.

    Parameters
    ----------
    package : str
    what : str
        What needs it, as in "Reading x.h5ad".
    extra : str
        The extra of this package that brings it.

    Returns
    -------
    module

    Raises
    ------
    ModuleNotFoundError
        If it is not installed.

    Examples
    --------
    >>> import_optional("no_such_package", "Reading x.parquet", "data")
    Traceback (most recent call last):
    ModuleNotFoundError: Reading x.parquet needs no_such_package, which is not installed. Install \
it: pip install 'vaeimpute[data]'.
    """
    try:
        return import_module(package)
    except ImportError:
        raise ModuleNotFoundError(
            f"{what} needs {package}, which is not installed. Install it: pip install "
            f"'vaeimpute[{extra}]'.",
            name=package,
        ) from None


class VaeimputeError(Exception):
    """Base of the errors of this package.

    Each is also one of Python's own, so that ``except ValueError`` works.
    """


class CohortError(VaeimputeError, ValueError):
    """A cohort's parts do not fit together; the message names the offending ids."""


class TableError(CohortError):
    """A file cannot be read as a table; the message says where it fails and what to do."""


class OptionError(VaeimputeError, ValueError):
    """There is no such cohort, or an option has no such value; the message lists what there is."""


class DownloadError(VaeimputeError, RuntimeError):
    """A file could not be had; the message says why, what is kept and what to do."""


class FeatureOrderWarning(UserWarning):
    """Columns came in another order than at fit; they were matched by name."""


class EmptyFeatureWarning(UserWarning):
    """Features have no value to learn from, so they are left out."""


class DivergenceWarning(UserWarning):
    """Iterations of an imputer ran away instead of settling, and were stopped; see `settle`."""


class ModelFileError(VaeimputeError, ValueError):
    """A file holds no imputer that can be loaded; the message says why and what to do."""


class MissingCodeWarning(UserWarning):
    """A number occurs often, far from all others, and may stand for a missing value."""


class SparseLayerWarning(UserWarning):
    """A sparse layer has no missing value: its empty places are zeros, and zeros are values."""


class CheckpointError(VaeimputeError, ValueError):
    """A checkpoint cannot be used; the message says why and what to do."""


class DeviceError(VaeimputeError, ValueError):
    """A device to compute on is not there, or not good for it; the message says what to take."""


class TrainingError(VaeimputeError, RuntimeError):
    """Training cannot go on; the message says where it stopped and what to try."""


class TrainingInterrupted(KeyboardInterrupt):
    """Training was interrupted; the model keeps the best that it had until then.

    Attributes
    ----------
    history : DataFrame
        The epochs that were finished.
    """

    def __init__(self, message: str, history: pd.DataFrame) -> None:
        super().__init__(message)
        self.history = history

    def __reduce__(self) -> tuple:
        return type(self), (*self.args, self.history)


class ClinicalError(VaeimputeError, ValueError):
    """A clinical table cannot be used; the message says what is wrong, and in which sample."""


class OtherCodeError(VaeimputeError, RuntimeError):
    """A worker has another version of the code; the message names both."""


class ProfileError(VaeimputeError, ValueError):
    """A profile cannot be found or used; the message says what is wrong with it."""


class ExperimentError(VaeimputeError, ValueError):
    """There is no such experiment, or it does not apply to the cohort; the message says why."""


class NothingToHideError(VaeimputeError, ValueError):
    """A matrix has too few values for any of them to be hidden."""


class Guess(str):
    """A note on what a file leaves open, and for what it was taken nevertheless.

    A note on what is clear, if unusual, is a plain str.
    """


def check_guesses(path: Path | str, notes: Sequence[str]) -> None:
    """Refuse a file of which something had to be guessed.

    Parameters
    ----------
    path : path or str
        For the error.
    notes : sequence of str

    Raises
    ------
    TableError
        If one of the notes is a `Guess`; the message has all of them.

    Examples
    --------
    >>> check_guesses("a.csv", ["The fields are separated by semicolons."])
    >>> check_guesses("a.csv", [Guess("'length' is taken for no sample.")])
    Traceback (most recent call last):
    vaeimpute.exceptions.TableError: a.csv is not clear, and nothing may be guessed: 'length' is \
taken for no sample.
    """
    guesses = [note for note in notes if isinstance(note, Guess)]
    if guesses:
        raise TableError(f"{path} is not clear, and nothing may be guessed: {' '.join(guesses)}")
