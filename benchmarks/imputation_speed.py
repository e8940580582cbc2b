"""Measure what imputation takes, beside the peers: time, how it grows, and memory.

``make bench``, or by hand on a machine that does nothing else::

    VAEIMPUTE_DATA=<folder> python benchmarks/imputation_speed.py

Four parts, each with its table in ``results/benchmarks/``:

- ``peers``: the same test rows of the same real matrices filled by this package and by
  scikit-learn, fancyimpute and pimms-learn, in turns; medians, errors, and the ratio of the times
  (``imputation_speed.csv``). Without VAEIMPUTE_DATA, of the breast tumours only.
- ``scaling``: one of number of rows, number of features and share of missing values varied, on
  simulated gliomas (``imputation_scaling.csv``), and exponents fitted to it
  (``imputation_exponents.csv``).
- ``paper``: the paper's experiment at its shape, 100 samples into 6600 x 17176
  (``imputation_time.csv``). What would take hours is extrapolated, and marked so.
- ``blocks``: a file of 100 000 x 17176 (6.9 GB) filled in blocks of rows
  (``imputation_memory.csv``). It needs twice that space where temporary files go.

Every measurement is a process of its own, with one thread; in the last part, with as many blocks at
a time as there are processors. What takes less than three seconds is repeated in it: the first time
that memory is touched may cost more than the arithmetic, and is no property of a program. Peers run
in virtual environments of their own, which are created if they are not there; one that cannot be
installed is left out, with the reason in the table. About half an hour; with BENCH_SIZE=small two
minutes, and the tables go to ``_build/bench/`` then.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from scipy import stats

from peers import PACKAGES, ROOT, Peers, say
from vaeimpute.cohorts import load_cohort
from vaeimpute.cohorts.simulated_expression import simulate_glioma
from vaeimpute.evaluation import mean_absolute_error
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.missingness import SCENARIOS, trial_rng
from vaeimpute.splits import split_rows

SIZE = os.environ.get("BENCH_SIZE", "full")
OUT = ROOT / ("results/benchmarks" if SIZE == "full" else "_build/bench")
OTHERS = ("fancyimpute", "pimms-learn")
TIMEOUT = 600  # seconds for one measurement
SCENARIO = "mcar_10"

# The sizes of everything. The paper's own are those of "full" under "paper".
CHOICES: dict[str, dict[str, Any]] = {
    "small": {
        "repeats": 1,
        "turns": 1,
        "cohorts": {"breast-gse1992": 100},
        "base": {"n": 100, "d": 500, "missing": 0.1},
        "n": [50, 100, 200],
        "d": [250, 500, 1000],
        "missing": [0.05, 0.1, 0.2],
        "iterative": [20, 40],
        "paper": {"n": 300, "d": 1000, "vae_rows": 250},
        "network": {"hidden_sizes": [60, 20], "latent_dim": 10},
        "blocks": {"n": 3000, "d": 1000, "n_reference": 200},
    },
    "full": {
        "repeats": 5,
        "turns": 2,
        "cohorts": {"breast-gse1992": 100, "glioma_gliovis": 415},
        "base": {"n": 400, "d": 4000, "missing": 0.1},
        "n": [200, 400, 800, 1600],
        "d": [1000, 2000, 4000, 8000, 16000],
        "missing": [0.03, 0.1, 0.3],
        "iterative": [25, 50, 100, 200],
        "paper": {"n": 6600, "d": 17176, "vae_rows": 500},
        "network": {"hidden_sizes": [6000, 2000], "latent_dim": 200},
        "blocks": {"n": 100_000, "d": 17176, "n_reference": 200},
    },
}
CHOSEN = CHOICES[SIZE]
N_NEW = 100 if SIZE == "full" else 20

# The matrices come standardised, for all programs.
KNN = {"class": "KNNImputer", "standardize": False}
SVD = {"class": "SVDImputer", "standardize": False}
SVD_ALONE = SVD | {"joint": False}
GAUSSIAN = {"class": "GaussianImputer", "standardize": False, "random_state": 0}
MEAN = {"class": "MeanImputer"}
# pimms-learn's usual network.
SMALL_VAE = {"hidden_sizes": [512], "latent_dim": 50, "n_epochs": 10, "batch_size": 64}


def main() -> None:
    """Measure the parts that are asked for, one after the other."""
    parser = argparse.ArgumentParser(description="What imputation takes, beside the peers.")
    parser.add_argument("--parts", nargs="*", choices=list(PARTS), default=list(PARTS))
    parts = parser.parse_args().parts
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), TIMEOUT)
        if {"peers", "scaling"} & set(parts):
            bench.install(*OTHERS)
        for part in parts:
            say(f"== {part}")
            PARTS[part](bench)


class Bench(Peers):
    """Where measurements are made and written."""

    def write(self, table: pd.DataFrame, name: str, **parameters: Any) -> None:
        """Write a table with its provenance."""
        common = {
            "size": SIZE,
            "threads": 1,
            "seconds": "of the processor; a median where there are repeats",
            "processor": re.findall("model name.*: (.*)", Path("/proc/cpuinfo").read_text())[:1],
            "peers": {peer: PACKAGES[peer] for peer in OTHERS},
        }
        write_table(table, OUT / f"{name}.csv", collect_provenance(common | parameters))
        say(table.round(3).to_string(index=False, max_colwidth=40))


# Real matrices, beside the peers --------------------------------------------------------------


def peers(bench: Bench) -> None:
    """Fill the test rows of real cohorts with every program, in turns."""
    tables = []
    for name, rank in CHOSEN["cohorts"].items():
        cohort = _cohort(name)
        if cohort is None:
            say(f"{name}: not here; set VAEIMPUTE_DATA to measure it")
            continue
        split = split_rows(len(cohort.values), strata=cohort.strata, seed=0)
        standardized = cohort.standardize(split.train)
        values = standardized.values.to_numpy(np.float64)
        train, true = values[split.train], values[split.test]
        mask = SCENARIOS[SCENARIO].mask(standardized, split.test, trial_rng(0, SCENARIO, 0))
        path = bench.save(train, np.where(mask, np.nan, true))
        vae = {"class": "VAEImputer", "device": "cpu", "random_state": 0} | SMALL_VAE
        runs: dict[str, tuple[str, dict[str, Any]]] = {
            "KNN": ("vaeimpute", KNN),
            "KNN, float32": ("vaeimpute", KNN | {"precision": "float32"}),
            "scikit-learn KNNImputer": ("scikit-learn KNNImputer", {}),
            "fancyimpute KNN": ("fancyimpute KNN", {}),
            "SVD": ("vaeimpute", SVD | {"n_components": rank}),
            "SVD, tuned": (
                "vaeimpute", SVD_ALONE | {"n_components": "auto", "random_state": 0}
            ),
            "fancyimpute IterativeSVD": ("fancyimpute IterativeSVD", {"rank": rank}),
            "Gaussian": ("vaeimpute", GAUSSIAN),
            "Gaussian, float32": ("vaeimpute", GAUSSIAN | {"precision": "float32"}),
            "VAE": ("vaeimpute", vae),
            "pimms-learn VAE": ("pimms-learn VAE", SMALL_VAE),
        }  # fmt: skip
        results: dict[str, list[dict[str, Any]]] = {run: [] for run in runs}
        imputed = {}
        for turn in range(CHOSEN["turns"]):
            for run, (program, parameters) in runs.items():
                if turn and run in ONCE:
                    continue
                imports = ["torch"] if "VAE" in run else []
                result = bench.measure(
                    program, matrix=path, parameters=parameters, repeats=CHOSEN["repeats"],
                    keep=True, imports=imports,
                )  # fmt: skip
                results[run].append(result)
                if "note" not in result:
                    imputed[run] = np.load(bench.folder / "imputed.npy")
                say(f"{name}, turn {turn + 1}: {run}: {_short(result)}")
        table = _side_by_side(results, imputed, true, mask)
        shape = {"cohort": name, "n_train": len(train), "n_test": len(true)}
        shape |= {"n_features": true.shape[1], "missing": float(mask.mean()),
                  "turns": CHOSEN["turns"]}  # fmt: skip
        for position, (column, value) in enumerate(shape.items()):
            table.insert(position, column, value)
        tables.append(table)
    bench.write(
        pd.concat(tables), "imputation_speed", turns=CHOSEN["turns"], scenario=SCENARIO,
        vae=SMALL_VAE, ranks=CHOSEN["cohorts"],
    )  # fmt: skip


# They take long: two train, and one of them searches for a learning rate before; the third gives
# other values than ours, so that their ratio matters less.
ONCE = {"VAE", "pimms-learn VAE", "fancyimpute KNN"}
# Which run is compared with which of this package's.
OURS = {
    "scikit-learn KNNImputer": "KNN",
    "fancyimpute KNN": "KNN",
    "fancyimpute IterativeSVD": "SVD",
    "pimms-learn VAE": "VAE",
}


def _side_by_side(
    results: dict[str, list[dict[str, Any]]],
    imputed: dict[str, np.ndarray],
    true: np.ndarray,
    mask: np.ndarray,
) -> pd.DataFrame:
    rows = []
    for run, repeats in results.items():
        done = pd.DataFrame([one for one in repeats if "note" not in one])
        row: dict[str, Any] = {"program": run, "compared_with": OURS.get(run, "")}
        row["note"] = next((one["note"] for one in repeats if "note" in one), "")
        if len(done):
            row |= done.median(numeric_only=True).to_dict()
            row["seconds"] = (done["fit_seconds"] + done["impute_seconds"]).median()
            row["mae"] = mean_absolute_error(true, imputed[run], mask)
        rows.append(row)
    table = pd.DataFrame(rows).set_index("program", drop=False)
    for run, ours in OURS.items():
        if run in imputed and ours in imputed:
            ratio = table.loc[run, "seconds"] / table.loc[ours, "seconds"]
            table.loc[run, "times_slower"] = ratio
            table.loc[run, "largest_difference"] = np.abs(imputed[run] - imputed[ours])[mask].max()
    return table.reset_index(drop=True)


def _cohort(name: str) -> Any:
    if name != "glioma_gliovis":
        return load_cohort(name)
    data = os.environ.get("VAEIMPUTE_DATA")
    return load_cohort(Path(data) / name / "expr_all_affy.parquet") if data else None


def _short(result: dict[str, Any]) -> str:
    if "note" in result:
        return result["note"]
    return ", ".join(f"{name} {value:.3g}" for name, value in result.items())


# How the time grows ---------------------------------------------------------------------------


def scaling(bench: Bench) -> None:
    """Vary one size at a time, on simulated gliomas."""
    base = CHOSEN["base"]
    programs: dict[str, tuple[str, dict[str, Any]]] = {
        "KNN": ("vaeimpute", KNN),
        "SVD": ("vaeimpute", SVD),
        "SVD, alone": ("vaeimpute", SVD_ALONE),
        "Gaussian": ("vaeimpute", GAUSSIAN),
        "scikit-learn KNNImputer": ("scikit-learn KNNImputer", {}),
        "fancyimpute KNN": ("fancyimpute KNN", {}),
        "fancyimpute IterativeSVD": ("fancyimpute IterativeSVD", {"rank": 415}),
    }
    most = {"fancyimpute KNN": 3.2e6, "fancyimpute IterativeSVD": 3.2e6}  # entries: they take long
    values = _simulated(max(CHOSEN["n"]) + N_NEW, max(CHOSEN["d"]))
    rows = []
    known: dict[tuple, dict[str, Any]] = {}  # the base is a point of all three curves
    for varied, one in ((name, one) for name in ("n", "d", "missing") for one in CHOSEN[name]):
        shape = base | {varied: one}
        train, new = _standardized(values[: shape["n"] + N_NEW, : shape["d"]], shape["n"])
        hidden = np.random.default_rng(0).random(new.shape) < shape["missing"]
        path = bench.save(train, np.where(hidden, np.nan, new))
        for name, (program, parameters) in programs.items():
            if train.size > most.get(name, np.inf):
                continue
            key = (name, *shape.values())
            if key not in known:
                known[key] = bench.measure(
                    program, matrix=path, parameters=parameters, repeats=CHOSEN["repeats"]
                )
                say(f"{varied} {one:g}: {name}: {_short(known[key])}")
            rows.append({"program": name, "varied": varied, **shape} | known[key])
    for d in CHOSEN["iterative"]:  # every feature is a regression on all others
        train, new = _standardized(values[: base["n"] + N_NEW, :d], base["n"])
        hidden = np.random.default_rng(0).random(new.shape) < base["missing"]
        path = bench.save(train, np.where(hidden, np.nan, new))
        name = "scikit-learn IterativeImputer"
        result = bench.measure(name, matrix=path, repeats=CHOSEN["repeats"])
        rows.append({"program": name, "varied": "d", **base, "d": d} | result)
        say(f"d {d}: {name}, one round: {_short(result)}")
    table = pd.DataFrame(rows)
    if "note" in table:
        table["note"] = table["note"].fillna("")
    bench.write(table, "imputation_scaling", n_new=N_NEW, repeats="up to 5, until 3 s have passed")
    bench.write(_exponents(table), "imputation_exponents", of="imputation_scaling.csv")


def _exponents(table: pd.DataFrame) -> pd.DataFrame:
    table = table.assign(total_seconds=table["fit_seconds"] + table["impute_seconds"])
    rows = []
    for (program, varied), group in table.groupby(["program", "varied"], sort=False):
        for quantity in ("impute_seconds", "total_seconds"):
            done = group[group[quantity] > 0]
            if len(done) < 2:
                continue
            line = stats.linregress(np.log(done[varied]), np.log(done[quantity]))
            rows.append({
                "program": program, "varied": varied, "quantity": quantity, "exponent": line.slope,
                "standard_error": line.stderr if len(done) > 2 else np.nan,
                "smallest": done[varied].min(), "largest": done[varied].max(),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _simulated(n: int, d: int) -> np.ndarray:
    return simulate_glioma(n_samples=n, n_genes=d, seed=0)[0].values.to_numpy(np.float32)


def _standardized(matrix: np.ndarray, n_train: int) -> tuple[np.ndarray, np.ndarray]:
    """Return training rows and new rows in the training rows' standard deviations, float32."""
    matrix = matrix.astype(np.float32)
    train = matrix[:n_train]
    mean, sd = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    matrix -= mean.astype(np.float32)
    matrix /= np.where(sd > 0, sd, 1.0).astype(np.float32)
    return matrix[:n_train], matrix[n_train:]


