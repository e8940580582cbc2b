"""The rendered site, from the committed notebooks with their committed outputs."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

import build_site
import cell_tabs
import configure

pytestmark = pytest.mark.slow  # rendering takes about 20 seconds

ROOT = Path(__file__).resolve().parents[2]


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
    """Every page of the site, parsed, by its path."""
    found = {
        path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in sorted(site.rglob("*.html"))
        if not {"_static", "mathjax"} & set(path.relative_to(site).parts)
    }
    assert found
    return found


def broken_references(pages, site):
    """List the internal links, anchors and assets that lead nowhere."""
    broken = []
    anchors = {
        path: {tag[name] for name in ("id", "name") for tag in page.find_all(attrs={name: True})}
        for path, page in pages.items()
    }
    for path, page in pages.items():
        for attribute in ("href", "src"):
            for tag in page.find_all(attrs={attribute: True}):
                address = urlsplit(tag[attribute])
                if address.scheme or address.netloc:
                    continue
                target = path
                if address.path:
                    target = (path.parent / unquote(address.path)).resolve()
                if not target.is_relative_to(site) or not target.is_file():
                    broken.append((path.name, tag[attribute], "no such file"))
                elif address.fragment and unquote(address.fragment) not in anchors.get(target, ()):
                    broken.append((path.name, tag[attribute], "no such anchor"))
    return broken


def images_without_description(pages):
    """List the images whose alternative text is missing, empty or the name of a file."""
    return [
        (path.name, image.get("src", "")[-60:])
        for path, page in pages.items()
        for image in page.find_all("img")
        if not image.get("alt", "").strip()
        or re.fullmatch(r"\S*(/\S*|\.(png|svg|jpe?g|gif|webp))", image["alt"].strip())
    ]


def test_every_page_of_the_contents_is_there(site):
    for name in re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text()):
        assert (site / f"{name}.html").is_file(), name


def test_conf_py_is_what_the_configuration_says():
    assert (ROOT / "conf.py").read_text() == configure.conf_py(ROOT), "python book/configure.py"


def test_plain_sphinx_renders_the_same_pages(pages, site):
    done = build_site.render(site.parent / "source", plain=True)
    assert done.returncode == 0, done.stdout
    for path, page in pages.items():
        if article := page.find("article"):
            plain = (site.parent / "plain" / path.relative_to(site)).read_text(encoding="utf-8")
            assert BeautifulSoup(plain, "html.parser").find("article") == article, path.name


def test_this_pages_figure_and_a_stored_runs_are_in_tabs(pages, site):
    page = pages[site / "notebooks" / "04_expression_rmse.html"]
    (tabs,) = page.select(".sd-tab-set")
    assert [label.get_text(strip=True) for label in tabs.select("label")] == list(cell_tabs.TITLES)
    here, stored = tabs.select(".sd-tab-content")
    assert here.select("figure img")
    assert "closest_run" in stored.get_text()


def test_no_internal_link_is_broken(pages, site):
    assert broken_references(pages, site) == []


def test_every_image_has_alternative_text(pages):
    assert images_without_description(pages) == []


def test_chapters_show_figures(pages):
    for path, page in pages.items():
        if path.parent.name == "notebooks":
            assert page.select(".cell_output img"), f"{path.name} shows no figure"


def test_no_page_shows_an_error(pages):
    for path, page in pages.items():
        problems = page.select(".system-message, .problematic, .cell_output .stderr")
        assert not problems, f"{path.name}: {problems}"
        assert "Traceback (most recent call last)" not in page.get_text(), path.name


def test_warnings_fail_the_second_time_too(tmp_path):
    # Sphinx remembers the pages that it has read but not what it found wrong with them.
    source = tmp_path / "_build" / "source"
    source.mkdir(parents=True)
    (source / "_toc.yml").write_text("format: jb-book\nroot: intro\n")
    (source / "_config.yml").write_text('title: t\nexecute: {execute_notebooks: "off"}\n')
    (source / "intro.md").write_text("# Title\n\n[nowhere](missing.md)\n")
    for _ in range(2):
        done = build_site.render(source)
        assert done.returncode != 0
        assert "missing.md" in done.stdout


def test_no_page_loads_anything_from_elsewhere(pages, site):
    # A book built without a network should be readable without one, formulas included.
    for path, page in pages.items():
        for tag in page.select("script[src], link[rel~=stylesheet], img, iframe, source"):
            address = urlsplit(tag.get("src") or tag.get("href") or "")
            assert not address.netloc, f"{path.name}: {tag}"
    landing = pages[site / "index.html"]
    loaded = [script["src"] for script in landing.select("script[src*=mathjax]")]
    assert len(loaded) <= 1, f"each page loads {loaded}"
    assert (site / "mathjax" / "tex-mml-chtml.js").is_file()


def test_these_checks_find_what_they_look_for(tmp_path):
    copy = tmp_path / "html"
    copy.mkdir()
    (copy / "page.html").write_text(
        '<a href="gone.html">a</a><a href="#nowhere">b</a><a id="here" href="#here">c</a>'
        '<a href="mailto:x@y">d</a><img src="page.html" alt="a/b/c.png">'
        '<img src="page.html" alt=""><img src="page.html"><img src="page.html" alt="A bar chart.">'
    )
    pages = {copy / "page.html": BeautifulSoup((copy / "page.html").read_text(), "html.parser")}
    assert [entry[1] for entry in broken_references(pages, copy)] == ["gone.html", "#nowhere"]
    assert len(images_without_description(pages)) == 3
