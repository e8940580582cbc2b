"""The state of a training run as a file, from which it goes on as if it had never stopped."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vaeimpute.exceptions import (
    CheckpointError,
)
from vaeimpute.files import replacing


def data_digest(*tensors: Tensor) -> str:
    """Return a hash of the shapes and the bytes of tensors.

    Examples
    --------
    >>> data_digest(torch.zeros(2)) == data_digest(torch.zeros(3))
    False
    """
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.contiguous().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def write_checkpoint(path: Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Write tensors and a JSON header to a safetensors file, all of it or nothing.

    Parameters
    ----------
    path : Path
    tensors : dict of str to Tensor
    header : dict
        What JSON can hold.
    """
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    with replacing(path) as unfinished:
        save_file(contiguous, unfinished, {"checkpoint": json.dumps(header)})


def prepare_checkpoint(
    path: Path, run: dict[str, Any]
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Read the checkpoint of a run if it is there, else see to it that one can be written.

    Parameters
    ----------
    path : Path
        Its folder is made if need be.
    run : dict
        As in `read_checkpoint`.

    Returns
    -------
    tuple or None
        What `read_checkpoint` returns, or None if there is no such file.

    Raises
    ------
    CheckpointError
        As `read_checkpoint`, or if no file can be written there: better now than after minutes.
    """
    if path.is_file():
        return read_checkpoint(path, run)
    try:
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise CheckpointError(f"No checkpoint can be written to {path}: {error}.") from error
    return None


def read_checkpoint(path: Path, run: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a checkpoint back, if it belongs to this run.

    Parameters
    ----------
    path : Path
    run : dict
        What determines the run; the header that was written must hold the same under ``"run"``.

    Returns
    -------
    tensors : dict of str to Tensor
        On the CPU.
    header : dict

    Raises
    ------
    CheckpointError
        If the file is no checkpoint, is cut short, or belongs to another run.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["checkpoint"])
            theirs = header["run"]
            other = sorted(key for key in run | theirs if run.get(key) != theirs.get(key))
            if other:
                raise CheckpointError(
                    f"The checkpoint {path} belongs to another run: {', '.join(other)} differ. "
                    "Delete it, or name another file."
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise CheckpointError(
            f"{path} is not a checkpoint of a training run, or is cut short ({error}). Delete it "
            "to start from the beginning."
        ) from error
    return tensors, header
