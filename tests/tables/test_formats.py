"""Each way in which a program writes a matrix is read alike, and written as that program does."""

import csv
import io
import math
import runpy
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaeimpute.exceptions import Guess, TableError
from vaeimpute.tables import delimited
from vaeimpute.tables.numerals import POINTS, to_numbers
from vaeimpute.tables.text import open_bytes

formats = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("formats.py"))))
TRUE = np.array([[np.nan if c is None else float(c) for c in row] for row in formats.CELLS])
WHOLE = [[formats.FILLED if c is None else c for c in row] for row in formats.CELLS]


def read(path):
    """Return cells, and in which of their columns the samples are."""
    cells = delimited.read(path)
    assert cells.rows == formats.FEATURES
    columns = range(len(cells.columns) - len(formats.SAMPLES), len(cells.columns))
    return cells, columns


def fill(path, target, cells, columns):
    missing = np.zeros(cells.table.shape, dtype=bool)
    missing[:, list(columns)] = np.isnan(TRUE)
    filled = np.full(cells.table.shape, float(formats.FILLED))
    delimited.fill(SimpleNamespace(path=path, layout=cells.layout), target, missing, filled)
    return target.read_bytes()


def unpacked(content):
    with open_bytes(io.BytesIO(content)) as stream:
        return stream.read()


@pytest.mark.parametrize(
    "member", formats.MEMBERS, ids=[f"{m.writer} {m.name}" for m in formats.MEMBERS]
)
def test_what_programs_write_is_read_and_written_back(tmp_path, member):
    path = tmp_path / member.name
    path.write_bytes(member.build(formats.CELLS))
    cells, columns = read(path)
    np.testing.assert_array_equal(cells.table.iloc[:, list(columns)].to_numpy(float), TRUE)
    assert len(cells.notes) == len(member.says), cells.notes
    for note, said in zip(cells.notes, member.says, strict=True):
        assert said in note
    assert any(isinstance(note, Guess) for note in cells.notes) == member.guesses
    target = tmp_path / "out" / member.name
    target.parent.mkdir()
    found, expected = unpacked(fill(path, target, cells, columns)), unpacked(member.build(WHOLE))
    if member.writer == "R, print":  # numbers keep their places, and blanks their number
        found, expected = found.split(), expected.split()
    assert found == expected


def test_the_page_lists_them_all():
    """Run tests/tables/formats.py to write the table anew."""
    table = formats.PAGE.read_text(encoding="utf-8").partition(formats.MARKS[0])[2]
    assert table == formats.markdown() + formats.MARKS[1]


def values_of(tmp_path, text, name="m.csv", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    cells = delimited.read(path, **options)
    return cells.table, cells.notes


@pytest.mark.parametrize(
    ("words", "numbers", "said"),
    [
        (["−1.25", "2\u00a0"], [-1.25, 2], ""),
        (["–1.25", "\u200b2"], [-1.25, 2], ""),
        (["1.5D+02", "2"], [150, 2], ""),
        (["1,5", "2"], [1.5, 2], "decimal commas"),
        (["1.234,5", "2"], [1234.5, 2], "'1.234,5' is 1234.5"),
        (["1,234.5", "2.25"], [1234.5, 2.25], "'1,234.5' is 1234.5"),
        (["1'234.5", "2.25"], [1234.5, 2.25], '"1\'234.5" is 1234.5'),
        (["1’234.5", "2.25"], [1234.5, 2.25], '"1\'234.5" is 1234.5'),
        (["1\u202f234,5", "2"], [1234.5, 2], "'1 234,5' is 1234.5"),
        (["1 234", "2.5"], [1234, 2.5], "'1 234' is 1234"),
        (["1.234.567", "1.234"], [1234567, 1234], "'1.234.567' is 1234567"),
        (["0,125", "0,250"], [0.125, 0.25], "decimal commas"),
    ],
)
def test_numbers_in_other_spellings(tmp_path, words, numbers, said):
    table, notes = values_of(tmp_path, f"id;a;b\nP1;{words[0]};{words[1]}\nP2;3;4\n")
    np.testing.assert_array_equal(table.to_numpy(), [numbers, [3, 4]])
    assert len(notes) == 1 + bool(said)
    assert said in notes[-1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["1,234", "999"], "the number '1,234' can be 1.234 or 1234"),
        (["12,345", "678,901"], "can be 12.345 or 12345"),
    ],
)
def test_numbers_that_can_be_two_are_refused(tmp_path, words, message):
    with pytest.raises(TableError, match=message):
        values_of(tmp_path, f"id;a;b\nP1;{words[0]};{words[1]}\nP2;3;4\n")


