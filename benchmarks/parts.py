"""Time what everything else rests on, beside the way that first comes to mind.

``make bench``, or by hand: ``python benchmarks/parts.py``, on a machine that does nothing else.

- An epoch of the paper's network on 500 samples of its 17176 genes, beside plain torch.
- Spearman and Cox coefficients of all genes of 134 samples, beside loops over genes with scipy and
  lifelines. The loops compute 200 genes, and their time is multiplied.
- Reading a text file of 20531 genes x 350 samples with all checks, beside pandas.

Ours and the other take turns, and the table has the medians:
``results/benchmarks/parts.csv``. About five minutes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lifelines import CoxPHFitter
from scipy.stats import spearmanr
from torch import nn

from vaeimpute.cohorts import load_cohort
from vaeimpute.cohorts.own import read_table_cohort
from vaeimpute.cohorts.simulated_expression import simulate_glioma
from vaeimpute.evaluation.associations import cox_coefficients, spearman_correlations
from vaeimpute.evaluation.clinical import read_outcomes
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.imputers import VAEImputer

ROOT = Path(__file__).resolve().parents[1]
TURNS = 3
Row = dict[str, Any]


def compare(ours: Callable[[], object], other: Callable[[], object]) -> Row:
    """Let two functions take turns; return the medians of their seconds."""
    seconds: dict[Callable, list[float]] = {ours: [], other: []}
    for _ in range(TURNS):
        for function, spent in seconds.items():
            start = time.perf_counter()
            function()
            spent.append(time.perf_counter() - start)
    return {"seconds": np.median(seconds[ours]), "seconds_other": np.median(seconds[other])}


def epochs() -> Iterator[Row]:
    """Train the paper's network for two epochs: what comes once does not weigh much."""
    values = simulate_glioma(n_samples=500, seed=0)[0].values.to_numpy()
    rows = torch.from_numpy((values - values.mean(axis=0)) / values.std(axis=0)).float()
    for precision in ("float32", "bfloat16"):
        imputer = VAEImputer(n_epochs=2, precision=precision, random_state=0)
        seconds = compare(lambda imputer=imputer: imputer.fit(values), lambda: train_plainly(rows))
        yield {"part": f"two epochs, {precision}", "other": "torch, float32"} | seconds


def train_plainly(rows: torch.Tensor) -> None:
    """Train as any tutorial does: float32, autograd, torch's Adam."""
    n_genes = rows.shape[1]
    relu = nn.ReLU()
    encoder = nn.Sequential(
        nn.Linear(n_genes, 6000), relu, nn.Linear(6000, 2000), relu, nn.Linear(2000, 2 * 200)
    )
    decoder = nn.Sequential(
        nn.Linear(200, 2000), relu, nn.Linear(2000, 6000), relu, nn.Linear(6000, 2 * n_genes)
    )
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=5e-5)
    for batch in [*torch.randperm(len(rows)).split(250), *torch.randperm(len(rows)).split(250)]:
        x = rows[batch]
        mean, log_variance = encoder(x).chunk(2, dim=1)
        z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        x_mean, x_log_variance = decoder(z).chunk(2, dim=1)
        nll = ((x - x_mean) ** 2 / torch.exp(x_log_variance) + x_log_variance).sum(dim=1) / 2
        divergence = (mean**2 + torch.exp(log_variance) - log_variance - 1).sum(dim=1) / 2
        optimizer.zero_grad()
        (nll + divergence).mean().backward()
        optimizer.step()


def coefficients() -> Iterator[Row]:
    """Compute the coefficients of all genes of the simulated gliomas' first samples."""
    cohort = load_cohort("simulated-glioma")
    values = cohort.values.to_numpy()[:134]
    outcomes = read_outcomes(cohort.clinical.iloc[:134])
    n_genes = values.shape[1]
    some = np.linspace(0, n_genes - 1, 200).astype(int)
    x = values[outcomes.rows("grade")]
    grade = outcomes.grade[outcomes.rows("grade")]
    row = compare(
        lambda: spearman_correlations(x, grade),
        lambda: [spearmanr(x[:, gene], grade) for gene in some],
    )
    yield {"part": "Spearman coefficients", "other": "scipy"} | row
    x = values[outcomes.rows("survival")]
    time_, event = (v[outcomes.rows("survival")] for v in (outcomes.time, outcomes.event))

    def fit(gene: int) -> None:
        table = pd.DataFrame({"x": x[:, gene], "time": time_, "event": event})
        CoxPHFitter().fit(table, "time", "event")

    row = compare(lambda: cox_coefficients(x, time_, event), lambda: [fit(gene) for gene in some])
    yield {"part": "Cox coefficients", "other": "lifelines"} | row


def reading() -> Iterator[Row]:
    """Read a tab-separated file of the paper's size."""
    genes = [f"g{number}|{number}" for number in range(20531)]
    values = np.random.default_rng(0).normal(size=(len(genes), 350))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "matrix.tsv")
        pd.DataFrame(values, genes).add_prefix("GSM").to_csv(path, sep="\t", float_format="%.4f")
        row = compare(
            lambda: read_table_cohort(path), lambda: pd.read_csv(path, sep="\t", index_col=0)
        )
    yield {"part": "reading text", "other": "pandas"} | row


if __name__ == "__main__":
    table = pd.DataFrame([*epochs(), *coefficients(), *reading()])
    loops = table["part"].str.contains("coefficients")
    table.loc[loops, "seconds_other"] *= 17176 / 200
    table["times_faster"] = table["seconds_other"] / table["seconds"]
    print(table.round(3).to_string(index=False))
    parameters = {"turns": TURNS, "threads": torch.get_num_threads()}
    write_table(table, ROOT / "results/benchmarks/parts.csv", collect_provenance(parameters))
