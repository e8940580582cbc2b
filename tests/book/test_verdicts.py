"""What pages say of the claims is what the stored tables and the chapters say."""

import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import v4

import readme
import verdicts
import which
from vaeimpute.claims import BEYOND, CLAIMS, VERDICTS, judge, load_all_runs, load_runs

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = tuple(sorted((ROOT / "notebooks").glob("*.ipynb")))


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The parts that pages include, parsed where they are HTML."""
    folder = tmp_path_factory.mktemp("book")
    verdicts.write_parts(ROOT / "results", CHAPTERS, folder)
    return {path.stem[1:]: path.read_text(encoding="utf-8") for path in folder.iterdir()}


@pytest.fixture(scope="module")
def rows(parts):
    """The names of the runs in the map; and by claim, the cells of the answer and of every run."""
    page = BeautifulSoup(parts["map"], "html.parser")
    return [cell["data-run"] for cell in page.select("thead th[data-run]")], {
        row.select_one("a").get_text(): [cell.get_text(" ") for cell in row.select("td")]
        for row in page.select("tbody tr")
    }


def verdict_in(cell):
    """Return the verdict that a cell of the map shows, or None."""
    found = [v for v in VERDICTS if re.search(rf"{re.escape(verdicts.SYMBOLS[v])} {v}\b", cell)]
    return found[0] if found else None


def test_the_map_has_every_claim_by_every_run(rows):
    names, cells = rows
    assert list(cells) == [*CLAIMS, *BEYOND]
    runs = [run for path in (ROOT / "results").iterdir() for run in load_runs(path).values()]
    shown = set()
    for run in runs:
        for id, claim in {**CLAIMS, **BEYOND}.items():
            asked = {name for check in claim.checks for name in check.tables}
            if asked & set(run.tables):
                column = names.index(run.name)
                assert verdict_in(cells[id][1 + column]) == judge(claim, run).verdict, (
                    id,
                    run.name,
                )
                shown.add((id, column))
    filled = {(id, i) for id, row in cells.items() for i, cell in enumerate(row[1:]) if cell}
    assert filled == shown


def test_the_answer_is_that_of_a_run_or_a_chapter_that_can_tell(rows):
    _, cells = rows
    for id, (answer, *by_run) in cells.items():
        verdict = verdict_in(answer)
        told = [found for found in map(verdict_in, by_run) if found in VERDICTS[:3]]
        if numbers := re.findall(r"run (\d+)", answer):
            assert len(numbers) > 1 or verdict_in(by_run[int(numbers[0]) - 1]) == verdict
        elif chapter := re.search(r"chapter (\d+)", answer):
            glued = verdicts.rows_of_chapters(CHAPTERS)[id]
            assert (glued.by, glued.verdict) == ((chapter[0],), verdict)
            assert not told
        else:
            assert verdict == "cannot be told"


def test_pages_agree_with_the_map(parts, rows):
    _, cells = rows
    answers = {id: verdict_in(row[0]) for id, row in cells.items()}
    counts = re.findall(r"(\w[\w ]+\w): (\d+)[;.]", parts["in_short"].partition("\n")[0])
    found = {verdict: int(number) for verdict, number in counts}
    assert found == {v: n for v in VERDICTS if (n := sum(answers[id] == v for id in CLAIMS))}
    for page in ("in_short", "claims"):
        said = re.findall(r"^(?:- \[|\*\*)([BC]\d+)\b.*?<span[^>]*>\S+ ([\w ]+)<", parts[page],
                          flags=re.MULTILINE)  # fmt: skip
        assert said
        assert [(id, answers[id]) for id, _ in said] == said
    board = verdicts.make_board(ROOT / "results", CHAPTERS)
    landing = which.answer(board, which.mean_errors(which.error_tables(board.runs)))
    assert verdict_in(landing) == answers["C3"]
    for question, (id, *_) in verdicts.QUESTIONS.items():
        assert f"| {question} | **{verdicts.LEADS[answers[id]]}** | " in readme.stand()


def test_an_answer_says_what_the_other_runs_say(parts):
    board = verdicts.make_board(ROOT / "results", CHAPTERS)
    for question, (id, *_) in verdicts.QUESTIONS.items():
        (lead,) = re.findall(rf"^\*\*{re.escape(question)}\*\* (.*)$", parts["in_short"], re.M)
        others = set(board.stored[id]) - set(board.answers[id].by)
        assert sum(map(int, re.findall(r"\d+", lead))) == len(others), question


def test_numbers_have_minus_signs_and_names_keep_their_hyphens():
    text = "6000-2000-200: -1.5 % [-2.0, -1.0] (mcar_10, beta-1) at 5e-05"
    assert verdicts._labelled(text) == (
        "6000-2000-200: \u22121.5 % [\u22122.0, \u22121.0] (10 % at random, beta-1) at 5e-05"
    )


def test_every_claim_has_its_figures_or_the_reason_why_not(parts):
    sections = re.split(r"^\(claim-\w+\)=\n", parts["claims"], flags=re.MULTILINE)[1:]
    for section, (id, claim) in zip(sections, {**CLAIMS, **BEYOND}.items(), strict=True):
        words, evidence, paper, rule, *_ = [x for x in section.splitlines() if x]
        assert words.startswith(f"**{id}. ")
        assert len(evidence) > 10, id
        assert f"chapter {claim.chapter} <" in paper
        assert rule.startswith("- The rule: "), rule


def test_chapters_say_of_stored_runs_what_their_tables_say():
    runs = load_all_runs(ROOT / "results")
    claims = {claim.words: id for id, claim in CLAIMS.items()}
    outputs = (
        output.get("data", {}).get("text/html", "")
        for chapter in CHAPTERS
        for cell in nbformat.read(chapter, as_version=4).cells
        for output in cell.get("outputs", [])
    )
    compared = 0
    for table in (BeautifulSoup(html, "html.parser") for html in outputs if "this page" in html):
        heads = [cell.get_text() for cell in table.select_one("thead tr").select("th")]
        for row in table.select("tbody tr"):
            words, *said = [cell.get_text() for cell in row.select("th, td")]
            for head, verdict in zip(heads[1:], said, strict=True) if words in claims else []:
                named = [run for run in runs if head.startswith(run.name)]
                run = max(named, key=lambda run: len(run.name), default=None)
                if run is not None:
                    assert judge(claims[words], run).verdict == verdict, (words, head)
                    compared += 1
    assert compared


def write_chapter(path, **glued):
    """Write a chapter that glues texts; return its path."""
    outputs = [
        v4.new_output("display_data", {"application/papermill.record/text/plain": repr(text)},
                      metadata={"scrapbook": {"name": name,
                                              "mime_prefix": "application/papermill.record/"}})
        for name, text in glued.items()
    ]  # fmt: skip
    parameters = v4.new_code_cell(
        "hidden_sizes: list = [9]\nlatent_dim: int = 3\nn_epochs: int = 5"
    )
    parameters.metadata["tags"] = ["parameters"]
    cells = [parameters, v4.new_code_cell("", outputs=outputs)]
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


def test_what_chapters_glue(tmp_path):
    chapters = [
        write_chapter(tmp_path / "04_errors.ipynb", verdict_C16="holds in part", verdict_rest="no"),
        write_chapter(tmp_path / "05_shift.ipynb", verdict_C2="holds", basis_C2="x, 10 splits",
                      figures_C2="0.5 (mcar_10)"),
    ]  # fmt: skip
    found = verdicts.rows_of_chapters(chapters)
    assert set(found) == {"C2", "C16"}
    assert found["C2"] == verdicts.Row(
        ("chapter 5",), "x, 9-3, 5 epochs (chapter 5)", "holds", figures="0.5 (10 % at random)",
        n="10 splits",
    )  # fmt: skip
    for wrong in ({"verdict_C2": "keeps"}, {"verdict_C99": "holds"}, {"verdict_C16": "holds"}):
        chapter = write_chapter(tmp_path / "06_more.ipynb", **wrong)
        with pytest.raises(ValueError, match="06_more glues"):
            verdicts.rows_of_chapters([*chapters, chapter])
