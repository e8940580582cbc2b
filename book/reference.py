"""The pages of reference: from docstrings, commands, the registry of cohorts, and this build."""

from __future__ import annotations

import inspect
import pkgutil
import platform
import re
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import nbformat
import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import vaeimpute
from vaeimpute.cli import app
from vaeimpute.cohorts import list_cohorts
from vaeimpute.files import write_atomically

NO_API = ("vaeimpute.cli", "vaeimpute.__main__")  # commands, which have a page of their own


def modules() -> dict[str, list[ModuleType]]:
    """Return the public modules by room, a room's own module first."""
    rooms: dict[str, list[ModuleType]] = {}
    for found in pkgutil.walk_packages(vaeimpute.__path__, "vaeimpute."):
        private = any(part.startswith("_") for part in found.name.split("."))
        if not private and not found.name.startswith(NO_API):
            room = found.name.split(".")[1]
            rooms.setdefault(room, []).append(import_module(found.name))
    return rooms


def public_names(module: ModuleType) -> dict[str, Any]:
    """Return what a module is for: the names in ``__all__``, or the public ones it defines."""
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            name for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
        ]  # fmt: skip
    return {name: getattr(module, name) for name in names}


def places() -> dict[str, str]:
    """Map where each public name is defined to where it is documented, best in its package."""
    found: dict[str, str] = {}
    for room in modules().values():
        for module in room:
            for name, value in public_names(module).items():
                origin = getattr(value, "__module__", module.__name__)
                found.setdefault(f"{origin}.{name}", f"{module.__name__}.{name}")
                for base in inspect.getmro(value) if inspect.isclass(value) else ():
                    if base.__module__.startswith("vaeimpute.") and "._" in base.__module__:
                        path = f"{base.__module__}.{base.__name__}"
                        found.setdefault(path, path)
    return found


def api_page(room: list[ModuleType], documented: dict[str, str]) -> str:
    """Return the page of one room in Markdown."""
    package, *others = room
    parts = [f"# {package.__name__}", ""]
    parts += ["```{eval-rst}", f".. automodule:: {package.__name__}", "   :members:", "```", ""]
    for module in others:
        own = {
            name: value for name, value in public_names(module).items()
            if callable(value) and documented[f"{value.__module__}.{name}"]
            == f"{module.__name__}.{name}"
        }  # fmt: skip
        if own:
            parts += [f"## {module.__name__}", "", "```{eval-rst}"]
            parts += [f".. currentmodule:: {module.__name__}", ""]
            for name, value in own.items():
                kind = "class" if inspect.isclass(value) else "function"
                members = "   :members:\n" if kind == "class" else ""
                parts += [f".. auto{kind}:: {name}\n{members}"]
            parts += ["```", ""]
    bases = [
        path for path in documented
        if path.startswith(f"{package.__name__}._") and documented[path] == path
    ]  # fmt: skip
    for path in sorted(bases):
        parts += [f"## {path.rpartition('.')[2]}", ""]
        parts += ["```{eval-rst}", f".. autoclass:: {path}", "   :members:", "```", ""]
    return "\n".join(parts)


def commands() -> str:
    """Return the help of all commands in Markdown, which a narrow page can break where it likes."""
    parts = []
    for name, command in typer.main.get_command(app).commands.items():
        context = command.context_class(command, info_name=f"vaeimpute {name}")
        usage = command.get_usage(context).removeprefix("Usage: ")
        parts += [f"## vaeimpute {name}", command.help, f"```text\n{usage}\n```"]
        for option, text in filter(None, (p.get_help_record(context) for p in command.params)):
            text = re.sub(r"(?<![\w-])--[a-z-]+", r"`\g<0>`", text)  # or two hyphens become a dash
            parts.append(f"`{option}`\n: {text}")
        if command.epilog:
            examples = dedent(command.epilog.partition("Examples:\n")[2])
            parts += ["Examples:", f"```bash\n{examples.strip()}\n```"]
    return "\n\n".join(parts) + "\n"


