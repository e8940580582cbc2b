from numbers import Integral, Real

import pytest

from vaeimpute.imputers import GaussianImputer, KNNImputer, SVDImputer
from vaeimpute.imputers._base import check_number


@pytest.mark.parametrize(
    ("value", "kind", "error", "message"),
    [
        (True, Integral, TypeError, "k must be a number, not True"),
        (2.0, Integral, TypeError, "k must be an instance of int, not float"),
        ("3", Real, TypeError, "k must be an instance of float, not str"),
        (0, Integral, ValueError, "k == 0, must be >= 1"),
        (float("nan"), Real, ValueError, "k == nan, must be finite"),
        (float("inf"), Real, ValueError, "k == inf, must be finite"),
    ],
)
def test_what_is_no_number_of_the_kind_is_refused(value, kind, error, message):
    with pytest.raises(error, match=message):
        check_number(value, "k", kind, min_val=1)


def test_numbers_within_the_limits_pass():
    check_number(1, "k", Integral, min_val=1)
    check_number(2, "k", Real, min_val=1)
    check_number(10**400, "k", Integral, min_val=1)
    check_number(1.5, "k", Real, min_val=1, max_val=1.5)


@pytest.mark.parametrize(
    "imputer",
    [KNNImputer(n_neighbors=True), SVDImputer(tol=float("nan")), GaussianImputer(alpha=True)],
)
def test_imputers_refuse_them(imputer):
    with pytest.raises((TypeError, ValueError), match="must be"):
        imputer.fit([[1.0, 2.0], [3.0, 5.0], [4.0, 4.0]])
