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
]

OVERFLOW, UNFOLD, SLIDE = (
    Path(__file__).with_name(f"{name}.js").read_text() for name in ("overflow", "unfold", "slide")
)
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}
# What axe looks at: everything in one scheme of colours, in the other what depends on them.
RULES = {"light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "dark": ["color-contrast"]}
# Of pages that are made alike, one of middle size is looked at for all.
ALIKE = ("book/api/", "_modules/")
# Code looks the same everywhere. It has most of a page's colours, each of which takes axe a moment:
# the page with a module's source is looked at for all.
CODE = "div.highlight"


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
    """One window for all pages, which then load only once what they share."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER)
        window = browser.new_context(viewport=DESKTOP)
        window.set_default_timeout(120_000)  # of a machine that others use as well
        yield window
        browser.close()


def visit(browser, address, home):
    """Look at one page in every way; return what is wrong with it, by kind."""
    faults = defaultdict(list)
    page = browser.new_page()
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
    # Else colours would be measured on their way from one scheme to the other.
    page.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    faults["unfolding"] = page.evaluate(UNFOLD)
    faults["sliders"] = page.evaluate(SLIDE)
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        faults["overflow"] += [f"{size['width']} px: {part}" for part in page.evaluate(OVERFLOW)]
    page.wait_for_timeout(500)  # after a resize, the theme lets the keyboard reach what scrolls
    page.evaluate(Axe().axe_script)
    parts = {"include": ["html"], "exclude": [] if "_modules/" in address else [CODE]}
    for colours, rules in RULES.items():
        page.emulate_media(color_scheme=colours)
        # preload: it would ask for all style sheets once more.
        options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
        run = "([parts, options]) => axe.run(parts, options)"
        for found in page.evaluate(run, [parts, options])["violations"]:
            if found["impact"] in ("serious", "critical"):
                where = [node["html"][:200] for node in found["nodes"][:3]]
                faults["accessibility"].append(f"{colours}: {found['help']}: {where}")
    page.close()
    return faults


def one_of_each_kind(paths, site):
    """Name the pages to look at."""
    names = [path.relative_to(site).as_posix() for path in sorted(paths, key=os.path.getsize)]
    alike = [[name for name in names if name.startswith(kind)] for kind in ALIKE]
    chosen = [name for name in names if not name.startswith(ALIKE)]
    return sorted(chosen + [kind[len(kind) // 2] for kind in alike])


@pytest.fixture(scope="module")
def faults(browser, serve, site, paths):
    """What is wrong with the pages, by kind."""
    home = serve(site)
    found = defaultdict(list)
    for name in one_of_each_kind(paths, site):
        for kind, faults in visit(browser, home + name, home).items():
            found[kind] += [(name, fault) for fault in faults]
    return found


@pytest.mark.parametrize(
    "kind", ["console", "requests", "unfolding", "sliders", "overflow", "accessibility"]
)
def test_no_page_has_a_fault(faults, kind):
    assert faults[kind] == []


def test_these_checks_find_what_they_look_for(browser, serve, tmp_path):
    (tmp_path / "page.html").write_text(
        '<html><script>const a = 1; const a = 2;</script><img src="gone.png">'
        '<script src="http://127.0.0.1:9/elsewhere.js"></script>'
        '<article><p style="width: 2000px">wide</p><p style="color: #ccc">pale</p>'
        '<div id="box" class="admonition"><p>title</p><p hidden>never</p></div>'
        '<button class="toggle-button" data-target="box">toggle</button>'
        '<div class="slider"><input type="range" max="1"><img data-value="1" alt="1"></div>'
        "</article></html>"
    )
    home = serve(tmp_path)
    found = visit(browser, f"{home}page.html", home)
    assert any("already been declared" in text for text in found["console"])
    assert {f"{home}gone.png", "http://127.0.0.1:9/elsewhere.js"} <= set(found["requests"])
    assert any("wide" in text for text in found["overflow"])
    assert found["unfolding"] == ["title"]
    assert len(found["sliders"]) == 1
    # No language, no alternative text, too pale in both schemes.
    assert len(found["accessibility"]) >= 4


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
