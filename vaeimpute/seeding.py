"""Independent random streams that are named, so that any one of them can be drawn alone."""

from __future__ import annotations

import hashlib

import numpy as np


def child_seed(seed: int, *names: str | int) -> np.random.SeedSequence:
    """Derive the seed of a named stream from one root seed.

    Trial 7 is the same whether it is drawn alone or as one of ten, and adding a method or a
    scenario changes nobody else's numbers: a stream depends on its own name only.

    Parameters
    ----------
    seed : int
        The root, non-negative.
    *names : str or int
        The path of the stream, for example ``"mask", "mcar_10", 7``.

    Returns
    -------
    numpy.random.SeedSequence

    Examples
    --------
    >>> rng = np.random.default_rng(child_seed(0, "mask", "mcar_10", 7))
    >>> again = np.random.default_rng(child_seed(0, "mask", "mcar_10", 7))
    >>> rng.random() == again.random()
    True
    """
    # SeedSequence takes integers; a digest turns each name into one that is the same on every
    # machine and in every process, which Python's own hash() is not.
    key = [
        int.from_bytes(hashlib.sha256(f"{type(n).__name__}:{n}".encode()).digest()[:8], "big")
        for n in names
    ]
    return np.random.SeedSequence(seed, spawn_key=key)


def as_int(seed: np.random.SeedSequence) -> int:
    """Reduce a seed to the 32-bit integer that scikit-learn's ``random_state`` takes.

    Examples
    --------
    >>> 0 <= as_int(child_seed(0, "split")) < 2**32
    True
    """
    return int(seed.generate_state(1, np.uint32)[0])


def as_generator(random_state: int | np.random.RandomState | None) -> np.random.Generator:
    """Turn scikit-learn's ``random_state`` into a generator, without numpy's global state.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        The same integer gives the same generator; None gives another one every time.

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> bool(as_generator(0).random() == as_generator(0).random())
    True
    """
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31))
    return np.random.default_rng(random_state)