# The paper's experiment -----------------------------------------------------------------------


def paper(bench: Bench) -> None:
    """Fill 100 samples given 6600, with what each method may know before."""
    n, d, vae_rows = (CHOSEN["paper"][name] for name in ("n", "d", "vae_rows"))
    matrix = _simulated(n + N_NEW, d)
    train, new = _standardized(matrix, n)
    del matrix
    hidden = np.random.default_rng(0).random(new.shape) < 0.1
    holes = np.where(hidden, np.nan, new)
    path = bench.save(train, holes)
    rows = []

    def add(
        method: str, program: str, precomputes: str, result: dict[str, Any], basis: str
    ) -> None:
        rows.append({"method": method, "program": program, "precomputes": precomputes,
                     "basis": basis} | result)  # fmt: skip
        say(f"{method} ({program}): {_short(result)}")

    def run(parameters: dict[str, Any], **job: Any) -> dict[str, Any]:
        return bench.measure("vaeimpute", matrix=path, parameters=parameters, **job)

    full = {"single": 5, "artefact": True}
    add("mean", "vaeimpute", "means", run(MEAN, **full), "measured")
    add("KNN", "vaeimpute", "nothing", run(KNN, **full), "measured")
    add("KNN", "scikit-learn", "nothing",
        bench.measure("scikit-learn KNNImputer", matrix=path, single=1), "measured")  # fmt: skip
    add("Gaussian", "vaeimpute", "ridge; products of the training rows",
        run(GAUSSIAN, **full), "measured")  # fmt: skip
    add("SVD, alone", "vaeimpute", "singular vectors", run(SVD_ALONE, **full), "measured")
    one, two = (run(SVD | {"max_iter": n, "schedule": "fixed"}) for n in (1, 2))
    result = one | two
    if "note" not in result:  # what comes before the first iteration comes once
        result["impute_seconds"] += 14 * (two["impute_seconds"] - one["impute_seconds"])
    add("SVD", "vaeimpute", "nothing", result, "two of at most 16 iterations, the second times 15")
    for result in _vae(bench, train, holes, vae_rows):
        add("VAE", "vaeimpute", "training, 250 epochs", result,
            f"batches of {vae_rows} rows, times all batches of 250 epochs")  # fmt: skip
    for program, method in (
        ("fancyimpute KNN", "KNN"),
        ("fancyimpute IterativeSVD", "SVD"),
    ):
        seconds = _extrapolate(program, n, d)
        result = {"impute_seconds": seconds} if seconds else {"note": "no scaling to go by"}
        add(method, "fancyimpute", "nothing", result, "extrapolated from imputation_scaling.csv")
    table = pd.DataFrame(rows)
    table["note"] = table["note"].fillna("") if "note" in table else ""
    table["paper_seconds"] = np.nan
    for program, method, seconds in (
        ("fancyimpute", "SVD", 36900.0), ("fancyimpute", "KNN", 8400.0), ("vaeimpute", "VAE", 60.0),
    ):  # fmt: skip
        here = (table["program"] == program) & (table["method"] == method)
        table.loc[here, "paper_seconds"] = seconds
    shape = {"n_train": n, "n_new": N_NEW, "n_features": d}
    bench.write(table, "imputation_time", shape=shape, network=CHOSEN["network"],
                paper_training_seconds=2800)  # fmt: skip


