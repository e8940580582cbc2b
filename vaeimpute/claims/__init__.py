"""The paper's claims as data, and judging them by tables of results."""

from vaeimpute.claims.judge import (
    VERDICTS,
    Judgement,
    compare_runs,
    judge,
    judge_closest,
    judge_group,
    list_findings,
    scraps,
    sentence,
    tabulate,
)
from vaeimpute.claims.paper import BEYOND, CLAIMS, Check, Claim, table_2
from vaeimpute.claims.runs import Run, closest_run, load_all_runs, load_runs

__all__ = [
    "BEYOND",
    "CLAIMS",
    "VERDICTS",
    "Check",
    "Claim",
    "Judgement",
    "Run",
    "closest_run",
    "compare_runs",
    "judge",
    "judge_closest",
    "judge_group",
    "list_findings",
    "load_all_runs",
    "load_runs",
    "scraps",
    "sentence",
    "table_2",
    "tabulate",
]
