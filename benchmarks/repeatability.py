r"""Compare two runs of the same experiments: what may differ on another machine, and by how much.

By hand: make tables again in a folder of their own, with other numbers of threads, and compare::

    OMP_NUM_THREADS=1 vaeimpute reproduce --cohort breast-gse1992 --output one --store store-one
    OMP_NUM_THREADS=2 vaeimpute reproduce --cohort breast-gse1992 --output two --store store-two
    python benchmarks/repeatability.py one two

Or compare what two tables have in common, such as one split of several, made on another machine::

    python benchmarks/repeatability.py results/COHORT/paper/TABLE.csv elsewhere/TABLE.csv \
        --called processor-and-GPU

Sums of floats depend on their order, and the order on threads, processors and libraries. A closed
form keeps such differences in the last digits; the training of a network carries them on, more so
to its standard deviations, of which a shift is a multiple, than to its means. The table has, by
experiment, kind of method and column, the largest and the median relative difference of a row:
``results/benchmarks/repeatability.csv``, which keeps other comparisons. Times are left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from vaeimpute.files import collect_provenance, write_table

ROOT = Path(__file__).resolve().parents[1]
KEYS = ["cohort", "scenario", "trial", "method", "seed"]
TIMES = ["seconds", "fit_seconds", "evaluation_seconds"]


def pairs(first: Path, second: Path) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Yield the name and the rows of every table, by both runs, in the same order.

    Raises
    ------
    ValueError
        If a table of one folder is not in the other, or has other rows; or tables share no row.
    """
    names = sorted(f.relative_to(first) for f in first.rglob("[!.]*.csv"))
    others = sorted(f.relative_to(second) for f in second.rglob("[!.]*.csv"))
    if names != others or (first.is_dir() and not names):
        raise ValueError(f"Expected the same tables but got {names} and {others}.")
    for name in names or [Path()]:
        one, two = (pd.read_csv(path / name).drop(columns=TIMES, errors="ignore")
                    for path in (first, second))  # fmt: skip
        keys = [key for key in (*KEYS, "sample", "draw") if key in one]
        one, two = (table.set_index(keys).sort_index() for table in (one, two))
        common = one.index.intersection(two.index)
        if not len(common) or (names and not len(common) == len(one) == len(two)):
            raise ValueError(f"{name if names else first} has other rows in the second run.")
        yield str(name if names else Path(*first.parts[-3:])), one.loc[common], two.loc[common]


def compare(first: Path, second: Path) -> Iterator[dict[str, object]]:
    """Yield a row for every table, kind of method and column of numbers."""
    for name, one, two in pairs(first, second):
        method = one.index.get_level_values("method")
        network = method.str.contains("VAE|beta|autoencoder")
        shifted = method.str.contains("shifted")
        kinds = {"closed form": ~network, "network": network & ~shifted, "shifted": shifted}
        for column in one.select_dtypes("number"):
            a, b = one[column].to_numpy(float), two[column].to_numpy(float)
            with np.errstate(invalid="ignore", divide="ignore"):
                difference = np.where(a == b, 0.0, np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)))
            for kind, rows in kinds.items():
                if rows.any():
                    yield {
                        "table": name, "methods": kind, "column": column,
                        "rows": int(rows.sum()), "largest": np.nanmax(difference[rows]),
                        "median": np.nanmedian(difference[rows]),
                    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare two runs of the same experiments.")
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--called", help="what the two runs differ in, instead of their names")
    given = parser.parse_args()
    name = given.called or f"{given.first} and {given.second}"
    table = pd.DataFrame(compare(given.first, given.second)).assign(compared=name)
    print(table.to_string(index=False))
    path = ROOT / "results" / "benchmarks" / "repeatability.csv"
    before = pd.read_csv(path)
    record = json.loads(path.with_suffix(".provenance.json").read_text("utf-8"))
    anew = (before["compared"] == name) & before["table"].isin(table["table"])
    table = pd.concat([before[~anew], table])
    provenance = collect_provenance({"compared": table["compared"].unique().tolist()})
    commands = dict.fromkeys([*record["command"].split("; "), provenance["command"]])
    write_table(table, path, provenance | {"command": "; ".join(commands)})
