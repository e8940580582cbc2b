"""Matrices that do not fit into memory: read, learnt from and filled in blocks of rows."""

from __future__ import annotations

import mmap
import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from vaeimpute.files import replacing
from vaeimpute.imputers._base import BLOCK_ENTRIES, BaseImputer, check_number
from vaeimpute.seeding import RandomState, generator


@dataclass(frozen=True)
class Moments:
    """Count, mean and sum of squared deviations of each feature, NaN left out.

    Those of blocks are merged as by Chan, Golub and LeVeque 1983, so offsets cost no digits.
    scikit-learn's ``StandardScaler.partial_fit`` (1.9) does the same, but a feature without any
    value in one of the blocks comes out as NaN.

    Attributes
    ----------
    count, mean, squares : ndarray of shape (n_features,)
        The mean is 0 where nothing is counted.
    """

    count: np.ndarray
    mean: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> Moments:
        """Compute those of a block of shape (n_rows, n_features)."""
        observed = ~np.isnan(X)
        count = observed.sum(axis=0)
        values = X.astype(np.float64)
        # From a value of the feature's own: the deviations of a constant are exactly 0.
        first = np.where(count > 0, values[observed.argmax(axis=0), np.arange(X.shape[1])], 0.0)
        values -= first
        values[~observed] = 0.0
        shift = values.sum(axis=0) / np.maximum(count, 1)
        values -= shift
        values[~observed] = 0.0
        return cls(count, first + shift, np.einsum("ij,ij->j", values, values))

    def __add__(self, other: Moments) -> Moments:
        """Return those of both together."""
        count = self.count + other.count
        share = other.count / np.maximum(count, 1)
        step = np.where(self.count > 0, other.mean - self.mean, other.mean)
        squares = self.squares + other.squares + step**2 * self.count * share
        mean = np.where(self.count > 0, self.mean + step * share, other.mean)
        return Moments(count, mean, squares)

    def as_scaler(self) -> StandardScaler:
        """Return a fitted scaler; a feature that is constant but for rounding has scale 1."""
        scaler = StandardScaler()
        scaler.n_features_in_ = len(self.mean)
        scaler.mean_ = self.mean
        scaler.var_ = self.squares / np.maximum(self.count, 1)
        eps = np.finfo(np.float64).eps
        rounding = self.count * eps * scaler.var_ + (self.count * self.mean * eps) ** 2
        scaler.scale_ = np.where(scaler.var_ <= rounding, 1.0, np.sqrt(scaler.var_))
        return scaler


T = TypeVar("T")


def fit_blocks(
    imputer: BaseImputer,
    source: Any,
    *,
    n_reference: int | None = None,
    max_bytes: int = 2 * 2**30,
    rows_per_block: int | None = None,
    n_jobs: int = 1,
    random_state: RandomState = None,
    progress: bool = False,
) -> BaseImputer:
    """Fit an imputer to a matrix that is read in blocks of rows.

    `MeanImputer` and ``SVDImputer(joint=False)`` learn from all rows without keeping them. The
    other methods keep, or train on, rows that have to be in memory: choose how many with
    `n_reference`. Means and standard deviations are those of all rows in any case.

    Parameters
    ----------
    imputer : imputer
        Of this package.
    source : array of shape (n_samples, n_features)
        Anything that has a shape and from which rows can be sliced: `numpy.memmap`, an array of
        zarr, a dataset of h5py, or an AnnData object, in backed mode as well.
    n_reference : int, optional
        Learn from so many rows, drawn at random. Without it, from all.
    max_bytes : int
        What learning may need, about. It is compared before anything is read.
    rows_per_block : int, optional
        By default so many that a block has some two million entries.
    n_jobs : int
        Threads that prepare blocks; -1 for one per processor.
    random_state : int, Generator or None
        Decides which rows are drawn.
    progress : bool
        Show a bar for each time that the rows are read.

    Returns
    -------
    imputer
        The same, fitted.

    Raises
    ------
    MemoryError
        If learning from so many rows would need more than `max_bytes`; the message says how many
        would not.
    ValueError
        If a feature has no value in the rows that are learnt from.

    Examples
    --------
    >>> from vaeimpute.imputers import KNNImputer
    >>> X = np.random.default_rng(0).normal(size=(1000, 20))
    >>> imputer = fit_blocks(KNNImputer(), X, n_reference=100, random_state=0)
    >>> imputer.train_.shape
    (100, 20)
    """
    blocks = _Blocks(source, rows_per_block, n_jobs, progress)
    if n_reference is not None:
        check_number(n_reference, "n_reference", Integral, min_val=1)
    n_rows, n_features = blocks.shape
    streams = imputer._streams and n_reference is None
    chosen = np.arange(0)
    if not streams:
        n_kept = n_rows if n_reference is None else min(n_reference, n_rows)
        _check_memory(imputer, n_kept, n_features, max_bytes)
        rng = generator(random_state, type(imputer).__name__, "reference rows")
        chosen = np.sort(rng.permutation(n_rows)[:n_kept])
    imputer._is_fitted = False  # as in fit: a fit that is interrupted leaves nothing to be used
    imputer.n_features_in_ = n_features
    if blocks.names is not None:
        imputer.feature_names_in_ = blocks.names
    elif hasattr(imputer, "feature_names_in_"):
        del imputer.feature_names_in_
    moments, kept = None, []
    for rows, (part, block) in blocks.apply(_look_at, "means"):
        if part is None:
            raise ValueError(f"Rows {rows.start} to {rows.stop - 1} contain infinity.")
        moments = part if moments is None else moments + part
        first, last = np.searchsorted(chosen, (rows.start, rows.stop))
        kept.append(block[chosen[first:last] - rows.start])
    assert moments is not None  # there are rows
    sample = np.concatenate(kept)
    del kept
    counts = moments.count if streams else np.count_nonzero(~np.isnan(sample), axis=0)
    if (counts == 0).any():
        raise ValueError(
            f"{type(imputer).__name__} cannot learn features without any value: "
            f"{np.count_nonzero(counts == 0)} of {n_features} are missing in every row that it "
            "learns from. Drop them, or take a larger n_reference."
        )
    imputer._scaler = moments.as_scaler() if getattr(imputer, "standardize", False) else None
    if streams:
        mean = moments.mean if imputer._scaler is None else np.zeros(n_features)
        imputer._fit_scans(
            mean, lambda: (scaled for _, scaled in blocks.apply(imputer._scale, "fit"))
        )
    else:
        scaled = imputer._scale(sample)
        del sample
        imputer._fit(scaled)
    imputer._is_fitted = True
    return imputer


