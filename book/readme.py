"""Put into the READMEs what is computed: the figure, verdicts and times; the list of tables."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd

import stored
import verdicts
import which
from vaeimpute.claims import load_all_runs
from vaeimpute.files import write_atomically

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
FIGURE = ROOT / "book" / "static" / "answer.png"
PROGRAMS = {
    "KNN": "`KNNImputer`",
    "scikit-learn KNNImputer": "`scikit-learn KNNImputer`",
    "fancyimpute KNN": "`fancyimpute KNN`",
    "SVD": "`SVDImputer`",
    "fancyimpute IterativeSVD": "`fancyimpute IterativeSVD`",
    "SVD, tuned": '`SVDImputer(joint=False, n_components="auto")`',
    "Gaussian": "`GaussianImputer`",
    "VAE": "`VAEImputer`, layers of 512 and 50, ten epochs",
    "pimms-learn VAE": "`pimms-learn` VAE, the same",
}


def errors() -> pd.DataFrame:
    """Return what the figure shows."""
    return which.mean_errors(which.error_tables(load_all_runs(ROOT / "results")))


def draw() -> None:
    """Write the figure of the README and the landing page, and into it what it was drawn from."""
    described = {"Description": described_numbers()}
    which.plot_answer(errors()).savefig(FIGURE, dpi=160, metadata=described)


def described_numbers() -> str:
    """Return the numbers of the figure as text, by which a test tells whether it is up to date."""
    return errors().round(4).to_csv()


def times() -> str:
    """Return Markdown that says how long the programs took on the largest cohort timed."""
    table = pd.read_csv(ROOT / "results" / "benchmarks" / "imputation_speed.csv")
    table = table.dropna(subset="seconds")
    size = table["n_train"] * table["n_features"]
    table = table[size == size.max()].set_index("program")
    first = table.iloc[0]
    turns = "one turn" if first["turns"] == 1 else f"medians of up to {first['turns']} turns"
    lines = [
        f"Seconds to fit {first['n_train']} samples x {first['n_features']} genes "
        f"(`{first['cohort']}`, series not centred) and to impute {first['n_test']} more",
        f"with {first['missing']:.0%} missing, on one thread ({turns}; `make bench`); error "
        "in standard deviations:",
        "",
        "| program | seconds | times as long as ours | mean absolute error |",
        "|---|---|---|---|",
    ]
    for program, row in table.reindex(PROGRAMS).dropna(subset="seconds").iterrows():
        longer = "" if pd.isna(row["times_slower"]) else f"{row['times_slower']:.0f}"
        lines.append(
            f"| {PROGRAMS[program]} | {row['seconds']:.2g} | {longer} | {row['mae']:.3f} |"
        )
    return "\n".join(lines) + "\n"


def stand() -> str:
    """Return Markdown that says how many claims hold, and answers what readers want to know."""
    chapters = tuple(sorted((ROOT / "notebooks").glob("*.ipynb")))
    board = verdicts.make_board(ROOT / "results", chapters)
    lines = [verdicts.count(board), ""]
    lines += ["| | by the runs closest to the paper | other runs |", "|---|---|---|"]
    for question, (id, *_) in verdicts.QUESTIONS.items():
        answer, others = board.answers[id], verdicts.other_runs(board, id)
        lines.append(f"| {question} | **{verdicts.LEADS[answer.verdict]}** | {others} |")
    return "\n".join(lines) + "\n\n? stands for runs with too little data for the claim.\n\n"


SECTIONS = {
    README: {"verdicts": stand, "times": times},
    ROOT / "results" / "README.md": {
        "tolerances": partial(stored.tolerances, ROOT / "results"),
        "tables": partial(stored.table_of_tables, ROOT / "results"),
    },
}


def up_to_date(page: Path) -> str:
    """Return a page with the sections between its marks replaced."""
    text = page.read_text(encoding="utf-8")
    for name, make in SECTIONS[page].items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
        before, rest = text.split(begin)
        text = before + begin + make() + end + rest.split(end)[1]
    return text


if __name__ == "__main__":
    draw()
    for page in SECTIONS:
        write_atomically(page, up_to_date(page))
