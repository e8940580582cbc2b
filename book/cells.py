"""Sphinx extension: how code cells and what they show stand on a page.

- Code is folded, unless the cell is tagged ``show-input``: where the code is what is taught.
- A cell tagged ``full-size`` and the cell before it become two tabs. In a notebook the two stand
  one below the other: this page's figure, and the same of a stored run. If there is no such run,
  and so no figure, the cell is left out.
- What a cell shows has its caption from the cell's metadata (``mystnb``, ``figure``). If its name
  begins with ``tab-`` it is counted as a table, and has its caption above.
- The names of a table's rows stand in the head of their column, not below it as pandas has them.
- In a table of sentences, a phone shows each row as a paragraph: there, cells need their column's
  name.
- What `vaeimpute.plots.show` keeps of a figure's data is offered as a file below the figure.
"""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx_design.shared import create_component

TITLES = ("This page", "Closest to the paper")
CSV = "text/csv"
LAST_HEADS = re.compile(
    r"<tr[^>]*>((?:(?!<tr).)*)</tr>\s*<tr>((?:(?!<tr).)*)</tr>\s*</thead>", re.DOTALL
)
MADE = (
    "made by <code>make notebooks CHAPTER={}</code>",
    "from <code>results/</code>, whose README has the command",
)


class TableFigure(nodes.figure):
    """What a cell shows, counted as a table."""


class ArrangeCells(SphinxTransform):
    """Fold the code, name tables as such, and put pairs where sphinx-design makes tabs of them."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Change the document."""
        cells = [cell for cell in self.document.findall(nodes.container) if "nb_element" in cell]
        cells = [cell for cell in cells if cell["nb_element"] == "cell_code"]
        for cell in cells:
            if "tag_show-input" not in cell["classes"]:
                cell["hide_mode"] = "input"
                cell["prompt_show"], cell["prompt_hide"] = "Show the code", "Hide the code"
            for figure in list(cell.findall(nodes.figure)):
                self._describe(figure, cell["cell_metadata"])
        for cell in cells:
            if "tag_full-size" in cell["classes"]:
                if any(cell.findall(nodes.figure)):
                    self._pair(cell)
                else:
                    cell.parent.remove(cell)
        for box in self.document.findall(nodes.container):
            if "sentences" in box["classes"]:
                self._label(box)

    def _describe(self, figure: nodes.figure, metadata: dict[str, Any]) -> None:
        """Count tables as such, and say where a figure's data are."""
        if any(name.startswith("tab-") for name in figure["names"]):
            caption = [child for child in figure if isinstance(child, nodes.caption)]
            shown = [child for child in figure if child not in caption]
            # docutils leaves it to a figure's end to close the caption, and a table is no caption.
            end = nodes.raw("", "</figcaption>", format="html")
            table = TableFigure("", *caption, end, *shown, **figure.attributes)
            figure.replace_self(table)
            for raw in list(table.findall(nodes.raw)):
                raw[:] = [nodes.Text(tidy(raw.astext()))]
            self.document.ids |= dict.fromkeys(table["ids"], table)
        elif "csv" in metadata:
            stored = "full-size" in metadata.get("tags", [])
            made = MADE[stored].format(PurePosixPath(self.env.docname).name)
            text = f'<a href="../{metadata["csv"]}" download>Data as csv</a>, {made}'
            figure += nodes.legend("", nodes.raw("", text, format="html"), classes=["made-by"])

    def _label(self, box: nodes.container) -> None:
        """Put the name of its column before each cell but the first of a row."""
        for table in box.findall(nodes.tgroup):
            (heads,), body = table[-2], table[-1]
            for row in body:
                for head, cell in zip(heads[1:], row[1:], strict=True):
                    if head.astext() and cell.astext():
                        label = f"{head.astext()}: "
                        cell[0].insert(0, nodes.inline(label, label, classes=["column-name"]))

    def _pair(self, cell: nodes.container) -> None:
        """Make tabs of a cell and the one before it."""
        section = cell.parent
        place = section.index(cell)
        pair = section[place - 1 : place + 1]
        tabs = create_component("tab-set", classes=["sd-tab-set"])
        for title, shown in zip(TITLES, pair, strict=True):
            # Who chooses one on a page sees its like in all tabs.
            label = nodes.rubric(
                title, title, classes=["sd-tab-label"], sync_id=title, sync_group="run"
            )
            content = create_component("tab-content", classes=["sd-tab-content"], children=[shown])
            tabs += create_component("tab-item", classes=["sd-tab-item"], children=[label, content])
        section[place - 1 : place + 1] = [tabs]


def tidy(html: str) -> str:
    """Put the names of a table's rows into the row above, and mark what is longer than a few words.

    Examples
    --------
    >>> tidy("<tr><th></th><th>a</th></tr><tr><th>b</th><th></th></tr></thead>")
    '<tr><th>b</th><th>a</th></tr></thead>'
    """

    def merge(heads: re.Match[str]) -> str:
        above, below = (re.findall(r"<th[^>]*>(.*?)</th>", row) for row in heads.groups())
        if len(above) != len(below) or below[-1]:  # columns of several levels
            return heads[0]
        cells = (f"<th>{low or high}</th>" for high, low in zip(above, below, strict=True))
        return f"<tr>{''.join(cells)}</tr></thead>"

    html = LAST_HEADS.sub(merge, html)
    return re.sub(r"<(t[dh])>([^<]{25,}</t[dh]>)", r'<\1 class="words">\2', html)


def take_data(app: Sphinx, page: str, source: list[str]) -> None:
    """Write the data of a chapter's figures beside its page, and leave where in the cells."""
    if not page.startswith("notebooks/"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        outputs = cell.get("outputs", [])
        kept = [output for output in outputs if CSV in output.get("data", {})]
        if kept:
            name = cell["metadata"]["mystnb"]["figure"]["name"]
            place = f"data/{PurePosixPath(page).name}/{name}.csv"
            target = Path(app.outdir, place)
            target.parent.mkdir(parents=True, exist_ok=True)
            (output,) = kept
            target.write_text("".join(output["data"][CSV]), encoding="utf-8")
            outputs.remove(output)
            cell["metadata"]["csv"] = place
    source[0] = json.dumps(notebook)


def visit_table(translator: Any, node: TableFigure) -> None:
    """Open a table."""
    translator.body.append(translator.starttag(node, "figure", CLASS="captioned-table"))


def depart_table(translator: Any, node: TableFigure) -> None:
    """Close it."""
    translator.body.append("</figure>\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform, the tables and the data."""
    app.connect("source-read", take_data)
    app.add_enumerable_node(TableFigure, "table", html=(visit_table, depart_table))
    app.add_transform(ArrangeCells)
    return {"parallel_read_safe": True}
