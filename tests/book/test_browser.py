"""The rendered site as a reader sees it: on a phone and a desktop, light and dark."""

import functools
import os
import shutil
import threading
from collections import defaultdict
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt-get install chromium"),
    pytest.mark.skipif("LOOK" not in os.environ, reason="takes a quarter of an hour: make look"),
]

OVERFLOW = Path(__file__).with_name("overflow.js").read_text()
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
OWN_WEIGHT = 2_000_000  # bytes of a page and its pictures, without the scripts that all pages share


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve a folder without a word."""

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def serve():
    """Return what serves a folder, and gives its address."""
    servers = []

    def start(folder):
        handler = functools.partial(QuietHandler, directory=folder)
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER)
        yield browser
        browser.close()


def visit(browser, address, home):
    """Look at one page in every way; return what is wrong with it, by kind."""
    faults = defaultdict(list)
    page = browser.new_page(viewport=PHONE, color_scheme="dark")
    page.set_default_timeout(120_000)  # of a machine that others use as well
    page.on("console", lambda m: m.type == "error" and faults["console"].append(m.text))
    page.on("pageerror", lambda error: faults["console"].append(str(error)))
    page.on("requestfailed", lambda request: faults["requests"].append(request.url))
    page.on("response", lambda r: r.ok or r.status == 304 or faults["requests"].append(r.url))
    page.on(
        "request",
        lambda r: r.url.startswith((home, "data:")) or faults["requests"].append(r.url),
    )
    page.goto(address)
    page.evaluate("async () => { if (window.MathJax?.startup) await MathJax.startup.promise; }")
    for size, colours in ((PHONE, "dark"), (DESKTOP, "light")):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=colours)
        faults["overflow"] += [f"{size['width']} px: {part}" for part in page.evaluate(OVERFLOW)]
        # preload: it would ask for all style sheets once more.
        options = {"runOnly": RULES, "resultTypes": ["violations"], "preload": False}
        for found in Axe().run(page, options=options).response["violations"]:
            if found["impact"] in ("serious", "critical"):
                parts = [node["html"][:200] for node in found["nodes"][:3]]
                faults["accessibility"].append(f"{colours}: {found['help']}: {parts}")
    page.close()
    return faults


@pytest.fixture(scope="module")
def faults(browser, serve, site, pages):
    """What is wrong with all pages, by kind."""
    home = serve(site)
    found = defaultdict(list)
    for path in pages:
        name = path.relative_to(site).as_posix()
        if name.startswith("_modules/vaeimpute/"):  # sources, each like the list of them
            continue
        for kind, faults in visit(browser, home + name, home).items():
            found[kind] += [(name, fault) for fault in faults]
    return found


@pytest.mark.parametrize("kind", ["console", "requests", "overflow", "accessibility"])
def test_no_page_has_a_fault(faults, kind):
    assert faults[kind] == []


def test_these_checks_find_what_they_look_for(browser, serve, tmp_path):
    (tmp_path / "page.html").write_text(
        '<html><script>const a = 1; const a = 2;</script><img src="gone.png">'
        '<script src="http://127.0.0.1:9/elsewhere.js"></script>'
        '<article><p style="width: 2000px">wide</p><p style="color: #ccc">pale</p></article></html>'
    )
    home = serve(tmp_path)
    found = visit(browser, f"{home}page.html", home)
    assert any("already been declared" in text for text in found["console"])
    assert {f"{home}gone.png", "http://127.0.0.1:9/elsewhere.js"} <= set(found["requests"])
    assert any("wide" in text for text in found["overflow"])
    assert len(found["accessibility"]) >= 3  # no language, no alternative text, too pale


def test_the_search_finds_a_term(browser, serve, site):
    page = browser.new_page()
    page.goto(f"{serve(site)}search.html?q=calibration")
    page.wait_for_selector("#search-results li a", timeout=120_000)
    assert any(
        "which" in link.get_attribute("href") or "glossary" in link.get_attribute("href")
        for link in page.query_selector_all("#search-results li a")
    )
    page.close()


def test_a_page_reads_from_the_file_system(browser, site):
    faults = visit(browser, (site / "index.html").as_uri(), site.as_uri())
    assert not {kind: found for kind, found in faults.items() if found}


def test_no_page_is_heavy(pages):
    for path, page in pages.items():
        images = {(path.parent / image["src"]).resolve() for image in page.select("img[src]")}
        weight = sum(file.stat().st_size for file in {path, *images} if file.is_file())
        assert weight < OWN_WEIGHT, f"{path.name}: {weight} bytes"
