"""The linear algebra of the closed-form imputers: numpy and scipy or, on a GPU, torch.

Arrays of both know the same operators (``@``, ``*``, slices, indices, ``sum``, ``any``, ``take``),
so that an algorithm is written once. What has another name in one of the two, or a faster form,
is a method here.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh
from sklearn.utils._param_validation import StrOptions
from threadpoolctl import ThreadpoolController

from vaeimpute.exceptions import DeviceError
from vaeimpute.imputers._base import BaseImputer
from vaeimpute.missingness import hide

Array = Any  # of numpy or of torch
_ONE_THREAD = 1000  # rows of a matrix up to which it is decomposed by one thread


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()  # which takes some milliseconds to look around


def few_threads(n: int) -> AbstractContextManager:
    """Limit what decomposes a matrix of n rows to one thread if it is small.

    Its threads wait for one another thousands of times. On a computer that does something else as
    well, they wait for their turn each time: 500 rows took 0.05 seconds of two processors with one
    thread, and 0.4 to 1.9 with two. Where decompositions and products take turns, these are better
    limited as well: their threads go on waiting for a while.
    """
    return _threads().limit(limits=1, user_api="blas") if n <= _ONE_THREAD else nullcontext()


@dataclass(frozen=True)
class Algebra:
    """Linear algebra on the CPU, by numpy and scipy."""

    @property
    def package(self) -> Any:
        """What has the functions that are called the same in both."""
        return np

    def put(self, array: np.ndarray) -> Array:
        """Return an array to compute with; that of numpy itself where nothing has to move."""
        return array

    def get(self, array: Array) -> np.ndarray:
        """Return an array of numpy."""
        return array

    def astype(self, array: Array, dtype: Any) -> Array:
        """Return an array of a type of numpy's; the same one where it has that type."""
        return array.astype(dtype, copy=False)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return an array of zeros."""
        return np.zeros(shape, dtype)

    def columns(self, matrix: Array, chosen: np.ndarray) -> Array:
        """Return some columns of a matrix, row by row in memory."""
        return matrix.take(chosen, axis=1)

    def dot(self, matrices: list[Array], out: Array | None = None) -> Array:
        """Multiply matrices in the order that takes the fewest operations."""
        return self.package.linalg.multi_dot(matrices, out=out)

    def row_dots(self, x: Array, y: Array) -> Array:
        """Return the scalar products of the rows of two matrices."""
        return self.package.einsum("ij,ij->i", x, y)

    def eigh(self, symmetric: Array, n_largest: int | None = None) -> tuple[Array, Array]:
        """Return (the largest) eigenvalues, ascending, and eigenvectors as columns.

        The part below the diagonal is all that is read.
        """
        n = len(symmetric)
        if n > _ONE_THREAD and (n_largest is None or n_largest > n // 6):
            # scipy's would not let go of Python's lock, so that Ctrl-C would not be heard.
            values, vectors = np.linalg.eigh(symmetric)
            return values[-(n_largest or n) :], vectors[:, -(n_largest or n) :]
        with few_threads(n):
            if n_largest is None or n_largest > n // 6:  # all of them are found faster than some
                values, vectors = eigh(symmetric, driver="evd", check_finite=False)
                return values[-(n_largest or n) :], vectors[:, -(n_largest or n) :]
            return eigh(symmetric, subset_by_index=[n - n_largest, n - 1], check_finite=False)

    def solve(self, definite: Array, right: Array) -> Array:
        """Solve a system of a symmetric positive definite matrix.

        Raises
        ------
        numpy.linalg.LinAlgError
            If it is not positive definite, if only for rounding.
        """
        with few_threads(len(definite)):
            return cho_solve(cho_factor(definite, lower=True, check_finite=False), right)


@dataclass(frozen=True)
class TorchAlgebra(Algebra):
    """Linear algebra on a device of torch, which takes seconds to import."""

    device: str

    @property
    def package(self) -> Any:
        import torch

        return torch

    def _type(self, dtype: Any) -> Any:
        return getattr(self.package, np.dtype(dtype).name)

    def put(self, array: np.ndarray) -> Array:
        return self.package.tensor(np.ascontiguousarray(array), device=self.device)

    def get(self, array: Array) -> np.ndarray:
        return array.cpu().numpy()

    def astype(self, array: Array, dtype: Any) -> Array:
        return array.to(self._type(dtype))

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Array:
        return self.package.zeros(shape, dtype=self._type(dtype), device=self.device)

    def columns(self, matrix: Array, chosen: np.ndarray) -> Array:
        return matrix.index_select(1, self.put(chosen))

    def eigh(self, symmetric: Array, n_largest: int | None = None) -> tuple[Array, Array]:
        values, vectors = self.package.linalg.eigh(symmetric)
        n_largest = n_largest or len(values)
        return values[-n_largest:], vectors[:, -n_largest:]

    def solve(self, definite: Array, right: Array) -> Array:
        factor, not_definite = self.package.linalg.cholesky_ex(definite)
        if not_definite:
            raise np.linalg.LinAlgError("The matrix is not positive definite.")
        return self.package.cholesky_solve(right, factor)


def find_algebra(device: str) -> Algebra:
    """Return numpy's for ``"cpu"``, or torch's for another device.

    Raises
    ------
    DeviceError
        If torch does not find the device, or it has no float64.
    """
    found = device if device == "cpu" else find_device(device)
    if found.startswith("mps") and device != "auto":
        raise DeviceError("device 'mps' has no float64, which is needed here; take 'cpu'.")
    return Algebra() if found in ("cpu", "mps") else TorchAlgebra(found)


def find_device(device: str) -> str:
    """Return the name of the device that "auto" stands for, or `device` itself.

    Raises
    ------
    DeviceError
        If there is no such device, or it is a GPU that torch does not find.
    """
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        name = str(torch.device(device)) if isinstance(device, str | torch.device) else ""
    except RuntimeError:
        name = ""
    if not name:
        raise DeviceError(
            f"Expected device 'auto', 'cpu', 'cuda', one of several such as 'cuda:1', or 'mps' but "
            f"got {device!r}."
        )
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name.startswith("cuda") and (torch.device(name).index or 0) >= there:
        raise DeviceError(
            f"device is {name!r} but torch finds no such GPU here; take 'auto' or 'cpu' "
            "(load_imputer has a device too)."
        )
    return name


class ClosedFormImputer(BaseImputer):
    """Base of the imputers in closed form, which have parameters ``precision`` and ``device``."""

    _parameter_constraints = BaseImputer._parameter_constraints | {
        "precision": [StrOptions({"float64", "float32"})],
    }
    precision: str
    device: str

    def _check_parameters(self) -> None:
        super()._check_parameters()
        find_algebra(self.device)

    @property
    def _dtype(self) -> type[np.floating]:
        return np.dtype(self.precision).type

    @property
    def _algebra(self) -> Algebra:
        return find_algebra(self.device)

    def _placed(self, name: str) -> Array:
        """Return a learnt array where it is computed with; it is sent there once."""
        array, algebra = getattr(self, name), self._algebra
        sent = self.__dict__.setdefault("_sent", {})
        if name not in sent or sent[name][0] is not array or sent[name][1] != algebra:
            sent[name] = array, algebra, algebra.put(array)
        return sent[name][2]

    def __getstate__(self):
        state: Any = super().__getstate__()  # what a device holds stays there
        return {name: value for name, value in state.items() if name not in ("_sent", "_systems")}

    def _hold_out(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """Set a fifth of the rows apart and hide a tenth of their values, to choose a parameter.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            NaN means missing.

        Returns
        -------
        kept : ndarray of shape (n_kept, n_features)
            The other rows, as deviations from their means; NaN where missing.
        held_out : ndarray of shape (n_held_out, n_features)
            As deviations from the same means, with all their values.
        hidden : boolean ndarray of shape (n_held_out, n_features)
            Which of these to hide. They all have a value. Instead of the three, None where there is
            nothing to choose with.
        """
        n_held_out = len(X) // 5
        rng = self._generator("held-out values")
        order = rng.permutation(len(X))
        held_out, kept = X[order[:n_held_out]], X[order[n_held_out:]]
        # Centred by the mean of all rows, the held-out ones would be minus the sum of the others.
        seen = ~np.isnan(kept)
        mean = np.where(seen, kept, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        kept, held_out = kept - mean, held_out - mean
        hidden = hide(~np.isnan(held_out), 0.1, rng)
        return (kept, held_out, hidden) if hidden.any() else None
