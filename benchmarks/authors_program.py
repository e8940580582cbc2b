"""Run the authors' own program beside this package, on the same split and the same missing values.

By hand, for hours; ``--genes``, ``--narrow``, ``--epochs``, ``--seeds`` and ``--only`` make it
shorter::

    VAEIMPUTE_DATA=<folder> python benchmarks/authors_program.py --program <checkout>

Their network (github.com/gevaertlab/BetaVAEImputation) is run as they published it. It is no part
of this repository: without ``--program`` its file is downloaded. It runs on TensorFlow 2, which can
play the first version, in an environment of its own; for KNN and SVD their scripts call
fancyimpute, which gets one too. The same training rows, and test rows with a tenth of their values
missing, go to their program and to ours, and the errors are those of Figure 1 (``mae``, which the
paper calls RMSE) and the true ``rmse``, in standard deviations of the training rows.

The network is trained in their order of layers (d-2000-6000-200) and in that of the text
(d-6000-2000-200), at two learning rates, with their number of steps and with the text's, by both
programs with the settings of their code. Ours is also trained as the text says, and with one of the
code's settings at a time.

Every training is a row of ``results/<cohort>/authors_program.csv``, written when it is done; what
is there is not run again. To repeat a row, delete it.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from peers import PACKAGES, ROOT, Peers, say
from vaeimpute.cohorts import Cohort, load_cohort
from vaeimpute.cohorts.download import RemoteFile, download
from vaeimpute.evaluation import mean_absolute_error, root_mean_squared_error
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.missingness import SCENARIOS, trial_rng
from vaeimpute.seeding import generator
from vaeimpute.splits import split_rows

COMMIT = "216e759ebd77685233d0702c2db831986ea9f0f2"
FILE = RemoteFile(
    "autoencodersbetaVAE.py",
    f"https://raw.githubusercontent.com/gevaertlab/BetaVAEImputation/{COMMIT}/autoencodersbetaVAE.py",
    md5="9a0916cea7193db2a060bcdc5217f21f",
    size=9243,
)
SCENARIO, SPLIT_SEED = "mcar_10", 0
BATCH_SIZE, LATENT_DIM, RANK = 250, 200, 415
PROGRAMS = ("authors", "vaeimpute")
HIDDEN_SIZES = {"code": (2000, 6000), "text": (6000, 2000)}
# Of our imputer: as their code is, and as the text says.
CODE = {"drop_last": True, "init": "mean", "sample_posterior": True, "scale": "paper"}
TEXT = {"drop_last": False, "init": "random", "sample_posterior": False, "scale": "per feature"}


class Cell(NamedTuple):
    """What a row of the table is of; all that follows the number of genes, of networks only."""

    program: str
    method: str
    n_genes: int
    order: str = ""  # of the layers
    narrow: int | str = ""  # what their widths are divided by
    learning_rate: float | str = ""
    n_epochs: int | str = ""
    drop_last: bool | str = ""
    init: str = ""
    sample_posterior: bool | str = ""
    scale: str = ""
    seed: int | str = ""

    def __str__(self) -> str:
        return " ".join(str(value) for value in self if value != "")


def steps_per_epoch(n_train: int, drop_last: bool) -> int:
    """Return how many batches an epoch has."""
    return n_train // BATCH_SIZE if drop_last else -(-n_train // BATCH_SIZE)


def layers(cell: Cell) -> list[int]:
    """Return the widths of the encoder's layers, the latent one included."""
    return [width // int(cell.narrow) for width in (*HIDDEN_SIZES[cell.order], LATENT_DIM)]


def plan(
    n_genes: int, n_train: int, seeds: list[int], n_epochs: int = 250, narrow: int = 1
) -> list[Cell]:
    """Return the cells, those that say most before the others."""
    # So many of their epochs have as many steps as those of the text.
    longer = n_epochs * steps_per_epoch(n_train, False) // steps_per_epoch(n_train, True)

    def both(rate: float, epochs: int) -> list[Cell]:
        return [
            Cell(program, "VAE", n_genes, order, narrow, rate, epochs, **CODE)
            for order in HIDDEN_SIZES
            for program in PROGRAMS
        ]

    text = Cell("vaeimpute", "VAE", n_genes, "text", narrow, 5e-5, n_epochs, **TEXT)
    changes = [{"order": "code"}, *({name: CODE[name]} for name in CODE)]
    stages = [
        both(5e-5, n_epochs),
        [text, *(text._replace(**change) for change in changes)],
        both(5e-5, longer),
        both(5e-4, n_epochs),
        both(5e-4, longer),
    ]
    cells = [Cell(program, method, n_genes) for method in ("KNN", "SVD") for program in PROGRAMS]
    cells += [cell._replace(seed=seed) for stage in stages for seed in seeds for cell in stage]
    return list(dict.fromkeys(cells))


def job(cell: Cell, folder: Path) -> tuple[str, dict[str, Any]]:
    """Return the worker's name for a program, and the parameters that make it the cell's."""
    if cell.method != "VAE":
        if cell.program == "vaeimpute":
            rank = {"n_components": RANK} if cell.method == "SVD" else {}
            return "vaeimpute", {"class": f"{cell.method}Imputer", "standardize": False, **rank}
        name = {"KNN": "fancyimpute KNN", "SVD": "fancyimpute IterativeSVD"}[cell.method]
        return name, {"rank": RANK}
    *hidden_sizes, latent_dim = layers(cell)
    parameters = {
        "hidden_sizes": hidden_sizes,
        "latent_dim": latent_dim,
        "n_epochs": cell.n_epochs,
        "batch_size": BATCH_SIZE,
        "learning_rate": cell.learning_rate,
    }
    if cell.program == "authors":
        return "authors VAE", parameters | {"folder": str(folder), "seed": cell.seed}
    settings = {name: getattr(cell, name) for name in CODE}
    ours = {"class": "VAEImputer", "precision": "float32", "device": "cpu"}
    return "vaeimpute", parameters | ours | settings | {"random_state": cell.seed}


def read_finished(path: Path) -> tuple[pd.DataFrame, set[Cell]]:
    """Return the table as it is, and the cells that are in it."""
    if not path.exists():
        return pd.DataFrame(), set()
    table = pd.read_csv(path)
    cells = table[list(Cell._fields)].astype(object)
    return table, set(map(Cell._make, cells.where(cells.notna(), "").to_numpy()))


def result_row(
    cell: Cell, result: dict[str, Any], imputed: np.ndarray, true: np.ndarray, mask: np.ndarray
) -> dict[str, Any]:
    """Return the errors of what a program imputed."""
    row: dict[str, Any] = {"mae": np.nan, "rmse": np.nan, "seconds": np.nan, "note": ""}
    if "note" in result:
        row["note"] = result["note"]
    else:
        row["seconds"] = result["fit_seconds"] + result["impute_seconds"]
        if np.isfinite(imputed[mask]).all():
            row["mae"] = mean_absolute_error(true, imputed, mask)
            row["rmse"] = root_mean_squared_error(true, imputed, mask)
        else:
            row["note"] = "what it imputes is not finite"
    return cell._asdict() | row


def panel(cohort: Cohort, n_genes: int) -> Cohort:
    """Return the cohort with so many of its genes, the same ones every time."""
    total = cohort.values.shape[1]
    chosen = generator(SPLIT_SEED, "panel").choice(total, n_genes, replace=False)
    return cohort.select_features(cohort.values.columns[np.sort(chosen)])


def find_program(folder: Path | None) -> Path:
    """Return where their file is, downloaded if need be, and as published in any case."""
    if folder is None:
        folder = ROOT / "_build" / "bench" / "program"
        download([FILE], folder)
    path = folder / FILE.name
    if not path.exists() or hashlib.md5(path.read_bytes()).hexdigest() != FILE.md5:
        raise SystemExit(f"{path} is not the file that the authors published ({COMMIT}).")
    return folder


def main() -> None:
    """Run what is not in the table yet."""
    parser = argparse.ArgumentParser(description="The authors' program beside this package.")
    parser.add_argument("cohort", nargs="?", default="glioma-gliovis", help="name or path")
    parser.add_argument("--program", type=Path, help="folder with the authors' file")
    parser.add_argument("--genes", type=int, help="a random panel of so many; by default all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of trainings")
    parser.add_argument("--epochs", type=int, default=250)
    parser.add_argument("--narrow", type=int, default=1, help="divide the layers' widths by this")
    parser.add_argument("--only", default="", help="a regular expression, such as 'VAE .* 5e-05'")
    parser.add_argument("--out", type=Path, help="the table; by default results/<cohort>/...")
    options = parser.parse_args()

    program = find_program(options.program)
    cohort = load_cohort(options.cohort)
    if options.genes:
        cohort = panel(cohort, options.genes)
    split = split_rows(len(cohort.values), strata=cohort.strata, seed=SPLIT_SEED)
    standardized = cohort.standardize(split.train)
    values = standardized.values.to_numpy()
    train, true = values[split.train], values[split.test]
    mask = SCENARIOS[SCENARIO].mask(standardized, split.test, trial_rng(SPLIT_SEED, SCENARIO, 0))
    path = options.out or ROOT / "results" / cohort.name / "authors_program.csv"
    table, finished = read_finished(path)
    cells = plan(values.shape[1], len(train), options.seeds, options.epochs, options.narrow)
    wanted = [c for c in cells if c not in finished and re.search(options.only, str(c))]
    say(f"{len(wanted)} of {len(cells)} to run; {len(train)} rows of {values.shape[1]} genes")
    with tempfile.TemporaryDirectory() as folder:
        peers = Peers(Path(folder))
        peers.install("authors", "fancyimpute")
        matrix = peers.save(train, np.where(mask, np.nan, true))
        for cell in wanted:
            name, parameters = job(cell, program)
            imports = ["torch"] if name == "vaeimpute" and cell.method == "VAE" else []
            result = peers.measure(
                name, matrix=matrix, parameters=parameters, imports=imports, cold=True, keep=True
            )
            # A training that runs off is a finding; all other failures are to be tried again.
            if "note" in result and "TrainingError" not in result["note"]:
                say(f"{cell}: {result['note']}")
                continue
            imputed = true if "note" in result else np.load(peers.folder / "imputed.npy")
            row = result_row(cell, result, imputed, true, mask)
            say(f"{cell}: mae {row['mae']:.4f}, rmse {row['rmse']:.4f} {row['note']}")
            if cell.method == "VAE":
                row["layers"] = "-".join(map(str, layers(cell)))
                row["n_steps"] = cell.n_epochs * steps_per_epoch(len(train), bool(cell.drop_last))
            table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
            parameters = {
                "cohort": cohort.name, "scenario": SCENARIO, "seed": SPLIT_SEED,
                "n_train": len(train), "n_test": len(true), "batch_size": BATCH_SIZE,
                "rank": RANK, "precision": "float32",
                "program": f"gevaertlab/BetaVAEImputation, {COMMIT}",
                "packages": {name: PACKAGES[name] for name in ("authors", "fancyimpute")},
            }  # fmt: skip
            seconds = {"seconds": float(table["seconds"].sum())}
            write_table(table, path, collect_provenance(parameters) | seconds)


if __name__ == "__main__":
    main()
