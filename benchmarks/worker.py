"""One job of `peers.py`: one program, one matrix, one process.

``worker.py FOLDER`` reads what to do from ``job.json`` there: the program and its parameters.
Programs get the arrays ``train`` and ``rows`` of a file in numpy's format. Written are
``result.json`` and, if asked for, ``imputed.npy``. It runs in the peers' environments too, so
nothing is imported but what the program needs. Seconds are those of the processor; every program
has imputed a tiny matrix before they count. The peak of the memory is beyond what the process had
with the matrix read.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# A fitted program fills rows; fitting takes the training rows.
Fill = Callable[[np.ndarray], np.ndarray]
Fit = Callable[[np.ndarray], Fill]
_ENOUGH = 3.0  # seconds after which nothing is measured once more


def main(folder: Path) -> None:
    """Do one job and write its result."""
    job = json.loads((folder / "job.json").read_text())
    threads = int(os.environ["OMP_NUM_THREADS"])
    if "torch" in job.get("imports", []):
        import torch

        torch.set_num_threads(threads)
    result = _blocks(job) if job["program"] == "blocks" else _matrix(job, folder)
    (folder / "result.json").write_text(json.dumps(result))


def _matrix(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    with np.load(job["matrix"]) as matrix:
        train, rows = (matrix[name].astype(np.float64) for name in ("train", "rows"))
    fit = PROGRAMS[job["program"]](job.get("parameters", {}), folder)
    if not job.get("cold"):
        tiny = np.random.default_rng(0).normal(size=(24, 12))
        fit(tiny[:20])(np.where(np.arange(12) == 3, np.nan, tiny[20:]))
    before = _memory()
    seconds = []
    while len(seconds) < job.get("repeats", 1) and np.sum(seconds) < _ENOUGH:
        start = time.process_time()
        fill = fit(train)
        fitted = time.process_time()
        imputed = fill(rows)
        seconds.append((fitted - start, time.process_time() - fitted))
        if len(seconds) == 1:  # later, there may be two of what was fitted
            peak = _peak() - before
    medians = np.median(seconds, axis=0)
    result = {
        "fit_seconds": float(medians[0]),
        "impute_seconds": float(medians[1]),
        "repeats": len(seconds),
        "peak_gib": peak,
    }
    if job.get("single"):
        singles = []
        for i in range(job["single"]):
            begin = time.process_time()
            fill(rows[i : i + 1])
            singles.append(time.process_time() - begin)
        result["single_seconds"] = float(np.median(singles))
    if job.get("artefact"):
        result["artefact_bytes"] = _artefact_bytes(fill, folder)
    if job.get("keep"):
        np.save(folder / "imputed.npy", imputed)
    return result


def _memory() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**30


def _peak() -> float:
    # Not ru_maxrss: a process inherits that of the one that started it.
    with open("/proc/self/status") as file:
        (peak,) = (line.split()[1] for line in file if line.startswith("VmHWM:"))
    return int(peak) / 2**20


def _artefact_bytes(fill: Any, folder: Path) -> int:
    """Return the size of the file that has to be shipped to impute elsewhere."""
    from vaeimpute.imputers import save_imputer

    path = folder / "artefact.safetensors"
    save_imputer(fill.__self__, path)
    size = path.stat().st_size
    path.unlink()
    return size


def _vaeimpute(parameters: dict[str, Any], folder: Path) -> Fit:
    from vaeimpute import imputers

    parameters = dict(parameters)
    imputer = getattr(imputers, parameters.pop("class"))(**parameters)
    return lambda train: imputer.fit(train).transform


def _sklearn_knn(parameters: dict[str, Any], folder: Path) -> Fit:
    from sklearn.impute import KNNImputer

    imputer = KNNImputer(n_neighbors=10, weights="distance")
    return lambda train: imputer.fit(train).transform


def _sklearn_iterative(parameters: dict[str, Any], folder: Path) -> Fit:
    import warnings

    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    warnings.filterwarnings("ignore", message=".*convergence")  # one round is what is timed
    imputer = IterativeImputer(
        max_iter=parameters.get("rounds", 1), n_nearest_features=parameters.get("nearest"),
        tol=0.0, random_state=0,
    )  # fmt: skip
    return lambda train: imputer.fit(train).transform


def _together(fit_transform: Fill) -> Fit:
    """Wrap a program that cannot apply what it has learnt: it does all when rows are given."""

    def fit(train: np.ndarray) -> Fill:
        return lambda rows: fit_transform(np.vstack([train, rows]))[len(train) :]

    return fit


def _fancyimpute_knn(parameters: dict[str, Any], folder: Path) -> Fit:
    from fancyimpute import KNN

    return _together(lambda X: KNN(k=10, verbose=False).fit_transform(X))


def _fancyimpute_svd(parameters: dict[str, Any], folder: Path) -> Fit:
    from fancyimpute import IterativeSVD

    def fit_transform(X: np.ndarray) -> np.ndarray:
        rank = min(parameters["rank"], min(X.shape) - 1)
        imputer = IterativeSVD(rank=rank, max_iters=16, convergence_threshold=5e-4, verbose=False)
        return imputer.fit_transform(X)

    return _together(fit_transform)


def _soft_impute(parameters: dict[str, Any], folder: Path) -> Fit:
    import pandas as pd
    from imputation_methods import SoftImputeImputer

    return _together(lambda X: SoftImputeImputer().impute(pd.DataFrame(X)).to_numpy())


def _vbpca(parameters: dict[str, Any], folder: Path) -> Fit:
    from vbpca_py import VBPCA

    def fit_transform(X: np.ndarray) -> np.ndarray:
        known = ~np.isnan(X)
        model = VBPCA(n_components=min(parameters.get("rank", 4), min(X.shape) - 1))
        model.fit_transform(np.where(known, X, 0), mask=known)
        return np.where(known, X, model.reconstruction_)

    return _together(fit_transform)


def _gcimpute(parameters: dict[str, Any], folder: Path) -> Fit:
    from gcimpute.low_rank_gaussian_copula import LowRankGaussianCopula

    rank = parameters.get("rank", 4)
    return _together(lambda X: LowRankGaussianCopula(rank=rank).fit_transform(X))


def _left_censored(name: str) -> Callable[[dict[str, Any], Path], Fit]:
    def program(parameters: dict[str, Any], folder: Path) -> Fit:
        import pyimputelcmd

        # It has samples in columns, each of which is imputed by itself.
        return lambda train: lambda rows: getattr(pyimputelcmd, name)(rows.T, seed=0).T

    return program


def _pimms_vae(parameters: dict[str, Any], folder: Path) -> Fit:
    import pandas as pd
    from pimmslearn.sklearn.ae_transformer import AETransformer

    def frame(X: np.ndarray) -> pd.DataFrame:
        table = pd.DataFrame(X).add_prefix("f")
        table.index = pd.Index([f"s{i}" for i in range(len(X))], name="Sample ID")
        table.columns.name = "feature"
        return table

    def fit(train: np.ndarray) -> Fill:
        model = AETransformer(
            hidden_layers=list(parameters["hidden_sizes"]),
            latent_dim=parameters["latent_dim"],
            out_folder=str(folder / "pimms"),
            model="VAE",
            batch_size=parameters["batch_size"],
        )
        # It fills the matrix that it learns from, of which the training rows are complete.
        model.fit(frame(train), cuda=False, epochs_max=parameters["n_epochs"], patience=None)
        return lambda rows: model.transform(frame(rows)).to_numpy()

    return fit


def _authors_vae(parameters: dict[str, Any], folder: Path) -> Fit:
    """Run the authors' class as it is; TensorFlow 2 plays the first version, which it is for."""
    import random
    from types import SimpleNamespace

    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    tf.contrib = SimpleNamespace(distributions=tf.distributions)
    sys.modules["tensorflow"] = tf
    sys.path.insert(0, parameters["folder"])
    from autoencodersbetaVAE import VariationalAutoencoder

    def fit(train: np.ndarray) -> Fill:
        random.seed(parameters["seed"])  # of the batches
        tf.set_random_seed(parameters["seed"])
        first, second = parameters["hidden_sizes"]
        widths = {"n_input": train.shape[1], "n_z": parameters["latent_dim"]}
        widths |= {"n_hidden_recog_1": first, "n_hidden_recog_2": second}
        widths |= {"n_hidden_gener_1": second, "n_hidden_gener_2": first}
        vae = VariationalAutoencoder(
            widths, learning_rate=parameters["learning_rate"], batch_size=parameters["batch_size"]
        )
        vae.train(train, training_epochs=parameters["n_epochs"])
        return lambda rows: vae.impute(rows.copy(), max_iter=3)

    return fit


