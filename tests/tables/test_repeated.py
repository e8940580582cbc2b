"""Ids that occur more than once are an error, or what was asked for is done and said."""

import numpy as np
import pytest

from vaeimpute.exceptions import TableError
from vaeimpute.tables import read_source, write_filled

TEXT = "gene,s1,s2\nTP53,1,2\nEGFR,5,6\nTP53,3,\n?,7,8\n?,,\nEGFR.1,9,9\nEGFR,,7\n"


def fill(tmp_path, how, text=TEXT, **options):
    (tmp_path / "in.csv").write_text(text)
    source = read_source(tmp_path / "in.csv", duplicates=how, **options)
    filled = np.full(source.values.shape, 0.25)
    write_filled(source, filled, tmp_path / "out.csv")
    return source, (tmp_path / "out.csv").read_text()


def test_an_error_says_which_and_what_to_do(tmp_path):
    with pytest.raises(TableError, match=r"3 row ids occur more than once: .*--duplicates"):
        fill(tmp_path, "error")


def test_the_first_is_taken_and_the_others_left(tmp_path):
    source, text = fill(tmp_path, "first", features_in_rows=True)
    assert list(source.values.columns) == ["TP53", "EGFR", "?", "EGFR.1"]
    assert text == TEXT
    assert any("the first of each is imputed" in note for note in source.notes)


def test_the_mean_is_taken_and_fills_all(tmp_path):
    source, text = fill(tmp_path, "mean", features_in_rows=True)
    assert source.values["TP53"].tolist() == [2.0, 2.0]
    assert source.values["EGFR"].tolist() == [5.0, 6.5]
    assert text == TEXT.replace("TP53,3,\n", "TP53,3,2.0\n").replace("?,,", "?,7.0,8.0").replace(
        "EGFR,,7", "EGFR,5.0,7"
    )


@pytest.mark.parametrize("features_in_rows", [False, True])
def test_each_is_taken_by_itself(tmp_path, features_in_rows):
    source, text = fill(tmp_path, "suffix", features_in_rows=features_in_rows)
    names = source.values.columns if features_in_rows else source.values.index
    assert list(names) == ["TP53", "EGFR", "TP53.1", "?", "?.1", "EGFR.1", "EGFR.2"]
    assert text == TEXT.replace("3,\n", "3,0.25\n").replace("?,,", "?,0.25,0.25").replace(
        "EGFR,,7", "EGFR,0.25,7"
    )


def test_columns_too(tmp_path):
    source, text = fill(tmp_path, "mean", "id,a,b,a\ns1,1,2,3\ns2,4,,\n")
    assert source.values.to_numpy().tolist()[0] == [2.0, 2.0]
    assert text == "id,a,b,a\ns1,1,2,3\ns2,4,0.25,4.0\n"
    assert np.isnan(source.values.loc["s2", "b"])


def test_a_spreadsheet_has_been_there(tmp_path):
    with pytest.raises(TableError, match=r"made dates or numbers of names \('Mar-01'\)"):
        fill(tmp_path, "error", "gene,s1\nMar-01,1\nMar-01,2\n")
    source, _ = fill(
        tmp_path, "error", "gene,s1\n1-Mar,1\nSep-02,2\n2.31E+13,1\nTP53,1\n", features_in_rows=True
    )
    assert any("'1-Mar', 'Sep-02', '2.31E+13'" in note for note in source.notes)
