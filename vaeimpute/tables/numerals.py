"""How numbers are spelled: decimal commas, thousands separators, typeset signs and blanks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from vaeimpute.exceptions import Guess, TableError
from vaeimpute.tables.cells import is_number
from vaeimpute.tables.text import MISSING

_TYPESET = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f", " ")
    | dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", "")
    | {"\u2019": "'"}
)
# A spreadsheet's errors begin so and end so in every language: #DIV/0!, #WERT!, #NOMBRE?
_SPREADSHEET_ERROR = re.compile(r"#[^\s#]+[!?]")
_MANY = 5  # columns
_LIKE_A_NUMBER = re.compile(r"[-+]?[.,]?\d[\d.,' ]*([eEdD][-+]?\d+)?")


@dataclass(frozen=True)
class Spelling:
    """A decimal mark, and what divides thousands, if anything does.

    Examples
    --------
    >>> Spelling(",", ".").plain("-20.900,5")
    '-20900.5'
    >>> Spelling(".").plain("20,9") is None
    True
    """

    decimal: str
    thousands: str = ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        mark, whole = re.escape(self.decimal), r"\d+"
        if self.thousands:
            whole = rf"(\d+|[1-9]\d{{0,2}}({re.escape(self.thousands)}\d{{3}})+)"
        return re.compile(rf"[-+]?({whole}({mark}\d*)?|{mark}\d+)([eEdD][-+]?\d+)?")

    def plain(self, word: str) -> str | None:
        """Return a number as Python spells it; None for what is no number in this spelling."""
        if not self._pattern.fullmatch(word):
            return None
        if self.thousands:
            word = word.replace(self.thousands, "")
        return word.replace(self.decimal, ".").replace("D", "e").replace("d", "e")


POINTS = Spelling(".")
#: Those that are known; of two that say the same, the first counts.
SPELLINGS = (POINTS, Spelling(","), *(Spelling(d, t) for t in ",. '" for d in ".," if d != t))


def is_missing(word: str, codes: Iterable[str] = ()) -> bool:
    """Tell whether a tidy word stands for a missing value.

    Examples
    --------
    >>> [is_missing(word) for word in ("NA", "#WERT!", "ND", "0")]
    [True, True, False, False]
    """
    return word in ("", *MISSING, *codes) or _SPREADSHEET_ERROR.fullmatch(word) is not None


def tidy(word: str) -> str:
    """Replace typeset signs and blanks by those of a keyboard.

    Examples
    --------
    >>> tidy("\u22121.25\u00a0")
    '-1.25'
    """
    return (word if word.isascii() else word.translate(_TYPESET)).strip()


def like_a_number(word: str) -> bool:
    """Tell whether a tidy word is a number in some spelling, or could be taken for one."""
    return _LIKE_A_NUMBER.fullmatch(word) is not None


def find_spelling(columns: Sequence[Sequence[str]]) -> tuple[Spelling, tuple[str, ...]]:
    """Find the one spelling in which most columns are numbers.

    Parameters
    ----------
    columns : sequence of sequences of str
        Different tidy words of each column. Those that are not like a number do not count.

    Returns
    -------
    spelling : Spelling
    notes : tuple of str
        How numbers are read if not as Python does; a `Guess` if no word alone makes it clear.

    Raises
    ------
    TableError
        If two spellings fit and read different numbers.

    Examples
    --------
    >>> find_spelling([["20.900,00", "1,5"], ["7"]])
    (Spelling(decimal=',', thousands='.'), ("Numbers are read so: '20.900,00' is 20900.00.",))
    """
    numbers = [[word for word in words if like_a_number(word)] for words in columns]
    fits = {
        spelling: [
            words
            for words in numbers
            if words and all(spelling.plain(word) is not None for word in words)
        ]
        for spelling in SPELLINGS
    }
    most = max(map(len, fits.values()))
    best, *others = (spelling for spelling in SPELLINGS if len(fits[spelling]) == most)
    # One of many columns has lists, as of charges.
    if best == POINTS or (most >= _MANY and len(fits[POINTS]) == most - 1):
        return POINTS, ()
    odd = [word for words in fits[best] for word in words if POINTS.plain(word) is None]
    for other in others:
        for word in odd:
            first, second = best.plain(word), other.plain(word)
            if second is not None and float(first or 0) != float(second):
                raise TableError(
                    f"the number {word!r} can be {first} or {second}, and no other number says "
                    "which. Write numbers with decimal points, and nothing between thousands."
                )
    shown = max(odd, key=lambda word: len(set(word) & set(best.decimal + best.thousands)))
    note = f"Numbers are read so: {shown!r} is {best.plain(shown)}."
    clear = not best.thousands or {best.decimal, best.thousands} <= set(shown)
    return best, (note if clear else Guess(note),)


def to_numbers(table: pd.DataFrame, spelling: Spelling, codes: Sequence[str] = ()) -> pd.DataFrame:
    """Turn the columns of text into numbers that hold nothing else.

    Parameters
    ----------
    table : DataFrame
    spelling : Spelling
    codes : sequence of str
        What stands for a missing value besides `vaeimpute.tables.text.MISSING`.

    Returns
    -------
    DataFrame
        In other columns of text, numbers are spelled as Python spells them, and all words tidy.

    Examples
    --------
    >>> to_numbers(pd.DataFrame({"a": ["1,5", "#WERT!"], "b": ["high", "2,5"]}), Spelling(","))
         a     b
    0  1.5  high
    1  NaN   2.5
    """
    columns = {}
    for name, column in table.items():
        if is_number(column.dtype):
            columns[name] = column
            continue
        places, words = pd.factorize(column)
        words = [tidy(str(word)) for word in words]
        plain = ["nan" if is_missing(word, codes) else spelling.plain(word) for word in words]
        if all(word is not None and not math.isinf(float(word)) for word in plain):
            replaced = np.array([*plain, "nan"], dtype=np.float64)
        else:
            mixed = [number or word for number, word in zip(plain, words, strict=True)]
            replaced = np.array([*mixed, "nan"], dtype=object)
            replaced[replaced == "nan"] = np.nan
        columns[name] = replaced[places]  # where the column has NaN, places are -1: the last one
    return pd.DataFrame(columns, table.index)
