"""The files that say what to install agree with each other."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import configure  # in book/
from site_address import pages_address

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = configure.repository(ROOT)


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def requirements(project):
    extras = project["optional-dependencies"]
    assert list(extras) == [
        "data", "anndata", "report", "dask", "devices", "book", "lab", "test", "dev",
    ]  # fmt: skip
    return [Requirement(r) for r in sum(extras.values(), project["dependencies"])]


@pytest.fixture(scope="module")
def pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = {}
    for line in lines:
        if not line.startswith("#"):
            match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9._!]+)", line)
            assert match, f"Expected 'name==version' but got '{line}'"
            found[canonicalize_name(match[1])] = match[2]
    return found


def test_environment_yml_asks_for_what_pyproject_asks_for(project, requirements):
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == project["name"]
    python, pip, by_pip = environment["dependencies"]
    assert python == f"python{project['requires-python']}"
    assert pip == "pip"
    options = [line for line in by_pip["pip"] if line.startswith("-")]
    assert options == ["--constraint constraints.txt", "--editable ."]
    packages = [line for line in by_pip["pip"] if not line.startswith("-")]
    # Two extras may need the same; conda users install them all.
    assert sorted(map(str, map(Requirement, packages))) == sorted(set(map(str, requirements)))


def test_every_direct_requirement_is_pinned_to_a_version_it_allows(requirements, pins):
    for requirement in requirements:
        name = canonicalize_name(requirement.name)
        assert name in pins, f"{name} is missing from constraints.txt"
        assert requirement.specifier.contains(pins[name]), f"{requirement} but {pins[name]}"


def test_torch_is_pinned_without_a_build_tag(pins):
    assert pins["torch"] == "2.13.0"


def test_the_environment_that_runs_this_is_the_pinned_one(project, pins):
    extras = re.search(r"^EXTRAS := (.*)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)[1]
    # `make lab` alone adds what is missing here.
    assert {*extras.split(","), "lab"} == set(project["optional-dependencies"])
    asked = (project["optional-dependencies"][extra] for extra in extras.split(","))
    for requirement in map(Requirement, sum(asked, project["dependencies"])):
        name = canonicalize_name(requirement.name)
        assert version(name).partition("+")[0] == pins[name], name


def test_the_version_is_the_same_everywhere(project):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == project["version"] == version("vaeimpute")
    assert citation["license"] == project["license"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    number, day = re.search(r"^## \[(\d.*)\] - (.*)", changes, flags=re.MULTILINE).groups()
    assert (number, day) == (project["version"], str(citation["date-released"]))


@pytest.mark.parametrize(
    "name", ["pyproject.toml", "constraints.txt", "environment.yml", "CITATION.cff", "Makefile"]
)
def test_no_package_index_is_named(name):
    # The address of the project itself is none.
    text = (ROOT / name).read_text().replace(ADDRESS, "").replace(pages_address(ADDRESS), "")
    # Which index to ask is the machine's business: any address here would overrule it.
    assert not re.search(r"://|index-url|find-links|\s@\s", text)
    assert not re.search(r"\b[\w-]+\.(org|com|net|io)\b", text)


def test_the_address_of_the_repository_is_set_in_one_place(tmp_path):
    for name in configure.WITH_ADDRESS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    configure.set_repository(tmp_path, "https://github.com/someone/fork")
    assert configure.repository(tmp_path) == "https://github.com/someone/fork"
    for name in configure.WITH_ADDRESS:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert ADDRESS not in text, name
        assert pages_address(ADDRESS) not in text, name
        assert "https://github.com/someone/fork" in text, name
