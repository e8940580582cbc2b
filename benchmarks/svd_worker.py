"""Fill one matrix with one of two programs, for svd_against_fancyimpute.py, in their environments.

``python svd_worker.py vaeimpute|fancyimpute <folder>`` reads ``matrix.npz`` there and writes
``<program>.npz`` with what it imputed and the processor seconds that this took: on one thread, what
a clock shows if nobody else uses the machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np


def main(program: str, folder: str) -> None:
    """Read, fill, write."""
    with np.load(f"{folder}/matrix.npz") as matrix:
        train, rows, rank = matrix["train"], matrix["rows"], int(matrix["rank"])
    fill = _vaeimpute(rank) if program == "vaeimpute" else _fancyimpute(rank)
    start = time.process_time()
    imputed = fill(train, rows)
    seconds = time.process_time() - start
    np.savez(f"{folder}/{program}.npz", imputed=imputed, seconds=seconds)


def _vaeimpute(rank: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    from vaeimpute.imputers import SVDImputer

    # The matrix comes standardised, for both.
    imputer = SVDImputer(n_components=rank, max_iter=16, tol=5e-4, standardize=False)
    return lambda train, rows: imputer.fit(train).transform(rows)


def _fancyimpute(rank: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    from fancyimpute import IterativeSVD

    imputer = IterativeSVD(rank=rank, max_iters=16, convergence_threshold=5e-4, verbose=False)
    return lambda train, rows: imputer.fit_transform(np.vstack([train, rows]))[len(train) :]


if __name__ == "__main__":
    main(*sys.argv[1:])
