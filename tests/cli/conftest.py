import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from vaeimpute.cli import app


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(folder):
    def run(*arguments):
        return CliRunner().invoke(app, list(map(str, arguments)))

    return run


@pytest.fixture
def fails(run):
    """Run a command that must fail, and return what it says."""

    def fails(*arguments, status=1):
        result = run(*arguments)
        assert result.exit_code == status, result.output
        assert "Traceback" not in result.stderr
        assert result.stdout == ""
        return " ".join(result.stderr.split())

    return fails


@pytest.fixture
def values():
    """Samples of three kinds, with holes."""
    rng = np.random.default_rng(0)
    array = (rng.normal(size=(50, 3)) @ rng.normal(size=(3, 60)) + 5).round(3)
    array[rng.random(array.shape) < 0.15] = np.nan
    return pd.DataFrame(array, [f"s{i}" for i in range(50)]).add_prefix("gene")


@pytest.fixture
def matrix(folder, values):
    values.to_csv("expression.csv")
    return "expression.csv"


def read(path, **options):
    return pd.read_csv(path, index_col=0, float_precision="round_trip", **options)
