"""Time an epoch of the paper's network, against the same network written down plainly.

Run by hand when the models or their training change, on a machine that does nothing else::

    python benchmarks/vae_epoch.py

Every variant trains in processes of its own on 500 samples x 17176 genes of the simulated gliomas,
two batches an epoch, with the same initial weights:

- ``plain``: float32, torch's Adam as it comes, the loss written out here;
- ``float32`` and ``bfloat16``: `vaeimpute.models.train`.

The variants take turns. An epoch's time is the median over all but the first of each process. The
floor is what the machine needs for the products and for the memory traffic of Adam alone, at the
rates that it shows in a product of 4096-cubed matrices and in a copy. It writes
``results/benchmarks/vae_epoch.csv`` with its provenance.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from vaeimpute.cohorts import load_cohort
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.models import Training, Validation, VariationalAutoencoder, train

ROOT = Path(__file__).resolve().parents[1]
N_TRAIN, N_VALIDATION, BATCH, LEARNING_RATE = 500, 100, 250, 5e-5
VARIANTS = ("plain", "float32", "bfloat16")


def main() -> None:
    """Let the variants take turns, and write the table."""
    parser = argparse.ArgumentParser(description="An epoch of the paper's network.")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=9, help="per round, the first not timed")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--worker", choices=VARIANTS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        print(json.dumps(measure(chosen.worker, chosen.epochs, chosen.device)))
        return
    runs = []
    for number in range(chosen.rounds):
        for variant in VARIANTS:
            command = [sys.executable, __file__, "--worker", variant]
            command += ["--epochs", str(chosen.epochs), "--device", chosen.device]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            run = json.loads(done.stdout.splitlines()[-1])
            print(number, variant, run, flush=True)
            runs.append({"variant": variant} | run)
    table = summarize(pd.DataFrame(runs), chosen.device)
    print(table.round(3).to_string(index=False))
    parameters = {"n_train": N_TRAIN, "batch_size": BATCH, "hidden_sizes": [6000, 2000],
                  "latent_dim": 200, "learning_rate": LEARNING_RATE, "threads":
                  torch.get_num_threads(), **vars(chosen)}  # fmt: skip
    del parameters["worker"]
    path = ROOT / "results" / "benchmarks" / "vae_epoch.csv"
    write_table(table, path, collect_provenance(parameters))


def measure(variant: str, n_epochs: int, device: str) -> dict[str, object]:
    """Train for some epochs; return their seconds, the validation error and the peak memory."""
    values = load_cohort("simulated-glioma").values.to_numpy(np.float64)
    values = values[np.random.default_rng(0).permutation(len(values))]
    rows = values[:N_TRAIN]
    z = torch.from_numpy((values - rows.mean(axis=0)) / rows.std(axis=0)).float()
    data, held_out = z[:N_TRAIN], z[N_TRAIN : N_TRAIN + N_VALIDATION]
    generator = torch.Generator().manual_seed(0)
    validation = Validation(held_out, torch.rand(held_out.shape, generator=generator) < 0.1)
    model = Timed(z.shape[1], generator=generator)
    if variant == "plain":
        train_plainly(model, data.to(device), n_epochs, device)
    else:
        training = Training(n_epochs, BATCH, LEARNING_RATE, precision=variant)
        train(model, data, training, generator=generator, device=device)
    model.starts.append(time.perf_counter())
    seconds = np.diff(model.starts[:: -(-N_TRAIN // BATCH)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if device == "cuda":
        peak = torch.cuda.max_memory_allocated() / 2**30
    return {
        "seconds": seconds.round(3).tolist(),
        "validation_error": validation.to(device).error(model),
        "peak_gib": round(peak, 2),
        "n_weights": sum(weight.numel() for weight in model.parameters()),
    }


class Timed(VariationalAutoencoder):
    """The paper's network, which notes when each batch begins."""

    def __init__(self, n_features: int, generator: torch.Generator) -> None:
        super().__init__(n_features, generator=generator)
        self.starts: list[float] = []

    def draw_noise(self, x: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """Draw the noise of a batch."""
        if x.is_cuda:
            torch.cuda.synchronize()
        self.starts.append(time.perf_counter())
        return super().draw_noise(x, generator)


def train_plainly(model: Timed, data: Tensor, n_epochs: int, device: str) -> None:
    """Train with nothing but what any tutorial does: float32, autograd, torch's Adam."""
    model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in range(n_epochs):
        for batch in torch.randperm(len(data)).split(BATCH):
            x = data[batch]
            (noise,) = model.draw_noise(x, None)
            hidden = model.encoder(x)
            mean, log_variance = model.latent_mean(hidden), model.latent_log_variance(hidden)
            hidden = model.decoder(mean + torch.exp(0.5 * log_variance) * noise)
            x_mean, x_log_variance = model.output_mean(hidden), model.output_scale(hidden)
            nll = 0.5 * ((x - x_mean) ** 2 / torch.exp(x_log_variance) + x_log_variance)
            divergence = 0.5 * (mean**2 + torch.exp(log_variance) - log_variance - 1)
            loss = nll.sum(dim=1).mean() + divergence.sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def summarize(runs: pd.DataFrame, device: str) -> pd.DataFrame:
    """Return one row per variant, with the floor of its precision."""
    rows = []
    for variant, group in runs.groupby("variant", sort=False):
        seconds = np.concatenate([one[1:] for one in group["seconds"]])
        precision = torch.bfloat16 if variant == "bfloat16" else torch.float32
        floor = floor_seconds(int(group["n_weights"].iloc[0]), precision, device)
        rows.append({
            "variant": variant,
            "seconds_per_epoch": float(np.median(seconds)),
            "fastest": float(seconds.min()),
            "slowest": float(seconds.max()),
            "floor": floor,
            "share_of_floor": floor / float(np.median(seconds)),
            "peak_gib": float(group["peak_gib"].max()),
            "validation_error": float(group["validation_error"].mean()),
        })  # fmt: skip
    table = pd.DataFrame(rows)
    plain = table.set_index("variant").loc["plain"]
    table["times_faster"] = plain["seconds_per_epoch"] / table["seconds_per_epoch"]
    table["error_ratio"] = table["validation_error"] / plain["validation_error"]
    return table


def floor_seconds(n_weights: int, precision: torch.dtype, device: str) -> float:
    """Return what products and optimiser traffic take at the machine's best rates.

    Every weight takes part in three products per row (forward, and backward for the input and for
    itself), two operations each. Adam reads weight, gradient and two moments and writes all but
    the gradient: seven floats of four bytes per weight and batch.
    """
    n_batches = -(-N_TRAIN // BATCH)
    n = 4096
    a, b = (torch.randn(n, n, device=device).to(precision) for _ in range(2))
    rate = 2 * n**3 / fastest(lambda: a @ b, device)
    x = torch.randn(2**28, device=device)
    y = torch.empty_like(x)
    bandwidth = 2 * x.numel() * 4 / fastest(lambda: y.copy_(x), device)
    return 6 * n_weights * N_TRAIN / rate + n_batches * 7 * 4 * n_weights / bandwidth


def fastest(work, device: str, n: int = 7) -> float:
    """Return the shortest of some times that a function takes."""
    seconds = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


if __name__ == "__main__":
    main()
