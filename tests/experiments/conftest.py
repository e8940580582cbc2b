"""A cohort small enough for many runs."""

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import Cohort


@pytest.fixture
def cohort():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 40)) * 5 + 100
    samples = [f"s{i}" for i in range(50)]
    return Cohort(
        name="low-rank",
        values=pd.DataFrame(values, samples).add_prefix("g"),
        clinical=pd.DataFrame(index=samples),
        units="log2 ratio",
        data_type="expression",
    )
