"""What every chapter offers its reader."""

import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = re.findall(r"file: (\S+)", (ROOT / "_toc.yml").read_text())


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def shown(cell):
    """Return the kinds of what a code cell displays."""
    if "remove-cell" in cell.metadata.get("tags", []):
        return []
    data = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [k for d in data for k in ("image/png", "text/html") if k in d]


def test_says_what_is_learnt_what_is_needed_and_how_long_it_takes(notebook):
    opening = notebook.cells[0].source
    assert "{admonition} In this chapter" in opening
    for word in ("**You will learn**", "**Before**", "**Time**"):
        assert word in opening


def test_has_exercises_with_solutions_that_run(notebook):
    text = text_of(notebook)
    labels = re.findall(r"\{exercise\}.*\n:label: (\S+)", text)
    assert len(labels) >= 2
    assert re.findall(r"\{solution-start\} (\S+)", text) == labels
    inside = False
    solutions = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            opened, closed = map(cell.source.rfind, ("{solution-start}", "{solution-end}"))
            inside = opened > closed if max(opened, closed) >= 0 else inside
        elif inside:
            solutions += 1
            assert "show-input" in cell.metadata.get("tags", [])
    assert solutions >= len(labels)


def test_ends_with_takeaways_and_the_next_page(chapter, notebook):
    text = text_of(notebook)
    box = re.search(r":::\{admonition\} Key takeaways\n(.*?)\n:::", text, flags=re.DOTALL)
    points = re.findall(r"(?m)^- .*(?:\n  .*)*", box[1])
    assert len(points) >= 3
    for point in points:
        assert re.search(r"\{(numref|ref|doc|eq)\}`", point), point
    place = PAGES.index(f"notebooks/{chapter.stem}")
    following = PAGES[place + 1]
    last = notebook.cells[-1].source.splitlines()
    (target,) = re.findall(r"^Next: \{doc\}`(?:.*<)?([^>`]+)>?`", "\n".join(last), flags=re.M)
    assert (chapter.parent / target).resolve() == (ROOT / following).resolve()


def test_what_is_shown_has_a_caption_and_figures_their_data(notebook):
    for cell in notebook.cells:
        kinds = shown(cell)
        if not kinds:
            continue
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        name, caption = figure.get("name", ""), figure.get("caption", "")
        assert len(kinds) == 1, (cell.id, "shows several things")
        assert len(caption) > 20, cell.id
        if "image/png" in kinds or "slider" in cell.source.lower():
            assert name.startswith("fig-"), cell.id
        else:
            assert name.startswith("tab-"), cell.id
        if "image/png" in kinds:
            assert any("text/csv" in o.get("data", {}) for o in cell.outputs), cell.id


def test_names_of_figures_and_tables_are_not_used_twice():
    names = [
        cell.metadata["mystnb"]["figure"]["name"]
        for path in CHAPTERS
        for cell in nbformat.read(path, as_version=4).cells
        if "figure" in cell.metadata.get("mystnb", {})
    ]
    assert len(names) == len(set(names))
