"""However a matrix is written down, it is read as what it is or refused, and written back alike."""

import csv
import io
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaeimpute.exceptions import TableError
from vaeimpute.tables import describe, read_source, write_filled
from vaeimpute.tables.text import open_bytes

FILLED = 0.625
ANNOTATION = {  # by what it says of, the name and its first entries
    "words": ("Description", ["kinase", "a, b", "2-Sep", "x;y", "tubulin"]),
    "Entrez_Gene_Id": ("Entrez_Gene_Id", ["7157", "1956", "", "207", "672"]),
    "Length": ("Length", ["1201", "980", "77", "4010", "512"]),
    "Chr": ("Chr", ["1", "X", "chr7", "22", "MT"]),
    "P.Value": ("P.Value", ["0.5", "1e-9", "0.03", "NA", "1"]),
}


@dataclass
class Written:
    """A matrix of features x samples as a file, and what is to come of it."""

    content: bytes
    filled: bytes
    values: np.ndarray
    rows_are_features: bool
    missing_values: list = field(default_factory=list)
    name: str = "m.csv"


@st.composite
def files(draw):
    n_features, n_samples = draw(st.integers(3, 9)), draw(st.integers(2, 6))
    decimals = draw(st.integers(1, 4))
    size = draw(st.sampled_from([1.0, 30.0, 1e5]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.normal(size, size, (n_features, n_samples)).round(decimals)
    values[np.isin(values, [0.0, -9.0, -999.0])] = 1.0
    holes = rng.random(values.shape) < draw(st.sampled_from([0.0, 0.1, 0.4]))
    code = draw(st.sampled_from([None, None, "0", "-9", "-999"]))
    blank = code or draw(st.sampled_from(["", "NA", "NaN", "#N/A", "null", "-", "."]))
    comma = draw(st.sampled_from([False, False, True]))
    separator = draw(st.sampled_from(";\t" if comma else ",;\t|"))
    cells = [[f"{value:.{decimals}f}" for value in row] for row in values]
    if comma:
        cells = [[cell.replace(".", ",") for cell in row] for row in cells]
    known = draw(st.lists(st.sampled_from([*ANNOTATION]), unique=True, max_size=3))
    features_in_rows = bool(known) or draw(st.booleans())
    at = [draw(st.integers(0, n_samples)) for _ in known]
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    title = draw(st.sampled_from([False, False, True]))
    strip = blank == "" and quoting == csv.QUOTE_MINIMAL and draw(st.booleans())

    def build(blank, strip):
        words = [[blank if hole else c for c, hole in zip(*row, strict=True)]
                 for row in zip(cells, holes, strict=True)]  # fmt: skip
        table = [["id", *(f"s{i}" for i in range(n_samples))]]
        table += [[f"P{i:04d}", *row] for i, row in enumerate(words)]
        for key, position in zip(known, at, strict=True):
            name, entries = ANNOTATION[key]
            for i, row in enumerate(table):
                entry = entries[(i - 1) % 5] if i else name
                row.insert(1 + position, entry.replace(".", ",") if comma and i else entry)
        if not features_in_rows:
            table = [[*column] for column in zip(*table, strict=True)]
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=separator, lineterminator=newline, quoting=quoting).writerows(
            table
        )
        lines = buffer.getvalue().split(newline)
        if strip:
            lines = [line.rstrip(separator) for line in lines]
        text = newline.join(["# made by hand", *lines] if title else lines)
        return text.encode(encoding)

    return Written(
        build(blank, strip),
        build(str(FILLED).replace(".", ",") if comma else str(FILLED), False),
        np.where(holes, np.nan, values),
        features_in_rows,
        [float(code)] if code else [],
        draw(st.sampled_from(["m.csv", "m.tsv", "m.txt", "M.CSV"])),
    )


def cells_of(content, separator_of):
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    separator = next(s for s in ";\t|," if s in separator_of)
    return list(csv.reader(lines, delimiter=separator))


def only_the_last_is_short(content):
    *others, last = (len(row) for row in cells_of(content, content.decode("latin-1")))
    return last < min(others)


@pytest.mark.slow
@settings(
    max_examples=500,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(written=files())
def test_read_as_what_it_is_or_refused(tmp_path, written):
    path, target = tmp_path / written.name, tmp_path / f"out-{written.name}"
    path.write_bytes(written.content)
    options = {
        "features_in_rows": written.rows_are_features,
        "missing_values": written.missing_values,
    }
    try:
        source = read_source(path, **options)
    except TableError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:  # nobody knows what 4,412 is, or whether a file ends too early
        cut_short = "is cut short" in refused and only_the_last_is_short(written.content)
        assert cut_short or "no other number says which" in refused
        return
    np.testing.assert_array_equal(source.values.to_numpy().T, written.values)
    assert all(describe(source))
    write_filled(source, np.full(source.values.shape, FILLED), target)
    assert target.read_bytes() == written.filled or _same(target, written)


def _same(target, written):
    """Compare cell by cell what was written by another hand: lines that were short are whole."""
    with open_bytes(target) as stream:
        found = stream.read()
    first = written.filled.decode("utf-16" if written.filled[:2] == b"\xff\xfe" else "utf-8-sig")
    header = next(line for line in first.splitlines() if not line.startswith("#"))
    return cells_of(found, header) == cells_of(written.filled, header)
