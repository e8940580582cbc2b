"""Write ``conf.py`` from ``_config.yml``: with it, Sphinx renders the book without jupyter-book.

``python book/configure.py https://github.com/owner/name`` puts the address of the repository into
``_config.yml`` first, and then into all that has it: ``conf.py``, the README and so on.
"""

from __future__ import annotations

import sys
from pathlib import Path
from pprint import pformat

import yaml
from jupyter_book.config import get_final_config

from site_address import pages_address
from vaeimpute.files import write_atomically

ROOT = Path(__file__).resolve().parents[1]
# The first is where the address is set, the others repeat it.
WITH_ADDRESS = (
    "_config.yml", "CITATION.cff", "README.md", "book/changing.md", "index.md", "pyproject.toml",
    *(f"notebooks/{path.name}" for path in sorted(ROOT.glob("notebooks/*.ipynb"))),
)  # fmt: skip
HEAD = '''\
"""Written by book/configure.py from _config.yml, for Sphinx without jupyter-book."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "book"))  # the extensions of this book

'''


def conf_py(root: Path) -> str:
    """Return ``conf.py`` as Python: what jupyter-book makes of ``_config.yml``."""
    settings, _ = get_final_config(
        user_yaml=root / "_config.yml", sourcedir=root, cli_config={"latex_individualpages": False}
    )
    own = {"jupyter_book", "sphinx_comments"}
    settings["extensions"] = [name for name in settings["extensions"] if name not in own]
    return HEAD + "".join(
        f"{key} = {pformat(settings[key], width=90)}\n" for key in sorted(settings)
    )


def repository(root: Path) -> str:
    """Return the address of the repository."""
    return yaml.safe_load((root / "_config.yml").read_text("utf-8"))["repository"]["url"]


def set_repository(root: Path, address: str) -> None:
    """Put another address of the repository, and of the pages, into all files that have it."""
    old = repository(root)
    for name in WITH_ADDRESS:
        text = (root / name).read_text("utf-8").replace(old, address)
        write_atomically(root / name, text.replace(pages_address(old), pages_address(address)))


if __name__ == "__main__":
    for address in sys.argv[1:]:
        set_repository(ROOT, address.rstrip("/").removesuffix(".git"))
    write_atomically(ROOT / "conf.py", conf_py(ROOT))
