"""Small tables of any kind end in a message or in a filled table, never in anything else."""

import csv
import io
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from vaeimpute.cli import app
from vaeimpute.tables import read_source
from vaeimpute.tables.text import MISSING

HOLES = {"", *MISSING}

numbers = st.one_of(
    st.floats(-1e6, 1e6).map(repr),
    st.floats(0, 1e-300).map(repr),
    st.integers(0, 10**9).map(str),
    st.sampled_from(["0", "-0", "1e3", "+7", "007", ".5", "1.50", " 2", "1e99"]),
)
cells = st.one_of(numbers, numbers, st.sampled_from(sorted(HOLES)), st.just(""))
odd_cells = st.one_of(
    cells,
    st.text(max_size=4),
    st.floats().map(repr),
    st.sampled_from(["True", "1,5", "inf", "x"]),
)
names = st.one_of(
    st.text(max_size=6),
    st.from_regex(r"[A-Za-z0-9_.|-]{1,8}", fullmatch=True),
    st.sampled_from(["TP53", "EGFR", "MYC", "GSM1", "NA", "1"]),
)


@st.composite
def tables(draw):
    """Text of a table: mostly sound, at times with odd cells, names or lines."""
    sound = draw(st.integers(0, 3)) > 0
    n_rows, n_columns = draw(st.integers(0, 9)), draw(st.integers(0, 6))
    if sound:
        n_rows, n_columns = n_rows + 2, n_columns + 1
        header = ["id", *(f"g{i}" for i in range(n_columns))]
        ids = [f"s{i}" for i in range(n_rows)]
    else:
        header = draw(st.lists(names, min_size=n_columns + 1, max_size=n_columns + 1))
        ids = draw(st.lists(names, min_size=n_rows, max_size=n_rows))
    kind = cells if sound else odd_cells
    rows = [[name, *draw(st.lists(kind, min_size=n_columns, max_size=n_columns))] for name in ids]
    buffer = io.StringIO()
    writer = csv.writer(
        buffer,
        delimiter=draw(st.sampled_from(",\t;")),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerows([header, *rows])
    text = buffer.getvalue()
    if not sound and draw(st.booleans()):
        position = draw(st.integers(0, len(text)))
        text = text[:position] + draw(st.text(max_size=3)) + text[position:]
    return text


def parsed(text, separator):
    return [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]


@st.composite
def bounds(draw):
    """Draw what is said of the smallest and the largest value, if anything is."""
    low, high = draw(st.sampled_from([None, None, -500.0, 0.0, 2.5])), None
    if low is None or draw(st.booleans()):
        high = draw(st.sampled_from([None, 10.0, 1e6]))
    return low, high


@pytest.mark.slow
@settings(
    max_examples=500,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    text=tables(),
    method=st.sampled_from(["mean", "knn", "random", "svd_tuned", "gaussian"]),
    options=st.sets(
        st.sampled_from(["--log", "--no-zscore", "--features-in-rows", "--keep-empty"]), max_size=2
    ),
    limits=bounds(),
)
def test_no_table_ends_in_a_traceback_or_a_changed_value(folder, text, method, options, limits):
    before, after = Path("in.csv"), Path("out.csv")
    before.write_text(text, encoding="utf-8", newline="", errors="surrogatepass")
    after.unlink(missing_ok=True)
    said = [
        f"{name}={x}" for name, x in zip(("--min", "--max"), limits, strict=True) if x is not None
    ]
    arguments = ["impute", "in.csv", "-o", "out.csv", "--method", method, *sorted(options), *said]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.stdout == ""
    assert "--debug shows" not in result.stderr  # nothing that nobody thought of
    if result.exit_code == 1:
        assert "Error: " in result.stderr
        assert not after.exists()
        return
    assert result.exit_code == 0, result.stderr
    found = after.read_bytes().decode("utf-8-sig")
    original = text.encode("utf-8").decode("utf-8-sig")
    header = next(line for line in original.splitlines() if line.strip())
    separator = next((s for s in ",\t;" if s in header), ",")
    ours, theirs = parsed(found, separator), parsed(original, separator)
    assert [len(row) for row in ours] == [len(row) for row in theirs]
    assert ours[0] == theirs[0]
    assert [row[0] for row in ours] == [row[0] for row in theirs]
    # Rows and columns of words, and whatever else is annotation, are not in the matrix.
    values = read_source(before, features_in_rows="--features-in-rows" in options).values
    table = values.T if "--features-in-rows" in options else values
    # A guess at the bounds is made where none is said.
    least, most = values.min(axis=None), values.max(axis=None)
    low = limits[0] if limits[0] is not None else 0.0 if least >= 0 else -math.inf
    high = limits[1] if limits[1] is not None else 1.0 if 0 <= least <= most <= 1 else math.inf
    empty = [] if "--keep-empty" not in options else values.columns[values.isna().all()]
    renamed = "Row ids are" in result.stderr
    for our, their in zip(ours[1:], theirs[1:], strict=True):
        for name, new, old in zip(theirs[0][1:], our[1:], their[1:], strict=True):
            row, column = their[0].strip(), name.strip()
            inside = (renamed or row in table.index) and column in table.columns
            if not inside or not (old.strip() in HOLES or old in HOLES):
                assert new == old
            elif row not in empty and column not in empty:
                assert low <= float(new) <= high
