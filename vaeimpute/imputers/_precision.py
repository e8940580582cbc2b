"""The choice between float64 and float32 for imputers that are products of matrices."""

from __future__ import annotations

import numpy as np

_TYPES: dict[str, type[np.floating]] = {"float64": np.float64, "float32": np.float32}


class WithPrecision:
    """Mixin of imputers that have a parameter ``precision``."""

    precision: str

    @property
    def _dtype(self) -> type[np.floating]:
        if self.precision not in _TYPES:
            raise ValueError(
                f"Expected precision 'float64' or 'float32' but got {self.precision!r}."
            )
        return _TYPES[self.precision]
