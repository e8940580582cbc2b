import numpy as np

from vaeimpute.evaluation.speed import time_imputers
from vaeimpute.imputers import KNNImputer, MeanImputer


def test_times_the_imputers_and_returns_what_they_filled():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 8))
    rows = np.where(rng.random((10, 8)) < 0.3, np.nan, X[20:])
    table, filled = time_imputers({"mean": MeanImputer(), "KNN": KNNImputer()}, X[:20], rows)
    assert list(table["method"]) == ["mean", "KNN"]
    assert (table.drop(columns="method") > 0).all(axis=None)
    np.testing.assert_array_equal(filled["KNN"], KNNImputer().fit(X[:20]).transform(rows))
