"""The rules by which a table decides a part of a claim: what each is in words, and its function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from vaeimpute.claims.comparisons import (
    MARGIN,
    Finding,
    Tables,
    compare_coefficients,
    compare_errors,
)
from vaeimpute.claims.intervals import Limits, numbers_of
from vaeimpute.claims.paper import Check
from vaeimpute.evaluation.convergence import first_stable_iteration

#: Concordance indices that differ by no more than this are similar.
CONCORDANCE_MARGIN = 0.01


def compare_value(
    table: pd.DataFrame,
    *,
    value: str,
    quantity: str,
    region: Limits,
    label: str,
    where: str = "",
    enough: str = "",
    reference: str = "",
    error: str = "",
    paper: float = np.nan,
    ran_away: bool | None = None,
) -> list[Finding]:
    """See whether an expression of columns lies in a region, in every row of a table.

    `label` names a row, with its columns in braces. `enough` is what it has to satisfy to tell
    anything, `ran_away` the answer where the number is NaN or infinite, `error` the column of its
    standard error. The first row that satisfies `reference` adds its columns to all rows, with
    ``reference_`` before their names.
    """
    finding = Finding(value, quantity=quantity, paper=paper)
    rows = table.query(where) if where else table
    if reference:
        beside = table.query(reference).head(1).add_prefix("reference_")
        rows = rows.merge(beside, how="cross")  # no row if there is no reference
    if rows.empty:
        return [replace(finding, note="the table has no row for it")]
    lower, upper = numbers_of(region)
    told = rows.eval(enough) if enough else [True] * len(rows)
    findings = []
    for (_, row), number, is_told in zip(rows.iterrows(), rows.eval(value), told, strict=True):
        half = 1.96 * row[error] if error else np.nan
        here = replace(
            finding, cell=label.format(**row), value=float(number),
            low=number - half, high=number + half,
        )  # fmt: skip
        if not is_told:
            here = replace(here, note="there is too little data")
        elif not np.isfinite(number):
            here = replace(here, meets=ran_away, note="" if ran_away else "not measured")
        else:
            here = replace(here, meets=bool(lower < number < upper))
        findings.append(here)
    return findings


def compare_share(
    table: pd.DataFrame, *, condition: str, least: float, where: str = ""
) -> list[Finding]:
    """See whether at least some share of the rows of a table satisfies a condition."""
    rows = table.query(where) if where else table
    if rows.empty:
        return [Finding(condition, quantity="share", note="the table has no row for it")]
    share = float(rows.eval(condition).mean())
    return [Finding(condition, "", share, quantity="share", meets=share >= least)]


def compare_iterations(table: pd.DataFrame) -> list[Finding]:
    """See whether iterative imputation settles: in its error, and in how much values change."""
    findings = []
    for (scenario, start), part in table.groupby(["scenario", "start"], sort=False):
        means = part.groupby("iteration")[["mae", "mean_change"]].mean()
        stable = first_stable_iteration(means["mae"])  # NaN if the values ran away
        change = means["mean_change"].get(4, np.nan) / means["mean_change"].get(1)
        for value, quantity, meets in (
            (stable, "error stable from iteration", stable <= 3),
            (change, "fourth change as a share of the first", change < 0.05),
        ):
            cell = f"{scenario}, {start}"
            findings.append(Finding(cell, "", value, quantity=quantity, meets=bool(meets)))
    return findings


def compare_winners(table: pd.DataFrame, *, methods: Sequence[str], least: float) -> list[Finding]:
    """See on which share of the genes each method is best."""
    part = table[table["method"].isin(methods)]
    errors = part.groupby(["feature", "method"])["mae"].mean().unstack().dropna()
    if set(errors) != set(methods):
        return [Finding("", quantity="share of genes", note="a method is not there")]
    shares = errors.idxmin(axis=1).value_counts(normalize=True).reindex(methods, fill_value=0.0)
    return [
        Finding(method, "", share, quantity="share of genes", meets=bool(share >= least))
        for method, share in shares.items()
    ]


def _of_first_table(function: Callable[..., list[Finding]]) -> Callable[..., list[Finding]]:
    """Give a rule the first of a check's tables that is there."""

    def rule(check: Check, tables: Tables, metric: str, **parameters: Any) -> list[Finding]:
        found = [tables[name] for name in check.tables if name in tables]
        if not found or found[0].empty:
            return [Finding(check.tables[0], note=f"there is no table {check.tables[0]}")]
        return function(found[0], **parameters)

    return rule


