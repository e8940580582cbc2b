"""scikit-learn's own tests of its `KNNImputer`, with ours in its place.

All of them, from the installed version. The wrapper sets scikit-learn's defaults and does no more.
"""

import pytest
from sklearn.impute.tests import test_knn
from sklearn.impute.tests.test_knn import *  # noqa: F403 - the tests

from vaeimpute.imputers import KNNImputer

# scikit-learn leaves such features out without a word.
pytestmark = pytest.mark.filterwarnings("ignore::vaeimpute.exceptions.EmptyFeatureWarning")


class DropIn(KNNImputer):
    def __init__(self, *, n_neighbors=5, weights="uniform", standardize=False, **parameters):
        super().__init__(
            n_neighbors=n_neighbors, weights=weights, standardize=standardize, **parameters
        )


@pytest.fixture(autouse=True)
def ours(monkeypatch):
    monkeypatch.setattr(test_knn, "KNNImputer", DropIn)


def test_these_are_all():
    theirs = [name for name in vars(test_knn) if name.startswith("test_")]
    assert len(theirs) >= 15
    assert set(theirs) <= set(globals())
