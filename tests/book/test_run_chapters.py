"""The notebook runner: parameters, failures, what it writes and what it does not run again."""

import json
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import run_chapters

pytestmark = pytest.mark.slow  # each execution starts a kernel


def write_chapter(folder, name, *sources, parameters="n_trials: int = 2  # trials\n"):
    """Write a chapter with a hidden parameters cell, and return its path."""
    cells = [new_markdown_cell("# A chapter", id="title")]
    if parameters:
        tags = {"tags": ["parameters", "hide-input"]}
        cells.append(new_code_cell(parameters, metadata=tags, id="parameters-cell"))
    for number, source in enumerate(sources):
        cells.append(new_code_cell(source, id=f"cell-{number}"))
    metadata = {"kernelspec": {"name": "some-kernel-of-mine", "display_name": "Mine"}}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path


def printed(path):
    """What the cells of an executed chapter printed."""
    notebook = nbformat.read(path, as_version=4)
    return "".join(
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    )


@pytest.fixture
def book(tmp_path):
    """A repository with two chapters, one of which has a parameter, and a package."""
    write_chapter(tmp_path / "notebooks", "01_one", "print('one')", parameters=None)
    write_chapter(tmp_path / "notebooks", "02_two", "print('trials', n_trials)")
    (tmp_path / "vaeimpute").mkdir()
    (tmp_path / "vaeimpute" / "model.py").write_text("LAYERS = 2\n")
    (tmp_path / "constraints.txt").write_text("numpy==2.4.6\n")
    return tmp_path


def call(book, *arguments):
    """Run the command line on a book."""
    folders = ["--notebooks", str(book / "notebooks"), "--output", str(book / "out")]
    return run_chapters.main([*folders, *arguments])


class TestParameters:
    def test_unknown_one_stops_the_run_and_is_named(self, book, capsys):
        assert call(book, "-p", "n_trails", "3") == 1
        message = capsys.readouterr().err
        assert "Unknown parameter 'n_trails'" in message
        assert "01_one: none" in message
        assert "02_two: n_trials" in message
        assert not (book / "out").exists()

    def test_execute_alone_refuses_an_unknown_one_too(self, book):
        with pytest.raises(run_chapters.ChapterError, match="02_two has no parameter 'n_trails'"):
            run_chapters.execute(book / "notebooks" / "02_two.ipynb", {"n_trails": 3})

    def test_goes_to_the_chapters_that_declare_it(self, book):
        assert call(book, "-p", "n_trials", "7") == 0
        assert printed(book / "out" / "01_one.ipynb") == "one\n"
        assert printed(book / "out" / "02_two.ipynb") == "trials 7\n"

    def test_a_profile_gives_what_is_not_given_already(self, book, tmp_path):
        (tmp_path / "mine.yml").write_text("n_trials: 4\nlatent_dim: 3\n")
        chapters = [book / "notebooks" / f"{name}.ipynb" for name in ("01_one", "02_two")]
        one, two = chapters
        assigned = {one: {}, two: {}}
        mine = str(tmp_path / "mine.yml")
        assert run_chapters.add_profile(assigned, mine) == {one: {}, two: {"n_trials": 4}}
        assigned[two] = {"n_trials": 7}
        assert run_chapters.add_profile(assigned, mine) == {one: {}, two: {"n_trials": 7}}

    def test_a_profile_reaches_the_chapter(self, book, tmp_path):
        (tmp_path / "mine.yml").write_text("n_trials: 4\n")
        assert call(book, "--profile", str(tmp_path / "mine.yml")) == 0
        assert printed(book / "out" / "02_two.ipynb") == "trials 4\n"

    def test_an_unknown_profile_stops_the_run(self, book, capsys):
        assert call(book, "--profile", "full") == 1
        assert "Unknown profile 'full'; choose quick or paper" in capsys.readouterr().err
        assert not (book / "out").exists()

    def test_must_be_known_to_the_chosen_chapters(self, book, capsys):
        assert call(book, "--chapter", "01_one", "-p", "n_trials", "7") == 1
        assert "Unknown parameter 'n_trials'" in capsys.readouterr().err

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
            ("breast-gse1992", "None", "breast-gse1992"),
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
        expected = f"Parameter 'n' expects {type_name} but got '{text}'"
        with pytest.raises(run_chapters.ChapterError, match=re.escape(expected)):
            run_chapters.convert("n", text, type_name)

    def test_none_may_be_changed_in_committed_notebooks(self, capsys):
        with pytest.raises(SystemExit):
            run_chapters.main(["--in-place", "-p", "n_trials", "3"])
        assert "-p or --profile with --in-place" in capsys.readouterr().err

    def test_injected_cell_stays_as_hidden_as_the_authors(self, book):
        call(book, "-p", "n_trials", "7")
        cells = nbformat.read(book / "out" / "02_two.ipynb", as_version=4).cells
        assert cells[2].metadata == {"tags": ["injected-parameters", "hide-input"]}


