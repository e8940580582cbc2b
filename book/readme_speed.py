"""Put the times of `make bench` into the README, so that they are always from a run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vaeimpute.files import write_atomically

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
TABLE = ROOT / "results" / "benchmarks" / "imputation_speed.csv"
BEGIN, END = "<!-- times: begin -->\n", "<!-- times: end -->\n"


def times_section(table: pd.DataFrame) -> str:
    """Return Markdown that says how long the programs take on the largest cohort in a table."""
    table = table.dropna(subset="seconds")
    cohort = table.loc[table["n_train"] * table["n_features"] == (
        table["n_train"] * table["n_features"]
    ).max()].set_index("program")  # fmt: skip
    first = cohort.iloc[0]
    turns = "one turn" if first["turns"] == 1 else f"medians of up to {first['turns']} turns"
    lines = [
        f"Seconds to fit {first['n_train']} samples x {first['n_features']} genes "
        f"(`{first['cohort']}`) and to impute {first['n_test']} more",
        f"with {first['missing']:.0%} missing, on one thread ({turns}; `make bench`); error "
        "in standard deviations:",
        "",
        "| program | seconds | times as long as ours | mean absolute error |",
        "|---|---|---|---|",
    ]
    names = {program: f"`{program}`" for program in cohort.index}
    names |= {"KNN": "`KNNImputer`", "SVD": "`SVDImputer`", "Gaussian": "`GaussianImputer`"}
    for program in ("KNN", "scikit-learn KNNImputer", "fancyimpute KNN", "SVD",
                    "fancyimpute IterativeSVD", "Gaussian"):  # fmt: skip
        if program not in cohort.index:
            continue
        row = cohort.loc[program]
        times = row["times_slower"]
        lines.append(
            f"| {names[program]} | {row['seconds']:.2g} "
            f"| {'' if pd.isna(times) else f'{times:.0f}'} | {row['mae']:.3f} |"
        )
    return "\n".join(lines) + "\n"


def with_times(readme: str, section: str) -> str:
    """Return a README with the section between its two marks replaced."""
    before, rest = readme.split(BEGIN)
    return before + BEGIN + section + END + rest.split(END)[1]


if __name__ == "__main__":
    section = times_section(pd.read_csv(TABLE))
    write_atomically(README, with_times(README.read_text(encoding="utf-8"), section))
