import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import Cohort
from vaeimpute.exceptions import CohortError

SAMPLES, GENES = ["s1", "s2", "s3"], ["g1", "g2"]


def parts(**changes):
    values = pd.DataFrame([[1.0, 2.0], [3.0, np.nan], [5.0, 7.0]], SAMPLES, GENES)
    clinical = pd.DataFrame({"grade": [2, 3, 2]}, SAMPLES)
    return {"name": "toy", "values": values, "clinical": clinical, "units": "log2 ratio",
            "data_type": "expression"} | changes  # fmt: skip


VALUES = parts()["values"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"values": VALUES.set_axis(["s1", "s1", "s3"])},
            "1 sample ids occur more than once: 's1'",
        ),
        ({"values": VALUES.set_axis(["g1", "g1"], axis=1)}, "feature ids occur .* 'g1'"),
        ({"values": VALUES.set_axis(["s1", None, "s3"])}, "1 sample ids are missing"),
        ({"values": VALUES.iloc[:0], "clinical": pd.DataFrame()}, "at least one sample"),
        ({"values": VALUES.astype({"g2": object})}, r"1 columns of values are not numeric: 'g2'"),
        (
            {"values": VALUES.replace(3.0, -np.inf)},
            "Cohort 'toy', values: the value -inf in row 's2', column 'g1' is infinite",
        ),
        (
            {"clinical": pd.DataFrame({"grade": [1, 2, 3]}, ["s1", "s2", "s9"])},
            r"Not in clinical: 's3'\. Not in values: 's9'",
        ),
        ({"clinical": parts()["clinical"].iloc[::-1]}, "in another order"),
        ({"features": pd.DataFrame(index=["g1"])}, "features and values .* Not in features: 'g2'"),
        ({"coverage": VALUES.drop(columns="g2")}, "coverage and values .* Not in coverage: 'g2'"),
        ({"coverage": VALUES.drop(index="s2")}, "coverage and values .* Not in coverage: 's2'"),
        ({"data_type": "protein"}, "got 'protein'"),
        ({"stratify_by": "stage"}, r"'stage' is not a clinical column; there are \['grade'\]"),
    ],
)
def test_parts_that_do_not_fit_are_refused_by_name(changes, message):
    with pytest.raises(CohortError, match=message):
        Cohort(**parts(**changes))


def test_standardize_uses_the_given_rows_only():
    cohort = Cohort(**parts())
    rows = np.array([0, 2])
    z = cohort.standardize(rows).values
    expected = (cohort.values - cohort.values.iloc[rows].mean()) / cohort.values.iloc[rows].std(
        ddof=0
    )
    pd.testing.assert_frame_equal(z, expected)
    changed = cohort.values.copy()
    changed.loc["s2", "g1"] = 1e6
    leaked = Cohort(**parts(values=changed)).standardize(rows).values
    pd.testing.assert_frame_equal(leaked.iloc[rows], z.iloc[rows])


def test_standardize_refuses_features_without_a_value():
    with pytest.raises(CohortError, match=r"1 features have no value .* 'g2'"):
        Cohort(**parts()).standardize(np.array([1]))


def test_select_features_keeps_every_table_in_step():
    cohort = Cohort(**parts(coverage=VALUES.fillna(0)))
    chosen = cohort.select_features(["g2"])
    assert list(chosen.values) == list(chosen.features.index) == list(chosen.coverage) == ["g2"]
    with pytest.raises(CohortError, match="no features 'g9'"):
        cohort.select_features(["g1", "g9"])
