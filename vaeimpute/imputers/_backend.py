"""The linear algebra of the closed-form imputers: numpy and scipy or, on a GPU, torch.

Arrays of both know the same operators (``@``, ``*``, slices, indices, ``sum``, ``any``, ``take``),
so that an algorithm is written once. What has another name in one of the two, or a faster form,
is a method here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

Array = Any  # of numpy or of torch


class Algebra(Protocol):
    """What the imputers ask for."""

    def put(self, array: np.ndarray) -> Array:
        """Return an array to compute with; that of numpy itself where nothing has to move."""

    def get(self, array: Array) -> np.ndarray:
        """Return an array of numpy."""

    def astype(self, array: Array, dtype: Any) -> Array:
        """Return an array of a type of numpy's; the same one where it has that type."""

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Array:
        """Return an array of zeros."""

    def columns(self, matrix: Array, chosen: np.ndarray) -> Array:
        """Return some columns of a matrix, row by row in memory."""

    def dot(self, matrices: list[Array], out: Array | None = None) -> Array:
        """Multiply matrices in the order that takes the fewest operations."""

    def row_dots(self, x: Array, y: Array) -> Array:
        """Return the scalar products of the rows of two matrices."""

    def eigh(self, symmetric: Array, n_largest: int | None = None) -> tuple[Array, Array]:
        """Return (the largest) eigenvalues, ascending, and eigenvectors as columns.

        The part below the diagonal is all that is read.
        """

    def solve(self, definite: Array, right: Array) -> Array:
        """Solve a system of a symmetric positive definite matrix.

        Raises
        ------
        numpy.linalg.LinAlgError
            If it is not positive definite, if only for rounding.
        """


@dataclass(frozen=True)
class NumpyAlgebra:
    """Linear algebra on the CPU."""

    def put(self, array: np.ndarray) -> np.ndarray:
        return array

    get = put

    def astype(self, array: np.ndarray, dtype: Any) -> np.ndarray:
        return array.astype(dtype, copy=False)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return np.zeros(shape, dtype)

    def columns(self, matrix: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        return matrix.take(chosen, axis=1)

    def dot(self, matrices: list[np.ndarray], out: np.ndarray | None = None) -> np.ndarray:
        return np.linalg.multi_dot(matrices, out=out)

    def row_dots(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.einsum("ij,ij->i", x, y)

    def eigh(
        self, symmetric: np.ndarray, n_largest: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        n = len(symmetric)
        if n_largest is None or n_largest > n // 6:  # then all of them are found faster than some
            values, vectors = eigh(symmetric, driver="evd", check_finite=False)
            return values[-(n_largest or n) :], vectors[:, -(n_largest or n) :]
        return eigh(symmetric, subset_by_index=[n - n_largest, n - 1], check_finite=False)

    def solve(self, definite: np.ndarray, right: np.ndarray) -> np.ndarray:
        return cho_solve(cho_factor(definite, lower=True, check_finite=False), right)


@dataclass(frozen=True)
class TorchAlgebra:
    """Linear algebra on a device of torch."""

    device: str

    @property
    def torch(self) -> Any:
        """The package, which takes seconds to import."""
        import torch

        return torch

    def _type(self, dtype: Any) -> Any:
        return getattr(self.torch, np.dtype(dtype).name)

    def put(self, array: np.ndarray) -> Array:
        return self.torch.tensor(np.ascontiguousarray(array), device=self.device)

    def get(self, array: Array) -> np.ndarray:
        return array.cpu().numpy()

    def astype(self, array: Array, dtype: Any) -> Array:
        return array.to(self._type(dtype))

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Array:
        return self.torch.zeros(shape, dtype=self._type(dtype), device=self.device)

    def columns(self, matrix: Array, chosen: np.ndarray) -> Array:
        return matrix.index_select(1, self.put(chosen))

    def dot(self, matrices: list[Array], out: Array | None = None) -> Array:
        return self.torch.linalg.multi_dot(matrices, out=out)

    def row_dots(self, x: Array, y: Array) -> Array:
        return self.torch.einsum("ij,ij->i", x, y)

    def eigh(self, symmetric: Array, n_largest: int | None = None) -> tuple[Array, Array]:
        values, vectors = self.torch.linalg.eigh(symmetric)
        n_largest = n_largest or len(values)
        return values[-n_largest:], vectors[:, -n_largest:]

    def solve(self, definite: Array, right: Array) -> Array:
        factor, not_definite = self.torch.linalg.cholesky_ex(definite)
        if not_definite:
            raise np.linalg.LinAlgError("The matrix is not positive definite.")
        return self.torch.cholesky_solve(right, factor)


class WithDevice:
    """Mixin of imputers in closed form that have a parameter ``device``."""

    device: str
    _sent: dict[str, tuple[Any, str, Array]]

    @property
    def _algebra(self) -> Algebra:
        return find_algebra(self.device)

    def _placed(self, name: str) -> Array:
        """Return a learnt array where it is computed with; it is sent there once."""
        array, algebra = getattr(self, name), self._algebra
        if isinstance(algebra, NumpyAlgebra):
            self.__dict__.pop("_sent", None)
            return array
        sent = self.__dict__.setdefault("_sent", {})
        if name not in sent or sent[name][0] is not array or sent[name][1] != self.device:
            sent[name] = (array, self.device, algebra.put(array))
        return sent[name][2]

    def __getstate__(self):
        state: Any = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_sent"}


def find_algebra(device: str) -> Algebra:
    """Return numpy's for ``"cpu"``, or torch's for another device.

    Raises
    ------
    ValueError
        If torch does not find the device, or it has no float64.
    """
    if device == "cpu":
        return NumpyAlgebra()
    found = find_device(device)
    if found.startswith("mps"):
        if device == "auto":
            return NumpyAlgebra()
        raise ValueError("device 'mps' has no float64, which is needed here; take 'cpu'.")
    return NumpyAlgebra() if found == "cpu" else TorchAlgebra(found)


def find_device(device: str) -> str:
    """Return the name of the device that "auto" stands for, or `device` itself.

    Raises
    ------
    ValueError
        If there is no such device, or it is a GPU that torch does not find.
    """
    import torch

    try:
        known = isinstance(device, str | torch.device)
        torch.device("cpu" if device == "auto" else device)
    except (RuntimeError, TypeError):
        known = False
    if not known:
        raise ValueError(
            f"Expected device 'auto', 'cpu', 'cuda', one of several such as 'cuda:1', or 'mps' but "
            f"got {device!r}."
        )
    device = str(device)
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(
            f"device is {device!r} but torch finds no such GPU here; take 'auto' or 'cpu' "
            "(load_imputer has a device too)."
        )
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


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
