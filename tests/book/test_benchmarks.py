"""The benchmarks are run by hand and rarely; what they import must be there all the same."""

import runpy
import shlex
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fit_coverage import correlation_by_distance  # in benchmarks/
from repeatability import compare
from vaeimpute.cohorts import list_cohorts
from vaeimpute.experiments.catalogue import find_experiments
from vaeimpute.profiles import parse_overrides, read_profile

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.py")), ids=lambda path: path.stem)
def test_it_can_be_read(path):
    runpy.run_path(str(path), run_name="not __main__")


def test_the_full_size_runs_are_of_experiments_and_cohorts_that_there_are():
    full_size = runpy.run_path(str(BENCHMARKS / "full_size.py"), run_name="not __main__")
    cohorts = set(list_cohorts().index)
    for run in full_size["RUNS"]:
        words = shlex.split(run)
        place = words.index("--cohort")
        assert find_experiments(words[:place])
        assert words[place + 1] in cohorts
        settings = [after for option, after in pairwise(words) if option == "--set"]
        read_profile("paper", **parse_overrides(settings))
    read_profile("paper", **parse_overrides(full_size["SMALL"].split()))


def test_correlation_by_distance_is_that_of_the_pairs():
    rng = np.random.default_rng(0)
    values, positions = rng.normal(size=300), np.cumsum(rng.integers(1, 20, size=300))
    i, j = np.triu_indices(300, 1)
    distance = positions[j] - positions[i]
    near = (distance > 5) & (distance <= 40)
    found = correlation_by_distance(values, positions, [5, 40], lags=range(1, 300))
    assert found.index[0] == pytest.approx(distance[near].mean())
    assert found.iloc[0] == pytest.approx(np.corrcoef(values[i[near]], values[j[near]])[0, 1])


def test_two_tables_are_compared_in_the_rows_that_both_have(tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    rows = {"scenario": "mcar_10", "method": ["KNN", "VAE", "VAE, shifted"], "mae": [1.0, 2.0, 3.0]}
    pd.DataFrame(rows).to_csv(first, index=False)
    others = pd.DataFrame(rows | {"mae": [1.0, 1.9, 9.0]}).iloc[:2]
    others.assign(seconds=7.0).to_csv(second, index=False)
    found = {row["methods"]: row["largest"] for row in compare(first, second)}
    assert found == {"closed form": 0.0, "network": pytest.approx(0.05)}
    others.assign(scenario="mcar_30").to_csv(second, index=False)
    with pytest.raises(ValueError, match="other rows in the second run"):
        list(compare(first, second))
    with pytest.raises(ValueError, match="Expected the same tables"):
        list(compare(tmp_path / "nothing", tmp_path))
