"""What cohorts are given before an experiment."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import Cohort
from vaeimpute.experiments.catalogue import prepare_cohort
from vaeimpute.profiles import read_profile


@pytest.fixture
def levels():
    rng = np.random.default_rng(0)
    sites = [f"chr22:{100 * site}" for site in range(20)]
    values = pd.DataFrame(rng.uniform(0.5, 0.9, size=(10, 20)), columns=sites).rename("s{}".format)
    clinical = pd.DataFrame(index=values.index)
    return Cohort("toy", values, clinical, "methylation level", "methylation")


def test_levels_become_logarithms_and_logarithms_stay(levels):
    """Those of levels from 0.5 to 0.9 look like levels."""
    profile = read_profile("quick")
    once = prepare_cohort(levels, profile, seed=0)
    np.testing.assert_allclose(once.values, -np.log(levels.values + 0.01))
    assert once.values.max(axis=None) < 1
    again = prepare_cohort(replace(once, coverage=None), profile, seed=0)
    pd.testing.assert_frame_equal(again.values, once.values)
    pd.testing.assert_frame_equal(again.coverage, once.coverage)
    assert prepare_cohort(once, profile, seed=0) is once
