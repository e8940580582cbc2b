"""Sphinx extension: the first use of a glossary term on a page links there, with a hover card."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

GLOSSARY = "book/glossary"
# Parts of a page in which a term is not linked.
OTHER = (
    nodes.title, nodes.reference, nodes.literal, nodes.literal_block, nodes.math, nodes.raw,
    addnodes.pending_xref, addnodes.desc,
)  # fmt: skip


def read_glossary(text: str) -> dict[str, str]:
    r"""Return the definitions of a glossary in MyST, as plain text, by term.

    Examples
    --------
    >>> read_glossary("mask\n  True where a value\n  is `NaN` {cite:p}`me`.\n:::")
    {'mask': 'True where a value is NaN.'}
    """
    found = {}
    for term, lines in re.findall(r"^(\w.*)\n((?:  .+\n)+)", text, flags=re.MULTILINE):
        plain = re.sub(r" ?\{[\w:]+\}`[^`]*`", "", lines).replace("`", "")
        found[term] = " ".join(plain.split())
    return found


class LinkTerms(SphinxTransform):
    """Turn the first use of every term in the running text of a page into a cross-reference."""

    default_priority = 600

    def apply(self, **kwargs: Any) -> None:
        """Change the document."""
        name = self.env.docname
        if name == GLOSSARY or name.startswith(("book/api", "book/changelog", "book/references")):
            return
        waiting = sorted(self.env.app.glossary_terms, key=len, reverse=True)
        for text in list(self.document.findall(nodes.Text)):
            if not waiting:
                return
            parent: Any = text.parent
            while parent and not isinstance(parent, (*OTHER, nodes.paragraph)):
                parent = parent.parent
            if isinstance(parent, nodes.paragraph) and not _is_link_or_table(parent):
                waiting = self._link(text, waiting)

    def _link(self, text: nodes.Text, waiting: list[str]) -> list[str]:
        """Link the terms of one piece of text; return those that wait for their first use."""
        words = "|".join(map(re.escape, waiting))
        parts: list[nodes.Node] = []
        rest = str(text)
        while found := re.search(rf"(?<![\w-])({words})(?![\w-])", rest, flags=re.IGNORECASE):
            term = next(term for term in waiting if term.lower() == found[1].lower())
            waiting = [other for other in waiting if other != term]
            link = addnodes.pending_xref(
                "", nodes.inline(found[1], found[1]), refdomain="std", reftype="term",
                reftarget=term, refdoc=self.env.docname, refexplicit=True, refwarn=True,
            )  # fmt: skip
            parts += [nodes.Text(rest[: found.start()]), link]
            rest = rest[found.end() :]
            if not waiting:
                break
            words = "|".join(map(re.escape, waiting))
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(rest)])
        return waiting


def _is_link_or_table(node: Any) -> bool:
    """Tell whether a node is within a table, or in a card that is a link as a whole."""
    while node:
        if isinstance(node, nodes.table) or "sd-card" in node.get("classes", ()):
            return True
        node = node.parent
    return False


def add_cards(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Give links to terms what the theme makes a hover card of."""
    definitions = {nodes.make_id(f"term-{t}"): d for t, d in app.glossary_terms.items()}

    def card(link: re.Match[str]) -> str:
        words = escape(definitions.get(link[2].lower(), ""))
        return f'{link[1]} data-bs-toggle="tooltip" title="{words}"' if words else link[0]

    pattern = r'(<a class="reference internal" href="[^"]*#(term-[^"]+)")'
    if tree and page != GLOSSARY:
        context["body"] = re.sub(pattern, card, context["body"])


def load_terms(app: Sphinx) -> None:
    """Read the glossary before the pages."""
    text = Path(app.srcdir, f"{GLOSSARY}.md").read_text(encoding="utf-8")
    app.glossary_terms = read_glossary(text)  # type: ignore[attr-defined]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform and the cards."""
    app.connect("builder-inited", load_terms)
    app.connect("html-page-context", add_cards)
    app.add_transform(LinkTerms)
    return {"parallel_read_safe": True}
