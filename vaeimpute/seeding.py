"""One kind of random generator: `numpy.random.Generator`, whose children have names."""

from __future__ import annotations

import hashlib
from numbers import Integral

import numpy as np

#: What scikit-learn calls ``random_state``, and a generator.
RandomState = int | np.random.Generator | np.random.RandomState | None


def generator(random_state: RandomState, *names: str | int) -> np.random.Generator:
    """Return the generator of a named stream.

    Streams of one integer are independent of each other, and each depends on its own name only:
    trial 7 is the same whether it is drawn alone or as one of ten, and one more method or scenario
    changes nobody else's numbers. numpy's global state is neither used nor changed.

    Parameters
    ----------
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None
        The root. The same integer gives the same streams. None gives others every time. Of a
        generator, or scikit-learn's RandomState, a number is drawn that takes the integer's place.
    *names : str or int
        The path of the stream, for example ``"mask", "mcar_10", 7``.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    TypeError
        If the root is none of these.
    ValueError
        If it is a negative integer.

    Examples
    --------
    >>> one, again = (generator(0, "mask", "mcar_10", 7) for _ in range(2))
    >>> one.random() == again.random()
    True
    """
    return np.random.default_rng(_sequence(random_state, names))


def integer(random_state: RandomState, *names: str | int) -> int:
    """Return the seed of a named stream, for what takes an integer: torch and scikit-learn.

    Parameters
    ----------
    random_state, *names
        As for `generator`.

    Returns
    -------
    int
        Of 32 bits.

    Examples
    --------
    >>> 0 <= integer(0, "split") < 2**32
    True
    """
    return int(_sequence(random_state, names).generate_state(1, np.uint32)[0])


def _sequence(random_state: RandomState, names: tuple[str | int, ...]) -> np.random.SeedSequence:
    if isinstance(random_state, np.random.Generator):
        random_state = int(random_state.integers(2**63))
    elif isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31 - 1))
    elif random_state is not None and (
        isinstance(random_state, bool) or not isinstance(random_state, Integral)
    ):
        raise TypeError(
            "Expected random_state as an integer, a numpy.random.Generator or None but got "
            f"{random_state!r}."
        )
    # SeedSequence takes integers; a digest turns each name into one that is the same on every
    # machine and in every process, which Python's own hash() is not.
    key = [
        int.from_bytes(hashlib.sha256(f"{type(n).__name__}:{n}".encode()).digest()[:8], "big")
        for n in names
    ]
    entropy = None if random_state is None else int(random_state)
    return np.random.SeedSequence(entropy, spawn_key=key)
