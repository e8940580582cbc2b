"""The rendered site, from the committed notebooks with their committed outputs."""

import fcntl
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

import build_site

CHAPTERS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request):
    """Each chapter's file."""
    return request.param


@pytest.fixture
def notebook(chapter):
    """What is in it."""
    return nbformat.read(chapter, as_version=4)


@pytest.fixture(scope="session")
def site(tmp_path_factory, worker_id):
    """Render the book once, with warnings as errors; return the folder of the site."""
    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":  # one of several, of whom the first renders and the others wait
        folder = folder.parent
    source = folder / "book" / "_build" / "source"
    site = source.parent / "html"
    with open(folder / "book.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not site.exists():
            build_site.stage(source)
            done = build_site.render(source)
            assert done.returncode == 0, done.stdout
    return site


@pytest.fixture(scope="session")
def paths(site):
    """Every page of the site; that for wrong addresses is none of them."""
    others = {"_static", "mathjax", "404.html"}
    found = sorted(site.rglob("*.html"))
    return [path for path in found if not others & set(path.relative_to(site).parts)]


@pytest.fixture(scope="session")
def pages(paths):
    """Every page of the site, parsed, by its path."""
    return {p: BeautifulSoup(p.read_text(encoding="utf-8"), "html.parser") for p in paths}
