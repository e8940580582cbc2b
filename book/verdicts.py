"""What pages say of the paper's claims, from the tables in ``results/`` and what chapters glue."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

from vaeimpute.claims import (
    BEYOND,
    CLAIMS,
    VERDICTS,
    Judgement,
    Run,
    judge,
    judge_closest,
    load_all_runs,
)
from vaeimpute.claims.paper import TABLES
from vaeimpute.claims.runs import describe_network
from vaeimpute.methods import METHODS
from vaeimpute.missingness import scenario_label

SYMBOLS = dict(zip(VERDICTS, "●◐○?–", strict=True))
LEADS = dict(zip(VERDICTS, ("Yes", "In part", "No", "Not known", "Not known"), strict=True))
# What a reader wants to know first, and the claims that answer it; the first one says yes or no.
QUESTIONS = {
    "Is the VAE similar to KNN and SVD or better in the vast majority of scenarios?": ("C3",),
    "Does it beat KNN?": ("C16", "C15"),
    "Does it match the paper's SVD?": ("C17", "B2"),
    "Does it match a conditional Gaussian, which the paper left out?": ("B1", "B3"),
    "Does the shift correction help where low values are missing, if the VAE alone is informed?": (
        "C22",
        "C23",
        "B4",
    ),
    "Are the others hard to inform in the same way?": ("C2",),
    "Does a beta above 1 make it worse?": ("C39", "C38"),
    "Does a plain autoencoder really fail?": ("C40", "C4"),
    "Is the VAE faster than the others by orders of magnitude?": ("C33", "C34", "C35"),
}


@dataclass(frozen=True)
class Row:
    """A claim by one run, in words.

    `by` has the names of runs, or of a chapter; `basis` describes them for a reader.
    """

    by: tuple[str, ...]
    basis: str
    verdict: str
    cells: str = ""
    figures: str = ""
    n: str = ""
    why: str = ""

    @property
    def told(self) -> bool:
        """Whether the claim could be decided."""
        return self.verdict in VERDICTS[:3]

    @property
    def badge(self) -> str:
        """The verdict in HTML: a sign, the words, and a class for the colour."""
        return self._span(f"{SYMBOLS[self.verdict]} {self.verdict}")

    @property
    def sign(self) -> str:
        """The same where there is no place for the words, which are read aloud and on hovering."""
        words = f'<span class="visually-hidden">{self.verdict}</span>'
        return self._span(SYMBOLS[self.verdict] + words, f' title="{self.verdict}"')

    def _span(self, content: str, attributes: str = "") -> str:
        number = VERDICTS.index(self.verdict)
        return f'<span class="verdict verdict-{number}"{attributes}>{content}</span>'


@dataclass(frozen=True)
class Board:
    """All claims by all runs: the runs, the closest to the paper first; and rows by id.

    `stored` are those of runs, by name; `answers` what the pages say: by the run closest to the
    paper that can tell, or else by a chapter.
    """

    runs: list[Run]
    stored: dict[str, dict[str, Row]]
    answers: dict[str, Row]


@cache  # it takes seconds, and several pages ask for it
def make_board(results: Path, chapters: tuple[Path, ...]) -> Board:
    """Judge all claims by the stored tables, and read what the executed chapters found."""
    runs = load_all_runs(results)
    stored: dict[str, dict[str, Row]] = {}
    answers = {}
    glued = rows_of_chapters(chapters)
    for id, claim in {**CLAIMS, **BEYOND}.items():
        asked = [name for check in claim.checks for name in check.tables]
        stored[id] = {run.name: _row(run, judge(claim, run)) for run in runs if run.has(asked)}
        closest = judge_closest(claim, runs)
        if closest:
            row = _row(*closest)
        else:
            by = TABLES[asked[0]]
            row = Row((), "", "cannot be told", why=f"No run has the table {asked[0]} ({by}).")
        answers[id] = glued[id] if not row.told and id in glued and glued[id].told else row
    return Board([run for run in runs if any(run.name in rows for rows in stored.values())],
                 stored, answers)  # fmt: skip


def _row(run: Run, found: Judgement) -> Row:
    why = found.why
    if found.by_rmse not in (None, found.verdict):
        why += f" By the true RMSE: {found.by_rmse}."
    figures = found.extremes
    return Row(tuple(run.name.split(" and ")), describe(run), found.verdict, found.count,
               _labelled(figures), found.n, _labelled(why))  # fmt: skip


def describe(run: Run) -> str:
    """Say which cohort, network, steps and splits a run is of."""
    return "benchmarks, 6600 x 17176 simulated" if run.name == "benchmarks" else run.description


def _labelled(text: str) -> str:
    """Put the names of scenarios in place of their keys, and minus signs before numbers."""
    text = re.sub(r"\b(mcar|mnar)_[\w+]+", lambda key: scenario_label(key[0]), text)
    return re.sub(r"(?<![\w.)])-(?=\d)", "\N{MINUS SIGN}", text)


def rows_of_chapters(chapters: Iterable[Path]) -> dict[str, Row]:
    """Read what chapters glue: ``verdict_C15``, its ``basis_C15`` and its ``figures_C15``.

    Raises
    ------
    ValueError
        If something else than a verdict is glued, or two chapters judge the same claim.
    """
    rows: dict[str, Row] = {}
    for chapter in chapters:
        notebook = nbformat.read(chapter, as_version=4)
        network = describe_network(_parameters(notebook))
        texts = _glued(notebook)
        for key in [key for key in texts if key.startswith("verdict_")]:
            id, verdict = key.removeprefix("verdict_"), texts[key]
            if verdict not in VERDICTS or id not in CLAIMS or id in rows:
                raise ValueError(f"{chapter.stem} glues {verdict!r} as {key}, which cannot be.")
            cohort, _, n = texts.get(f"basis_{id}", "").partition(", ")
            basis = ", ".join(filter(None, (cohort, network)))
            figures = texts.get(f"figures_{id}", "")
            name = f"chapter {int(chapter.stem[:2])}"
            rows[id] = Row((name,), f"{basis} ({name})", verdict, figures=_labelled(figures), n=n)
    return rows


def _glued(notebook: Any) -> dict[str, str]:
    """Return the texts on claims that a chapter glued, by their keys."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            scrap = output.get("metadata", {}).get("scrapbook", {"name": ""})
            if re.fullmatch(r"(verdict|basis|figures)_C\d+", scrap["name"]):
                text = output["data"][f"{scrap['mime_prefix']}text/plain"]
                found[scrap["name"]] = ast.literal_eval(text)
    return found


