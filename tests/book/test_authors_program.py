"""The authors' program beside ours: what is run, and what is kept."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import authors_program  # in benchmarks/
from authors_program import job, plan, read_finished, result_row
from vaeimpute.cohorts import load_cohort
from vaeimpute.files import write_table
from vaeimpute.imputers import KNNImputer, SVDImputer, VAEImputer

TRUE = np.array([[0.0, 1.0, 2.0], [1.0, -1.0, 0.0]])
MASK = np.array([[True, False, False], [True, True, False]])
DONE = {"fit_seconds": 2.0, "impute_seconds": 0.5}


@pytest.fixture
def cells():
    return plan(n_genes=3, n_train=555, seeds=[0, 1])


def test_every_setting_is_trained_by_both_programs_in_both_orders(cells):
    assert len(set(cells)) == len(cells)
    theirs = {cell[2:] for cell in cells if cell.program == "authors"}
    ours = {cell[2:] for cell in cells if cell.program == "vaeimpute"}
    assert theirs <= ours
    networks = [cell for cell in cells if cell.program == "authors" and cell.method == "VAE"]
    assert {tuple(authors_program.layers(cell)) for cell in networks} == {
        (2000, 6000, 200), (6000, 2000, 200),
    }  # fmt: skip
    # By the text, 555 rows are three batches, and 250 epochs 750 steps.
    steps = {cell.n_epochs * authors_program.steps_per_epoch(555, True) for cell in networks}
    assert steps == {500, 750}
    assert len(networks) == 2 * 2 * 2 * 2  # orders, rates, steps, seeds


def test_narrower_layers():
    narrow = plan(n_genes=3, n_train=555, seeds=[0], narrow=10)[-1]
    assert sorted(authors_program.layers(narrow)) == [20, 200, 600]


def test_what_says_most_comes_first(cells):
    first = [cell for cell in cells if cell.method == "VAE"][:4]
    assert {(cell.program, cell.order) for cell in first} == {
        (program, order) for program in ("authors", "vaeimpute") for order in ("code", "text")
    }
    assert {cell[4:] for cell in first} == {(1, 5e-5, 250, True, "mean", True, "paper", 0)}


def test_jobs_are_what_the_programs_take(cells):
    classes = {"KNN": KNNImputer, "SVD": SVDImputer, "VAE": VAEImputer}
    for cell in cells:
        name, parameters = job(cell, Path("program"))
        if cell.program == "vaeimpute":
            assert parameters.pop("class") == classes[cell.method].__name__
            imputer = classes[cell.method](**parameters)
            if cell.method == "VAE":
                assert [*imputer.hidden_sizes, imputer.latent_dim] == authors_program.layers(cell)
                assert imputer.random_state == cell.seed
        elif cell.method == "VAE":
            assert name == "authors VAE"
            assert parameters["folder"] == "program"
            assert parameters["seed"] == cell.seed
        else:
            assert name.startswith("fancyimpute")


def test_text_is_the_default(cells):
    settings = {"order": "text", **authors_program.TEXT}
    text = [cell for cell in cells if settings.items() <= cell._asdict().items()]
    assert [cell.seed for cell in text] == [0, 1]
    _, parameters = job(text[0], Path())
    parameters.pop("class")
    default = VAEImputer().get_params()
    changed = {name for name, value in parameters.items() if value != default[name]}
    assert changed == {"hidden_sizes", "precision", "device", "random_state"}
    assert tuple(parameters["hidden_sizes"]) == default["hidden_sizes"]


def test_finished_cells_are_found_again(cells, tmp_path):
    path = tmp_path / "table.csv"
    assert read_finished(path)[1] == set()
    kept = cells[::3]
    rows = [result_row(cell, DONE, TRUE + 0.5, TRUE, MASK) for cell in kept]
    write_table(pd.DataFrame(rows), path, {})
    table, finished = read_finished(path)
    assert finished == set(kept)
    # Read and written again, with a row more.
    more = result_row(cells[1], DONE, TRUE + 0.5, TRUE, MASK)
    write_table(pd.concat([table, pd.DataFrame([more])]), path, {})
    assert read_finished(path)[1] == {*kept, cells[1]}


def test_errors_are_those_of_the_masked_entries(cells):
    imputed = np.add(TRUE, [[1.0, 9.0, 9.0], [-1.0, 4.0, 9.0]])
    row = result_row(cells[0], DONE, imputed, TRUE, MASK)
    assert row["mae"] == pytest.approx(2.0)
    assert row["rmse"] == pytest.approx(np.sqrt(6))
    assert (row["seconds"], row["note"]) == (2.5, "")
    row = result_row(cells[0], DONE, np.where(MASK, np.nan, TRUE), TRUE, MASK)
    assert np.isnan(row["mae"])
    assert row["note"] == "what it imputes is not finite"
    row = result_row(cells[0], {"note": "failed: TrainingError"}, TRUE, TRUE, MASK)
    assert np.isnan(row["mae"])
    assert row["note"] == "failed: TrainingError"


def test_the_panel_is_the_same_every_time():
    cohort = load_cohort("breast-gse1992")
    genes = authors_program.panel(cohort, 20).values.columns
    assert len(set(genes)) == 20
    assert genes.equals(authors_program.panel(cohort, 20).values.columns)


def test_only_the_published_file_is_run(tmp_path):
    (tmp_path / authors_program.FILE.name).write_text("changed")
    with pytest.raises(SystemExit, match="is not the file that the authors published"):
        authors_program.find_program(tmp_path)
