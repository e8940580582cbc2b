"""What is filled in stays between `min_value` and `max_value`, as in scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from vaeimpute.imputers import (
    AutoencoderImputer,
    GaussianImputer,
    KNNImputer,
    MeanImputer,
    RandomImputer,
    SVDImputer,
    VAEImputer,
    fit_blocks,
    impute_blocks,
    load_imputer,
    save_imputer,
)

TINY = {"hidden_sizes": (16,), "latent_dim": 4, "n_epochs": 20, "device": "cpu", "random_state": 0}
IMPUTERS = [
    MeanImputer(),
    RandomImputer(random_state=0),
    KNNImputer(),
    SVDImputer(n_components=4),
    GaussianImputer(random_state=0),
    AutoencoderImputer(**TINY, learning_rate=1e-2),
    VAEImputer(**TINY, learning_rate=1e-2),
]


@pytest.fixture(params=IMPUTERS, ids=lambda imputer: type(imputer).__name__)
def imputer(request):
    return clone(request.param)


@pytest.fixture
def betas():
    rng = np.random.default_rng(0)
    true = 1 / (1 + np.exp(-3 * rng.normal(size=(60, 3)) @ rng.normal(size=(3, 30))))
    return np.where(rng.random(true.shape) < 0.2, np.nan, true)


def test_nothing_is_filled_in_outside(imputer, betas):
    free = imputer.fit(betas).transform(betas)
    bounded = imputer.set_params(min_value=0.1, max_value=0.9).fit(betas).transform(betas)
    missing = np.isnan(betas)
    np.testing.assert_array_equal(bounded[missing], np.clip(free, 0.1, 0.9)[missing])
    assert bounded[~missing].tobytes() == betas[~missing].tobytes()  # observed ones may be outside
    assert bounded[~missing].min() < 0.1


def test_every_feature_may_have_bounds_of_its_own(imputer, betas):
    low, high = np.linspace(0, 0.4, 30), np.linspace(1, 0.6, 30)
    betas = pd.DataFrame(betas).add_prefix("cg")
    betas["cg7"] = np.nan  # of no account
    imputer.set_params(min_value=low, max_value=high, keep_empty_features=True).fit(betas)
    missing = betas.isna().drop(columns="cg7").to_numpy()
    fills = [imputer.transform(betas)]
    if hasattr(imputer, "sample"):
        fills.extend(imputer.sample(betas, n_draws=5))
    others = np.arange(30) != 7
    for filled in fills:
        filled = np.asarray(filled)[:, others]
        assert ((filled >= low[others]) | ~missing).all()
        assert ((filled <= high[others]) | ~missing).all()


def test_bounds_survive_saving_and_blocks(imputer, betas, tmp_path):
    imputer.set_params(min_value=np.full(30, 0.2), max_value=0.8).fit(betas)
    filled = imputer.transform(betas)
    save_imputer(imputer, tmp_path / "model.safetensors")
    np.testing.assert_array_equal(
        load_imputer(tmp_path / "model.safetensors").transform(betas), filled
    )
    if not getattr(imputer, "joint", False):
        out = np.empty_like(betas)
        impute_blocks(fit_blocks(imputer, betas), betas, out)
        assert out[np.isnan(betas)].min() >= 0.2
        assert out[np.isnan(betas)].max() <= 0.8


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"min_value": 1.0, "max_value": 0.0}, "every min_value to be less .* 30 of 30"),
        ({"min_value": np.nan}, "min_value"),
        ({"max_value": np.ones(29)}, r"max_value as a number or of shape \(30,\)"),
        ({"max_value": [1.0] * 29 + [-np.inf]}, "the first of them number 29"),
        ({"min_value": "0"}, "min_value"),
    ],
)
def test_bounds_without_a_meaning_are_refused(betas, bounds, message):
    with pytest.raises(ValueError, match=message):
        MeanImputer(**bounds).fit(betas)
