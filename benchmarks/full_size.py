"""Make all tables of the paper's size by one command, on a GPU if there is one.

From a checkout, nothing installed but torch and the libraries of a usual scientific Python, and
``VAEIMPUTE_DATA`` as the folder of the cohorts that are files (data/README.md)::

    VAEIMPUTE_DATA=folder python benchmarks/full_size.py --output out [--minutes 9] [--only GLOB]

First ``out/benchmarks/devices.csv``: what each imputer takes on the processor and on the GPU, and
how far their results are apart. Then each run of `RUNS`, in this order, by ``vaeimpute
reproduce``: a table is in ``out`` as soon as it is complete. ``--at-once 8`` starts so many of
them beside each other, which a GPU needs to be busy. Repeated, or stopped after ``--minutes``, the
command goes on where it was, as long as ``--store`` is there. ``out/results.zip`` holds all tables,
for machines that let few files out. ``--small`` tries everything out in minutes: few genes, few
epochs.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch

ROOT = Path(__file__).resolve().parents[1]

#: What `vaeimpute reproduce` is asked for, the longest first. Epochs make up for fewer rows: the
#: paper's 533 take 750 steps in its 250 epochs. The second layer order is that of the authors'
#: program: which of the two their figures show is not known.
RUNS: tuple[str, ...] = (
    "expression_errors low_values --cohort glioma-gliovis --set n_trials=3 --splits 10",
    "architectures batch_sizes --cohort glioma-gliovis",
    "expression_errors low_values clinical_concordance --cohort tcga-small-cohorts"
    " --set n_epochs=750",
    "methylation_errors --cohort simulated-methylome --set n_epochs=750",
    "expression_errors low_values clinical_concordance --cohort glioma-gliovis"
    " --set hidden_sizes=[2000,6000]",
    "expression_errors low_values clinical_concordance --cohort breast-gse1992 --set n_epochs=750",
    "expression_errors low_values clinical_concordance --cohort breast-gse4335 --set n_epochs=750",
    "expression_errors low_values --cohort glioma-gliovis-uncentred",
    "methylation_errors --cohort brain-gse74193",
    "expression_errors low_values clinical_concordance --cohort glioma-gliovis",
    "beta_vae learning_rates --cohort glioma-gliovis",
)
SMALL = "n_epochs=2 hidden_sizes=[64,32] latent_dim=8 n_trials=1 latent_dims=[4,8] betas=[0,1]"


def reproduce(run: str, options: argparse.Namespace, seconds: float) -> None:
    """Start a run, and stop it when its time is over."""
    if seconds <= 0:
        return
    print("vaeimpute reproduce", run, flush=True)
    small = [*(f"--set={setting}" for setting in SMALL.split()), "--splits=1"]
    store = options.store / run.replace(" ", "_")
    command = [
        *(sys.executable, "-m", "vaeimpute", "reproduce", "--profile", "paper", *shlex.split(run)),
        *(small if options.small else ()),
        *("--store", str(store), "--output", str(options.output), "--jobs", str(options.jobs)),
    ]
    try:
        subprocess.run(command, timeout=min(seconds, 1e7), check=True)
    except subprocess.TimeoutExpired:
        print("Time is over; the same command goes on with", run, flush=True)
    except subprocess.CalledProcessError as error:
        print(f"Ended with {error.returncode}:", run, flush=True)
    else:
        for network in store.rglob("*.safetensors"):  # a gigabyte each
            network.unlink()


def compare_devices(n_genes: int, n_epochs: int) -> pd.DataFrame:
    """Fit and apply each kind of imputer on the processor and on the GPU, if there is one."""
    from vaeimpute.cohorts.simulated_expression import simulate_glioma
    from vaeimpute.imputers import (
        AutoencoderImputer,
        GaussianImputer,
        KNNImputer,
        SVDImputer,
        VAEImputer,
    )
    from vaeimpute.missingness import hide
    from vaeimpute.seeding import generator

    values = simulate_glioma(n_samples=600, n_genes=n_genes, seed=0)[0].values.to_numpy()
    train, test = values[:500], values[500:]
    mask = hide(np.ones(test.shape, bool), 0.1, generator(0, "devices"))
    incomplete = np.where(mask, np.nan, test)
    networks = {"n_epochs": n_epochs, "random_state": 0}
    rows = []
    for kind, parameters in (
        (KNNImputer, {}),
        (SVDImputer, {}),
        (GaussianImputer, {}),
        (VAEImputer, {**networks, "precision": "float32"}),
        (VAEImputer, {**networks, "precision": "bfloat16"}),
        (AutoencoderImputer, networks),
    ):
        filled = {}
        for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
            imputer = kind(**parameters, device=device)
            times = [time.perf_counter()]
            imputer.fit(train)
            times.append(time.perf_counter())
            filled[device] = imputer.transform(incomplete)[mask]
            times.append(time.perf_counter())
            error = np.abs(filled[device] - test[mask])
            rows.append(
                {
                    "imputer": kind.__name__,
                    "precision": parameters.get("precision", ""),
                    "device": device,
                    "fit_seconds": times[1] - times[0],
                    "seconds": times[2] - times[1],
                    "mae": error.mean(),
                    "largest_difference": np.abs(filled[device] - filled["cpu"]).max(),
                    "mae_difference": error.mean() - np.abs(filled["cpu"] - test[mask]).mean(),
                }
            )
    return pd.DataFrame(rows)


def make_importable(folder: Path) -> str:
    """Return a PYTHONPATH with this checkout, and its version where nothing is installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    info = folder / f"vaeimpute-{project['version']}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: vaeimpute\nVersion: {project['version']}\n", "utf-8"
    )
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(ROOT), *([given] if given else []), str(folder)])


def main() -> None:
    """Compare the devices, then run what is chosen until it is done or time is over."""
    parser = argparse.ArgumentParser(description="Make all tables of the paper's size.")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--store", type=Path, default=ROOT / "_build" / "full_size")
    parser.add_argument("--minutes", type=float, default=np.inf)
    parser.add_argument("--only", default="*", help="runs whose command matches")
    parser.add_argument("--at-once", type=int, default=1, help="runs beside each other")
    parser.add_argument("--jobs", type=int, default=1, help="processes of each")
    parser.add_argument("--small", action="store_true", help="small networks, to try it out")
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    options.store, options.output = options.store.resolve(), options.output.resolve()
    if str(options.store) not in sys.path:  # for what this starts, too
        environment = {**os.environ, "PYTHONPATH": make_importable(options.store)}
        environment.setdefault("VAEIMPUTE_CACHE", str(options.store / "cohorts"))
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    from vaeimpute.files import collect_provenance, write_table

    n_genes, n_epochs = (500, 2) if options.small else (17176, 10)
    table = compare_devices(n_genes, n_epochs)
    print(table.round(4).to_string(index=False), flush=True)
    devices = {"device": torch.cuda.get_device_name() if torch.cuda.is_available() else "none"}
    provenance = collect_provenance(devices | {"n_genes": n_genes, "n_epochs": n_epochs})
    write_table(table, options.output / "benchmarks" / "devices.csv", provenance)
    runs = [run for run in RUNS if fnmatch.fnmatch(run, options.only)]
    with ThreadPoolExecutor(options.at_once) as pool:
        list(pool.map(lambda run: reproduce(run, options, end - time.monotonic()), runs))
    archive = shutil.make_archive(str(options.store / "results"), "zip", options.output)
    shutil.move(archive, options.output / "results.zip")


if __name__ == "__main__":
    main()
