"""Matrices that do not fit into memory: read, learnt from and filled in blocks of rows."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np
import pandas as pd
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from vaeimpute.exceptions import some
from vaeimpute.files import replacing
from vaeimpute.imputers._base import (
    BLOCK_ENTRIES,
    COUNT,
    BaseImputer,
    Number,
    check_arguments,
)
from vaeimpute.imputers._frames import check_names
from vaeimpute.imputers._moments import Moments
from vaeimpute.seeding import RandomState, generator
from vaeimpute.tables.features import match_features

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

    `MeanImputer` and ``SVDImputer(joint=False)`` with a number of components learn from all rows
    without keeping them. The other methods keep, or train on, rows that have to be in memory:
    choose how many with `n_reference`. Means and standard deviations are those of all rows in any
    case.

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
        If a parameter has no meaning, which is found out before anything is read, or if a feature
        has no value in the rows that are learnt from.

    Examples
    --------
    >>> from vaeimpute.imputers import KNNImputer
    >>> X = np.random.default_rng(0).normal(size=(1000, 20))
    >>> imputer = fit_blocks(KNNImputer(), X, n_reference=100, random_state=0)
    >>> imputer.train_.shape
    (100, 20)
    """
    imputer._check_parameters()
    check_arguments("fit_blocks", {"n_reference": [COUNT, None]}, n_reference=n_reference)
    blocks = _Blocks(source, rows_per_block, n_jobs, progress)
    check_names(blocks.names, type(imputer).__name__)
    n_rows, n_features = blocks.shape
    streams = imputer._streams and n_reference is None
    chosen = np.arange(0)
    if not streams:
        n_kept = min(n_reference or n_rows, n_rows)
        imputer._check_rows(n_kept)
        _check_memory(imputer, n_kept, n_features, max_bytes)
        rng = generator(random_state, type(imputer).__name__, "reference rows")
        chosen = np.sort(rng.permutation(n_rows)[:n_kept])
    imputer._is_fitted = False  # as in fit: a fit that is interrupted leaves nothing to be used
    imputer.n_features_in_ = n_features
    if blocks.names is not None:
        imputer.feature_names_in_ = blocks.names.to_numpy(dtype=object)
    elif hasattr(imputer, "feature_names_in_"):
        del imputer.feature_names_in_
    moments, kept = Moments(*np.zeros((3, n_features))), []
    for rows, (part, block) in blocks.apply(lambda block: (Moments.of(block), block), "means"):
        moments += part
        first, last = np.searchsorted(chosen, (rows.start, rows.stop))
        kept.append(block[chosen[first:last] - rows.start])
    sample = np.concatenate(kept)
    del kept
    count = moments.count if streams else (~np.isnan(sample)).sum(axis=0)
    if not imputer.keep_empty_features and not count.all():
        names = np.arange(n_features) if blocks.names is None else blocks.names
        raise ValueError(
            f"Features have no value in the rows that {type(imputer).__name__} learns from: "
            f"{some(names[count == 0].tolist())} of {n_features}. Learn from more rows, leave them "
            "out, or have them filled with 0 (keep_empty_features)."
        )
    imputer._remember(moments, count, n_rows if streams else len(sample))

    def prepare(block: np.ndarray) -> np.ndarray:
        return imputer._scale(imputer._known(block))

    if streams:
        mean = np.zeros(imputer._n_known)
        if imputer._scaler is None:
            mean = moments.mean[~imputer._empty]
        imputer._fit_scans(mean, lambda: (scaled for _, scaled in blocks.apply(prepare, "fit")))
    else:
        scaled = prepare(sample)
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
        If `source` has no rows or no features, or others than the fit; if `out` has another shape
        or holds no floats; or if `imputer` fills rows jointly: what a row gets would then depend on
        its block. All this is found out before anything is read.

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
    check_is_fitted(imputer)
    if getattr(imputer, "joint", False):
        raise ValueError(
            f"{type(imputer).__name__}(joint=True) fills all rows together, so a row would depend "
            "on its block. Fit one with joint=False."
        )
    blocks = _Blocks(source, rows_per_block, n_jobs, progress)
    if blocks.shape[1] != imputer.n_features_in_:
        raise ValueError(
            f"{type(imputer).__name__} was fitted to {imputer.n_features_in_} features, and source "
            f"has {blocks.shape[1]}."
        )
    order, back, names = None, None, getattr(imputer, "feature_names_in_", None)
    if blocks.names is not None and names is not None:
        order = match_features(blocks.names, pd.Index(names), type(imputer).__name__)
        back = None if order is None else np.argsort(order)

    def fill(block: np.ndarray) -> np.ndarray:
        """Fill a block; its features are matched by name, and each stays where it is."""
        matched = block if order is None else block[:, order]
        known = matched if names is None else pd.DataFrame(matched, columns=names)
        filled = imputer._fill(known)[0]
        return filled if back is None else filled[:, back]

    path = Path(out) if isinstance(out, str | os.PathLike) else None
    if path is not None and path.suffix != ".npy":
        raise ValueError(
            f"Expected a path that ends in .npy but got {path}. To write zarr or HDF5, create the "
            "array there and pass it."
        )
    if path is None and tuple(out.shape) != blocks.shape:
        raise ValueError(f"Expected out of shape {blocks.shape} but got {tuple(out.shape)}.")
    if path is None and np.dtype(getattr(out, "dtype", np.float64)).kind != "f":
        raise ValueError(
            f"Expected out to hold floats but got {out.dtype}, which would cut off the decimals."
        )
    # As many threads as are wanted are at work already; those of the libraries would multiply them.
    limit = threadpool_limits(1, user_api="blas") if blocks.n_jobs > 1 else nullcontext()
    with limit, closing(blocks.apply(fill, "impute")) as filled:
        if path is not None:
            _write_npy(path, blocks.shape, filled)
            return
        for rows, block in filled:
            out[rows] = block


