"""What a unit is known by: parameters, and the code of all that takes part."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaeimpute.experiments import code
from vaeimpute.experiments.code import code_version, describe
from vaeimpute.imputers import KNNImputer, MeanImputer, SVDImputer
from vaeimpute.methods import METHODS
from vaeimpute.profiles import read_profile

X = [[1.0, 2.0], [2.0, 1.0], [4.0, 5.0]]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of three files that can be changed."""
    for name in ("imputers/knn.py", "plots/errors.py", "seeding.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.setattr(code, "_PACKAGE", tmp_path)
    code_version.cache_clear()
    yield tmp_path
    code_version.cache_clear()


@pytest.mark.parametrize(
    ("name", "counts"),
    [("imputers/knn.py", True), ("seeding.py", True), ("plots/errors.py", False)],
)
def test_the_source_counts_but_for_what_comes_later(package, name, counts):
    before = code_version()
    (package / name).write_text("changed")
    assert code_version() == before  # of the code that has been imported
    code_version.cache_clear()
    assert (code_version() != before) is counts


SOURCES = {
    "seeding.py": "",
    "files.py": "",
    "plots/errors.py": "",
    "imputers/__init__.py": "from vaeimpute.imputers.knn import KNN\nfrom vaeimpute.imputers.svd "
    "import SVD",
    "imputers/knn.py": "from vaeimpute import seeding\nimport numpy",
    "imputers/svd.py": "def fit():\n    from vaeimpute.files import read",
    "imputers/both.py": "from __future__ import annotations\nif TYPE_CHECKING:\n    import "
    "vaeimpute.plots.errors\nfrom vaeimpute.imputers import KNN",
}


@pytest.mark.parametrize(
    ("name", "touched"),
    [
        ("seeding.py", "knn both"), ("files.py", "svd"), ("plots/errors.py", ""),
        ("imputers/svd.py", "svd"), ("imputers/knn.py", "knn both"),
        ("imputers/both.py", "both"), ("imputers/__init__.py", ""),
    ],
)  # fmt: skip
def test_of_a_module_it_counts_what_it_imports_from_where_it_is_defined(package, name, touched):
    for file, text in SOURCES.items():
        (package / file).write_text(text)
    modules = ("knn", "svd", "both")
    before = {module: code_version(f"vaeimpute.imputers.{module}") for module in modules}
    (package / name).write_text(SOURCES[name] + "\n# changed")
    code_version.cache_clear()
    for module in modules:
        changed = code_version(f"vaeimpute.imputers.{module}") != before[module]
        assert changed is (module in touched.split())


@pytest.mark.parametrize("method", ["mean", "knn", "svd_tuned", "gaussian", "vae_shifted"])
def test_whatever_code_an_imputer_runs_through_counts(method):
    """What is found by reading the files, against what is seen when they run."""
    sizes = read_profile("quick").narrowed(9)
    imputer = METHODS[method].build(replace(sizes, n_epochs=1))
    X = np.random.default_rng(0).normal(size=(30, 9))
    files = set()
    sys.setprofile(lambda frame, event, value: files.add(frame.f_code.co_filename))
    try:
        imputer.fit(X).transform(np.where(X > 1, np.nan, X))
    finally:
        sys.setprofile(None)
    counted = {str(code._file(m)) for m in code._with_imports([type(imputer).__module__])}
    ran = {file for file in files if file.startswith(str(code._PACKAGE))}
    assert type(imputer).__module__.replace(".", "/") in str(ran)
    assert {file for file in ran if not file.endswith("__init__.py")} <= counted


def test_parameters_and_classes_count():
    one = describe(KNNImputer(n_neighbors=3))
    assert describe(KNNImputer(n_neighbors=3)) == one
    assert describe(KNNImputer()) != one
    assert describe(MeanImputer())["parameters"] == describe(MeanImputer().fit(X))["parameters"]
    assert describe(MeanImputer()) == describe(MeanImputer().fit(X))


class Mine(MeanImputer):
    """From a file that is not of the package."""


def test_what_an_estimator_wraps_counts():
    def wrapped(step):
        return [
            describe(make_pipeline(StandardScaler(), step)),
            describe(GridSearchCV(step, {"random_state": [1]})),
            describe(FrozenEstimator(step)),
        ]

    for first, second in zip(wrapped(SVDImputer()), wrapped(SVDImputer(tol=0.1)), strict=True):
        assert first != second
    assert wrapped(SVDImputer()) == wrapped(SVDImputer())
    for one in wrapped(Mine()):
        assert describe(Mine)["source"] in str(one)


def test_what_a_frozen_estimator_has_learnt_counts():
    fitted, other = MeanImputer().fit(X), MeanImputer().fit([[7.0, 2.0]])
    assert describe(FrozenEstimator(fitted)) == describe(FrozenEstimator(MeanImputer().fit(X)))
    assert describe(FrozenEstimator(fitted)) != describe(FrozenEstimator(other))


PLUGIN = """
from vaeimpute.imputers import MeanImputer
from helper import fill

class Plugin(MeanImputer):
    pass

def function(X):
    return {number} * X
"""
PROGRAM = """
import json, sys
from sklearn.preprocessing import FunctionTransformer
from vaeimpute.experiments.code import describe
from plugin import Plugin, function
print(json.dumps([describe(Plugin()), describe(FunctionTransformer(function))]))
"""


def described(folder):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def test_the_files_of_others_count(tmp_path):
    """Of the class, of a function that is a parameter, and those beside them."""
    plugin, helper = tmp_path / "plugin.py", tmp_path / "helper.py"
    plugin.write_text(PLUGIN.replace("{number}", "1"))
    helper.write_text("fill = 0")
    first = described(tmp_path)
    assert described(tmp_path) == first
    helper.write_text("fill = 1")
    second = described(tmp_path)
    plugin.write_text(PLUGIN.replace("{number}", "2"))
    assert len({first, second, described(tmp_path)}) == 3


def test_what_is_typed_at_a_prompt_is_never_trusted_later():
    typed: dict = {"__name__": "prompt"}
    exec("from vaeimpute.imputers import MeanImputer\nclass Typed(MeanImputer): pass", typed)
    assert describe(typed["Typed"]()) != describe(typed["Typed"]())
