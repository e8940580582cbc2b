"""Names, options and paths: what `load_cohort` makes of its arguments."""

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import Cohort, load_cohort, registry
from vaeimpute.cohorts.registry import COHORTS, Entry
from vaeimpute.exceptions import OptionError


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A cohort by the name of toy; its calls are counted."""
    monkeypatch.setenv("VAEIMPUTE_CACHE", str(tmp_path / "cache"))
    calls = []

    def loader(*, seed: int = 0, kind: str = "a"):
        calls.append((seed, kind))
        values = pd.DataFrame(np.full((2, 3), float(seed)), ["s1", "s2"], list("xyz"))
        return Cohort("toy", values, pd.DataFrame(index=values.index), kind, "expression")

    monkeypatch.setattr("vaeimpute.cohorts.published.toy", loader, raising=False)
    entry = Entry("toy", "t", "simulated", "vaeimpute.cohorts.published:toy", "l", "c")
    monkeypatch.setitem(COHORTS, "toy", entry)
    return calls


def test_each_choice_of_options_is_prepared_once(toy):
    assert load_cohort("toy").units == "a"
    assert load_cohort("toy", kind="a", seed=0).units == "a"
    assert load_cohort("toy", kind="b").units == "b"
    assert load_cohort("toy", kind="b").units == "b"
    assert load_cohort("toy", seed=1).values.eq(1).all(axis=None)
    assert toy == [(0, "a"), (0, "b"), (1, "a")]
    assert registry.list_cohorts().loc["toy", "here"] == "prepared"


def test_an_unknown_option_names_the_known_ones(toy):
    with pytest.raises(OptionError, match="'toy' has no option 'sede'; it takes seed, kind"):
        load_cohort("toy", sede=1)
    assert toy == []


def test_a_path_is_read_as_a_matrix(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("sample,g1,g2,g3\ns1,1,2,3\ns2,4,,6\n")
    for name in (path, str(path)):
        cohort = load_cohort(name, orientation="samples_by_features", units="counts")
        assert cohort.values.shape == (2, 3)
        assert cohort.units == "counts"


def test_neither_a_name_nor_a_path():
    with pytest.raises(OptionError, match=r"Unknown cohort 'tcga'; choose one of .*tcga-glioma"):
        load_cohort("tcga")
