import numpy as np
import pandas as pd
import pytest

from vaeimpute.evaluation import judge_change, judge_divergence


@pytest.mark.parametrize(
    ("changes", "similar", "worse"),
    [
        ([0.01, -0.02], "holds", "does not hold"),
        ([0.01, 0.03], "holds in part", "holds in part"),
        ([0.03, 0.1], "does not hold", "holds"),
        ([-0.03, -0.1], "does not hold", "does not hold"),  # better is neither
        ([0.1, np.nan], "cannot be told", "cannot be told"),
        ([], "cannot be told", "cannot be told"),
    ],
)
def test_change_follows_its_rule(changes, similar, worse):
    changes = pd.Series(changes, dtype=float)
    assert judge_change(changes, "similar", margin=0.02) == similar
    assert judge_change(changes, "worse", margin=0.02) == worse
    with pytest.raises(ValueError, match="'similar' or 'worse' but got 'better'"):
        judge_change(changes, "better")


@pytest.mark.parametrize(
    ("last_change", "mae", "verdict"),
    [
        ([1e-4, 1e-5], [0.6, 0.7], "does not hold"),
        ([0.05, 0.09], [1.5, 90.0], "holds"),
        ([0.05, 1e-5], [1.5, 0.7], "holds in part"),
        ([0.05, 0.05], [0.6, 0.7], "holds in part"),  # moves on, with a small error
        ([np.nan, np.inf], [np.nan, np.inf], "holds"),  # ran away beyond all numbers
    ],
)
def test_divergence_follows_its_rule(last_change, mae, verdict):
    cases = pd.DataFrame(
        {"first_change": 0.1, "last_change": last_change, "mae": mae, "mae_mean": 0.8}
    )
    assert judge_divergence(cases) == verdict
