"""Which source files count for an imputer."""

import ast
import sys

import pytest

from vaeimpute.experiments import run as code
from vaeimpute.experiments.run import code_version, foreign_source, imported_modules
from vaeimpute.imputers import GaussianImputer, KNNImputer, MeanImputer, VAEImputer


def test_imports_inside_functions_count():
    modules = imported_modules(["vaeimpute.imputers.vae"])
    assert {"vaeimpute.imputers._neural", "vaeimpute.models.vae"} <= modules
    assert "vaeimpute.imputers.knn" not in modules


@pytest.mark.parametrize("cls", [GaussianImputer, KNNImputer, MeanImputer, VAEImputer])
def test_every_import_of_the_package_is_followed(cls):
    """No relative import, no import by name, which the search would not see."""
    for module in imported_modules([cls.__module__]):
        tree = ast.parse(code._file(module).read_text("utf-8"))
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.ImportFrom) and node.level), module
            assert getattr(node, "id", "") not in ("import_module", "__import__"), module


def test_a_change_counts_for_those_that_import_it(tmp_path, monkeypatch):
    def versions():
        code._hash_of_modules.cache_clear()
        return {cls: code_version(cls) for cls in (KNNImputer, VAEImputer)}

    before, file = versions(), code._file
    changed = tmp_path / "vae.py"
    changed.write_bytes(file("vaeimpute.models.vae").read_bytes() + b"\n")
    monkeypatch.setattr(
        code, "_file", lambda name: changed if name == "vaeimpute.models.vae" else file(name)
    )
    after = versions()
    code._hash_of_modules.cache_clear()
    assert before[KNNImputer] == after[KNNImputer]
    assert before[VAEImputer] != after[VAEImputer]


def test_classes_from_elsewhere():
    class Mine(MeanImputer):
        pass

    assert foreign_source(MeanImputer) == ""
    assert foreign_source(Mine) != foreign_source(type(sys))
    assert code_version(Mine) == code_version(MeanImputer)
