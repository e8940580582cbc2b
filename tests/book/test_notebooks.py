"""What every committed chapter must be.

That every chapter executes is not tested here: `make test` runs each cell of notebooks/ with nbval
right after pytest, and once is enough.
"""

import ast
import importlib
import json
import re
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
import papermill

import configure
import run_chapters

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LONGEST_FUNCTION = 6  # lines; anything longer belongs in the package, where it is tested


def test_there_are_chapters_and_the_contents_list_them():
    assert CHAPTERS
    contents = (ROOT / "_toc.yml").read_text()
    for chapter in CHAPTERS:
        assert f"file: notebooks/{chapter.stem}\n" in contents


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_begins_with_one_title(notebook):
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")


def test_parameters_are_typed_and_explained(chapter, notebook):
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    parameters = papermill.inspect_notebook(str(chapter))
    assert parameters
    for name, entry in parameters.items():
        assert entry["inferred_type_name"] != "None", f"{name} has no type"
        assert entry["help"], f"{name} has no comment"


def test_was_executed_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))
    assert any(cell.outputs for cell in code_cells(notebook))


def test_no_cell_failed(notebook):
    for cell in code_cells(notebook):
        assert not [output for output in cell.outputs if output.output_type == "error"]


def test_is_what_make_notebooks_writes(chapter, notebook):
    assert chapter.read_text(encoding="utf-8") == nbformat.writes(notebook) + "\n"
    assert run_chapters.clean(notebook, notebook) == notebook


def test_holds_nothing_of_a_machine(notebook):
    shown = [
        value
        for cell in code_cells(notebook)
        for output in cell.outputs
        for kind, value in [("", output.get("text", "")), *output.get("data", {}).items()]
        if not kind.startswith("image/")
    ]
    places = rf"{re.escape(str(ROOT))}|/(home|root|Users|tmp)/"
    assert not re.search(places, json.dumps(shown))


def test_is_under_a_megabyte(chapter):
    assert chapter.stat().st_size < 1e6


def without_magics(source):
    return re.sub(r"(?m)^( *)[%!].*$", r"\1pass", source)


def statements(notebook):
    for cell in code_cells(notebook):
        yield from ast.walk(ast.parse(without_magics(cell.source)))


def test_gets_the_package_where_it_is_not_there(notebook):
    setup = code_cells(notebook)[1].source
    assert 'if not find_spec("vaeimpute"):' in setup
    assert f"git clone --quiet --depth 1 {configure.repository(ROOT)}\n" in setup


def test_what_it_imports_from_the_package_is_there(notebook):
    # Without executing anything, so that a name that is gone is noticed at once.
    for node in statements(notebook):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vaeimpute":
            module = importlib.import_module(node.module)
            for alias in node.names:
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")


def test_draws_with_the_generators_of_the_package(notebook):
    for node in statements(notebook):
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            assert not name.startswith(("np.random", "torch.manual_seed")), name


def test_figures_of_stored_runs_stand_right_after_this_pages(notebook):
    for before, cell in pairwise(notebook.cells):
        if "full-size" in cell.metadata.get("tags", []):
            assert before.cell_type == "code"
            assert not before.metadata.get("tags")


def test_figures_that_stand_for_the_papers_say_so():
    captions = "".join(re.findall('"caption": ".*"', "".join(c.read_text() for c in CHAPTERS)))
    found = re.findall(r"[Oo]ur version of (?:the )?Figure (S?\d)", captions)
    assert set(found) == {"S1", "1", "2", "3", "4", "5"}


def test_defines_no_long_function(notebook):
    for node in statements(notebook):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name


def test_checked_cells_draw_no_progress_bar(notebook):
    # nbval compares standard error as well, and a bar is never the same twice.
    for cell in code_cells(notebook):
        if "nbval-check-output" in cell.metadata.get("tags", []):
            assert "progress=True" not in cell.source


def test_the_chapter_on_time_does_without_fancyimpute(monkeypatch):
    """Who could not install it has tables without it, and a chapter all the same."""
    read = pd.read_csv

    def without_fancyimpute(file, **options):
        table = read(file, **options)
        if "program" not in table:
            return table
        return table[~table["program"].str.contains("fancyimpute")].reset_index(drop=True)

    monkeypatch.chdir(ROOT / "notebooks")
    monkeypatch.setattr(pd, "read_csv", without_fancyimpute)
    monkeypatch.setattr("myst_nb.glue", lambda *_, **__: None)
    cells = code_cells(nbformat.read("08_imputation_time.ipynb", as_version=4))
    # Without the solutions of exercises, which go back to what was timed before.
    cells = [cell for cell in cells if "show-input" not in cell.metadata.get("tags", [])]
    starts = [cell.source.partition(" ")[0] for cell in cells]
    chosen = [cells[starts.index("from")], *cells[starts.index("benchmarks") :]]
    names: dict = {}
    with plt.rc_context(), pd.option_context("display.max_colwidth", 50):  # both are changed
        for cell in chosen:
            exec(without_magics(cell.source), names)
    assert "vaeimpute" in set(names["paper"]["program"])
    assert "fancyimpute" not in set(names["paper"]["program"])
