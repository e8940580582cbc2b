"""The files that say what to install agree with each other."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def requirements(project):
    extras = project["optional-dependencies"]
    assert list(extras) == ["data", "anndata", "report", "dask", "devices", "book", "test", "dev"]
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


def test_the_environment_that_runs_this_is_the_pinned_one(requirements, pins):
    for requirement in requirements:
        name = canonicalize_name(requirement.name)
        assert version(name).partition("+")[0] == pins[name], name


def test_the_version_is_the_same_everywhere(project):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == project["version"] == version("vaeimpute")
    assert citation["license"] == project["license"]


@pytest.mark.parametrize(
    "name", ["pyproject.toml", "constraints.txt", "environment.yml", "CITATION.cff", "Makefile"]
)
def test_no_package_index_is_named(name):
    text = (ROOT / name).read_text()
    # Which index to ask is the machine's business: any address here would overrule it.
    assert not re.search(r"://|index-url|find-links|\s@\s", text)
    assert not re.search(r"\b[\w-]+\.(org|com|net|io)\b", text)
