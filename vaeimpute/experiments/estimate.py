"""About how long a grid will take: timings of earlier runs, or a short trial on this machine."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from pathlib import Path

import joblib
import numpy as np
from sklearn.base import BaseEstimator, clone

from vaeimpute.experiments.grid import Cell, Grid
from vaeimpute.experiments.store import UnitStore, digest
from vaeimpute.experiments.units import unpack

logger = logging.getLogger(__name__)

_ROWS = 5  # imputed in a trial


def estimate_seconds(grids: Iterable[Grid], store: str | Path, *, n_jobs: int = 1) -> float | None:
    """Estimate how long it takes to finish some grids.

    Parameters
    ----------
    grids : iterable of Grid
        What one finishes, the others need not do again.
    store : str or path
        What has been finished tells how long its like takes. Of other imputers a copy is fitted,
        networks for one epoch, and imputes five rows.
    n_jobs : int
        As in `Grid.run`.

    Returns
    -------
    float or None
        Seconds; None if an imputer fails in the trial.
    """
    units = UnitStore(store)
    fits: dict[str, float] = {}
    cells: dict[str, float] = {}
    for grid in grids:
        finished = grid.finished(units)
        for method, imputer in grid.imputers.items():
            pending = [c for c in grid.cells if c.method == method and c not in finished]
            pending = [c for c in pending if digest(grid.cell_key(c)) not in cells]
            if not pending:
                continue
            key = digest(grid.fit_key(method))
            is_fitted = key in fits or units.read(grid.fit_key(method)) is not None
            known = [
                result["seconds"] + result.get("evaluation_seconds", 0.0)
                for c, result in finished.items()
                if c.method == method
            ]
            if is_fitted and known:
                fit, one = 0.0, float(np.mean(known))
            else:
                try:
                    fit, one = _try(grid, imputer, pending[0])
                except Exception as error:  # it will be a failed unit, with its cause
                    logger.debug("No estimate for %s: %s", method, error)
                    return None
            fits.setdefault(key, 0.0 if is_fitted else fit)
            cells |= {digest(grid.cell_key(c)): one for c in pending}
    workers = joblib.effective_n_jobs(n_jobs)
    longest_fit = max(fits.values(), default=0.0)
    return max(longest_fit, sum(fits.values()) / workers) + sum(cells.values()) / workers


def _try(grid: Grid, imputer: BaseEstimator, cell: Cell) -> tuple[float, float]:
    """Time a fit and the imputation of a few rows, scale both up, and time a measurement."""
    imputer = clone(imputer)
    n_epochs = imputer.get_params().get("n_epochs")
    if n_epochs is None:
        fit = _time_fit(imputer, grid.train)
    else:
        # The first call of all imports torch, and any builds the model: neither is for every epoch.
        _time_fit(imputer.set_params(n_epochs=1), grid.train[:, :2])
        one, two = (_time_fit(imputer.set_params(n_epochs=n), grid.train) for n in (1, 2))
        fit = one + (n_epochs - 1) * max(two - one, 0.0)
    mask = unpack(grid.packed_mask(cell), grid.test.shape)
    holed = np.where(mask, np.nan, grid.test)[:_ROWS]
    start = time.perf_counter()
    imputer.transform(holed)
    impute = (time.perf_counter() - start) * len(grid.test) / len(holed)
    start = time.perf_counter()
    grid.measure(grid.test, grid.test, mask)
    return fit, impute + time.perf_counter() - start


def _time_fit(imputer: BaseEstimator, X: np.ndarray) -> float:
    start = time.perf_counter()
    imputer.fit(X)
    return time.perf_counter() - start
