"""The paper's claims as data, and judging them by tables of results."""

from vaeimpute.claims.judge import (
    VERDICTS,
    Judgement,
    compare_runs,
    judge,
    judge_closest,
    judge_group,
    sentence,
    tabulate,
)
from vaeimpute.claims.paper import BEYOND, CLAIMS, Check, Claim, table_2
from vaeimpute.claims.runs import Run, load_all_runs, load_runs

__all__ = [
    "BEYOND",
    "CLAIMS",
    "VERDICTS",
    "Check",
    "Claim",
    "Judgement",
    "Run",
    "compare_runs",
    "judge",
    "judge_closest",
    "judge_group",
    "load_all_runs",
    "load_runs",
    "sentence",
    "table_2",
    "tabulate",
]
