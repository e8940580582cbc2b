"""The one table of methods."""

import subprocess
import sys

import pytest

from vaeimpute.imputers import MeanImputer
from vaeimpute.methods import (
    METHODS,
    Method,
    build_methods,
    build_own,
    method_colors,
    method_markers,
)
from vaeimpute.profiles import read_profile

QUICK = read_profile("quick")


class ToyImputer(MeanImputer):
    """Fills zeros."""

    def _impute(self, X, missing):
        return 0 * X


@pytest.fixture
def toy(monkeypatch):
    """A method that somebody adds: a class, and one record."""
    record = Method("toy", "zeros", "#123456", "h", f"{__name__}.ToyImputer")
    monkeypatch.setitem(METHODS, "toy", record)
    return record


def test_the_table_costs_nothing_to_import():
    code = (
        "import sys, vaeimpute.methods; "
        "print([m for m in ('numpy', 'pandas', 'sklearn', 'torch', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_keys_are_labels_that_can_be_typed():
    for key, method in METHODS.items():
        assert key == method.label.lower().replace(", ", "_")


def test_standard_deviations_are_there_where_the_table_says_so():
    for method in METHODS.values():
        assert method.has_std == hasattr(method.build(QUICK), "predict_std")


def test_no_method_draws_what_another_does():
    states = [
        imputer.random_state
        for imputer in build_methods(QUICK, 3).values()
        if hasattr(imputer, "random_state")
    ]
    assert len(set(states)) == len(states) == 6
    assert build_methods(QUICK, 3)["VAE"].random_state in states
    assert build_methods(QUICK, 4)["VAE"].random_state not in states


def test_some_methods():
    assert list(build_methods(QUICK, only=["VAE", "knn"])) == ["KNN", "VAE"]
    assert list(build_methods(QUICK, without=["SVD, tuned", "vae"])) == [
        "random", "mean", "KNN", "SVD", "Gaussian", "VAE, shifted",
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"Expected a method of random, mean, .* but got 'none'"):
        build_methods(QUICK, without=["none"])


def test_options_go_to_the_methods_that_have_them():
    built = build_methods(QUICK, standardize=False, device="mps", progress=True)
    assert not built["KNN"].standardize
    assert (built["VAE"].device, built["KNN"].device) == ("mps", "cpu")
    assert built["VAE"].progress


def test_a_matrix_of_ones_own_gets_the_quick_sizes_or_narrower_ones():
    vae = build_own("vae", 5000)
    for name, value in QUICK.network.items():
        assert getattr(vae, name) == value
    assert build_own("vae", 3).hidden_sizes == (24,)
    assert build_own("vae_shifted", 9).shift == "auto"


def test_a_method_that_is_added_is_found(toy):
    assert list(build_methods(QUICK))[-1] == "toy"
    assert isinstance(build_own("toy", 5), ToyImputer)
    assert method_colors()["toy"] == "#123456"
    assert method_markers()["toy"] == "h"


def test_looks_differ():
    assert len(set(method_colors().values())) == len(METHODS)
    assert len(set(method_markers().values())) == len(METHODS)
