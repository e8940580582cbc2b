"""The paper's claims as data: what each says, what decides it, and the numbers printed beside.

The claims themselves are in ``paper.yml``, and what is judged beside them in ``beyond.yml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import pandas as pd
import yaml

#: The scenarios in which 5, 10, 20 and 30 % of the values count as low.
LOW_VALUE_SCENARIOS = {
    "mnar_low_values_05": 5.0,
    "mnar_low_values": 10.0,
    "mnar_low_values_20": 20.0,
    "mnar_low_values_30": 30.0,
}
#: The scenarios of Table 2.
CLINICAL_SCENARIOS = ("mcar_10", "mnar_high_gc", "mnar_whole_genes", "mnar_low_values")


@dataclass(frozen=True, eq=False)
class Check:
    """One part of a claim that a table can decide.

    Attributes
    ----------
    rule : str
        A key of `vaeimpute.claims.rules.RULES`.
    tables : tuple of str
        Names of the tables to look in; of each cell, the first that can decide it does.
    needs : {"all", "most"}
        How many of the cells have to be as claimed.
    parameters : mapping
        What the rule needs besides: cells, pairs that are compared, limits.
    """

    rule: str
    tables: tuple[str, ...]
    needs: str = "all"
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """Something the paper says.

    Attributes
    ----------
    id : str
        Ours.
    section : str
        Of the paper.
    chapter : int
        The chapter of this book that deals with it.
    words : str
        What it says, in our words.
    checks : tuple of Check
        It holds if all of them are passed.
    needs : float, optional
        The share of the cells of all checks by which it holds instead.
    trap : str
        What to beware of in reading the verdict.
    printed : str
        The numbers that the paper prints.
    """

    id: str
    section: str
    chapter: int
    words: str
    checks: tuple[Check, ...]
    needs: float | None = None
    trap: str = ""
    printed: str = ""


def _read_claims(file: str) -> tuple[dict[str, Claim], dict[str, str]]:
    text = resources.files(__package__).joinpath(file).read_text("utf-8")
    records = yaml.safe_load(text)
    del records["shared"]
    tables = records.pop("tables")
    return {
        key: Claim(key, **{**record, "checks": tuple(map(_check, record["checks"]))})
        for key, record in records.items()
    }, tables


def _check(record: Mapping[str, Any]) -> Check:
    parameters = dict(record)
    rule, tables = parameters.pop("rule"), tuple(parameters.pop("tables"))
    return Check(rule, tables, parameters.pop("needs", "all"), parameters)


#: The claims by their ids, ``"C1"`` to ``"C42"``.
CLAIMS: dict[str, Claim]
#: Who writes the tables that they ask for, such as ``"experiment low_values"``.
TABLES: dict[str, str]
CLAIMS, TABLES = _read_claims("paper.yml")
#: What the paper does not claim and a reader asks, by the ids ``"B1"`` and so on.
BEYOND, _ = _read_claims("beyond.yml")

# Outcome, method, and per scenario the concordance index with the half-width of its interval.
_TABLE_2 = """
grade    KNN    0.980 0.001  0.949 0.002  0.918 0.005  0.977 0.001
grade    VAE    0.982 0.001  0.958 0.001  0.932 0.004  0.983 0.001
grade    SVD    0.982 0.001  0.958 0.001  0.939 0.005  0.986 0.000
grade    random 0.950 0.001  0.816 0.006  0.500 0.004  0.906 0.007
survival KNN    0.969 0.002  0.917 0.006  0.851 0.004  0.963 0.002
survival VAE    0.974 0.001  0.931 0.004  0.881 0.005  0.971 0.002
survival SVD    0.972 0.002  0.933 0.006  0.906 0.006  0.976 0.002
survival random 0.873 0.050  0.717 0.016  0.508 0.010  0.842 0.013
"""


def table_2() -> pd.DataFrame:
    """Return the concordance indices that the paper prints in its Table 2.

    Returns
    -------
    DataFrame
        Tidy: ``outcome``, ``method``, ``scenario``, ``mean`` and ``half_width`` of the 95 %
        interval over ten trials.

    Examples
    --------
    >>> table_2().query("outcome == 'grade' and scenario == 'mcar_10'")["mean"].tolist()
    [0.98, 0.982, 0.982, 0.95]
    """
    rows = []
    for line in _TABLE_2.strip().splitlines():
        outcome, method, *numbers = line.split()
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        for scenario, (mean, half_width) in zip(CLINICAL_SCENARIOS, pairs, strict=True):
            rows.append((outcome, method, scenario, float(mean), float(half_width)))
    columns = ["outcome", "method", "scenario", "mean", "half_width"]
    return pd.DataFrame(rows, columns=columns)
