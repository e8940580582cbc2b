"""What the book shows of the authors' program beside ours."""

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import programs  # in book/
from authors_program import CODE, Cell  # in benchmarks/

RESULTS = Path(__file__).resolve().parents[2] / "results"


@pytest.fixture
def table():
    code, text = programs.CODE, programs.TEXT
    networks = [
        ("authors", code, 5e-5, 0, 0.5), ("authors", code, 5e-5, 1, 0.52),
        ("vaeimpute", code, 5e-5, 0, 0.51), ("authors", code, 5e-4, 0, np.nan),
        ("vaeimpute", text, 5e-5, 0, 0.6), ("vaeimpute", text, 5e-5, 1, 0.8),
        ("vaeimpute", text | {"init": "mean"}, 5e-5, 0, 0.57),
    ]  # fmt: skip
    rows = [
        Cell(program, "VAE", 30, narrow=10, learning_rate=rate, n_epochs=250, seed=seed, **settings)
        for program, settings, rate, seed, _ in networks
    ]
    text = pd.DataFrame([*rows, Cell("authors", "SVD", 30)]).to_csv(index=False)
    table = pd.read_csv(StringIO(text))
    layers = {"code": "200-600-20", "text": "600-200-20"}
    return table.assign(
        mae=[*(mae for *_, mae in networks), 0.4], n_steps=500.0, layers=table["order"].map(layers)
    )


def test_programs_stand_side_by_side(table):
    assert programs.side_by_side(table).splitlines()[2:] == [
        "| 30 | VAE, d-200-600-20 | 5e-05 | 500 | 0.510 (0.500 to 0.520, 2 seeds) | 0.510 |",
        "| 30 | VAE, d-200-600-20 | 0.0005 | 500 | not finite | not run |",
        "| 30 | SVD | | | 0.400 | not run |",
    ]


def test_changes_are_between_the_same_seeds(table):
    lines = programs.changes(table).splitlines()[2:]
    start = "| 30 | d-600-200-20 | "
    assert lines[0] == start + "none | 0.700 (0.600 to 0.800, 2 seeds) | |"
    assert start + "missing entries start from the mean | 0.570 | -5.0 % |" in lines
    assert start + "the code's order of the layers | not run |  |" in lines
    assert lines[-1] == start + "all five | 0.510 | -15.0 % |"


def test_the_page_may_say_that_the_programs_agree():
    table = pd.read_csv(RESULTS / "glioma-gliovis" / "authors_program.csv")
    svd = table[table["method"] == "SVD"].pivot(index="n_genes", columns="program", values="mae")
    np.testing.assert_allclose(svd["vaeimpute"], svd["authors"], rtol=1e-3)
    same = table[(table[list(CODE)] == list(CODE.values())).all(axis=1)].dropna(subset="mae")
    network = ["narrow", "n_genes", "learning_rate", "n_epochs", "order"]
    errors = same.groupby([*network, "program"])["mae"].agg(["mean", "var", "count"])
    errors = errors[errors["count"] > 1].unstack("program").dropna()
    assert len(errors)
    # Seeds are few, so the variance over them is that of all networks of a width.
    variance = errors["var"].mean(axis=1).groupby("narrow").transform("mean")
    standard_error = np.sqrt(variance * (1 / errors["count"]).sum(axis=1))
    assert (errors["mean"].diff(axis=1).iloc[:, 1].abs() < 3 * standard_error).all()
