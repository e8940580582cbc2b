"""The two units of work that a grid is made of; they run here or in another process."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import logging
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import BaseEstimator

import vaeimpute
from vaeimpute.exceptions import (
    OtherCodeError,
)
from vaeimpute.experiments.measures import Measure
from vaeimpute.files import write_atomically
from vaeimpute.imputers.storage import load_imputer, save_imputer

_PACKAGE = Path(vaeimpute.__file__).parent
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch")
# What every unit does besides calling the imputer and the measure.
_SHARED = ("vaeimpute.experiments.run",)


def code_version(cls: type) -> str:
    """Identify the code behind a class of imputers or measures.

    Only what the class imports counts, so a change to one imputer leaves the finished units of the
    others alone.

    Parameters
    ----------
    cls : type

    Returns
    -------
    str
        A hash of those modules of this package that the class imports, directly or through others,
        and the versions of the package and of the libraries that compute. A class that comes from
        elsewhere has its `foreign_source` as well.

    Examples
    --------
    >>> from vaeimpute.imputers import KNNImputer, MeanImputer
    >>> code_version(KNNImputer) == code_version(MeanImputer)
    False
    """
    own = [base.__module__ for base in cls.__mro__ if base.__module__.startswith("vaeimpute")]
    # torch appends the build, which may be another on a machine with a GPU.
    versions = [
        f"{name} {metadata.version(name).partition('+')[0]}" for name in ("vaeimpute", *_LIBRARIES)
    ]
    return f"{_hash_of_modules(tuple(own))[:16]}, {', '.join(versions)}"


def foreign_source(cls: type) -> str:
    """Return a hash of the source of a class that is not from this package, if it can be read.

    Parameters
    ----------
    cls : type

    Returns
    -------
    str
        Empty for the classes of this package.
    """
    if cls.__module__.startswith("vaeimpute"):
        return ""
    try:
        return hashlib.sha256(inspect.getsource(cls).encode()).hexdigest()[:16]
    except (OSError, TypeError):  # typed at a prompt, or compiled
        return ""


@lru_cache  # once in a process: what it has imported does not change when a file does
def _hash_of_modules(modules: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for module in sorted(imported_modules(modules) | set(_SHARED)):
        file = _file(module)
        if file is not None:
            digest.update(f"\0{module}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def imported_modules(modules: Iterable[str]) -> set[str]:
    """Return modules of this package and those that they import, directly or through others.

    Parameters
    ----------
    modules : iterable of str

    Returns
    -------
    set of str
        With the given ones. Imports inside functions count too.

    Examples
    --------
    >>> sorted(imported_modules(["vaeimpute.cohorts.cohort"]))
    ['vaeimpute.cohorts.cohort', 'vaeimpute.exceptions']
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        file = _file(module)
        if module in found or file is None:
            continue
        found.add(module)
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                # What is imported may be a module itself.
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def _file(module: str) -> Path | None:
    name, *parts = module.split(".")
    if name != "vaeimpute":
        return None
    path = _PACKAGE.joinpath(*parts)
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in candidates if file.is_file()), None)


logger = logging.getLogger(__name__)

Key = Mapping[str, Any]


