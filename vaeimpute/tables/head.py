"""What the first lines of a text file say: what divides its fields, and where its table begins."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from vaeimpute.exceptions import Guess, TableError, some
from vaeimpute.tables.known import patterns
from vaeimpute.tables.numerals import POINTS, find_spelling, is_missing, like_a_number, tidy
from vaeimpute.tables.text import MARK, open_text, promised_separators, understanding

#: The separators that are known. Of two that divide a file as well, the first is taken: commas and
#: blanks can belong to numbers and words. A blank stands for any number of blanks.
NAMES = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "blanks"}
#: A field between blanks.
TOKEN = re.compile(r'"(?:[^"]|"")*"|[^ ]+')
#: How lines begin that comment on a table.
COMMENT = ("#", "!", "%")

_LINES, _CHARACTERS = 1000, 1 << 22  # that are read at most
_RATED = 200  # so many fields, of so many lines, are looked at one by one

_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")
# Below it are kinds of values (Firehose, MAGE-TAB).
_REFERENCE = re.compile(r"\w+ REF")
# How many rows and columns a GCT file has, and of each how many that say something of the others.
_GCT_SIZES = re.compile(r"#1\.3\s*\n(?:\d+\s+){3}(\d+)\s*")
_TABLE_BEGINS = re.compile(r"!\w+_table_begin|\w+_DATA_START")
#: What ends a table, whatever follows.
TABLE_ENDS = re.compile(r"!\w+_table_end|\w+_DATA_END")


@dataclass(frozen=True)
class Head:
    """What the first lines of a file say.

    Attributes
    ----------
    separator, decimal : str
        What divides the fields, and the decimal mark of the numbers.
    header, first : int
        Numbers of lines, from 1: of the column ids, and of the first row.
    names : list of str
        The fields of the line with the column ids.
    width : int
        How many fields most rows have.
    notes : tuple of str
    """

    separator: str
    decimal: str
    header: int
    first: int
    names: list[str]
    width: int
    notes: tuple[str, ...]


def fields_of(line: str, separator: str) -> list[str]:
    """Split a line, quotation marks taken off.

    Examples
    --------
    >>> fields_of('"a,b",1', ",")
    ['a,b', '1']
    >>> fields_of('"S 1"  NA 2', " ")
    ['S 1', 'NA', '2']
    """
    if separator == " ":
        tokens = TOKEN.findall(line)
        return [t[1:-1].replace('""', '"') if t.startswith('"') else t for t in tokens]
    if '"' not in line:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator))


def read_head(path: Path, encoding: str) -> Head:
    r"""Choose a separator, and find the line with the column ids.

    Parameters
    ----------
    path : pathlib.Path
    encoding : str

    Returns
    -------
    Head

    Raises
    ------
    TableError
        If nothing divides the lines into fields.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tiny.csv"
    ...     _ = path.write_text("Table S1, of proteins\n\nid;day 0, a;b\nP1;1,5;2\nP2;;3,5\n")
    ...     head = read_head(path, "utf-8")
    >>> head.separator, head.decimal, head.header, head.names
    (';', ',', 3, ['id', 'day 0, a', 'b'])
    """
    above, lines = _first_lines(path, encoding)
    with understanding(path):
        return _understood(path, above, lines)


def _understood(path: Path, above: list[str], lines: list[str]) -> Head:
    texts = [line for line in lines if line.strip()]
    if not texts:
        raise TableError(f"{path} is empty.")
    kind = next((kind for kind, one in patterns("no tables").items() if one.match(texts[0])), None)
    # Below a line of column ids, what is no text is damage.
    if any(map(_NO_TEXT.search, texts[: 1 if re.search("[\t;|, ]", texts[0]) else _RATED])):
        kind = "no text"
    if kind:
        raise TableError(
            f"{path} is {kind}, not a table; its first line is {texts[0][:60]!r}. Write the matrix "
            "as CSV in the program that it is from, or download the file again if it should be one."
        )
    promised = promised_separators(path)
    ratings = {separator: _rate(texts, separator) for separator in NAMES}
    whole = len(texts)
    kept = [one for one in promised if ratings[one][0] >= whole == ratings[one][1]]
    separator = max(kept or NAMES, key=lambda one: (*ratings[one], one in promised))
    if not ratings[separator][1]:
        raise TableError(
            f"{path} has no {', '.join(NAMES.values())} between fields; its first line is "
            f"{texts[0][:60]!r}. Expected column ids and, below them, rows of numbers."
        )
    rows = [fields_of(line, separator) for line in lines]
    header, width = _find_header(rows)
    names, first = rows[header], header + 1
    while first < len(rows) and _is_second_header(names, rows[first]):
        first += 1
    if sizes := _GCT_SIZES.fullmatch("\n".join(lines[max(0, header - 2) : header])):
        first += int(sizes[1])
    if _REFERENCE.fullmatch(names[0]) and first > header + 1 and len(rows[first - 1]) == len(names):
        # Several quantities of a sample bear its name.
        kinds = rows[first - 1]
        named = zip(names, kinds, strict=True)
        names = [name if kind == kinds[1] else f"{name} {kind}" for name, kind in named]
    sample = [row[1:_RATED] for row in rows[first:] if len(row) == width][:_RATED]
    try:
        spelling, _ = find_spelling([list(map(tidy, words)) for words in zip(*sample, strict=True)])
    except TableError:  # all of the rows may tell
        spelling = POINTS
    notes = [
        f"{path.name!r} looks like {name}."
        for name, begins in patterns("writers").items()
        if any(map(begins.match, (*above, *lines[:first])))
    ][:1]
    rival = next((s for s in NAMES if s in lines[header] and ratings[s][0]), separator)
    if separator not in lines[header] and rival != separator:
        notes.append(
            Guess(
                f"{path.name!r} was read as separated by {NAMES[separator]}, but {NAMES[rival]} "
                "divide it as well."
            )
        )
    if promised and separator != promised[0]:
        notes.append(
            f"{path.name!r} is separated by {NAMES[separator]}, not by {NAMES[promised[0]]}."
        )
    n_above = len(above) + header
    if any(line.strip() for line in (*above, *lines[:header])):
        which = "Line 1" if n_above == 1 else f"Lines 1 to {n_above}"
        notes.append(f"{which}, above the column ids, stay as they are.")
    if lines[header + 1 : header + 2] and not lines[header + 1].strip():
        notes.append(
            Guess(
                f"Line {n_above + 1} of {path.name!r} was taken for the column ids, although an "
                "empty line is below it."
            )
        )
    if first > header + 1:
        below = some([line[:60] for line in lines[header + 1 : first]], 1)
        notes.append(f"What is below the column ids belongs to them: {below}.")
    return Head(
        separator,
        "." if spelling.thousands else spelling.decimal,
        n_above + 1,
        len(above) + first + 1,
        names,
        width,
        tuple(notes),
    )


def _first_lines(path: Path, encoding: str) -> tuple[list[str], list[str]]:
    """Return the lines down to a mark that a table begins, if there is one, and some after it."""
    above: list[str] = []
    lines: list[str] = []
    size = 0
    with open_text(path, encoding) as content:
        for line in content:
            line = line.removeprefix(MARK).rstrip("\r\n")
            if not above and _TABLE_BEGINS.match(line):
                above, lines, size = [*lines, line], [], 0
                continue
            if above and TABLE_ENDS.match(line):
                break
            lines.append(line)
            size += len(line)
            enough = size > _CHARACTERS or len(lines) >= _LINES
            # GEO says thousands of things before a table begins.
            if enough and (above or not lines[0].startswith(("!", "^"))):
                break
    return above, lines


def _rate(lines: list[str], separator: str) -> tuple[float, int]:
    """Return how many values a separator finds in lines that it divides alike, and how many do."""
    counts = [
        len(fields_of(line, separator))
        if '"' in line
        else sum(map(bool, line.split(" ")))
        if separator == " "
        else line.count(separator) + 1
        for line in lines
    ]
    usual = _usual(counts)
    if usual < 2:
        return 0.0, 0
    alike = [line for line, count in zip(lines, counts, strict=True) if count == usual]
    some = alike[:: len(alike) // _RATED + 1]
    fields = (fields_of(line, separator)[1:_RATED] for line in some)
    # What stands for a missing value counts as numbers do: lines may have nothing else.
    values = [sum(map(_like_a_value, map(tidy, words))) for words in fields]
    return median(values) * len(alike), len(alike)


def _like_a_value(word: str) -> bool:
    return not word or like_a_number(word) or is_missing(word)


def _usual(counts: Iterable[int]) -> int:
    """Return the most frequent of counts that are at least 2, the largest of equals; 0 of none."""
    tally = Counter(count for count in counts if count > 1)
    return max(tally, key=lambda count: (tally[count], count), default=0)


def _find_header(rows: list[list[str]]) -> tuple[int, int]:
    """Find the line with the column ids; return its place, and how many fields most rows have."""
    width = _usual(map(len, rows))
    n_above = next((at for at, row in enumerate(rows) if _has_values(row, width)), len(rows))
    fits = [_fits_as_header(row, width) for row in rows[:n_above]]
    blank = max((at for at, row in enumerate(rows[:n_above]) if not any(row)), default=-1)
    if max(fits[blank + 1 :], default=0) > 2:
        fits[: blank + 1] = [0] * (blank + 1)  # a title, whatever it looks like
    best = max(fits, default=0)
    corner = patterns("ids")["corner"]
    if best < 4 and n_above < len(rows) and corner.fullmatch(rows[n_above][0].strip()):
        return n_above, width  # column ids that are numbers
    if not best:
        # None fits, which is to be said of it, or there is none above a line of numbers.
        several = (at for at, row in enumerate(rows[:n_above]) if len(row) > 1)
        return max(several, default=n_above), width
    # Words in rows come below the column ids; sentences and comments come above them.
    place = fits.index(best) if best in (2, 4) else n_above - 1 - fits[::-1].index(best)
    return place, width


def _has_values(row: list[str], width: int) -> bool:
    words = [tidy(field) for field in row[1:] if field]
    return (
        len(row) == width
        and bool(row[0].strip())
        and (any(map(like_a_number, words)) or (bool(words) and all(map(is_missing, words))))
    )


def _fits_as_header(row: list[str], width: int) -> int:
    names = row[: max((at for at, name in enumerate(row, 1) if name.strip()), default=0)]
    if not names or len(row) < width - 1 or (len(names) == 1 and max(len(row), width - 1) > 1):
        return 0  # a title that a spreadsheet has filled up with empty fields, too
    if names[0].startswith(COMMENT):
        return int(len(row) >= width)
    if not all(names[1:]):
        return 2
    return 4 if len(row) >= width else 3


def _is_second_header(header: list[str], row: list[str]) -> bool:
    """Tell whether a row says what columns are: Perseus' types, Firehose's kinds of values."""
    words = not any(like_a_number(tidy(field)) for field in row[1:])
    first, names = ("".join(one[:1]) for one in (row, header))  # a line may be empty
    return first.startswith("#!{") or (_REFERENCE.fullmatch(names) is not None and words)
