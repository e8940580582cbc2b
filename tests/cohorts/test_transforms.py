from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import Cohort
from vaeimpute.cohorts.derived import log_counts, negative_log
from vaeimpute.exceptions import CohortError


@pytest.fixture
def levels():
    values = pd.DataFrame({"a": [0.0, 1.0], "b": [0.5, np.nan]}, index=["s1", "s2"])
    reads = pd.DataFrame({"a": [3, 4], "b": [2, 0]}, index=values.index)
    return Cohort(
        "toy", values, pd.DataFrame(index=values.index), "methylation level", "methylation",
        coverage=reads, notes=("first",),
    )  # fmt: skip


def test_negative_log(levels):
    cohort = negative_log(levels)
    assert np.allclose(cohort.values, -np.log(levels.values + 0.01), equal_nan=True)
    assert cohort.units == "-ln(methylation level + 0.01)"
    assert cohort.coverage.equals(levels.coverage)
    assert cohort.notes[0] == "first"
    assert "-ln(level + 0.01)" in cohort.notes[1]


def test_what_is_no_level_is_refused(levels):
    with pytest.raises(CohortError, match=r"from 0 to 100; expected methylation levels"):
        negative_log(replace(levels, values=levels.values * 100))
    with pytest.raises(ValueError, match="epsilon above 0"):
        negative_log(levels, 0)


@pytest.fixture
def counts():
    values = pd.DataFrame(
        {"often": [0.0, 3.0, 9.0, 1.0], "half": [0.0, 0.0, 7.0, 1.0], "rare": [0.0, 0.0, 0.0, 2.0]},
        index=["s1", "s2", "s3", "s4"],
    )
    values.loc["s4", "often"] = np.nan
    clinical = pd.DataFrame(index=values.index)
    return Cohort("toy", values, clinical, "read count", "expression")


def test_log_counts_drops_what_is_mostly_zero(counts):
    cohort = log_counts(counts)
    assert list(cohort.values) == list(cohort.features.index) == ["often", "half"]
    expected = np.log(counts.values[["often", "half"]] + 1)
    assert np.allclose(cohort.values, expected, equal_nan=True)
    assert cohort.units == "ln(read count + 1)"
    assert "1 of 3 features were dropped" in cohort.notes[-1]
    assert "more than 50 % of the samples" in cohort.notes[-1]
    assert list(log_counts(counts, most_zeros=0.9).values) == list(counts.values)


def test_what_is_no_count_is_refused(counts):
    with pytest.raises(CohortError, match="no feature that is above zero in enough samples"):
        log_counts(counts, most_zeros=0.1)
    counts.values.iloc[0, 0] = -1.0
    with pytest.raises(CohortError, match=r"1 are negative, .* feature 'often'\. Is it taken"):
        log_counts(counts)


def test_logarithms_are_known_as_such_and_not_taken_twice(levels, counts):
    # Whatever their range: of levels near 1, the negative logarithm looks like a level.
    high = replace(levels, values=levels.values / 2 + 0.45)
    for cohort, take in ((high, negative_log), (counts, log_counts)):
        assert not cohort.is_log
        once = take(cohort)
        assert once.is_log
        with pytest.raises(CohortError, match="logarithms already"):
            take(once)
