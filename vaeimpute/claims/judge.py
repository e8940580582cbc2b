"""Judging the claims by tables of results, and the words and tables that show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from vaeimpute.claims.comparisons import Finding
from vaeimpute.claims.paper import CLAIMS, Check, Claim
from vaeimpute.claims.rules import ERROR_RULES, RULES, apply_rule, sum_up
from vaeimpute.claims.runs import Run
from vaeimpute.missingness import scenario_label

#: All verdicts there are.
VERDICTS = ("holds", "holds in part", "does not hold", "cannot be told", "not testable here")


class Results(Protocol):
    """What `vaeimpute.experiments.run_experiment` returns: a table, and others that go with it."""

    @property
    def table(self) -> pd.DataFrame:
        """The table itself."""
        ...

    @property
    def beside(self) -> Mapping[str, pd.DataFrame]:
        """Such as ``samples``, the errors by test sample, and ``draws`` of patients."""
        ...


Tables = Mapping[str, pd.DataFrame | Results]


@dataclass(frozen=True, eq=False)
class Judgement:
    """The verdict on a claim by the tables of one run.

    Attributes
    ----------
    claim : Claim
    verdict : str
        One of `VERDICTS`.
    figures : DataFrame
        One row per cell, with the attributes of `vaeimpute.claims.comparisons.Finding` as columns.
    rmse : Judgement or None
        The same by the true RMSE instead of the mean absolute error, which the paper calls by that
        name; None if the claim is not on errors or the tables do not tell.
    """

    claim: Claim
    verdict: str
    figures: pd.DataFrame
    rmse: Judgement | None = None

    @property
    def by_rmse(self) -> str | None:
        """The verdict by the true RMSE."""
        return None if self.rmse is None else self.rmse.verdict

    @property
    def count(self) -> str:
        """How many cells are as claimed, such as ``"4 of 6"``."""
        return f"{self.figures['meets'].eq(True).sum()} of {len(self.figures)}"

    @property
    def n(self) -> str:
        """What the intervals are over, such as ``"10 splits"``."""
        found = self.figures[self.figures["n"] > 0].groupby("unit", sort=False)["n"]
        ranges = ((unit, n.min(), n.max()) for unit, n in found)
        return ", ".join(
            f"{least} {unit.removesuffix('s') if most == 1 else unit}"
            if least == most
            else f"{least} to {most} {unit}"
            for unit, least, most in ranges
        )

    @property
    def reason(self) -> str:
        """Why cells could not be judged; empty if all could."""
        return _first(filter(None, self.figures["note"]))

    @property
    def why(self) -> str:
        """Which cells are as claimed or not, whichever are fewer, and why others are not known."""
        known = self.figures[self.figures["meets"].notna()]
        met, failed = (
            list(dict.fromkeys(map(_place, rows.itertuples())))
            for rows in (known[known["meets"].eq(True)], known[known["meets"].eq(False)])
        )
        if not failed and len(known) == len(self.figures):
            return "All cells are as claimed."
        parts = []
        if known["meets"].eq(False).sum() == len(self.figures) > 1:
            parts = ["No cell is as claimed."]
        elif failed:
            fewer = (
                ("As claimed", met) if 0 < len(met) < len(failed) else ("Not as claimed", failed)
            )
            parts = [f"{fewer[0]}: {_first(fewer[1], 6)}."]
        return " ".join(parts + ([f"Not known: {self.reason}."] if self.reason else []))

    @property
    def extremes(self) -> str:
        """The smallest and the largest figure, with their intervals; by quantity if there are two.

        A relative difference is in percent.
        """
        known = self.figures.dropna(subset="value")
        texts = []
        for quantity, rows in known.groupby("quantity", sort=False):
            ordered = rows.sort_values("value", kind="stable")
            ends = list(ordered.iloc[[0, -1] if len(ordered) > 1 else [0]].itertuples())
            numbers = list(dict.fromkeys(map(_number, ends)))
            if len(numbers) < len(ends):
                texts.append(f"{quantity} {numbers[0]} in every cell")
            else:
                pairs = zip(numbers, map(_place, ends), strict=True)
                texts.append(f"{quantity} " + " to ".join(f"{n} ({p})" for n, p in pairs))
        return "; ".join(texts)

    @property
    def rule(self) -> str:
        """What decides the claim, in words."""
        most = {"all": "", "most": " in more than half of the cells"}
        words = (RULES[check.rule][0] + most[check.needs] for check in self.claim.checks)
        needs = self.claim.needs
        return "; ".join(dict.fromkeys(words)) + (
            f" in {100 * needs:.0f} % of the cells" if needs else ""
        )


def judge(
    claim: str | Claim, tables: pd.DataFrame | Results | Tables | Run, *, simulated_gc: bool = False
) -> Judgement:
    """Judge a claim by the tables of one run.

    Parameters
    ----------
    claim : str or Claim
        A key of `CLAIMS`, or a claim of your own.
    tables : DataFrame, results of an experiment, mapping of str to either, or Run
        By the names that the claim's checks look for; a single one takes the name that is looked
        for first. Errors by test sample (``cohort, scenario, method, sample, mae, mse,
        n_missing``) are called as their table, with ``_samples`` behind; results of an experiment
        have their own. The tables of a run are not to change once it has been judged.
    simulated_gc : bool
        The GC content of the genes was simulated; what a run says of it takes precedence.

    Returns
    -------
    Judgement

    Raises
    ------
    ValueError
        If there is no such claim, or a table has several cohorts.

    Examples
    --------
    >>> rows = [(seed, scenario, method, error + 0.01 * seed)
    ...         for seed in range(10) for scenario in ("mcar_05", "mcar_10", "mcar_30")
    ...         for method, error in (("VAE", 0.5), ("KNN", 0.6))]
    >>> table = pd.DataFrame(rows, columns=["seed", "scenario", "method", "mae"])
    >>> found = judge("C15", table)
    >>> found.verdict, found.count, found.n
    ('holds', '3 of 3', '10 splits')
    """
    if isinstance(claim, str):
        if claim not in CLAIMS:
            raise ValueError(f"There is no claim {claim!r}; there are {', '.join(CLAIMS)}.")
        claim = CLAIMS[claim]
    if not isinstance(tables, Run):
        if not isinstance(tables, Mapping):
            tables = {claim.checks[0].tables[0]: tables}
        gc_source = {"gc_source": "simulated"} if simulated_gc else {}
        tables = Run("", "", "", _by_name(tables), {"": {"parameters": gc_source}})
    run, names = tables, {name for check in claim.checks for name in check.tables}
    for table in (run.tables[name] for name in names & run.tables.keys()):
        if "cohort" in table and len(table["cohort"].unique()) > 1:
            raise ValueError(f"Expected one cohort in every table that {claim.id} is judged by.")
    found = _judge(claim, run, "mae")
    if not any(check.rule in ERROR_RULES for check in claim.checks):
        return found
    rmse = _judge(claim, run, "rmse")
    return replace(found, rmse=rmse if rmse.figures["low"].notna().any() else None)


def _by_name(tables: Tables) -> dict[str, pd.DataFrame]:
    """Name what goes with a table after it."""
    named = {}
    for name, found in tables.items():
        if isinstance(found, pd.DataFrame):
            named[name] = found
        else:
            named[name] = found.table
            named |= {f"{name}_{other}": table for other, table in found.beside.items()}
    return named


def _find(check: Check, run: Run, metric: str) -> list[Finding]:
    """See what a check finds in a run: once, because pages ask for it again and again."""
    if (check, metric) not in run.findings:
        if run.simulated_gc and check.parameters.get("real_gc"):
            found = [Finding(cell, note="the GC content is simulated", testable=False)
                     for cell in check.parameters["cells"]]  # fmt: skip
        else:
            found = apply_rule(check, run.tables, metric)
        run.findings[check, metric] = found
    return run.findings[check, metric]


def _judge(claim: Claim, run: Run, metric: str) -> Judgement:
    groups: list[tuple[str | float, list[Finding]]] = [
        (check.needs, _find(check, run, metric)) for check in claim.checks
    ]
    if claim.needs is not None:
        groups = [(claim.needs, [finding for _, findings in groups for finding in findings])]
    found = [finding for _, findings in groups for finding in findings]
    verdict = sum_up((needs, [finding.meets for finding in fs]) for needs, fs in groups)
    if not any(finding.testable for finding in found):
        verdict = "not testable here"
    table = pd.DataFrame([asdict(finding) for finding in found]).astype({"meets": object})
    return Judgement(claim, verdict, table)


def judge_group(
    group: int | str | Iterable[str], tables: Tables | Run, **options: Any
) -> dict[str, Judgement]:
    """Judge all claims of a chapter of the book, of a section of the paper, or of a list.

    Parameters
    ----------
    group : int, str or iterable of str
        A chapter; a section as it is called in `Claim.section`; or ids.
    tables, **options
        As for `judge`.

    Returns
    -------
    dict of str to Judgement
        By the ids.

    Examples
    --------
    >>> {id: found.verdict for id, found in judge_group("Figure 5", {}).items()}
    {'C38': 'cannot be told', 'C39': 'cannot be told'}
    """
    if isinstance(group, int):
        group = [claim.id for claim in CLAIMS.values() if claim.chapter == group]
    elif isinstance(group, str):
        group = [claim.id for claim in CLAIMS.values() if claim.section == group]
    return {claim: judge(claim, tables, **options) for claim in group}


def judge_closest(claim: str | Claim, runs: Iterable[Run]) -> tuple[Run, Judgement] | None:
    """Judge a claim by the run closest to the paper.

    Parameters
    ----------
    claim : str or Claim
    runs : iterable of Run
        The closest first, as `vaeimpute.claims.load_all_runs` returns them.

    Returns
    -------
    run : Run
        The first that can tell of the claim, or else the first with a table for it. Where parts of
        a claim ask for different tables, as when it is about expression and methylation, each has
        a run of its own, and these are put together.
    found : Judgement
        All is None if no run has a table for it.
    """
    claim = CLAIMS[claim] if isinstance(claim, str) else claim
    parts: dict[tuple[str, ...], list[Check]] = {}
    for check in claim.checks:
        parts.setdefault(check.tables, []).append(check)
    chosen = []
    for tables, checks in parts.items():
        part = replace(claim, checks=tuple(checks), needs=None)
        there = [run for run in runs if run.has(tables)]
        told = (run for run in there if _judge(part, run, "mae").figures["meets"].notna().any())
        first = next(told, there[0] if there else None)
        chosen += [(first, first.only(tables))] if first else []
    if not chosen:
        return None
    run = Run.together(only for _, only in chosen)
    return run, judge(claim, chosen[0][0] if len(parts) == 1 else run)


def sentence(found: Judgement) -> str:
    """Say in a sentence of Markdown what a claim is, whether it holds, and by what.

    Examples
    --------
    >>> sentence(judge("C38", {}))
    'Errors are similar for beta 0 and 1: **cannot be told** (there is no table beta_vae).'
    """
    claim = found.claim.words[0].upper() + found.claim.words[1:]
    known = found.figures["meets"].notna().any()
    cells = f"{found.count} cells" if known else ""
    intervals = f"95 % intervals over {found.n}" if found.n else ""
    parts = filter(None, (cells, found.extremes, intervals, found.reason))
    end = ""
    if found.by_rmse not in (None, found.verdict):
        end = f" By the true RMSE: **{found.by_rmse}**."
    return f"{claim}: **{found.verdict}** ({'; '.join(parts)}).{end}"


def _number(row: Any) -> str:
    """Write a figure with its interval; relative differences in percent."""
    percent = row.quantity == "relative difference"
    numbers = [100 * x if percent else x for x in (row.value, row.low, row.high)]
    as_text = [f"{x:+.1f}" if percent else _three_digits(x) for x in numbers]
    unit = " %" if percent else ""
    interval = "" if np.isnan(row.low) else f" [{as_text[1]}, {as_text[2]}]"
    paper = "" if np.isnan(row.paper) else f", in the paper {_three_digits(row.paper)}"
    return f"{as_text[0]}{unit}{interval}{paper}"


def _three_digits(number: float) -> str:
    if abs(number) < 1e-3 or not np.isfinite(number):
        return f"{number:.3g}"
    return np.format_float_positional(number, precision=3, fractional=False, trim="-")


def _place(row: Any) -> str:
    """Say of which cell a figure is, and what is compared there."""
    cell = ", ".join(scenario_label(part) for part in row.cell.split(", "))
    return ", ".join(filter(None, (cell, row.compared)))


def _first(texts: Iterable[str], limit: int = 3) -> str:
    """Join different texts, but no more than a few."""
    different = list(dict.fromkeys(texts))
    return "; ".join(different[:limit]) + (" and so on" if len(different) > limit else "")


def tabulate(judgements: Mapping[str, Judgement]) -> pd.DataFrame:
    """Put the verdicts of one run into a table.

    Returns
    -------
    DataFrame of str
        By id: ``claim``, ``verdict``, ``cells`` (how many are as claimed), ``figures``, ``n``,
        ``by RMSE`` (only where it changes the verdict), ``paper`` (what it prints), ``rule`` and
        ``reason``.

    Examples
    --------
    >>> tabulate(judge_group(["C38"], {}))[["verdict", "cells"]].values.tolist()
    [['cannot be told', '0 of 3']]
    """
    rows = {
        id: {
            "claim": found.claim.words,
            "verdict": found.verdict,
            "cells": found.count,
            "figures": found.extremes,
            "n": found.n,
            "by RMSE": "" if found.by_rmse in (None, found.verdict) else found.by_rmse,
            "paper": found.claim.printed,
            "rule": found.rule,
            "reason": found.reason,
        }
        for id, found in judgements.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("id")


def list_findings(judgements: Mapping[str, Judgement]) -> pd.DataFrame:
    """Put what the verdicts of one run rest on into a table.

    Returns
    -------
    DataFrame
        The figures of all claims below each other, with their ids in the column ``claim``.

    Examples
    --------
    >>> list_findings(judge_group(["C38"], {}))["claim"].unique()
    array(['C38'], dtype=object)
    """
    figures = {id: found.figures for id, found in judgements.items()}
    return pd.concat(figures, names=["claim", "row"]).reset_index("claim").reset_index(drop=True)


def scraps(judgements: Mapping[str, Judgement], cohort: str) -> dict[str, str]:
    """Return what a chapter glues for other pages, by key.

    Parameters
    ----------
    judgements : mapping of str to Judgement
    cohort : str
        What they were made by.

    Returns
    -------
    dict of str to str
        Of each claim the verdict, what it rests on, and the figures, such as ``verdict_C15``,
        ``basis_C15`` and ``figures_C15``.
    """
    texts = {}
    for id, found in judgements.items():
        texts[f"verdict_{id}"] = found.verdict
        texts[f"basis_{id}"] = ", ".join(filter(None, (cohort, found.n)))
        texts[f"figures_{id}"] = found.extremes
    return texts


def compare_runs(runs: Mapping[str, Mapping[str, Judgement]]) -> pd.DataFrame:
    """Put the verdicts of several runs side by side: claims in rows, runs in columns.

    Parameters
    ----------
    runs : mapping of str to mapping of str to Judgement
        What `judge_group` returns, by the name of the run.

    Returns
    -------
    DataFrame of str
        By the claims' words.

    Examples
    --------
    >>> compare_runs({"here": judge_group(["C38"], {})})["here"].tolist()
    ['cannot be told']
    """
    verdicts = {
        run: {found.claim.words: found.verdict for found in judgements.values()}
        for run, judgements in runs.items()
    }
    return pd.DataFrame(verdicts).rename_axis("claim")