class UnitStore:
    """A folder with one small file per finished unit.

    A unit's key says all that its result depends on. The file is named after the key's hash, and
    holds the key, the result and a checksum over both; what is damaged, or holds another key than
    its name promises, counts as not there.

    Parameters
    ----------
    folder : str or path
        Made when the first unit is written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = UnitStore(folder)
    ...     store.write({"trial": 3}, {"mae": 0.25})
    ...     store.read({"trial": 3}), store.read({"trial": 4})
    ({'mae': 0.25}, None)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).absolute()

    def path(self, key: Key, suffix: str = ".json") -> Path:
        """Return where the file of a unit is or will be."""
        # Some file systems slow down with ten thousands of files in one folder.
        name = digest(key)
        return self.folder / name[:2] / f"{name}{suffix}"

    def write(self, key: Key, result: Mapping[str, Any]) -> None:
        """Keep the result of a unit."""
        body = {"key": key, "result": result}
        text = json.dumps(body | {"sha256": digest(body)}, indent=1)
        write_atomically(self.path(key), text + "\n")

    def read(self, key: Key) -> dict[str, Any] | None:
        """Return the result of a unit, or None if it is not there or cannot be trusted."""
        path = self.path(key)
        try:
            text = path.read_text("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            logger.warning("Computing a unit again, %s cannot be read: %s", path.name, error)
            return None
        try:
            record = json.loads(text)
            body = {"key": record["key"], "result": record["result"]}
            trusted = record["sha256"] == digest(body) and digest(body["key"]) == digest(key)
        except (ValueError, KeyError, TypeError):
            trusted = False
        if not trusted:
            logger.warning("Computing a unit again, %s is damaged or not its own.", path.name)
            return None
        return body["result"]


def digest(value: Any) -> str:
    """Hash a value that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def array_digest(array: np.ndarray) -> str:
    """Hash the shape, the type and every bit of an array.

    Examples
    --------
    >>> array_digest(np.zeros(3)) == array_digest(np.zeros((3, 1)))
    False
    """
    head = f"{array.dtype.str} {array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def file_digest(path: Path) -> str:
    """Hash the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def parameters_for_key(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Turn an estimator's parameters into what JSON can hold, different for different values."""
    return json.loads(json.dumps(dict(parameters), default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    return {"type": type(value).__qualname__, "hash": joblib.hash(value)}


@dataclass(frozen=True)
class FittedFile:
    """A fitted imputer that travels as a file: every process reads it once.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the content, so that a file that is written anew is read anew.
    """

    path: Path
    sha256: str


def fit_unit(
    imputer: BaseEstimator, train: np.ndarray, path: Path | None, code: str | None
) -> dict[str, Any] | BaseEstimator:
    """Fit an imputer.

    Parameters
    ----------
    imputer : estimator
    train : array of shape (n_train, n_features)
    path : Path or None
        The file to save it to. Without one it is returned.
    code : str or None
        The code version that the caller has, if this may run elsewhere.

    Returns
    -------
    dict or estimator
        ``seconds`` and ``sha256`` of the file, or the imputer itself.
    """
    _check_code(imputer, code)
    start = time.perf_counter()
    imputer.fit(train, None)  # scikit-learn's FrozenEstimator insists on a y
    seconds = time.perf_counter() - start
    if path is None:
        return imputer
    path.parent.mkdir(parents=True, exist_ok=True)
    save_imputer(imputer, path)
    return {"seconds": seconds, "sha256": file_digest(path)}


def impute_unit(
    fitted: FittedFile | BaseEstimator,
    true: np.ndarray,
    packed: np.ndarray,
    measure: Measure,
    codes: tuple[str, str] | None,
) -> dict[str, Any]:
    """Hide values, impute them, and measure what came of it.

    Parameters
    ----------
    fitted : FittedFile or estimator
    true : array of shape (n_test, n_features)
    packed : array of bytes
        The mask, True where a value is hidden, as `numpy.packbits` returns it.
    measure : Measure
        Prepared.
    codes : (str, str) or None
        The code versions of imputer and measure that the caller has, if this may run elsewhere.

    Returns
    -------
    dict
        What the measure returns, ``n_missing`` and ``seconds``.
    """
    imputer = _read(fitted) if isinstance(fitted, FittedFile) else fitted
    for thing, code in zip((imputer, measure), codes or (None, None), strict=True):
        _check_code(thing, code)
    mask = unpack(packed, true.shape)
    holed = np.where(mask, np.nan, true)
    start = time.perf_counter()
    imputed = imputer.transform(holed)
    seconds = time.perf_counter() - start
    return {
        **measure(true, imputed, mask),
        "n_missing": int(mask.sum()),
        "seconds": seconds,
    }


def unpack(packed: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the boolean matrix that `numpy.packbits` made bits of.

    Examples
    --------
    >>> unpack(np.packbits([[True, False], [False, True]]), (2, 2)).tolist()
    [[True, False], [False, True]]
    """
    return np.unpackbits(packed, count=int(np.prod(shape))).reshape(shape).astype(bool)


@lru_cache(maxsize=1)  # the units of one imputer follow each other, and a large one fills memory
def _read(fitted: FittedFile) -> BaseEstimator:
    return load_imputer(fitted.path)


def forget_fitted() -> None:
    """Free the memory of the imputer that this process read last."""
    _read.cache_clear()


def _check_code(thing: Any, code: str | None) -> None:
    here = code if code is None else code_version(type(thing))
    if here != code:
        raise OtherCodeError(
            f"This worker has other code ({here}) than the program that gave it work ({code}). "
            "Install the same version of vaeimpute and of the libraries on both."
        )


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
    calls: Sequence[Call], *, n_jobs: int = 1, client: Any = None
) -> Iterator[tuple[int, Any]]:
    """Make calls that do not depend on each other.

    Parameters
    ----------
    calls : sequence of (function, arguments)
        Large arrays are shared between processes if they are arguments themselves.
    n_jobs : int
        Processes on this machine, as joblib counts them. With 1, everything runs in this one, and
        in order. With more, each gets its share of the processors for the threads of its linear
        algebra, unless the environment (``OMP_NUM_THREADS`` and the like) says otherwise.
    client : distributed.Client, optional
        The cluster to run them on instead.

    Yields
    ------
    number : int
        Position in `calls`; they come as they finish.
    outcome : object
        What the call returned, or a `Failure`.

    Examples
    --------
    >>> [(n, getattr(x, "cause", x)) for n, x in run_calls([(int, ("7",)), (int, ("x",))])]
    [(0, 7), (1, "ValueError: invalid literal for int() with base 10: 'x'")]
    """
    if client is None and joblib.effective_n_jobs(n_jobs) == 1:
        for number, (function, arguments) in enumerate(calls):
            yield number, _attempt(function, *arguments)
        return
    waiting = deque(enumerate(calls))
    while waiting:
        started: dict[int, Call] = {}
        try:
            # Closed at once on an interruption, which stops the workers.
            with closing(_parallel(n_jobs, client)(_dispatch(waiting, started))) as outcomes:
                for number, outcome in outcomes:
                    del started[number]
                    yield number, outcome
        except _worker_deaths(client):
            # One of those that were under way killed its process, and the others' work is lost
            # with it. Alone, each shows whether it was the one; the rest then goes on as before.
            for number, call in started.items():
                yield number, _run_alone(call, n_jobs, client)


def _dispatch(waiting: deque, started: dict[int, Call]) -> Iterator:
    while waiting:
        number, (function, arguments) = waiting.popleft()
        started[number] = (function, arguments)
        yield joblib.delayed(_numbered)(number, function, *arguments)


def _run_alone(call: Call, n_jobs: int, client: Any) -> Any:
    function, arguments = call
    task = joblib.delayed(_numbered)(0, function, *arguments)
    try:
        ((_, outcome),) = _parallel(n_jobs, client)([task])
    except _worker_deaths(client):
        return Failure(_KILLED)
    return outcome


def _parallel(n_jobs: int, client: Any) -> joblib.Parallel:
    if client is None:
        where: Any = nullcontext()
    else:
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
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "A scheduler needs Dask, which is not installed. Install it: pip install "
            "'vaeimpute[dask]'.",
            name="distributed",
        ) from None
    try:
        client = Client(scheduler, set_as_default=False, timeout=30)
    except (OSError, ValueError) as error:
        raise OSError(f"No Dask scheduler answers at {scheduler}: {error}") from None
    with client:
        yield client


def _numbered(number: int, function: Callable, *arguments: Any) -> tuple[int, Any]:
    return number, _attempt(function, *arguments)


def _attempt(function: Callable, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception as error:  # a MemoryError is one, Ctrl-C is not
        return describe(error)


def describe(error: Exception) -> Failure:
    """Turn an exception into a `Failure`."""
    kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__
    message = " ".join(str(error).split())
    cause = f"{kind}: {message}" if message else kind
    return Failure(cause, "".join(traceback.format_exception(error)))
