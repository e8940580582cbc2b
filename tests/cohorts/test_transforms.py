import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import Cohort, CohortError
from vaeimpute.cohorts.transforms import negative_log


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
    with pytest.raises(CohortError, match=r"from -0\.00995 to 4\.61; expected methylation levels"):
        negative_log(negative_log(levels))
    with pytest.raises(ValueError, match="epsilon above 0"):
        negative_log(levels, 0)
