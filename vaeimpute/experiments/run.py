"""Calls that do not depend on each other, in this process, in several, or on a Dask cluster."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from vaeimpute.exceptions import import_optional

Call = tuple[Callable[..., Any], tuple]

_KILLED = (
    "The process that did it was killed, most likely because memory ran out: give it more, or run "
    "fewer at once."
)


@dataclass(frozen=True)
class Failure:
    """What a call returned instead of a result.

    Attributes
    ----------
    cause : str
        The error's type and message, on one line.
    traceback : str
        All of it; empty if the process was killed.
    """

    cause: str
    traceback: str = ""


def run_calls(
    calls: Mapping[Hashable, Call], *, n_jobs: int = 1, client: Any = None
) -> Iterator[tuple[Any, Any]]:
    """Make calls that do not depend on each other.

    Parameters
    ----------
    calls : mapping to (function, arguments)
        Large arrays are shared between processes if they are arguments themselves.
    n_jobs : int
        Processes on this machine, as joblib counts them. With 1, everything runs in this one, and
        in order. With more, each gets its share of the processors for the threads of its linear
        algebra, unless the environment (``OMP_NUM_THREADS`` and the like) says otherwise.
    client : distributed.Client, optional
        The cluster to run them on instead.

    Yields
    ------
    key : hashable
        Of the call; they come as they finish.
    outcome : object
        What the call returned, or a `Failure`.

    Examples
    --------
    >>> calls = {"a": (int, ("7",)), "b": (int, ("x",))}
    >>> [(key, getattr(found, "cause", found)) for key, found in run_calls(calls)]
    [('a', 7), ('b', "ValueError: invalid literal for int() with base 10: 'x'")]
    """
    if client is None and joblib.effective_n_jobs(n_jobs) == 1:
        for key, (function, arguments) in calls.items():
            yield _attempt(key, function, *arguments)
        return

    def task(key: Hashable) -> Any:
        function, arguments = calls[key]
        return joblib.delayed(_attempt)(key, function, *arguments)

    def dispatch(started: list[Hashable]) -> Iterator[Any]:
        while waiting:
            started.append(waiting.popleft())
            yield task(started[-1])

    waiting = deque(calls)
    while waiting:
        started: list[Hashable] = []
        try:
            # Closed at once on an interruption, which stops the workers.
            with closing(_parallel(n_jobs, client)(dispatch(started))) as outcomes:
                for key, outcome in outcomes:
                    started.remove(key)
                    yield key, outcome
        except _worker_deaths(client):
            # One of those that were under way killed its process, and the others' work is lost
            # with it. Alone, each shows whether it was the one; the rest then goes on as before.
            for key in started:
                try:
                    yield from _parallel(n_jobs, client)([task(key)])
                except _worker_deaths(client):
                    yield key, Failure(_KILLED)


def _attempt(key: Hashable, function: Callable, *arguments: Any) -> tuple[Hashable, Any]:
    try:
        return key, function(*arguments)
    except Exception as error:  # a MemoryError is one, Ctrl-C is not
        # numpy's is of a class of its own.
        kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
        message = " ".join(str(error).split())
        cause = f"{kind}: {message}" if message else kind
        return key, Failure(cause, "".join(traceback.format_exception(error)))


def _parallel(n_jobs: int, client: Any) -> joblib.Parallel:
    where: Any = nullcontext()
    if client is not None:
        where = joblib.parallel_config(_dask_backend(client))
        n_jobs = -1  # as many as the cluster has
    with where:
        # mmap_mode: arrays that processes share can be written to, each in a copy of its own.
        return joblib.Parallel(
            n_jobs=n_jobs, return_as="generator_unordered", batch_size=1, mmap_mode="c"
        )


def _dask_backend(client: Any) -> Any:
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):
        """joblib's "dask", which would run everything here if the cluster has but one core."""

        def effective_n_jobs(self, n_jobs: int) -> int:
            return max(2, super().effective_n_jobs(n_jobs))

    return Backend(client=client)


def _worker_deaths(client: Any) -> tuple[type[BaseException], ...]:
    if client is None:
        return (TerminatedWorkerError,)
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    # The scheduler gives a unit up when it has killed several workers; joblib, which asks too late,
    # hears that there is no such unit any more.
    return (KilledWorker, FutureCancelledError)


@contextmanager
def connected(scheduler: str | None) -> Iterator[Any]:
    """Connect to a Dask cluster.

    Parameters
    ----------
    scheduler : str or None
        Address, such as ``tcp://10.0.0.5:8786``.

    Yields
    ------
    distributed.Client or None

    Raises
    ------
    ModuleNotFoundError
        If Dask is not installed.
    OSError
        If nothing answers there.
    """
    if scheduler is None:
        yield None
        return
    distributed = import_optional("distributed", "A scheduler", "dask")
    try:
        client = distributed.Client(scheduler, set_as_default=False, timeout=30)
    except (OSError, ValueError) as error:
        raise OSError(f"No Dask scheduler answers at {scheduler}: {error}") from None
    with client:
        yield client