def cohorts() -> str:
    """Return the registry of cohorts as a list of definitions in Markdown."""
    return "\n".join(
        f"`{name}` (*{entry['kind']}*)\n: {entry['title']}\n\n  Licence: {entry['licence']}. "
        f"Cite: {entry['citation']}\n"
        for name, entry in list_cohorts().iterrows()
    )


def code_page(text: str, chapters: dict[int, str], repository: str) -> str:
    """Return the page from the paper to the code with links in place of numbers and paths.

    Parameters
    ----------
    text : str
        A table whose second column has numbers of chapters, and whose third has places in the code,
        as ```file: name```.
    chapters : dict of int to str
        The file of each chapter.
    repository : str
        The address of the repository, for what is not in the package.
    """
    documented = places()

    def place(match: re.Match[str]) -> str:
        file, name = match[1], match[2]
        module = file.removesuffix(".py").replace("/", ".")
        if file.startswith("vaeimpute/") and name:
            top, dot, method = name.partition("._")[0].partition(
                "."
            )  # or the class of a private one
            if found := documented.get(f"{module}.{top}"):
                return f"{{py:obj}}`{name} <{found}{dot}{method}>`"
            return f"{{doc}}`{name} <api/{module.split('.')[1]}>`"
        if file.startswith("notebooks/"):
            return f"{{doc}}`{Path(file).stem} <../{file.removesuffix('.ipynb')}>`"
        return f"[`{Path(file).name}`]({repository}/blob/main/{file})"

    def chapter(match: re.Match[str]) -> str:
        return f"{{doc}}`{match[0]} <../notebooks/{chapters[int(match[0])]}>`"

    lines = []
    for line in text.splitlines():
        if line.startswith("|") and "`" in line:
            paper, where, code = line.strip("|").split("|")
            where = re.sub(r"\d+", chapter, where)
            code = re.sub(r"`([\w/.]+)(?:: ([\w.]+))?`", place, code)
            line = f"|{paper}|{where}|{code}|"
        lines.append(line)
    return "\n".join(lines) + "\n"


def versions() -> str:
    """Return the versions that this build runs with as a table in Markdown."""
    names = {
        Requirement(line).name
        for line in metadata.requires("vaeimpute") or ()
        if not re.search(r"extra == ['\"](test|dev)['\"]", line)
    }
    lines = ["| package | version |", "|---|---|", f"| Python | {platform.python_version()} |"]
    installed = {canonicalize_name(found.name): found.version for found in metadata.distributions()}
    lines += [
        f"| {name} | {installed[canonicalize_name(name)]} |"
        for name in sorted(names, key=str.lower)
        if canonicalize_name(name) in installed  # JupyterLab comes with `make lab` alone
    ]
    return "\n".join(lines) + "\n"


def times(chapters: tuple[Path, ...]) -> str:
    """Return how long the chapters took to execute as a table in Markdown."""
    lines = ["| chapter | seconds |", "|---|---|"]
    for path in chapters:
        seconds = nbformat.read(path, as_version=4).metadata.get("seconds")
        shown = "as committed, not executed" if seconds is None else f"{seconds:.0f}"
        lines.append(f"| {{doc}}`/notebooks/{path.stem}` | {shown} |")
    return "\n".join(lines) + "\n"


def pages(root: Path, chapters: tuple[Path, ...], repository: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every page and part."""
    documented = places()
    for room, found in modules().items():
        yield f"api/{room}.md", api_page(found, documented)
    numbers = {int(path.stem[:2]): path.stem for path in chapters}
    yield "code.md", code_page((root / "book" / "code.md").read_text("utf-8"), numbers, repository)
    yield "changelog.md", (root / "CHANGELOG.md").read_text("utf-8")
    yield "_commands.md", commands()
    yield "_cohorts.md", cohorts()
    yield "_versions.md", versions()
    yield "_times.md", times(chapters)


def write_parts(root: Path, chapters: tuple[Path, ...], repository: str, folder: Path) -> None:
    """Write the pages, and the parts that pages include; what is unchanged keeps its time."""
    for name, text in pages(root, chapters, repository):
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, text)