def test_unknown_chapter_is_named(book, capsys):
    assert call(book, "--chapter", "03_three") == 1
    assert "Unknown chapter '03_three'; there are: 01_one, 02_two" in capsys.readouterr().err


def test_failing_cell_is_shown_with_its_traceback(book, capsys):
    write_chapter(
        book / "notebooks", "02_two", "x = 0", "def invert(v):\n    return 1 / v\n\ninvert(x)"
    )
    assert call(book) == 1
    message = capsys.readouterr().err
    assert "02_two, cell 4 (In [3]) failed" in message
    assert "    invert(x)" in message
    assert "ZeroDivisionError: division by zero" in message
    assert "Traceback (most recent call last)" in message
    assert "\x1b" not in message
    assert (book / "out" / "01_one.ipynb").exists()
    assert not (book / "out" / "02_two.ipynb").exists()


def test_cell_without_end_is_stopped(book, capsys):
    write_chapter(book / "notebooks", "02_two", "import time; time.sleep(60)")
    assert call(book, "--timeout", "1") == 1
    message = capsys.readouterr().err
    assert "02_two" in message
    assert "time.sleep(60)" in message


class TestUpToDate:
    @pytest.fixture
    def run(self, book, monkeypatch):
        """Bring the second chapter up to date; return whether that took an execution."""
        monkeypatch.delenv("VAEIMPUTE_DATA", raising=False)
        target = book / "out" / "02_two.ipynb"

        def run(**parameters):
            chapter = book / "notebooks" / "02_two.ipynb"
            return run_chapters.run(chapter, target, parameters, root=book) is not None

        assert run()
        assert not run()
        return run

    def test_changed_code_runs_again(self, book, run):
        write_chapter(book / "notebooks", "02_two", "print('other')")
        assert run()
        assert printed(book / "out" / "02_two.ipynb") == "other\n"

    def test_changed_package_runs_again(self, book, run):
        (book / "vaeimpute" / "model.py").write_text("LAYERS = 3\n")
        assert run()
        assert not run()

    def test_changed_versions_run_again(self, book, run):
        (book / "constraints.txt").write_text("numpy==2.5.0\n")
        assert run()

    def test_other_parameters_run_again(self, run):
        assert run(n_trials=5)
        assert not run(n_trials=5)
        assert run()

    def test_other_data_run_again(self, run, monkeypatch):
        monkeypatch.setenv("VAEIMPUTE_DATA", "elsewhere")
        assert run()

    def test_compiled_files_of_the_package_do_not_count(self, book, run):
        (book / "vaeimpute" / "__pycache__").mkdir()
        (book / "vaeimpute" / "__pycache__" / "model.pyc").write_bytes(b"1")
        assert not run()

    def test_damaged_file_runs_again(self, book, run):
        (book / "out" / "02_two.ipynb").write_text("{")
        assert run()

    @pytest.mark.parametrize("parameters", [{}, {"n_trials": 5}])
    def test_changed_prose_shows_without_running(self, book, run, parameters):
        run(**parameters)
        chapter = book / "notebooks" / "02_two.ipynb"
        notebook = nbformat.read(chapter, as_version=4)
        notebook.cells[0].source = "# Another title"
        notebook.cells.insert(1, new_markdown_cell("A new paragraph", id="new"))
        nbformat.write(notebook, chapter)
        assert not run(**parameters)
        executed = nbformat.read(book / "out" / "02_two.ipynb", as_version=4)
        assert [cell.source for cell in executed.cells[:2]] == [
            "# Another title",
            "A new paragraph",
        ]
        assert printed(book / "out" / "02_two.ipynb") == f"trials {parameters.get('n_trials', 2)}\n"

    def test_nothing_is_written_if_nothing_changed(self, book, run):
        target = book / "out" / "02_two.ipynb"
        os.utime(target, (1, 1))
        run()
        assert target.stat().st_mtime == 1

    def test_command_line_says_so(self, book, capsys):
        call(book)
        assert re.search(r"01_one +\d+\.\d s", capsys.readouterr().out)
        call(book)
        out = capsys.readouterr().out
        assert out.count("up to date, not executed again") == 2


