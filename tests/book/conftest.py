"""The rendered site, from the committed notebooks with their committed outputs."""

import pytest
from bs4 import BeautifulSoup

import build_site


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Render the book once, with warnings as errors; return the folder of the site."""
    source = tmp_path_factory.mktemp("book") / "_build" / "source"
    build_site.stage(source)
    done = build_site.render(source)
    assert done.returncode == 0, done.stdout
    return source.parent / "html"


@pytest.fixture(scope="session")
def pages(site):
    """Every page of the site, parsed, by its path; that for wrong addresses is none of them."""
    found = {
        path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in sorted(site.rglob("*.html"))
        if not {"_static", "mathjax", "404.html"} & set(path.relative_to(site).parts)
    }
    assert found
    return found
