"""Every page of the rendered site, as HTML."""

import inspect
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup

import build_site
import cells
import configure
import reference
from site_address import pages_address

pytestmark = pytest.mark.slow  # rendering takes most of a minute

ROOT = Path(__file__).resolve().parents[2]
OWN_WEIGHT = 2_000_000  # bytes of a page and its pictures, without the scripts that all pages share


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
    tabs = page.select(".sd-tab-set")[0]
    assert [label.get_text(strip=True) for label in tabs.select("label")] == list(cells.TITLES)
    here, stored = tabs.select(".sd-tab-content")
    assert here.select("figure img")
    assert "closest_run" in stored.get_text()


def test_a_stored_run_that_is_not_there_leaves_no_trace(pages):
    for path, page in pages.items():
        if path.parent.name == "notebooks":
            assert "No run in results/ has" not in page.get_text(), path.name


def test_every_public_name_is_documented_with_its_source(pages):
    shown = {
        tag["id"]
        for path, page in pages.items()
        if path.parent.name == "api"
        for tag in page.select("dt[id]")
        if tag.select_one(".viewcode-link")
    }
    names = {
        f"{module.__name__}.{name}"
        for room in reference.modules().values()
        for module in room
        for name, value in reference.public_names(module).items()
        if inspect.isclass(value) or inspect.isfunction(value)
    } & set(reference.places().values())
    assert len(names) > 200
    assert names <= shown


def test_what_estimators_have_learnt_keeps_its_underscore(pages, site):
    page = pages[site / "book" / "api" / "imputers.html"]
    assert {"train_", "mean_"} <= {name.get_text() for name in page.select("dd strong")}


def test_attributes_that_share_a_line_are_all_names(pages, site):
    page = pages[site / "book" / "api" / "methods.html"]
    assert {"color", "marker"} <= {name.get_text() for name in page.select("dd strong")}


def test_the_way_from_the_paper_to_the_code_is_linked(pages, site):
    codes = pages[site / "book" / "code.html"].select("article table code")
    assert len(codes) > 30
    assert not [code.get_text() for code in codes if not code.find_parent("a")]


def test_heads_of_tables_name_every_column(pages):
    tables = [t for page in pages.values() for t in page.select(".captioned-table .dataframe")]
    assert len(tables) > 30
    for table in tables:
        for row in table.select("thead tr"):
            assert row.select("th")[-1].get_text(), table.get_text()


def test_where_rows_are_paragraphs_cells_say_what_they_are(pages, site):
    row = pages[site / "book" / "differences.html"].select_one(".sentences tbody tr")
    names = [cell.select_one(".column-name").get_text() for cell in row.select("td")[1:]]
    assert names == ["the text: ", "the code: ", "here: ", "to choose: "]


def test_the_first_use_of_a_term_shows_what_it_means(pages, site):
    page = pages[site / "notebooks" / "02_missingness.html"]
    cards = page.select("article a[data-bs-toggle=tooltip]")
    terms = [link["href"].rpartition("#")[2] for link in cards]
    assert {"term-MCAR", "term-mask", "term-scenario"} <= set(terms)
    assert len(terms) == len(set(terms))
    assert all(len(link["title"]) > 10 for link in cards)


def test_every_page_can_be_found_and_shared(pages, site):
    home = pages_address(configure.repository(ROOT))
    listed = re.findall("<loc>(.*?)</loc>", (site / "sitemap.xml").read_text(encoding="utf-8"))
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        if name in ("search.html", "genindex.html", "py-modindex.html") or name.startswith("_"):
            continue
        assert f"{home}{name}" in listed
        meta = {tag["property"]: tag["content"] for tag in page.select("meta[property]")}
        assert meta["og:title"], name
        assert len(meta["og:description"]) > 20, name
        assert (site / meta["og:image"].removeprefix(home)).is_file(), name
        icon = page.select_one("link[rel~=icon]")
        assert (path.parent / icon["href"].partition("?")[0]).resolve().is_file(), name


def test_chapters_can_be_opened_elsewhere_and_changed(pages):
    address = configure.repository(ROOT)
    owner = address.removeprefix("https://github.com/")
    chapters = sorted(path for path in pages if path.parent.name == "notebooks")
    assert chapters
    for path in chapters:
        links = {link["href"] for link in pages[path].select("a[href]")}
        notebook = f"notebooks/{path.stem}.ipynb"
        assert f"https://colab.research.google.com/github/{owner}/blob/main/{notebook}" in links
        assert f"https://mybinder.org/v2/gh/{owner}/main?urlpath=lab/tree/{notebook}" in links
        assert f"{address}/edit/main/{notebook}" in links
        assert any(link.startswith(f"{address}/issues/new") for link in links)
        assert any(link.endswith(f"_sources/{notebook}") for link in links)


def test_a_wrong_address_leads_on(site):
    page = BeautifulSoup((site / "404.html").read_text(encoding="utf-8"), "html.parser")
    prefix = urlsplit(pages_address(configure.repository(ROOT))).path
    links = [tag.get("href") or tag["src"] for tag in page.select("[href], [src]")]
    local = [unquote(urlsplit(link).path) for link in links if not urlsplit(link).netloc]
    assert any(link.endswith("/index.html") for link in local)
    for link in filter(None, local):
        assert link.startswith(prefix)
        assert (site / link.removeprefix(prefix)).exists(), link


def test_external_links_have_the_form_of_addresses(pages, site):
    links = {link["href"] for page in pages.values() for link in page.select("a[href*='://']")}
    (site.parent / "external_links.txt").write_text("\n".join(sorted(links)), encoding="utf-8")
    assert len(links) > 20
    for link in links:
        address = urlsplit(link)
        assert address.scheme == "https", link
        assert re.fullmatch(r"([\w-]+\.)+[a-z]{2,}", address.netloc.lower()), link
        assert not re.search(r"\s|[<>]", link), link


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
        if not {"api", "_modules"} & set(path.parts):  # examples there show errors
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


def test_no_page_is_heavy(pages):
    for path, page in pages.items():
        images = {image["src"] for image in page.select("img:not([src^='data:'])")}
        files = {path, *((path.parent / image).resolve() for image in images)}
        weight = sum(file.stat().st_size for file in files if file.is_file())
        assert weight < OWN_WEIGHT, f"{path.name}: {weight} bytes"


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