class TestWhatIsWritten:
    def test_nothing_of_the_machine_or_the_hour(self, book, tmp_path):
        source = (
            "import sys\n"
            "from tqdm import tqdm\n"
            "print('watch out', file=sys.stderr)\n"
            "for _ in tqdm(range(3)):\n"
            "    pass\n"
            "print('result')\n"
            "'value'"
        )
        chapter = write_chapter(book / "notebooks", "02_two", source)
        run_chapters.run(chapter, book / "out" / chapter.name, {}, root=book)
        text = (book / "out" / chapter.name).read_text()
        notebook = json.loads(text)
        assert notebook["metadata"]["kernelspec"] == {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        }
        assert notebook["metadata"]["language_info"] == {"name": "python"}
        assert set(notebook["metadata"]) == {"kernelspec", "language_info", "vaeimpute"}
        assert [cell["metadata"] for cell in notebook["cells"]] == [
            {},
            {"tags": ["parameters", "hide-input"]},
            {},
        ]
        assert [cell["id"] for cell in notebook["cells"]] == ["title", "parameters-cell", "cell-0"]
        outputs = notebook["cells"][2]["outputs"]
        assert notebook["cells"][2]["execution_count"] == 2
        streams = [(o["name"], "".join(o["text"])) for o in outputs if "name" in o]
        assert sorted(streams) == [("stderr", "watch out\n"), ("stdout", "result\n")]
        for trace in (str(tmp_path), "papermill", "it/s"):
            assert trace not in text
        assert not re.search(r"\d{4}-\d\d-\d\dT\d\d", text)

    def test_in_place_leaves_the_same_bytes_twice(self, book):
        chapter = book / "notebooks" / "02_two.ipynb"
        run_chapters.run(chapter, chapter, {}, in_place=True, root=book)
        first = chapter.read_bytes()
        assert run_chapters.run(chapter, chapter, {}, in_place=True, root=book) is not None
        assert chapter.read_bytes() == first
        assert first.endswith(b"}\n")
        assert set(json.loads(first)["metadata"]) == {"kernelspec", "language_info"}

    @pytest.mark.parametrize("place", ["root", "home"])
    def test_paths_of_the_machine_are_refused(self, book, capsys, place):
        path = book if place == "root" else Path.home()
        source = f"print({str(path / 'table.csv')!r})"
        chapter = write_chapter(book / "notebooks", "02_two", source)
        with pytest.raises(run_chapters.ChapterError, match=r"02_two, cell 3 prints a path"):
            run_chapters.run(chapter, book / "out" / chapter.name, {}, root=book)
        assert not (book / "out" / chapter.name).exists()

    def test_widgets_and_their_text_go(self):
        view = {"application/vnd.jupyter.widget-view+json": {"model_id": "ab"}, "text/plain": "0%"}
        output = nbformat.v4.new_output("display_data", data=view)
        assert run_chapters.scrub_output(output) is None

    def test_interrupted_write_leaves_the_old_file(self, tmp_path, monkeypatch):
        path = write_chapter(tmp_path, "01_one", "print('old')")
        old = path.read_bytes()

        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run_chapters.write_atomically(new_notebook(), path)
        assert path.read_bytes() == old
        assert list(tmp_path.iterdir()) == [path]

    def test_interrupted_run_ends_cleanly(self, book, monkeypatch, capsys):
        def interrupt(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr(run_chapters, "execute", interrupt)
        assert call(book) == 130
        assert capsys.readouterr().err.strip().endswith("the chapters finished so far are kept")
