import numpy as np

from vaeimpute.evaluation.speed import fit_exponent, time_imputers
from vaeimpute.imputers import KNNImputer, MeanImputer


def test_the_exponent_is_that_of_a_power_law_with_its_error():
    rng = np.random.default_rng(0)
    sizes = np.geomspace(10, 1e4, 30)
    exponent, error = fit_exponent(sizes, 3.0 * sizes**1.7 * np.exp(0.1 * rng.normal(size=30)))
    assert abs(exponent - 1.7) < 3 * error
    assert 0.001 < error < 0.05
    assert np.isnan(fit_exponent([1, 10], [1, 100])[1])


def test_times_the_imputers_and_returns_what_they_filled():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 8))
    rows = np.where(rng.random((10, 8)) < 0.3, np.nan, X[20:])
    table, filled = time_imputers({"mean": MeanImputer(), "KNN": KNNImputer()}, X[:20], rows)
    assert list(table["method"]) == ["mean", "KNN"]
    assert (table.drop(columns="method") > 0).all(axis=None)
    np.testing.assert_array_equal(filled["KNN"], KNNImputer().fit(X[:20]).transform(rows))