_ERRORS = "the 95 % interval of the relative difference of the errors lies"
_PATIENTS = "the 95 % interval over patients of the"

#: Rules on errors: what decides, in words, and between which limits the interval has to lie.
ERROR_RULES: dict[str, tuple[str, Limits]] = {
    "better": ("below zero", (None, 0)),
    "similar": ("within ±5 %", (-MARGIN, MARGIN)),
    "similar or better": ("below +5 %", (None, MARGIN)),
    "worse": ("above zero", (0, None)),
    "clearly worse": ("above +5 %", (MARGIN, None)),
    "hardly better": ("above -5 %", (-MARGIN, None)),
}

#: Every rule: what decides, in words, and the function that looks at the tables.
RULES: dict[str, tuple[str, Callable[..., list[Finding]]]] = {
    **{
        name: (f"{_ERRORS} {where}", partial(compare_errors, limits=limits))
        for name, (where, limits) in ERROR_RULES.items()
    },
    **{
        name: (
            f"{_PATIENTS} {what}",
            partial(compare_coefficients, limits=limits, measure=measure, margin=margin),
        )
        for name, what, measure, limits, margin in (
            ("higher concordance", "difference in concordance lies above zero", "concordance",
             (0, None), CONCORDANCE_MARGIN),
            ("similar concordance", "difference in concordance lies within ±0.01", "concordance",
             (-CONCORDANCE_MARGIN, CONCORDANCE_MARGIN), CONCORDANCE_MARGIN),
            ("smaller variance", "relative difference of the variances lies below zero",
             "variance", (None, 0), MARGIN),
            ("more near zero", "difference in the share near zero lies above zero", "near_zero",
             (0, None), CONCORDANCE_MARGIN),
        )
    },
    "value": ("the figure lies beyond the stated limit", _of_first_table(compare_value)),
    "share": ("the stated share of the rows or more is so", _of_first_table(compare_share)),
    "stable": (
        "from iteration 3 on the error stays within 1 % of the last one, and the next iteration "
        "changes less than 5 % of what the first did",
        _of_first_table(compare_iterations),
    ),
    "winners": (
        "each method is best on at least 5 % of the genes",
        _of_first_table(compare_winners),
    ),
}  # fmt: skip


def apply_rule(check: Check, tables: Tables, metric: str = "mae") -> list[Finding]:
    """Look at tables by the rule of a check; at least one finding comes back, if only why not."""
    return RULES[check.rule][1](check, tables, metric, **check.parameters)


def sum_up(groups: Iterable[tuple[str | float, Sequence[bool | None]]]) -> str:
    """Sum up the cells of all checks of a claim.

    Parameters
    ----------
    groups : iterable of (needs, cells)
        Of every check: how many cells have to be as claimed (all, most or a share), and whether
        each is.

    Returns
    -------
    str
        ``"holds"`` if enough are in every check; ``"holds in part"`` if some are; ``"does not
        hold"`` if none is; and ``"cannot be told"`` if that depends on cells of which it is not
        known.

    Examples
    --------
    >>> [sum_up([("all", c)]) for c in ([True, True], [True, False, None], [False], [True, None])]
    ['holds', 'holds in part', 'does not hold', 'cannot be told']
    """
    groups = [(needs, list(cells)) for needs, cells in groups]

    def verdict(unknown: bool) -> str:
        filled = [(n, [unknown if c is None else c for c in cells]) for n, cells in groups]
        if all(_enough(needs, cells) for needs, cells in filled):
            return "holds"
        return "holds in part" if any(any(c) for _, c in filled) else "does not hold"

    at_best, at_worst = verdict(True), verdict(False)
    return at_best if at_best == at_worst else "cannot be told"


def _enough(needs: str | float, cells: Sequence[bool]) -> bool:
    share = sum(cells) / len(cells)
    if needs == "most":
        return share > 0.5
    return share >= (1 if needs == "all" else float(needs))
