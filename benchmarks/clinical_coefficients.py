"""Time the coefficients of all genes at once, against a loop over genes with scipy and lifelines.

Run by hand when the coefficients change, on a machine that does nothing else::

    python benchmarks/clinical_coefficients.py

Two matrices: the test rows of the simulated gliomas, which have the size of the paper's (134 x
17176), and the real breast tumours with a grade or survival. Ours computes all genes; the
loops compute some, evenly spread, and their time is given per gene and, multiplied, for all genes.
Ours and the loop take turns, and the table has the medians. The differences are over the genes of
the loops; lifelines iterates further for them than by default, where it stops at about four digits.
It writes ``results/benchmarks/clinical_coefficients.csv`` with its provenance. About two minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from scipy.stats import spearmanr

from vaeimpute.cohorts import load_cohort
from vaeimpute.evaluation import cox_coefficients, read_outcomes, spearman_correlations
from vaeimpute.files import collect_provenance, write_table
from vaeimpute.splits import split_rows

ROOT = Path(__file__).resolve().parents[1]
PRECISE = {"precision": 1e-14, "r_precision": 1e-15}


def main() -> None:
    """Time both coefficients on both matrices, and write the table."""
    parser = argparse.ArgumentParser(description="Coefficients of all genes against loops.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--genes", type=int, default=200, help="that the loops compute")
    chosen = parser.parse_args()
    rows = []
    for name in ("simulated-glioma", "breast-gse1992"):
        values, clinical = load_rows(name)
        outcomes = read_outcomes(clinical)
        graded, followed = outcomes.rows("grade"), outcomes.rows("survival")
        grade = outcomes.grade[graded]
        time_, event = outcomes.time[followed], outcomes.event[followed]
        some = np.linspace(0, values.shape[1] - 1, chosen.genes).astype(int)

        def fit(x: np.ndarray, options: dict | None = None, *, t=time_, e=event) -> float:
            table = pd.DataFrame({"x": x, "time": t, "event": e})
            return float(
                CoxPHFitter().fit(table, "time", "event", fit_options=options).params_["x"]
            )

        def rank(x: np.ndarray, *, g=grade) -> float:
            return float(spearmanr(x, g).statistic)

        rows += [
            compare(
                name, "Spearman", "scipy.stats.spearmanr", values[graded], some, chosen.rounds,
                lambda x, g=grade: spearman_correlations(x, g), rank, rank,
            ),
            compare(
                name, "Cox", "lifelines.CoxPHFitter", values[followed], some, chosen.rounds,
                lambda x, t=time_, e=event: cox_coefficients(x, t, e)["coefficient"].to_numpy(),
                fit, lambda x, fit=fit: fit(x, PRECISE),
            ),
        ]  # fmt: skip
        print(pd.DataFrame(rows[-2:]).round(4).to_string(index=False), flush=True)
    versions = {name: metadata.version(name) for name in ("lifelines", "scipy")}
    path = ROOT / "results" / "benchmarks" / "clinical_coefficients.csv"
    write_table(pd.DataFrame(rows), path, collect_provenance({**vars(chosen), **versions}))


def load_rows(name: str) -> tuple[np.ndarray, pd.DataFrame]:
    """Return standardised values and the clinical table of the rows that are measured."""
    cohort = load_cohort(name)
    split = split_rows(len(cohort.values), strata=cohort.strata, seed=0)
    rows = split.test if name == "simulated-glioma" else np.arange(len(cohort.values))
    values = cohort.standardize(split.train).values.to_numpy()[rows]
    return values, cohort.clinical.iloc[rows]


def compare(
    cohort: str, coefficient: str, peer: str, values: np.ndarray, some: np.ndarray, rounds: int,
    ours: Callable[[np.ndarray], np.ndarray], theirs: Callable[[np.ndarray], float],
    precise: Callable[[np.ndarray], float],
) -> dict[str, object]:  # fmt: skip
    """Let ours on all genes and the peer on some take turns, and return a row of the table."""
    ours(values[:, :50])  # what is imported at the first call
    theirs(values[:, 0])
    seconds, loop = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        found = ours(values)
        seconds.append(time.perf_counter() - start)
        start = time.perf_counter()
        for gene in some:
            theirs(values[:, gene])
        loop.append((time.perf_counter() - start) / len(some))
    n_samples, n_genes = values.shape
    expected = np.array([precise(values[:, gene]) for gene in some])
    median = float(np.median(seconds))
    per_gene = float(np.median(loop))
    return {
        "cohort": cohort,
        "coefficient": coefficient,
        "n_samples": n_samples,
        "n_genes": n_genes,
        "seconds": median,
        "peer": peer,
        "n_genes_peer": len(some),
        "milliseconds_per_gene_peer": 1000 * per_gene,
        "seconds_all_genes_peer": per_gene * n_genes,
        "times_faster": per_gene * n_genes / median,
        # Its logarithm, because the table has six digits after the point.
        "log10_largest_difference": float(np.log10(np.abs(found[some] - expected).max())),
    }


if __name__ == "__main__":
    main()