def _parameters(notebook: Any) -> dict[str, Any]:
    """Return the parameters that a chapter was executed with."""
    tags = {"parameters", "injected-parameters"}
    cells = [c.source for c in notebook.cells if tags & set(c.metadata.get("tags", []))]
    found = {}
    for node in ast.parse("\n".join(cells)).body:
        target = (
            node.target if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [None])[0]
        )
        if isinstance(target, ast.Name):
            found[target.id] = ast.literal_eval(node.value)
    return found


def count(board: Board) -> str:
    """Say how many of the paper's claims have each verdict."""
    counts = Counter(board.answers[id].verdict for id in CLAIMS)
    said = "; ".join(f"{SYMBOLS[v]} {v}: {counts[v]}" for v in VERDICTS if counts[v])
    return f"Of the paper's {len(CLAIMS)} claims: {said}."


def in_short(board: Board) -> str:
    """Return the questions in Markdown with figures, intervals, and what they rest on."""
    lines = [count(board), ""]
    for question, ids in QUESTIONS.items():
        answer = board.answers[ids[0]]
        others = other_runs(board, ids[0])
        others = f" (other runs: {others})" if others else ""
        lines += [f"**{question}** {LEADS[answer.verdict]}{others}.", ""]
        for id in ids:
            claim, row = {**CLAIMS, **BEYOND}[id], board.answers[id]
            words = f"[{id}](#claim-{id.lower()}) {_capital(claim.words)}"
            lines.append(f"- {words}: {row.badge}. {_evidence(row)}")
        lines.append("")
    return "\n".join(lines)


def other_runs(board: Board, id: str) -> str:
    """Say how many of the runs that the answer does not come from give each verdict."""
    by = board.answers[id].by
    verdicts = Counter(row.verdict for name, row in board.stored[id].items() if name not in by)
    return ", ".join(f"{SYMBOLS[v]} {verdicts[v]}" for v in VERDICTS if verdicts[v])


