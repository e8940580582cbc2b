"""The one table of methods."""

import subprocess
import sys

import pytest

from vaeimpute.methods import (
    METHODS,
    build_methods,
    build_own,
    method_colors,
    method_markers,
)
from vaeimpute.profiles import read_profile

QUICK = read_profile("quick")


# What somebody adds: a class in a file of its own, and one record.
TOY = """
import numpy as np
from vaeimpute.imputers import MeanImputer
from vaeimpute.methods import METHODS, Method

class ToyImputer(MeanImputer):
    def _impute(self, X, missing):
        return np.full_like(X, 7)

METHODS["toy"] = Method("Toy", "sevens", "#123456", "h", "toy.ToyImputer")
"""
# In a process of its own: the commands know their choices when they are imported.
PROGRAM = """
import numpy as np, pandas as pd
import toy
from matplotlib.colors import to_hex
from typer.testing import CliRunner
from vaeimpute.cli import app
from vaeimpute.cohorts import Cohort
from vaeimpute.evaluation.summary import summarize
from vaeimpute.experiments import run_experiment
from vaeimpute.methods import build_methods
from vaeimpute.plots import plot_errors
from vaeimpute.profiles import read_profile

values = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 20)) + 5).add_prefix("g")
values.index = [f"s{i}" for i in range(30)]
cohort = Cohort("small", values, pd.DataFrame(index=values.index), "units", "expression")
methods = build_methods(read_profile("quick"), only=("mean", "toy"))
results = run_experiment(cohort, methods, ["mcar_10"], n_trials=2)
print(*results.table["method"].unique(), *results.samples["method"].unique())
ax = plot_errors(summarize(results.table))
print(*(to_hex(line.get_markerfacecolor()) for line in ax.get_lines()))

values.iloc[3, 4] = np.nan
values.to_csv("in.csv")
said = [
    CliRunner().invoke(app, arguments, catch_exceptions=False).stdout
    for arguments in (
        ["impute", "in.csv", "--method", "toy", "-o", "out.csv"],
        ["compare", "in.csv", "--method", "toy", "--method", "mean"],
    )
]
print(pd.read_csv("out.csv", index_col=0).iloc[3, 4], "Toy" in said[1])
"""


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


def test_a_method_that_is_added_is_found(tmp_path):
    """In the grid, the tables, the plots and the commands."""
    (tmp_path / "toy.py").write_text(TOY)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    in_tables, in_plot, in_commands = done.stdout.splitlines()
    assert in_tables == "mean Toy mean Toy"
    assert "#123456" in in_plot.split()
    assert in_commands == "7.0 True"


def test_looks_differ():
    assert len(set(method_colors().values())) == len(METHODS)
    assert len(set(method_markers().values())) == len(METHODS)


def test_the_time_that_a_method_takes_is_estimated_by_what_it_computes():
    def seconds(key, *shape):
        return build_own(key, shape[1]).expected_seconds(*shape)

    # An array of probes is no matter for KNN, and neither are many samples for what is solved in
    # the features; KNN compares all pairs of samples, and the VAE takes a step for every few.
    assert seconds("knn", 100, 865_918) < 60
    assert seconds("gaussian", 200_000, 30) < 60
    assert seconds("svd_tuned", 200_000, 30) < 60
    assert seconds("knn", 200_000, 30) > 300
    assert seconds("vae", 200_000, 30) > 120
    for key in METHODS:  # what the comparison itself takes is bounded
        assert seconds(key, 500, 5000) < 30
