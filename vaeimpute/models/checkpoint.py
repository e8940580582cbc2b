"""The state of a training run as a file, from which it goes on as if it had never stopped."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vaeimpute.exceptions import CheckpointError
from vaeimpute.files import replacing
from vaeimpute.models.callbacks import Callback

if TYPE_CHECKING:
    from vaeimpute.models.training import Run


@dataclass
class Checkpoint(Callback):
    """Write the state of a run to a file from time to time, and go on from it if it is there.

    A run that goes on reaches the weights that it would have reached uninterrupted on the same
    machine. The file is deleted when training is complete, unless it is to be kept.

    Attributes
    ----------
    path : str or Path
        Its folder is made if need be.
    seconds : float
        Time between two writings, which happen at the end of an epoch.
    keep : bool
        Leave the file: the same run, once more, is then over in no more than those seconds.

    Raises
    ------
    CheckpointError
        At the start of training: if the file is no checkpoint, is cut short, or belongs to another
        run, or if no file can be written there: better now than after minutes.
    ValueError
        If training has no generator.
    """

    path: str | Path
    seconds: float = 600.0
    keep: bool = False

    def start(self, run: Run) -> None:
        """Go on from the file if it is there, else see to it that one can be written."""
        if run.generators[0] is None:
            raise ValueError(
                "A checkpoint needs a generator: without one, no run can be gone on from, because "
                "the next draws are not known."
            )
        self._run = _describe(run)
        self._written = time.monotonic()
        path = Path(self.path)
        if path.is_file():
            self._resume(run, path)
            return
        try:
            if path.is_dir():
                raise IsADirectoryError("it is a folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            raise CheckpointError(f"No checkpoint can be written to {path}: {error}.") from error

    def after_epoch(self, run: Run) -> None:
        """Write the file if it is time to, or delete it if training is complete."""
        if run.is_complete:
            if not self.keep:
                Path(self.path).unlink(missing_ok=True)
        elif time.monotonic() - self._written >= self.seconds:
            tensors = run.optimizer.state()
            tensors |= {f"best.{name}": weight for name, weight in run.best_weights.items()}
            for number, generator in enumerate(run.generators):
                tensors[f"random.{number}"] = generator.get_state()  # type: ignore[union-attr]
            header = {"run": self._run, "history": run.history,
                      "best": [run.best_epoch, run.best_error]}  # fmt: skip
            write_tensors(Path(self.path), tensors, header)
            self._written = time.monotonic()

    def _resume(self, run: Run, path: Path) -> None:
        tensors, header = read_tensors(path)
        theirs = header["run"]
        other = sorted(key for key in self._run | theirs if self._run.get(key) != theirs.get(key))
        if other:
            raise CheckpointError(
                f"The checkpoint {path} belongs to another run: {', '.join(other)} differ. "
                "Delete it, or name another file."
            )
        run.optimizer.load_state(tensors)
        run.history = header["history"]
        run.best_epoch, run.best_error = header["best"]
        for name, tensor in tensors.items():
            if name.startswith("best."):  # copied: the tensors are views of the file
                best = tensor.to(run.filled.device, copy=True)
                run.best_weights[name.removeprefix("best.")] = best
        for number, generator in enumerate(run.generators):
            generator.set_state(tensors[f"random.{number}"])  # type: ignore[union-attr]


def _describe(run: Run) -> dict[str, str]:
    """Return hashes of what determines a run, by which its checkpoint is recognised."""
    parts = {name: (value,) for name, value in run.settings.items()} | {
        "model": (repr(run.model),),
        "initial weights": tuple(weight.detach() for weight in run.optimizer.weights.values()),
        "data": (run.filled, run.observed),
        "seed": (run.generators[0].get_state(),),  # type: ignore[union-attr]
    }
    for callback in run.callbacks:
        parts |= callback.identity()
    return {name: _digest(*values) for name, values in parts.items()}


def _digest(*values: Any) -> str:
    """Return a hash of the shapes and bytes of tensors, and of how other values are written."""
    digest = hashlib.sha256()
    for value in values:
        if isinstance(value, Tensor):
            digest.update(f"{tuple(value.shape)} {value.dtype}".encode())
            digest.update(value.contiguous().cpu().reshape(-1).view(torch.uint8).numpy().data)
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


def write_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Write tensors, and what JSON can hold, to a safetensors file, all of it or nothing."""
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    with replacing(path) as unfinished:
        save_file(contiguous, unfinished, {"checkpoint": json.dumps(header)})


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read back what `write_tensors` wrote; raise CheckpointError if it did not or not all."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["checkpoint"])
            return {name: file.get_tensor(name) for name in file.keys()}, header  # noqa: SIM118
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise CheckpointError(
            f"{path} is not a checkpoint of a training run, or is cut short ({error}). Delete it "
            "to start from the beginning."
        ) from error
