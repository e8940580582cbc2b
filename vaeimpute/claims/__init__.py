"""The paper's claims as data, and judging them by tables of results."""

from vaeimpute.claims.judge import (
    VERDICTS,
    Judgement,
    Run,
    compare_runs,
    judge,
    judge_group,
    load_runs,
    sentence,
    tabulate,
)
from vaeimpute.claims.paper import CLAIMS, Check, Claim, table_2

__all__ = [
    "CLAIMS",
    "VERDICTS",
    "Check",
    "Claim",
    "Judgement",
    "Run",
    "compare_runs",
    "judge",
    "judge_group",
    "load_runs",
    "sentence",
    "table_2",
    "tabulate",
]
