"""Sphinx extension: a code cell tagged ``full-size`` and the cell before it become two tabs.

In a notebook the two stand one below the other: this page's figure, and the same of a stored run.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx_design.shared import create_component

TITLES = ("This page", "Closest to the paper")


class PairCells(SphinxTransform):
    """Put the cells where sphinx-design looks for the contents of tabs."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Change the document."""
        cells = self.document.findall(nodes.container)
        for cell in [cell for cell in cells if "tag_full-size" in cell["classes"]]:
            section = cell.parent
            place = section.index(cell)
            pair = section[place - 1 : place + 1]
            tabs = create_component("tab-set", classes=["sd-tab-set"])
            for title, shown in zip(TITLES, pair, strict=True):
                # Who chooses one on a page sees its like in all tabs.
                label = nodes.rubric(
                    title, title, classes=["sd-tab-label"], sync_id=title, sync_group="run"
                )
                content = create_component(
                    "tab-content", classes=["sd-tab-content"], children=[shown]
                )
                tabs += create_component(
                    "tab-item", classes=["sd-tab-item"], children=[label, content]
                )
            section[place - 1 : place + 1] = [tabs]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform."""
    app.add_transform(PairCells)
    return {"parallel_read_safe": True}