def impute_blocks(
    imputer: BaseImputer,
    source: Any,
    out: Any,
    *,
    rows_per_block: int | None = None,
    n_jobs: int = 1,
    progress: bool = False,
) -> None:
    """Fill the missing values of a matrix that is read and written in blocks of rows.

    Parameters
    ----------
    imputer : imputer
        Fitted.
    source : array of shape (n_samples, n_features)
        As for `fit_blocks`. The variables of an AnnData object are matched by name with those of
        the fit; another order is no matter.
    out : path, or array of shape (n_samples, n_features)
        Path of a file that ends in ``.npy``: it is there when all is done and not before, and an
        existing one is replaced. Or anything that takes ``out[start:stop] = block``, such as
        `numpy.memmap`, an array of zarr or a dataset of h5py; after an interruption, its first
        blocks are filled.
    rows_per_block : int, optional
        By default so many that a block has some two million entries.
    n_jobs : int
        Blocks that are filled at a time, in threads; -1 for one per processor. Each needs some
        hundred megabytes.
    progress : bool
        Show a bar.

    Raises
    ------
    ValueError
        If `source` has no rows or no features, `out` has another shape or holds no floats, or
        `imputer` fills rows jointly: what a row gets would then depend on its block.

    Notes
    -----
    A row gets what ``transform`` would give it, with one exception: the random guess from which
    ``VAEImputer(init="random")`` starts depends on the position within the block.

    Examples
    --------
    >>> from vaeimpute.imputers import MeanImputer
    >>> X = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 4.0]])
    >>> filled = np.empty_like(X)
    >>> impute_blocks(MeanImputer().fit(X), X, filled, rows_per_block=2)
    >>> filled[1]
    array([3., 3.])
    """
    if getattr(imputer, "joint", False):
        raise ValueError(
            f"{type(imputer).__name__}(joint=True) fills all rows together, so a row would depend "
            "on its block. Fit one with joint=False."
        )
    blocks = _Blocks(source, rows_per_block, n_jobs, progress)
    as_file = isinstance(out, str | os.PathLike)
    if not as_file and tuple(out.shape) != blocks.shape:
        raise ValueError(f"Expected out of shape {blocks.shape} but got {tuple(out.shape)}.")
    if not as_file and np.dtype(getattr(out, "dtype", np.float64)).kind != "f":
        raise ValueError(
            f"Expected out to hold floats but got {out.dtype}, which would cut off the decimals."
        )
    # As many threads as are wanted are at work already; those of the libraries would multiply them.
    limit = threadpool_limits(1, user_api="blas") if blocks.n_jobs > 1 else nullcontext()
    fill = partial(blocks.fill, imputer=imputer)
    with limit, closing(blocks.apply(fill, "impute")) as filled:
        if as_file:
            _write_npy(Path(out), blocks.shape, filled)
            return
        for rows, block in filled:
            out[rows] = np.asarray(block)
            _release(out)


def _look_at(block: np.ndarray) -> tuple[Moments | None, np.ndarray]:
    """Return means and variances, or None if there is infinity, and the block itself."""
    return None if np.isinf(block).any() else Moments.of(block), block


