"""What is said of how a file was read, and which of it was a guess."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vaeimpute.exceptions import TableError


class Guess(str):
    """A note on what a file leaves open, and for what it was taken nevertheless.

    A note on what is clear, if unusual, is a plain str.
    """


def check_guesses(path: Path, notes: Sequence[str]) -> None:
    """Refuse a file of which something had to be guessed.

    Parameters
    ----------
    path : pathlib.Path
    notes : sequence of str

    Raises
    ------
    TableError
        If one of the notes is a `Guess`; the message has all of them.

    Examples
    --------
    >>> check_guesses(Path("a.csv"), ["The fields are separated by semicolons."])
    >>> check_guesses(Path("a.csv"), [Guess("'length' is taken for no sample.")])
    Traceback (most recent call last):
    vaeimpute.exceptions.TableError: a.csv is not clear, and nothing may be guessed: 'length' is \
taken for no sample.
    """
    guesses = [note for note in notes if isinstance(note, Guess)]
    if guesses:
        raise TableError(f"{path} is not clear, and nothing may be guessed: {' '.join(guesses)}")
