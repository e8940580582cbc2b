"""The benchmarks are run by hand and rarely; what they import must be there all the same."""

import runpy
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.stem)
def test_it_can_be_read(path):
    runpy.run_path(str(path), run_name="not __main__")
