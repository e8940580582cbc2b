"""What a grid measures of an imputation; the errors, unless it is told otherwise."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd

from vaeimpute.evaluation.errors import mean_absolute_error, root_mean_squared_error


class Measure(Protocol):
    """What is computed of every imputation of a grid.

    It travels to other processes, so it has to be picklable, and small: the values come with every
    call.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """What it adds to the table."""
        ...

    def prepare(self, true: np.ndarray, clinical: pd.DataFrame) -> Measure:
        """Return a measure for these test rows, with all done that is the same for every mask.

        Parameters
        ----------
        true : array of shape (n_test, n_features)
            Standardised.
        clinical : DataFrame of shape (n_test, n_variables)

        Returns
        -------
        Measure

        Raises
        ------
        ValueError
            If it cannot be computed on these rows.
        """
        ...

    def key(self) -> dict[str, Any]:
        """Return what its results depend on besides values, mask and code, as JSON can hold it."""
        ...

    def __call__(self, true: np.ndarray, imputed: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
        """Measure one imputation; ``columns`` are the keys of what is returned."""
        ...


class ErrorMeasure:
    """Mean absolute and root mean squared error over the masked entries.

    Examples
    --------
    >>> measure = ErrorMeasure()
    >>> measure(np.array([[1.0, 2.0]]), np.array([[1.0, 5.0]]), np.array([[False, True]]))
    {'mae': 3.0, 'rmse': 3.0}
    """

    columns = ("mae", "rmse")

    def prepare(self, true: np.ndarray, clinical: pd.DataFrame) -> ErrorMeasure:
        """Return itself."""
        return self

    def key(self) -> dict[str, Any]:
        """Return that it has no parameters."""
        return {}

    def __call__(self, true: np.ndarray, imputed: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
        """Return ``mae`` and ``rmse``."""
        return {
            "mae": mean_absolute_error(true, imputed, mask),
            "rmse": root_mean_squared_error(true, imputed, mask),
        }