@pytest.mark.parametrize(
    "word", ["1_000", "0x1A", "12.5%", "1.5*", "<0.5", "1.5f", "1,23,4", "1e999"]
)
def test_what_is_no_number_stays_a_word(tmp_path, word):
    table, _ = values_of(tmp_path, f"id;a;b\nP1;{word};1\nP2;3;4\n")
    assert table[1].tolist() == [word, "3"]
    assert table[2].tolist() == [1, 4]


def test_words_of_other_columns_do_not_decide_how_numbers_are_spelled(tmp_path):
    table, notes = values_of(
        tmp_path,
        "id\tdate\tids\ta\nP1\t01.02.2020\t7,8\t1.5\nP2\t3.4.2021\t12\t2.25\n",
        "m.tsv",
    )
    assert table[3].tolist() == [1.5, 2.25]
    assert table[1].tolist() == ["01.02.2020", "3.4.2021"]
    assert notes == ()


def test_words_for_missing_values_that_are_named(tmp_path):
    text = "id,a,b\nP1,n.d.,1\nP2,3,<LOD\n"
    table, _ = values_of(tmp_path, text, na=["n.d.", "<LOD"])
    np.testing.assert_array_equal(table.to_numpy(), [[np.nan, 1], [3, np.nan]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,a,b\nP1,1,2\nP2,3,4\nP3,5", "line 4 has 2 fields where 3 are expected; the line, or"),
        (
            "id,a,b\nP1,1,2\nP2,3,4\nP3,5\n",
            "line 4 has 2 fields where 3 are expected; the line, or",
        ),
        ("id,a,b\nP1,1,\nP2,3\nP3,5,6\n", "line 3 has 2 fields where 3"),  # no editor did that
        ("id,a,b\nP1,1\nP2,3\n", "line 2 has 2 fields where 3"),  # column b is nowhere
        ("id,a,b\nP1,1,2\nP2, of x,3,4\n", "line 3 has 4 fields where 3 are .* quotation marks go"),
        ('"S 1" "S 2"\n"P1" 1 2\n"P2" 3\n"P3" 5 6\n', "line 3 has 2 fields where 3"),
        ("id,a,b\nP1,1,2,9\nP2,3,4,9\nP3,5,6,9,9\n", "line 4 has 5 fields where 4"),
    ],
)
def test_lines_that_were_cut_are_refused(tmp_path, text, message):
    with pytest.raises(TableError, match=message):
        values_of(tmp_path, text)


def test_rows_without_values_below_others_are_rows(tmp_path):
    # As in a matrix of DIA-NN without its last tabs: words, but no number and no sentence.
    text = "id\tname\ta\tb\nP1\tx\t1\t2\nP2\tx\t3\nP3\tin one of two\n"
    table, _ = values_of(tmp_path, text, "m.tsv")
    np.testing.assert_array_equal(
        table[[2, 3]].to_numpy(float), [[1, 2], [3, np.nan], [np.nan] * 2]
    )


def test_a_header_of_numbers_and_one_without_a_name_for_the_ids(tmp_path):
    path = tmp_path / "m.tsv"
    path.write_text("\t1\t2\nP1\t1.5\t2\n")
    assert delimited.read(path).columns == ["1", "2"]
    path.write_text("1\t2\nP1\t1.5\t2\nP2\tNA\tNA\n")
    cells = delimited.read(path)
    assert (cells.columns, cells.corner) == (["1", "2"], None)
    path.write_text("S1\tS2\nP1\tNA\tNA\nP2\t1.5\t2\n")
    assert delimited.read(path).columns == ["S1", "S2"]


def test_archives_of_several_files_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("a.csv", "id,a\nP1,1\n")
        archive.writestr("b.csv", "id,a\nP1,1\n")
    with pytest.raises(TableError, match="is an archive of 2 files; unpack the one meant"):
        delimited.read(tmp_path / "m.zip")


