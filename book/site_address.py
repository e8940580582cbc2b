"""Sphinx extension: what follows from the address of the repository, and what others read."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

from sphinx.application import Sphinx
from sphinx.config import Config


def pages_address(repository: str) -> str:
    """Return where GitHub publishes the pages of a repository.

    Examples
    --------
    >>> pages_address("https://github.com/owner/name")
    'https://owner.github.io/name/'
    """
    owner, name = urlsplit(repository).path.strip("/").split("/")
    return f"https://{owner}.github.io/{name}/"


def derive(app: Sphinx, config: Config) -> None:
    """Set what search engines, social cards and the page for wrong addresses need to know."""
    config.html_baseurl = config.html_baseurl or pages_address(
        config.html_theme_options["repository_url"]
    )
    config.ogp_site_url = config.html_baseurl
    config.notfound_urls_prefix = urlsplit(config.html_baseurl).path


def write_sitemap(app: Sphinx, exception: Exception | None) -> None:
    """List all pages in ``sitemap.xml``."""
    if exception:
        return
    pages = (app.builder.get_target_uri(name) for name in sorted(app.env.found_docs - {"404"}))
    links = [
        f"<url><loc>{escape(urljoin(app.config.html_baseurl, page))}</loc></url>" for page in pages
    ]
    (app.outdir / "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "\n".join(links) + "\n</urlset>\n",
        encoding="utf-8",
    )  # fmt: skip


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Take away what leads astray, and let the keyboard reach tables that scroll.

    docutils gives lists of citations the role of a list, but their children none. viewcode links
    all of a module's sources back to one page of the reference, where some have another place. And
    sphinx-exercise begins a link with the space before it.
    """
    if "body" in context:
        role = '<div role="list" class="citation-list">'
        body = context["body"].replace(role, '<div class="citation-list">')
        table = '<div class="output text_html"'
        body = body.replace(table, f'{table} tabindex="0"')
        body = re.sub(r"Solution to(<a [^>]*>) ", r"Solution to \1", body)
        context["body"] = re.sub(r'<a class="viewcode-back".*?</a>', "", body)


def mend_attributes(*described: Any) -> None:
    """Write the names of attributes such that docutils and Sphinx take them as names.

    The one takes ``mean_``, which an estimator has learnt, for a link, the other the first word of
    ``color, marker`` for a type.
    """
    lines = described[-1]
    for number, line in enumerate(lines):
        if field := re.match(r":(ivar|vartype) ([^:]+):", line):
            names = re.sub(r"_(?=,|$)", r"\_", field[2]).replace(", ", ",")
            lines[number] = f":{field[1]} {names}:{line[field.end() :]}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register them, the first before other extensions read the configuration."""
    app.connect("config-inited", derive, priority=100)
    app.connect("build-finished", write_sitemap)
    app.connect("html-page-context", mend)
    app.connect("autodoc-process-docstring", mend_attributes, priority=600)  # after napoleon
    return {"parallel_read_safe": True}
