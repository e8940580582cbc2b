"""Run the paper's experiments on 309 samples of five small TCGA cohorts: the paper's platform.

The matrix is no cohort that `vaeimpute reproduce` can fetch, so this prepares it and then does the
same. `VAEIMPUTE_DATA` names the folder of the larger cohorts::

    python benchmarks/tcga_small_cohorts.py --profile paper expression_errors

An interrupted run goes on where it was. It writes ``results/tcga-small-cohorts/``.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from vaeimpute.cohorts import Cohort, load_cohort, log_counts
from vaeimpute.cohorts.cache import cache_dir
from vaeimpute.experiments.catalogue import EXPERIMENTS
from vaeimpute.experiments.profiles import read_profile
from vaeimpute.experiments.reproduce import make_plan

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Run the experiments that are named."""
    parser = argparse.ArgumentParser(description="Experiments on small TCGA cohorts.")
    parser.add_argument("experiments", nargs="+", choices=EXPERIMENTS)
    parser.add_argument("--profile", default="quick")
    parser.add_argument("--without", nargs="*", default=[], help="methods to leave out")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    store = cache_dir() / "units"
    plan = make_plan(
        chosen.experiments, load_tumours(), read_profile(chosen.profile), chosen.seed,
        chosen.without,
    )  # fmt: skip
    for experiment, grid in plan.grids.items():
        outcome = grid.run(store=store, progress=True)
        print(plan.write(experiment, outcome, ROOT / "results"), outcome.describe_failures())


def load_tumours() -> Cohort:
    """Load the cohorts and prepare them as the paper prepares its gliomas."""
    folder = Path(os.environ["VAEIMPUTE_DATA"], "tcga_small_cohorts_rnaseqv2")
    cohort = load_cohort(
        str(folder / "expr_rsem_normalized.parquet"), clinical=folder / "clinical.csv"
    )
    # The stomach tumours are an early freeze from another centre.
    kept = cohort.clinical["cohort"] != "STAD"
    cohort = replace(
        cohort,
        name="tcga-small-cohorts",
        values=cohort.values[kept],
        clinical=cohort.clinical[kept],
        units="RSEM-normalised count",
        stratify_by="cohort",
    )
    return log_counts(cohort)


if __name__ == "__main__":
    main()