@pytest.mark.parametrize("name", ["m.csv.bz2", "m.csv.xz", "m.csv.zst", "m.zip"])
def test_damaged_files_are_named(tmp_path, name):
    whole = next(m.build for m in formats.MEMBERS if m.name.endswith(name.split(".")[-1]))
    content = whole(formats.CELLS)
    with pytest.raises(TableError, match="is cut short or damaged"):
        values_of(tmp_path, content[: len(content) // 2], name)


def test_what_the_extension_promises_divides_if_it_can(tmp_path):
    lines = ["id\ts1", "gi|27806851|ref|9|\t2", "gi|30466252|ref|8|\t21", "gi|27806963|ref|7|\t3"]
    (tmp_path / "m.tsv").write_text("\n".join(lines) + "\n")
    cells = delimited.read(tmp_path / "m.tsv")
    assert cells.table.to_numpy().ravel().tolist() == [2, 21, 3]


def test_another_separator_is_written_where_the_extension_promises_it(tmp_path):
    text = "# of ratios\nid;a, b;c\nP1;1,5;\n\nP2;;2\nnotes below:\n"
    path, target = tmp_path / "m.csv", tmp_path / "m.tsv"
    path.write_text(text)
    cells = delimited.read(path)
    filled = np.full((2, 2), 0.25)
    layout = SimpleNamespace(path=path, layout=cells.layout)
    delimited.fill(layout, target, cells.table.isna().to_numpy(), filled)
    assert target.read_text() == (
        "# of ratios\nid\ta, b\tc\nP1\t1,5\t0,25\n\nP2\t0,25\t2\nnotes below:\n"
    )
    delimited.fill(layout, tmp_path / "same.csv", cells.table.isna().to_numpy(), filled)
    expected = text.replace(";\n", ";0,25\n").replace(";;", ";0,25;")
    assert (tmp_path / "same.csv").read_text() == expected


def test_a_clinical_table_with_comments_and_semicolons(tmp_path):
    path = tmp_path / "clinical.csv"
    path.write_bytes(
        "#Patient;Größe, cm\n#STRING;NUMBER\nPATIENT;Größe, cm\nTCGA-1;170\n".encode("cp1252")
    )
    assert delimited.read_words(path).to_dict("list") == {
        "PATIENT": ["TCGA-1"],
        "Größe, cm": ["170"],
    }


def test_tabs_are_not_taken_for_blanks_in_a_long_table(tmp_path):
    path = tmp_path / "m.txt"
    path.write_text("\ta\tb\n" + "".join(f"P{i}\t{i}.5\t2\n" for i in range(500)))
    assert delimited.read(path).layout.separator == "\t"


numbers = st.one_of(
    st.floats(-1e6, 1e6).map(repr),
    st.decimals(-9999, 9999, places=3).map(str),
    st.integers(-5, 10**7).map(str),
    st.just(None),
)
names = st.one_of(
    st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,7}", fullmatch=True),
    st.sampled_from(["TP53", "day 0, a", "S 1; x", "Größe", "1", "20", "cg0001", "a|b"]),
)


@st.composite
def layouts(draw):
    """A table of numbers in some layout, and the numbers."""
    separator = draw(st.sampled_from(",;\t| "))
    n_columns, n_rows = draw(st.integers(1, 5)), draw(st.integers(3, 9))
    cells = draw(
        st.lists(
            st.lists(numbers, min_size=n_columns, max_size=n_columns),
            min_size=n_rows,
            max_size=n_rows,
        )
    )
    decimal = draw(st.sampled_from(".," if separator != "," else "."))
    na = draw(st.sampled_from(["NA", "-", "#VALUE!", "NaN"] + [""] * 3 * (separator != " ")))
    header = ["id", *draw(st.lists(names, min_size=n_columns, max_size=n_columns, unique=True))]
    rows = [
        [f"P{at}", *(na if cell is None else cell.replace(".", decimal) for cell in row)]
        for at, row in enumerate(cells)
    ]
    if draw(st.booleans()) and separator != " ":
        header[0] = ""
    buffer = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    csv.writer(buffer, delimiter=separator, quoting=quoting, lineterminator="\n").writerows(
        [header, *rows]
    )
    table = buffer.getvalue().splitlines()
    if draw(st.booleans()) and separator != " ":
        table = [line.rstrip(separator) for line in table]
    before = draw(
        st.sampled_from([[], [], ["# about"], ["Table S1. Proteins", ""], ["sep=" + separator]])
    )
    after = draw(st.sampled_from([[], [], ["", "* a note"], ["# the end"]]))
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = newline.join([*before, *table, *after]) + newline
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    truth = np.array([[math.nan if c is None else float(c) for c in row] for row in cells])
    return text.encode(encoding), [name.strip() for name in header[1:]], truth


@pytest.mark.slow
@settings(
    max_examples=500, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(layout=layouts(), name=st.sampled_from(["m.csv", "m.tsv", "m.txt", "matrix"]))
def test_no_layout_is_misread(tmp_path, layout, name):
    """It is read as it was meant, or refused, or what was guessed is said."""
    content, columns, truth = layout
    path = tmp_path / name
    path.write_bytes(content)
    try:
        cells = delimited.read(path)
    except TableError:
        return
    table = to_numbers(cells.table, POINTS)
    if cells.columns == columns and len(table) == len(truth):
        np.testing.assert_array_equal(table.to_numpy(float), truth)
    else:
        assert any(isinstance(note, Guess) for note in cells.notes)