def _blocks(job: dict[str, Any]) -> dict[str, Any]:
    """Fit and impute a file that does not fit into memory."""
    from vaeimpute import imputers

    parameters = dict(job["parameters"])
    imputer = getattr(imputers, parameters.pop("class"))(**parameters)
    source = np.load(job["source"], mmap_mode="r")
    start = time.perf_counter()
    n_jobs = job["n_jobs"]
    imputers.fit_blocks(
        imputer, source, n_reference=job["n_reference"], n_jobs=n_jobs, random_state=0
    )
    fitted = time.perf_counter()
    imputers.impute_blocks(imputer, source, job["out"], n_jobs=n_jobs)
    return {
        "fit_seconds": fitted - start,
        "impute_seconds": time.perf_counter() - fitted,
        "peak_gib": _peak(),
    }


PROGRAMS: dict[str, Callable[[dict[str, Any], Path], Fit]] = {
    "vaeimpute": _vaeimpute,
    "scikit-learn KNNImputer": _sklearn_knn,
    "scikit-learn IterativeImputer": _sklearn_iterative,
    "fancyimpute KNN": _fancyimpute_knn,
    "fancyimpute IterativeSVD": _fancyimpute_svd,
    "pimms-learn VAE": _pimms_vae,
    "imputation-methods SoftImpute": _soft_impute,
    "vbpca-py VBPCA": _vbpca,
    "gcimpute copula": _gcimpute,
    "pyimputelcmd QRILC": _left_censored("impute_qrilc"),
    "pyimputelcmd MinProb": _left_censored("impute_minprob"),
    "authors VAE": _authors_vae,
}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
