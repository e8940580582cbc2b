"""The notebook runner: parameters, failures, what it writes and what it does not run again."""

import json
import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import run_chapters

pytestmark = pytest.mark.slow  # each execution starts a kernel


def write_chapter(path, *sources, parameters="n_trials: int = 2  # trials\n"):
    """Write a chapter with a hidden parameters cell, and return its path."""
    tags = {"tags": ["parameters", "hide-input"]}
    cells = [
        new_markdown_cell("# A chapter", id="title"),
        new_code_cell(parameters, metadata=tags, id="parameters-cell"),
    ]
    for number, source in enumerate(sources):
        metadata = {"collapsed": True, "mystnb": {"image": {"alt": "a"}}}
        cells.append(new_code_cell(source, id=f"cell-{number}", metadata=metadata))
    metadata = {"kernelspec": {"name": "mine", "display_name": "Mine", "language": "python"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path


def printed(path):
    """What the cells of an executed chapter printed."""
    cells = nbformat.read(path, as_version=4).cells
    return "".join(output.get("text", "") for c in cells for output in c.get("outputs", []))


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A repository with two chapters and a package."""
    monkeypatch.delenv("VAEIMPUTE_DATA", raising=False)
    write_chapter(tmp_path / "notebooks/01_one.ipynb", "print('one')", parameters="seed: int = 0")
    write_chapter(tmp_path / "notebooks/02_two.ipynb", "print('trials', n_trials)")
    (tmp_path / "vaeimpute").mkdir()
    (tmp_path / "vaeimpute/model.py").write_text("LAYERS = 2\n")
    monkeypatch.setattr(run_chapters, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def call(book):
    """Run the command line on the book."""
    return lambda *arguments: run_chapters.main(
        ["--output", str(book / "out"), "--jobs", "1", *arguments]
    )


class TestParameters:
    def test_unknown_one_stops_the_run_and_is_named(self, book, call):
        with pytest.raises(SystemExit, match=r"Unknown parameter 'n_trails'.*\n  01_one: seed\n"):
            call("-p", "n_trails", "3")
        assert not (book / "out").exists()

    def test_must_be_known_to_the_chosen_chapters(self, book, call):
        with pytest.raises(SystemExit, match="Unknown parameter 'n_trials'"):
            call(str(book / "notebooks/01_one.ipynb"), "-p", "n_trials", "7")

    def test_goes_to_the_chapters_that_declare_it(self, book, call):
        call("-p", "n_trials", "7")
        assert printed(book / "out/01_one.ipynb") == "one\n"
        assert printed(book / "out/02_two.ipynb") == "trials 7\n"
        cells = nbformat.read(book / "out/02_two.ipynb", as_version=4).cells
        # As hidden as the author's own.
        assert cells[2].metadata == {"tags": ["injected-parameters", "hide-input"]}

    def test_a_profile_gives_what_is_not_given_already(self, book):
        profile = book / "mine.yml"
        profile.write_text("n_trials: 4\nlatent_dim: 3\n")
        one, two = chapters = sorted(book.glob("notebooks/*.ipynb"))
        choose = run_chapters.choose_parameters
        assert choose(chapters, {}, str(profile)) == {one: {}, two: {"n_trials": 4}}
        assert choose(chapters, {"n_trials": "7"}, str(profile)) == {one: {}, two: {"n_trials": 7}}

    def test_an_unknown_profile_stops_the_run(self, call):
        with pytest.raises(SystemExit, match="Unknown profile 'full'; choose quick or paper"):
            call("--profile", "full")

    @pytest.mark.parametrize(
        ("text", "type_name", "value"),
        [
            ("3", "int", 3),
            ("5e-5", "float", 5e-5),
            ("3", "float", 3.0),
            ("True", "bool", True),
            ("7", "str", "7"),
            ("breast-gse1992", "str", "breast-gse1992"),
            ("[1, 2]", "list[int]", [1, 2]),
        ],
    )
    def test_text_becomes_the_declared_type(self, text, type_name, value):
        converted = run_chapters.convert("name", text, type_name)
        assert converted == value
        assert type(converted) is type(value)

    @pytest.mark.parametrize(
        ("text", "type_name"), [("many", "int"), ("1", "bool"), ("2.5", "int")]
    )
    def test_text_of_another_type_is_refused(self, text, type_name):
        with pytest.raises(SystemExit, match=f"'n' expects {type_name} but got '{text}'"):
            run_chapters.convert("n", text, type_name)

    def test_none_may_be_changed_in_committed_notebooks(self, capsys):
        with pytest.raises(SystemExit):
            run_chapters.main(["-p", "n_trials", "3"])
        assert "need --output" in capsys.readouterr().err


def test_unknown_chapter_is_named(call, capsys):
    with pytest.raises(SystemExit):
        call("03_three.ipynb")
    assert "no such chapter: 03_three.ipynb" in capsys.readouterr().err


def test_failing_cell_is_shown_with_its_traceback(book, call):
    write_chapter(book / "notebooks/02_two.ipynb", "x = 0", "1 / x")
    with pytest.raises(SystemExit) as error:
        call()
    message = str(error.value)
    assert "02_two failed" in message
    assert "In [3]" in message
    assert "1 / x" in message
    assert "ZeroDivisionError: division by zero" in message
    assert "\x1b" not in message
    assert (book / "out/01_one.ipynb").exists()
    assert not (book / "out/02_two.ipynb").exists()


def test_what_changes_the_outputs_changes_the_fingerprint(book, monkeypatch):
    def fingerprint(**parameters):
        chapter = nbformat.read(book / "notebooks/02_two.ipynb", as_version=4)
        return run_chapters.fingerprint(chapter, parameters, book)

    found = [fingerprint(), fingerprint(n_trials=5)]
    write_chapter(book / "notebooks/02_two.ipynb", "print('other')")
    found.append(fingerprint())
    (book / "vaeimpute/model.py").write_text("LAYERS = 3\n")
    found.append(fingerprint())
    (book / "constraints.txt").write_text("numpy==2.4.7\n")
    found.append(fingerprint())
    monkeypatch.setenv("VAEIMPUTE_DATA", "elsewhere")
    found.append(fingerprint())
    assert len(set(found)) == len(found)
    (book / "vaeimpute/__pycache__").mkdir()
    (book / "vaeimpute/__pycache__/model.pyc").write_bytes(b"1")
    assert fingerprint() == found[-1]


class TestUpToDate:
    @pytest.fixture
    def target(self, book):
        return book / "out/02_two.ipynb"

    @pytest.fixture
    def run(self, book, target):
        """Bring the second chapter up to date; return whether that took an execution."""

        def run(**parameters):
            chapter = book / "notebooks/02_two.ipynb"
            return run_chapters.run(chapter, target, parameters, root=book)[1] is not None

        assert run()
        assert not run()
        return run

    def test_other_parameters_make_it_run_and_other_prose_does_not(self, book, run, target):
        assert run(n_trials=5)
        path = book / "notebooks/02_two.ipynb"
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[0].source = "# Another title"
        notebook.cells.insert(1, new_markdown_cell("A new paragraph", id="new"))
        nbformat.write(notebook, path)
        assert not run(n_trials=5)
        cells = nbformat.read(target, as_version=4).cells
        assert [cell.source for cell in cells[:2]] == ["# Another title", "A new paragraph"]
        assert [cell.id for cell in cells[2:4]] == ["parameters-cell", "injected-parameters"]
        assert printed(target) == "trials 5\n"

    def test_nothing_is_written_if_nothing_changed(self, run, target):
        os.utime(target, (1, 1))
        assert not run()
        assert target.stat().st_mtime == 1
        target.write_text("{")
        assert run()

    def test_the_command_line_runs_several_at_once_and_says_what_it_did(self, call, capsys):
        call("--jobs", "2")
        assert capsys.readouterr().out.count(" s\n") == 2
        call("--jobs", "2")
        assert capsys.readouterr().out.count("up to date\n") == 2


def test_a_chapter_has_one_thread_alone_as_well_as_among_others(book, call, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("OMP_NUM_THREADS")  # which is undone, whatever is set
    source = "import os\nprint(os.environ['OMP_NUM_THREADS'])"
    call(str(write_chapter(book / "notebooks/02_two.ipynb", source)))
    assert printed(book / "out/02_two.ipynb") == "1\n"


class TestWhatIsWritten:
    def test_nothing_of_the_machine_or_the_hour(self, book):
        source = "import sys\nprint('50%|###  |', file=sys.stderr)\nprint('result')\n'value'"
        path = write_chapter(book / "notebooks/02_two.ipynb", source)
        run_chapters.run(path, book / "out.ipynb", {}, root=book)
        notebook = json.loads((book / "out.ipynb").read_text())
        assert notebook["metadata"].keys() == {
            "kernelspec",
            "language_info",
            "made_from",
            "seconds",
        }
        assert notebook["metadata"].items() >= run_chapters.METADATA.items()
        assert [(cell["id"], cell["metadata"]) for cell in notebook["cells"]] == [
            ("title", {}),
            ("parameters-cell", {"tags": ["parameters", "hide-input"]}),
            ("cell-0", {"mystnb": {"image": {"alt": "a"}}}),
        ]
        stdout, value = notebook["cells"][2]["outputs"]
        assert stdout == {"name": "stdout", "output_type": "stream", "text": ["result\n"]}
        assert value["data"] == {"text/plain": ["'value'"]}

    def test_in_place_leaves_the_same_bytes_twice(self, book):
        path = book / "notebooks/02_two.ipynb"
        run_chapters.run(path, path, {}, root=book)
        first = path.read_bytes()
        assert run_chapters.run(path, path, {}, root=book)[1] is not None
        assert path.read_bytes() == first
        assert first.endswith(b"}\n")
        assert json.loads(first)["metadata"] == run_chapters.METADATA

    def test_widgets_go(self):
        view = {"application/vnd.jupyter.widget-view+json": {"model_id": "ab"}, "text/plain": "0%"}
        cell = new_code_cell("1", outputs=[new_output("display_data", data=view)])
        notebook = new_notebook(cells=[cell])
        assert run_chapters.clean(notebook, notebook).cells[0].outputs == []
