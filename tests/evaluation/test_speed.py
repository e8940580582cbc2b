import numpy as np
import pandas as pd
import pytest

from vaeimpute.claims.paper import TIME_CLAIMS, judge_time_claims
from vaeimpute.evaluation import fit_exponent, time_imputers
from vaeimpute.imputers import KNNImputer, MeanImputer


def test_the_exponent_is_that_of_a_power_law_with_its_error():
    rng = np.random.default_rng(0)
    sizes = np.geomspace(10, 1e4, 30)
    exponent, error = fit_exponent(sizes, 3.0 * sizes**1.7 * np.exp(0.1 * rng.normal(size=30)))
    assert abs(exponent - 1.7) < 3 * error
    assert 0.001 < error < 0.05
    assert np.isnan(fit_exponent([1, 10], [1, 100])[1])


def times(**changes):
    rows = {
        ("KNN", "vaeimpute"): (0.0, 2.0, 0.2),
        ("KNN", "fancyimpute"): (0.0, 9000.0, np.nan),
        ("SVD", "vaeimpute"): (0.0, 500.0, np.nan),
        ("SVD", "fancyimpute"): (0.0, 40000.0, np.nan),
        ("SVD, alone", "vaeimpute"): (90.0, 1.0, 0.02),
        ("VAE", "vaeimpute"): (20000.0, 1.0, 0.3),
    } | changes.get("rows", {})
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["fit_seconds", "impute_seconds", "single_seconds"]
    )
    table.index = pd.MultiIndex.from_tuples(table.index, names=["method", "program"])
    return table.reset_index()


def exponents(knn=(1.0, 0.9), svd=(2.0, 1.1)):
    rows = [
        (program, varied, "total_seconds", value, 0.01)
        for program, pair in (("KNN", knn), ("SVD", svd))
        for varied, value in zip("nd", pair, strict=True)
    ]
    columns = ["program", "varied", "quantity", "exponent", "standard_error"]
    return pd.DataFrame(rows, columns=columns)


def test_claims_are_judged_by_the_rules():
    verdicts = judge_time_claims(times(), exponents())
    assert list(verdicts.index) == list(TIME_CLAIMS)
    assert verdicts.to_dict() == {
        "knn": "holds in part",
        "svd": "holds",
        "negligible": "holds",
        "matrix": "does not hold",
        "linear_knn": "holds",
        "linear_svd": "holds in part",
    }


@pytest.mark.parametrize(
    ("rows", "key", "verdict"),
    [
        ({("KNN", "fancyimpute"): (0.0, 90.0, np.nan)}, "knn", "does not hold"),
        ({("VAE", "vaeimpute"): (20000.0, 1.0, 1.1)}, "negligible", "does not hold"),
        ({("VAE", "vaeimpute"): (20.0, 1.0, 0.1)}, "negligible", "does not hold"),
        ({("SVD, alone", "vaeimpute"): (90.0, 1.0, 0.3)}, "matrix", "holds"),
    ],
)
def test_other_times_give_other_verdicts(rows, key, verdict):
    assert judge_time_claims(times(rows=rows), exponents())[key] == verdict


def test_what_was_not_measured_is_said_so():
    table = times()
    verdicts = judge_time_claims(table[table["method"] == "mean"], exponents().iloc[:0])
    assert set(verdicts) == {"not measured"}


def test_times_the_imputers_and_returns_what_they_filled():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 8))
    rows = np.where(rng.random((10, 8)) < 0.3, np.nan, X[20:])
    table, filled = time_imputers({"mean": MeanImputer(), "KNN": KNNImputer()}, X[:20], rows)
    assert list(table["method"]) == ["mean", "KNN"]
    assert (table.drop(columns="method") > 0).all(axis=None)
    np.testing.assert_array_equal(filled["KNN"], KNNImputer().fit(X[:20]).transform(rows))
