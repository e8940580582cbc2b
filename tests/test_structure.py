"""The package has rooms, and imports go one way between them."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vaeimpute"
# A room imports from those before it in the list, never from those after it.
ROOMS = [
    "", "exceptions", "files", "seeding", "splits", "interrupts", "tables", "cohorts",
    "missingness", "models", "imputers", "profiles", "methods", "evaluation", "claims",
    "experiments", "plots", "comparison", "cli", "__main__",
]  # fmt: skip


def module_name(path):
    """Return the dotted name of a file of the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """Yield the modules of the package that a file imports, within functions too.

    What only a type checker sees does not count.
    """
    pending = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            pending += ast.iter_child_nodes(node)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
GRAPH = {
    name: {found for found in imports(path) if found in MODULES and found != name}
    for name, path in MODULES.items()
}


def room(module):
    """Return the room that a module belongs to: '' is the package's own name and version."""
    return module.split(".")[1] if "." in module else ""


def test_every_room_has_its_place():
    assert {room(module) for module in MODULES} == set(ROOMS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_flow(module):
    allowed = ROOMS[: ROOMS.index(room(module)) + 1]
    assert [found for found in GRAPH[module] if room(found) not in allowed] == []


def test_no_circle():
    # Take away, again and again, the modules that import nothing that is left.
    left = {module: set(found) for module, found in GRAPH.items()}
    while free := [module for module, found in left.items() if not found]:
        for module in free:
            del left[module]
        for found in left.values():
            found.difference_update(free)
    assert left == {}


def test_no_file_is_a_pickle():
    """What is read from a file must not be able to execute anything."""
    for module, path in MODULES.items():
        code = ast.unparse(ast.parse(path.read_text(encoding="utf-8")))  # without comments
        found = re.search(r"pickle|shelve|\btorch\.(save|load)\b|\bjoblib\.(dump|load)\b", code)
        assert not found, (module, found)


def test_the_map_names_every_room_in_this_order():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+)(?:\.py|/)` \|", text, flags=re.MULTILINE)
    assert named == [name for name in ROOMS if name.isalpha()]


def names_in(body, prefix=""):
    """Yield what the statements of a module or a class define."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield prefix + node.name
            yield from names_in(
                node.body, f"{node.name}." if isinstance(node, ast.ClassDef) else ""
            )
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))


def test_the_way_from_the_paper_to_the_code_leads_somewhere():
    section = (ROOT / "book" / "code.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w./]+\.py): ([\w.]+)`", section)
    assert len(named) > 20
    for file, name in named:
        assert name in names_in(ast.parse((ROOT / file).read_text(encoding="utf-8")).body), name


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", "README.md", "book/code.md", "book/running.md"]
)
def test_every_place_that_a_page_names_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    new = {"vaeimpute/imputers/median.py", "notebooks/13_title.ipynb"}  # what one would add
    folders = "benchmarks|book|data|notebooks|results|tests|vaeimpute"
    for place in set(re.findall(rf"(?<![/\w])((?:{folders})/[\w./-]*\w/?)", text)) - new:
        assert (ROOT / place).exists() or (ROOT / f"{place}.ipynb").exists(), place