class _Blocks:
    """A matrix as a sequence of blocks of rows, which are read as often as needed."""

    def __init__(
        self, source: Any, rows_per_block: int | None, n_jobs: int, progress: bool
    ) -> None:
        self.names: pd.Index | None = getattr(source, "var_names", None)
        if self.names is not None:  # AnnData
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
        constraints: dict[str, list] = {
            "rows_per_block": [COUNT, None],
            "n_jobs": [Number(Integral, None, None, closed="neither")],
        }
        check_arguments("blocks", constraints, rows_per_block=rows_per_block, n_jobs=n_jobs)
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
                if np.isinf(block).any():
                    raise ValueError(f"Rows {rows.start} to {rows.stop - 1} contain infinity.")
                yield rows, block
                bar.update(len(block))

    def apply(
        self, function: Callable[[np.ndarray], T], what: str
    ) -> Generator[tuple[slice, T], None, None]:
        """Yield slices and what a function makes of the rows there."""
        waiting: deque = deque()
        with ThreadPoolExecutor(self.n_jobs) as pool:
            for rows, block in self.read(what):
                waiting.append((rows, pool.submit(function, block)))
                if len(waiting) > self.n_jobs:  # no more blocks in memory than are needed
                    first, future = waiting.popleft()
                    yield first, future.result()
            for rows, future in waiting:
                yield rows, future.result()


def _check_memory(imputer: BaseImputer, n_rows: int, n_features: int, max_bytes: int) -> None:
    needed = imputer._bytes_to_fit(n_rows, n_features)
    if needed <= max_bytes:
        return
    bytes_needed = partial(imputer._bytes_to_fit, n_features=n_features)
    few = bisect_right(range(n_rows), max_bytes, key=bytes_needed) - 1
    advice = (
        f"Learn from fewer rows, drawn at random (n_reference={few} would fit), or take "
        "SVDImputer(joint=False) with a number of components, which keeps none."
        if few > 0
        else "Not even one row would fit: choose a smaller model, or a larger max_bytes."
    )
    raise MemoryError(
        f"{type(imputer).__name__} needs about {needed / 1e9:.1f} GB to learn from {n_rows} rows "
        f"of {n_features} features, and max_bytes allows {max_bytes / 1e9:.1f} GB. {advice}"
    )


def _write_npy(
    path: Path, shape: tuple[int, int], filled: Iterator[tuple[slice, np.ndarray]]
) -> None:
    with replacing(path) as unfinished, unfinished.open("wb") as file:
        for rows, block in filled:
            block = np.ascontiguousarray(block)
            if rows.start == 0:
                header = np.lib.format.header_data_from_array_1_0(block) | {"shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
            block.tofile(file)
