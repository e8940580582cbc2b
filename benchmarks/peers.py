"""Other programs, each in a virtual environment of its own, and how they are given a job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
WORKER = Path(__file__).with_name("worker.py")
PACKAGES = {
    # fancyimpute does not run with newer versions of scikit-learn.
    "fancyimpute": ["fancyimpute==0.7.0", "scikit-learn<1.8"],
    # With the torch that is known to come without gigabytes of CUDA.
    "pimms-learn": ["pimms-learn==0.5.2", f"torch=={version('torch').partition('+')[0]}"],
    # The authors' program: TensorFlow 2 can play the first one, with the numpy of its time.
    "authors": ["tensorflow-cpu==2.15.1", "numpy<2"],
    "gcimpute": ["gcimpute==0.0.4"],
    "imputation-methods": ["imputation-methods==0.2.0"],
    "pyimputelcmd": ["pyimputelcmd==0.1.1"],
    "vbpca-py": ["vbpca-py==0.5.0"],
}
_THREADS = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
_THREADS |= {f"TF_NUM_{name}_THREADS": "1" for name in ("INTRAOP", "INTEROP")}


class Peers:
    """A folder for matrices and results, and the environments in which workers run.

    Parameters
    ----------
    folder : pathlib.Path
    timeout : float, optional
        Seconds for one job.
    """

    def __init__(self, folder: Path, timeout: float | None = None) -> None:
        self.folder = folder
        self.timeout = timeout
        self.pythons: dict[str, Path | str] = dict.fromkeys(
            ("vaeimpute", "scikit-learn", "blocks"), Path(sys.executable)
        )

    def install(self, *peers: str) -> None:
        """Make the environments that are not there yet; note why one cannot be made."""
        for peer in peers:
            folder = ROOT / "_build" / "bench" / peer
            self.pythons[peer] = python = folder / "bin" / "python"
            installed = folder / ".installed"
            if installed.exists():
                continue
            say(f"installing {peer} into an environment of its own")
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            command = [python, "-m", "pip", "install", "--quiet", *PACKAGES[peer]]
            if subprocess.run(command).returncode:
                self.pythons[peer] = "cannot be installed here"
            else:
                installed.touch()

    def save(self, train: np.ndarray, rows: np.ndarray) -> str:
        """Write a matrix for the workers; there is one at a time."""
        path = self.folder / "matrix.npz"
        np.savez(path, train=train, rows=rows)
        return str(path)

    def measure(self, program: str, **job: Any) -> dict[str, Any]:
        """Run a worker; return its result, or a ``note`` that says why there is none."""
        python = self.pythons[program.split()[0]]
        if isinstance(python, str):
            return {"note": python}
        (self.folder / "job.json").write_text(json.dumps({"program": program, **job}))
        (self.folder / "result.json").unlink(missing_ok=True)
        try:
            done = subprocess.run(
                [python, WORKER, self.folder], capture_output=True, text=True,
                timeout=self.timeout, env=os.environ | _THREADS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"note": f"not done after {self.timeout} s"}
        if done.returncode:
            error = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
            return {"note": f"failed: {error[0][:200]}"}
        return json.loads((self.folder / "result.json").read_text())


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)
