"""Write ``conf.py`` from ``_config.yml``: with it, Sphinx renders the book without jupyter-book."""

from __future__ import annotations

from pathlib import Path
from pprint import pformat

from jupyter_book.config import get_final_config

from vaeimpute.files import write_atomically

ROOT = Path(__file__).resolve().parents[1]
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


if __name__ == "__main__":
    write_atomically(ROOT / "conf.py", conf_py(ROOT))
