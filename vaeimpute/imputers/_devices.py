"""Where an imputer computes."""

from __future__ import annotations

from typing import Any

from vaeimpute.imputers._algebra import Algebra, Array, NumpyAlgebra, TorchAlgebra


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