class _Blocks:
    """A matrix as a sequence of blocks of rows, which are read as often as needed."""

    def __init__(
        self, source: Any, rows_per_block: int | None, n_jobs: int, progress: bool
    ) -> None:
        self.names = None
        if hasattr(source, "var_names"):  # AnnData
            self.names = np.asarray(source.var_names, dtype=object)
            source = source.X
        if len(getattr(source, "shape", ())) != 2:
            raise ValueError(
                "Expected a source of shape (n_samples, n_features) that rows can be sliced from, "
                f"such as a numpy.memmap, but got {type(source).__name__}."
            )
        self.source, self.progress = source, progress
        self.shape: tuple[int, int] = tuple(source.shape)
        if 0 in self.shape:
            raise ValueError(
                f"Expected a source with rows and features but got one of shape {self.shape}."
            )
        if rows_per_block is not None:
            check_number(rows_per_block, "rows_per_block", Integral, min_val=1)
        check_number(n_jobs, "n_jobs", Integral)
        self.n_jobs = joblib.effective_n_jobs(n_jobs)
        self.rows_per_block = rows_per_block or max(1, BLOCK_ENTRIES // self.shape[1])

    def read(self, what: str) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield slices and the rows there, copied."""
        bar = tqdm(total=self.shape[0], desc=what, unit="row", disable=not self.progress)
        with bar:
            for rows in gen_batches(self.shape[0], self.rows_per_block):
                block = self.source[rows]
                if hasattr(block, "toarray"):  # sparse; what it does not store is 0, not missing
                    block = block.toarray()
                block = np.array(block)
                if block.dtype not in (np.float32, np.float64):
                    block = block.astype(np.float64)
                _release(self.source)
                yield rows, block
                bar.update(len(block))

    def apply(
        self, function: Callable[[np.ndarray], T], what: str
    ) -> Generator[tuple[slice, T], None, None]:
        """Yield slices and what a function makes of the rows there."""
        if self.n_jobs == 1:
            yield from ((rows, function(block)) for rows, block in self.read(what))
            return
        waiting: deque = deque()
        with ThreadPoolExecutor(self.n_jobs) as pool:
            for rows, block in self.read(what):
                waiting.append((rows, pool.submit(function, block)))
                if len(waiting) > self.n_jobs:  # no more blocks in memory than are needed
                    first, future = waiting.popleft()
                    yield first, future.result()
            for rows, future in waiting:
                yield rows, future.result()

    def fill(self, block: np.ndarray, imputer: BaseImputer) -> np.ndarray:
        """Fill a block; its features are matched by name, and each stays where it is."""
        features = getattr(imputer, "feature_names_in_", None)
        if self.names is None or features is None:
            return np.asarray(imputer.transform(block))
        import pandas as pd

        frame = pd.DataFrame(block, columns=self.names)
        if sorted(features) != sorted(self.names):
            return np.asarray(imputer.transform(frame))  # which refuses them
        filled = np.asarray(imputer.transform(frame[features.tolist()]))
        return filled[:, pd.Index(features).get_indexer(self.names)]


def _check_memory(imputer: BaseImputer, n_rows: int, n_features: int, max_bytes: int) -> None:
    needed = imputer._bytes_to_fit(n_rows, n_features)
    if needed <= max_bytes:
        return
    few, many = 0, n_rows
    while many - few > 1:
        middle = (few + many) // 2
        if imputer._bytes_to_fit(middle, n_features) <= max_bytes:
            few = middle
        else:
            many = middle
    advice = (
        f"Learn from fewer rows, drawn at random (n_reference={few} would fit), or take "
        "SVDImputer(joint=False), which keeps none."
        if few
        else "Not even one row would fit: choose a smaller model, or a larger max_bytes."
    )
    raise MemoryError(
        f"{type(imputer).__name__} needs about {needed / 1e9:.1f} GB to learn from {n_rows} rows "
        f"of {n_features} features, and max_bytes allows {max_bytes / 1e9:.1f} GB. {advice}"
    )


def _release(array: Any) -> None:
    """Let go of the pages of a mapped file: what was read stays with the system, not with us."""
    mapping = getattr(array, "_mmap", None)
    # Pages of a private copy hold changes that are nowhere else.
    if isinstance(mapping, mmap.mmap) and array.mode != "c" and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)


def _write_npy(
    path: Path, shape: tuple[int, int], filled: Iterator[tuple[slice, np.ndarray]]
) -> None:
    if path.suffix != ".npy":
        raise ValueError(
            f"Expected a path that ends in .npy but got {path}. To write zarr or HDF5, create the "
            "array there and pass it."
        )
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        for rows, block in filled:
            block = np.ascontiguousarray(block)
            if rows.start == 0:
                header = {
                    "descr": np.lib.format.dtype_to_descr(block.dtype),
                    "fortran_order": False,
                    "shape": shape,
                }
                np.lib.format.write_array_header_1_0(file, header)
            block.tofile(file)
