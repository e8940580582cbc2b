"""Workbooks: read where their table is, and written with every other cell as it was."""

import datetime

import numpy as np
import openpyxl
import pandas as pd
import pytest

from vaeimpute.exceptions import TableError
from vaeimpute.tables import Guess, read_source, write_filled, xlsx

ROWS = [
    ["Table S1. Proteins"],
    [],
    ["protein", "S 1", "S2", "S3"],
    ["P1", 1.5, None, 3],
    ["P2", "NA", 0.3, "#DIV/0!"],
    ["P3", 7, 8, 9],
    [],
    ["Values are log2."],
]


def book(path, rows=ROWS, *, left=0, others=()):
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append([*[None] * left, *row])
    for title in others:
        workbook.create_sheet(title).append(["a", "b"])
        workbook[title].append(["x", 1])
    workbook.save(path)
    return path


@pytest.mark.parametrize("left", [0, 2])
@pytest.mark.parametrize("name", ["m.xlsx", "M.XLSX", "called.csv"])
def test_a_sheet_with_a_title_and_a_note(tmp_path, name, left):
    source = read_source(book(tmp_path / name, left=left), features_in_rows=True)
    expected = [[1.5, np.nan, 7], [np.nan, 0.3, 8], [3, np.nan, 9]]
    np.testing.assert_array_equal(source.values, expected)
    assert list(source.values.index) == ["S 1", "S2", "S3"]
    assert source.notes[:2] == (
        "Lines 1 to 2, above the column ids, stay as they are.",
        "1 lines below the rows stay as they are: 'Values are log2.'.",
    )
    write_filled(source, np.full((3, 3), 0.625), tmp_path / "out.xlsx")
    found = openpyxl.load_workbook(tmp_path / "out.xlsx").active.iter_rows(values_only=True)
    filled = [
        [0.625 if cell in (None, "NA", "#DIV/0!") else cell for cell in row] for row in ROWS[3:6]
    ]
    found = [[cell for cell in row[left:] if cell is not None] for row in found]
    assert found == [*ROWS[:3], *filled, *ROWS[6:]]


def test_sheets_that_are_not_taken_are_named(tmp_path):
    path = book(tmp_path / "m.xlsx", others=["clinical", "genes"])
    guess = source_notes(path)[0]
    assert guess == "The sheet 'Sheet' is taken, and not 'clinical', 'genes'."
    assert isinstance(guess, Guess)
    with pytest.raises(TableError, match="is not clear, and nothing may be guessed: The sheet"):
        read_source(path, features_in_rows=True, strict=True)


def source_notes(path):
    return read_source(path, features_in_rows=True).notes


def test_a_sheet_is_read_as_text_is(tmp_path):
    rows = [["Protein IDs", "a\nb", "b"], ["#!{Type}Text", "E", "E"], ["P1", "1,5", None]]
    path = book(tmp_path / "m.xlsx", [*rows, ["P2", "2,25", "3,5"]])
    source = read_source(path, features_in_rows=True)
    np.testing.assert_array_equal(source.values, [[1.5, 2.25], [np.nan, 3.5]])
    assert list(source.values.index) == ["a b", "b"]
    assert "'m.xlsx' looks like a table of Perseus." in source.notes
    write_filled(source, np.full((2, 2), 0.25), tmp_path / "out.xlsx")
    assert openpyxl.load_workbook(tmp_path / "out.xlsx").active["C3"].value == 0.25


def test_true_and_dates_are_no_numbers(tmp_path):
    for odd in (True, datetime.date(2020, 1, 2)):
        path = book(tmp_path / "m.xlsx", [["id", "a", "b"], ["s1", odd, 1], ["s2", 1, 2]])
        with pytest.raises(TableError, match="is not a number"):
            read_source(path)


def test_formulas_without_results_are_not_missing_values(tmp_path):
    path = book(tmp_path / "m.xlsx", [["id", "a", "b"], ["s1", "=1+1", 1], ["s2", 1, 2]])
    with pytest.raises(TableError, match="has formulas without results"):
        read_source(path)


def test_what_is_no_workbook(tmp_path):
    (tmp_path / "m.xlsx").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(TableError, match=r"m\.xlsx cannot be read as a workbook"):
        read_source(tmp_path / "m.xlsx")
    (tmp_path / "m.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9))
    with pytest.raises(TableError, match=r"is a workbook of an old kind; save it as \.xlsx"):
        read_source(tmp_path / "m.xls")
    openpyxl.Workbook().save(tmp_path / "empty.xlsx")
    with pytest.raises(TableError, match="has no sheet with rows and columns"):
        read_source(tmp_path / "empty.xlsx")


def test_from_text_to_a_workbook_and_back(tmp_path):
    (tmp_path / "m.csv").write_text("id,a,b\ns1,1.5,\ns2,,4\n")
    write_filled(read_source(tmp_path / "m.csv"), np.full((2, 2), 0.1 + 0.2), tmp_path / "m.xlsx")
    again = read_source(tmp_path / "m.xlsx").values
    np.testing.assert_array_equal(again, [[1.5, 0.1 + 0.2], [0.1 + 0.2, 4]])


def test_numbers_come_back_to_the_last_bit(tmp_path):
    numbers = [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308 / 1e210, 123456789.12345679]
    rows = [["id", *"abcde"], ["s1", *numbers], ["s2", *numbers[::-1]], ["s3", None, *numbers[1:]]]
    path = book(tmp_path / "m.xlsx", rows)  # by openpyxl, which does not write all digits
    first = tmp_path / "first.xlsx"
    write_filled(read_source(path), np.full((3, 5), 0.1 + 0.7), first)
    source = read_source(first)
    assert source.values.iloc[2, 0] == 0.1 + 0.7
    write_filled(source, np.full((3, 5), 0.0), tmp_path / "again.xlsx")
    np.testing.assert_array_equal(read_source(tmp_path / "again.xlsx").values, source.values)
    table = pd.DataFrame([numbers], ["s1"], [*"abcde"])
    xlsx.write(table, tmp_path / "alone.xlsx")
    np.testing.assert_array_equal(read_source(tmp_path / "alone.xlsx").values, table)