def _evidence(row: Row) -> str:
    """Say in a paragraph by what a claim was judged."""
    cells = f"{row.cells} cells as claimed" if row.cells and row.told else ""
    why = row.why.removeprefix("All cells are as claimed.")  # their number says so
    n = f"95 % intervals over {row.n}" if row.n else ""
    figures = "; ".join(filter(None, (cells, row.figures, n)))
    parts = (
        f"{_capital(figures)}." if figures else "",
        why.strip(),
        f"*{row.basis}*" if row.basis else "",
    )
    return " ".join(filter(None, parts))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def table_of_runs(board: Board) -> str:
    """Return the runs as a list, and a map: claims in rows, the answer and all runs in columns."""
    numbers = {run.name: number for number, run in enumerate(board.runs, 1)}
    runs = [f"{number}. {_describe_fully(run)}" for number, run in enumerate(board.runs, 1)]
    head = "".join(
        f'<th scope="col" data-run="{name}">{number}</th>' for name, number in numbers.items()
    )
    body = []
    for id, claim in {**CLAIMS, **BEYOND}.items():
        row = board.answers[id]
        by = [f"run {numbers[name]}" if name in numbers else name for name in row.by]
        cells = [f"{row.badge}<br><small>{' and '.join(by)}</small>"]
        cells += [
            board.stored[id][name].sign if name in board.stored[id] else "" for name in numbers
        ]
        body.append(
            f'<tr><th scope="row"><a href="#claim-{id.lower()}">{id}</a> {claim.words}</th>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    return "\n".join([
        *runs, "", '<div class="verdict-map"><table class="table">',
        f'<thead><tr><th scope="col">claim</th><th scope="col">answer</th>{head}</tr></thead>',
        "<tbody>", *body, "</tbody></table></div>", "",
    ])  # fmt: skip


def _describe_fully(run: Run) -> str:
    steps = f"{run.steps} steps" if run.steps else ""
    return ", ".join(filter(None, (run.cohort, run.network, steps, run.n_splits, run.profile)))


def every_claim(board: Board, chapters: Iterable[Path]) -> str:
    """Return in Markdown of every claim its verdict, figures and rule, and all runs."""
    links = {int(path.stem[:2]): path.stem for path in chapters}
    lines = []
    for id, claim in {**CLAIMS, **BEYOND}.items():
        row = board.answers[id]
        link = f"{{doc}}`chapter {claim.chapter} <../notebooks/{links[claim.chapter]}>`"
        words = f"**{id}. {_capital(claim.words)}:** {row.badge}"
        lines += [f"(claim-{id.lower()})=", words, ""]
        lines += [f"- {_evidence(row)}"]
        printed = f", {claim.printed}" if claim.printed and claim.printed != claim.section else ""
        where = "Not in the paper" if id in BEYOND else f"In the paper: {claim.section}{printed}"
        lines += [f"- {where}. More in {link}."]
        lines += [f"- The rule: {judge(claim, {}).rule}.{' ' + claim.trap if claim.trap else ''}"]
        others = {name: r for name, r in board.stored[id].items() if (name,) != row.by}
        if others:
            lines += ["", f":::{{dropdown}} Other runs ({len(others)})"]
            lines += [f"- {r.badge}. {_evidence(r)}" for r in others.values()]
            lines.append(":::")
        lines.append("")
    return "\n".join(lines)


def errors_by_method(board: Board) -> str:
    """Return a table in Markdown of mean errors by scenario, of the closest run with a Gaussian."""
    for run in board.runs:
        table = run.tables.get("expression_errors")
        if table is not None and {"Gaussian", "VAE"} <= set(table["method"]):
            break
    else:
        return "No run has errors of the Gaussian yet.\n"
    means = table.groupby(["scenario", "method"], sort=False)["mae"].mean().unstack()
    names = [m.label for m in METHODS.values() if m.label in means and m.label != "random"]
    lines = [
        f"Mean absolute errors by {describe(run)}, in standard deviations; the smallest is bold.",
        "",
    ]
    lines += ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for scenario, row in means[names].iterrows():
        shown = [f"**{x:.3f}**" if x == row.min() else f"{x:.3f}" for x in row]
        lines.append(f"| {scenario_label(scenario)} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


def write_parts(results: Path, chapters: tuple[Path, ...], folder: Path) -> None:
    """Write the parts that pages include: ``_in_short.md``, ``_map.md`` and so on."""
    board = make_board(results, chapters)
    parts = {
        "in_short": in_short(board),
        "map": table_of_runs(board),
        "claims": every_claim(board, chapters),
        "beyond": errors_by_method(board),
    }
    for name, text in parts.items():
        (folder / f"_{name}.md").write_text(text, encoding="utf-8")
