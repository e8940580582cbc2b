"""Parameters without a meaning are refused, by name, before anything is done with them."""

import numpy as np
import pytest

from vaeimpute.imputers import (
    GaussianImputer,
    KNNImputer,
    MeanImputer,
    RandomImputer,
    SVDImputer,
    fit_blocks,
    impute_blocks,
)

WRONG = [
    (KNNImputer, "n_neighbors", 0, r"an int in the range \[1, inf\)"),
    (KNNImputer, "n_neighbors", True, "an int"),
    (KNNImputer, "n_neighbors", 2.0, "an int"),
    (KNNImputer, "weights", "near", "'distance'"),
    (KNNImputer, "standardize", "no", "bool"),
    (KNNImputer, "precision", "half", "'float32'"),
    (SVDImputer, "n_components", 0, r"an int in the range \[1, inf\) or a str among {'auto'}"),
    (SVDImputer, "n_components", "all", "a str among {'auto'}"),
    (SVDImputer, "n_components", 2.5, "an int"),
    (SVDImputer, "max_iter", 0, "an int"),
    (SVDImputer, "max_iter", True, "an int"),
    (SVDImputer, "tol", -1.0, "a float"),
    (SVDImputer, "tol", float("nan"), "a float"),
    (SVDImputer, "tol", float("inf"), "a float"),
    (SVDImputer, "tol", False, "a float"),
    (SVDImputer, "schedule", "halving", "'doubling'"),
    (SVDImputer, "joint", None, "bool"),
    (SVDImputer, "precision", "half", "'float32'"),
    (GaussianImputer, "alpha", 0, r"a float in the range \(0.0, inf\) or a str among {'auto'}"),
    (GaussianImputer, "alpha", -1.0, "a float"),
    (GaussianImputer, "alpha", float("nan"), "a float"),
    (GaussianImputer, "alpha", np.inf, "a float"),
    (GaussianImputer, "alpha", True, "a float"),
    (GaussianImputer, "precision", "half", "'float32'"),
    (GaussianImputer, "random_state", "seed", "'numpy.random"),
    (GaussianImputer, "random_state", -1, "an int"),
    (RandomImputer, "random_state", 0.5, "an int"),
    (RandomImputer, "random_state", True, "an int"),
]


class Unread:
    """A matrix of which nothing may be read."""

    shape = (4, 3)


@pytest.mark.parametrize(("method", "name", "value", "message"), WRONG)
def test_what_has_no_meaning_is_refused_before_the_work(method, name, value, message):
    message = rf"The '{name}' parameter of {method.__name__} must be .*{message}.* Got {value!r}"
    for fit in (method.fit, fit_blocks):
        with pytest.raises((TypeError, ValueError), match=message):
            fit(method(**{name: value}), Unread())


@pytest.mark.parametrize("n_neighbors", [1, np.int64(2), np.uint8(200), 10**400])
def test_integers_of_all_kinds_pass(n_neighbors):
    X = [[1.0, 2.0], [3.0, 5.0], [4.0, np.nan]]
    assert np.isfinite(KNNImputer(n_neighbors=n_neighbors).fit_transform(X)).all()


def test_numbers_of_draws_and_of_rows_are_checked_too():
    X = np.arange(12.0).reshape(4, 3)
    with pytest.raises(ValueError, match="'n_draws' parameter of sample must be an int"):
        GaussianImputer().fit(X).sample(X, n_draws=0)
    for wrong in ({"n_reference": -3}, {"rows_per_block": 0}, {"n_jobs": 1.5}, {"n_jobs": "2"}):
        (name,) = wrong
        with pytest.raises(ValueError, match=f"'{name}' parameter"):
            fit_blocks(MeanImputer(), Unread(), **wrong)
        if name != "n_reference":
            with pytest.raises(ValueError, match=f"'{name}' parameter"):
                impute_blocks(MeanImputer().fit(X), Unread(), "out.npy", **wrong)
