"""How the tables in ``results/`` were made, and by which command each is made again."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from vaeimpute.claims.paper import TABLES
from vaeimpute.experiments.catalogue import EXPERIMENTS
from vaeimpute.profiles import read_profile

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def stored_tables(results: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Return every table, but for those that go with another, and its provenance."""
    found = []
    for origin in sorted(results.rglob("*.provenance.json")):
        name = origin.name.removesuffix(".provenance.json")
        if not name.endswith(("_samples", "_draws", "_epochs")):
            record = json.loads(origin.read_text(encoding="utf-8"))
            found.append((origin.with_name(f"{name}.csv"), record))
    return found


def command_for(table: Path, record: Mapping[str, Any]) -> str:
    """Return the command that makes a table anew, or nothing if none does any more.

    Methods that were added to it are added by a second one.
    """
    name, parameters = table.stem, record["parameters"]
    if table.parent.name == "benchmarks":
        by_hand = name.startswith(("devices", "mechanisms", "peer_errors", "repeatability"))
        return _script(record) if by_hand else "make bench"
    kind, _, maker = TABLES.get(name, "").partition(" ")
    script = maker if kind == "benchmark" else name
    if (BENCHMARKS / f"{script}.py").exists():
        return _script(record)
    experiment = name if name in EXPERIMENTS else maker
    if experiment not in EXPERIMENTS:
        return ""
    profile, *changed = table.parent.name.split(",")
    sizes = read_profile(profile).parameters()
    names = {change.partition("=")[0] for change in changed} | {"n_trials"}
    words = ["vaeimpute", "reproduce", experiment, "--cohort", parameters["cohort"]]
    words += ["--profile", profile]
    for key in sorted(names & set(parameters)):
        if parameters[key] != sizes[key]:
            words += ["--set", f"{key}={parameters[key]}"]
    rows = []
    n_splits = parameters.get("n_splits", len(parameters.get("seeds", [0])))
    if n_splits > 1:
        rows += ["--splits", str(n_splits)]
    if parameters.get("seed"):
        rows += ["--seed", str(parameters["seed"])]
    without = re.findall(r"--without (.+?)(?= --|$)", record["command"])
    choices = [[word for method in without for word in ("--without", method)]]
    if "added" in record:
        added = dict.fromkeys(method for one in record["added"] for method in one["methods"])
        choices.append([word for method in added for word in ("--add", method)])
    return " && ".join(shlex.join([*words, *choice, *rows]) for choice in choices)


def _script(record: Mapping[str, Any]) -> str:
    """Return the commands of a benchmark, but for where it should write."""
    commands = re.sub(r" --(output|store) \S+", "", record["command"]).split("; ")
    return " && ".join(f"python benchmarks/{command}" for command in commands)


def table_of_tables(results: Path) -> str:
    """Return a table in Markdown of the stored tables."""
    lines = ["| table | made again by | hours | on | code, day |", "|---|---|---|---|---|"]
    for table, record in stored_tables(results):
        command = command_for(table, record)
        seconds = sum(one.get("seconds", 0) for one in (record, *record.get("added", ())))
        hours = f"{seconds / 3600:.1f}" if "seconds" in record else "not recorded"
        code = f"{record['commit'][:7]}{' with changes' if record.get('modified') else ''}"
        cells = [
            f"`{table.relative_to(results)}`",
            f"`{command}`" if command else "a script that is not kept",
            hours,
            record.get("hardware", "not recorded"),
            f"{code}, {record['date']}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def tolerances(results: Path) -> str:
    """Say in Markdown how far two runs of the same commands came apart in their errors."""
    twice = pd.read_csv(results / "benchmarks" / "repeatability.csv")
    twice = twice[twice["column"].isin(["mae", "rmse", "mse", "coverage_95"])]
    shown = twice.groupby(["compared", "table", "methods"], sort=False)
    lines = ["| runs | table | methods | median | largest |", "|---|---|---|---|---|"]
    lines += [
        f"| {compared} | `{table}` | {methods} "
        f"| {100 * row['median']:.1f} % | {100 * row['largest']:.1f} % |"
        for (compared, table, methods), row in shown[["median", "largest"]].max().iterrows()
    ]
    return "\n".join(lines) + "\n"