def _vae(
    bench: Bench, train: np.ndarray, holes: np.ndarray, vae_rows: int
) -> Iterator[dict[str, Any]]:
    """Time an epoch of a few batches of the paper's network, and its imputation."""
    path = bench.save(train[:vae_rows], holes)
    network = {"class": "VAEImputer", "device": "cpu", "random_state": 0} | CHOSEN["network"]
    job = {"matrix": path, "imports": ["torch"], "cold": True}
    results = [
        bench.measure("vaeimpute", parameters=network | {"n_epochs": epochs}, **job, **more)
        for epochs, more in ((1, {"single": 5, "artefact": True}), (3, {}))
    ]
    for result in results:
        if "note" in result:
            yield result
            return
    batches = -(-vae_rows // 250)
    per_batch = (results[1]["fit_seconds"] - results[0]["fit_seconds"]) / (2 * batches)
    all_batches = 250 * -(-CHOSEN["paper"]["n"] // 250)
    yield results[0] | {"fit_seconds": per_batch * all_batches}


def _extrapolate(program: str, n: int, d: int) -> float | None:
    """Return seconds at another size, by the exponents that were fitted."""
    try:
        points = pd.read_csv(OUT / "imputation_scaling.csv")
        exponents = pd.read_csv(OUT / "imputation_exponents.csv")
    except FileNotFoundError:
        return None
    points = points[(points["program"] == program) & (points["varied"] == "n")].dropna(
        subset="impute_seconds"
    )
    chosen = exponents[
        (exponents["program"] == program) & (exponents["quantity"] == "total_seconds")
    ].set_index("varied")["exponent"]
    if points.empty or not {"n", "d"} <= set(chosen.index):
        return None
    last = points.loc[points["n"].idxmax()]
    seconds = last["fit_seconds"] + last["impute_seconds"]
    return float(seconds * (n / last["n"]) ** chosen["n"] * (d / last["d"]) ** chosen["d"])


# More than the memory holds -------------------------------------------------------------------


def blocks(bench: Bench) -> None:
    """Fill a large file in blocks of rows, and note the peak of the memory."""
    n, d, n_reference = (CHOSEN["blocks"][name] for name in ("n", "d", "n_reference"))
    needed = 2 * n * d * 4
    if shutil.disk_usage(bench.folder).free < 1.2 * needed:
        say(f"left out: {needed / 1e9:.0f} GB of disk are needed at {bench.folder}")
        return
    source, out = bench.folder / "large.npy", bench.folder / "filled.npy"
    hidden = _write_large(source, n, d)
    methods: dict[str, tuple[dict[str, Any], int | None]] = {
        "mean": (MEAN, None),
        "SVD, alone": (
            {"class": "SVDImputer", "joint": False, "n_components": 10, "max_iter": 6,
             "precision": "float32", "random_state": 0}, None,
        ),
        "KNN": ({"class": "KNNImputer", "precision": "float32"}, n_reference),
        "Gaussian": (
            {"class": "GaussianImputer", "precision": "float32", "random_state": 0}, n_reference,
        ),
    }  # fmt: skip
    rows = []
    for name, (parameters, reference) in methods.items():
        result = bench.measure(
            "blocks", parameters=parameters, source=str(source), out=str(out),
            n_reference=reference, n_jobs=-1,
        )  # fmt: skip
        if "note" not in result:
            filled = np.load(out, mmap_mode="r")
            errors = [np.abs(filled[row, columns] - true) for row, columns, true in hidden]
            result["mae"] = float(np.concatenate(errors).mean())
        rows.append({"method": name, "n_reference": reference or n} | result)
        out.unlink(missing_ok=True)
        say(f"{name}: {_short(result)}")
    table = pd.DataFrame(rows)
    table.insert(1, "n_samples", n)
    table.insert(2, "n_features", d)
    table.insert(3, "file_gb", n * d * 4 / 1e9)
    bench.write(table, "imputation_memory", missing=0.05, n_jobs=joblib.cpu_count(),
                seconds="by the clock", peak_gib="of the whole process")  # fmt: skip


def _write_large(path: Path, n: int, d: int) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Write rows of low rank with noise and holes; return some of the values that were there."""
    rng = np.random.default_rng(0)
    loadings = rng.standard_normal((8, d), dtype=np.float32)
    hidden = []
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (n, d)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, n, 1000):
            m = min(1000, n - start)
            block = rng.standard_normal((m, 8), dtype=np.float32) @ loadings
            block += rng.standard_normal((m, d), dtype=np.float32)
            gaps = rng.random((m, d), dtype=np.float32) < 0.05
            columns = np.flatnonzero(gaps[0])
            hidden.append((start, columns, block[0, columns].copy()))
            block[gaps] = np.nan
            block.tofile(file)
    return hidden


PARTS = {"peers": peers, "scaling": scaling, "paper": paper, "blocks": blocks}

if __name__ == "__main__":
    main()
