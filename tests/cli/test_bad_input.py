"""Every way of getting it wrong ends with a message that says what, where, and what to do."""

import errno
import json
import os
import sys
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

import vaeimpute
from vaeimpute.cli import app


def read(path):
    return pd.read_csv(path, index_col=0, float_precision="round_trip")


def write(text, name="in.csv"):
    Path(name).write_text(text)
    return name


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(folder):
    """No temporary file outlives a command, whatever happened."""
    yield
    assert [name for name in os.listdir(folder) if name.startswith(".")] == []


@pytest.fixture
def refuses(fails, folder):
    """Impute a text that cannot be; return the message. Nothing may be written."""

    def refuses(text, *options):
        message = fails("impute", write(text), "-o", "out.csv", "--method", "mean", *options)
        assert not (folder / "out.csv").exists()
        return message

    return refuses


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "in.csv is empty"),
        ("id,a,b\n", "no rows below it"),
        (
            "id\ns1\n",
            "no tabs, semicolons, bars, commas, blanks between fields; its first line",
        ),
        (
            "id,a,b\ns1,1,2\ns2,high,3\n",
            "'high' in row 's2', column 'a' is not a number. If it stands for a missing value, say",
        ),
        (
            "id,a,b\ns1,1,2\ns2,12.5%,3\n",
            "'12.5%' in row 's2', column 'a' is not a number. Write it",
        ),
        ("id,a,b\ns1,1,2\ns2,<0.5,3\n", "stands for a missing value, say so: --na '<0.5'"),
        ("id,a,b\ns1,1,2\ns2,True,\n", "'True' in row 's2', column 'a' is not a number"),
        ("id,a,b\ns1,1,2\ns1,3,\n", "1 row ids occur more than once: 's1'. Merge"),
        ("id,a,a\ns1,1,2\ns2,3,\n", "1 column ids occur more than once: 'a'. Merge"),
        ("id,a,b\ns1,1,2\ns2,inf,\n", "the value inf in row 's2', column 'a' is infinite."),
        ("id,a,b\ns1,1,-Inf\ns2,inf,2\n", "row 's1', column 'b', like 1 more, is infinite."),
        ("id,a,b\ns1,1,2\ns2,1e999,3\n", "'1e999' in row 's2', column 'a' is not a number"),
        ("id,a,b\ns1,1,1e200\ns2,2,2\n", "the value 1e+200 in row 's1', column 'b' is too large"),
        ("id,a,b\ns1,1,\ns2,3,\n", "1 of 2 features have no value in any sample, so nothing can"),
        ("id,a,b\ns1,,\ns2,,\n", "has no values at all: every entry is missing"),
        ("id,a,b\ns1,1,\n", "There is only one sample: to fill its missing values from others"),
        ("id,a,b\ns1,1\n", "line 2 has 2 fields where 3 are expected"),
        ("id;a;b\ns1;1,5;2.5\n", "Other numbers have decimal points; spell all of them alike"),
        ("<html>,\n", "is a web page, not a table"),
    ],
)
def test_what_no_table_of_numbers_is(refuses, text, message):
    assert message in refuses(text)


def test_features_without_values_are_named_and_can_be_kept_empty(run, refuses):
    text = "id,a,b,c\ns1,1,,NA\ns2,,,\ns3,2,,\n"
    message = refuses(text)
    assert "2 of 3 features have no value in any sample" in message
    assert "'b', 'c'. Take them out, or leave them empty with --keep-empty" in message
    result = run("impute", "in.csv", "-o", "out.csv", "--method", "mean", "--keep-empty")
    assert result.exit_code == 0
    assert "Without any value, so they stay empty: 'b', 'c' (2 of 3 features)" in result.stderr
    assert Path("out.csv").read_text() == "id,a,b,c\ns1,1,,NA\ns2,1.5,,\ns3,2,,\n"


def test_a_model_keeps_empty_what_was_left_empty_for_it(run, refuses, fails):
    text = "id,a,b,c\ns1,1,,4\ns2,,,\ns3,2,,5\n"
    assert "1 of 3 features have no value" in refuses(text)
    fit = ("impute", "in.csv", "-o", "out.csv", "--method", "mean", "--model", "m")
    assert run(*fit, "--keep-empty").exit_code == 0
    Path("new.csv").write_text("id,c,b,a\nt1,,,7\n")
    result = run("apply", "m", "new.csv", "-o", "unknown.csv")
    assert "Not known to the model, and left as they are: 'b' (1 of 3 features)." in result.stderr
    result = run("apply", "m", "new.csv", "-o", "new-filled.csv", "--keep-empty")
    assert result.exit_code == 0, result.output
    assert "so they stay empty: 'b' (1 of 3 features)" in result.stderr
    assert Path("new-filled.csv").read_text() == "id,c,b,a\nt1,4.5,,7\n"
    Path("new.csv").write_text("id,c,b,a\nt1,,1,7\n")  # a value is never left out
    message = fails("apply", "m", "new.csv", "-o", "again.csv", "--keep-empty", "--strict")
    assert "Not known to the model, and left as they are: 'b'" in message


def test_a_sample_without_values_is_filled_with_a_warning(run, values):
    values.iloc[3] = np.nan
    values.to_csv("in.csv")
    for method in ("knn", "svd_tuned", "gaussian", "vae"):
        result = run("impute", "in.csv", "-o", "out.csv", "--method", method, "--force")
        assert result.exit_code == 0, result.output
        assert "Without any value: 's3' (1 of 50 samples)" in result.stderr
        assert read("out.csv").notna().all(axis=None)


def test_a_constant_feature_stays_constant(run, values):
    values["gene0"] = np.where(values["gene0"].isna(), np.nan, 3.7)
    values.to_csv("in.csv")
    for method in ("random", "mean", "knn", "svd_tuned", "gaussian", "auto"):
        result = run("impute", "in.csv", "-o", "out.csv", "--method", method, "--force")
        assert result.exit_code == 0, result.output
        np.testing.assert_allclose(read("out.csv")["gene0"], 3.7)


def test_fewer_samples_than_neighbours(run, values):
    values = values[:4].loc[:, values[:4].notna().sum() > 1]
    values.to_csv("in.csv")
    result = run("impute", "in.csv", "-o", "out.csv", "--method", "knn")
    assert result.exit_code == 0
    assert read("out.csv").notna().all(axis=None)


def test_integers_stay_integers_where_they_are_observed(run):
    text = "id,a,b\ns1,1,20\ns2,,30\ns3,3,040\n"
    assert run("impute", write(text), "-o", "out.csv", "--method", "mean").exit_code == 0
    assert Path("out.csv").read_text() == text.replace("s2,,", "s2,2.0,")


def test_mixed_types_in_parquet(run):
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, None, 1.5], "c": ["1", "", "3"]})
    frame.index = ["s1", "s2", "s3"]
    frame.to_parquet("in.parquet")
    assert run("impute", "in.parquet", "-o", "out.parquet", "--method", "mean").exit_code == 0
    found = pd.read_parquet("out.parquet")
    assert found["a"].tolist() == [1, 2, 3]
    assert found["a"].dtype == np.int64
    assert found["b"].tolist() == [0.5, 1.0, 1.5]
    assert found["c"].tolist() == ["1", "2.0", "3"]
    frame.assign(c=[True, False, None]).to_parquet("in.parquet")
    result = run("impute", "in.parquet", "-o", "flags.parquet", "--method", "mean")
    assert "Annotation, left as it is: column 'c' (words)." in result.stderr
    found = pd.read_parquet("flags.parquet")
    assert found["c"].tolist() == [True, False, None]
    assert found["b"].tolist() == [0.5, 1.0, 1.5]


def test_negative_values_have_no_logarithm(refuses):
    message = refuses("id,a,b\ns1,1,-2.5\ns2,3,\n", "--log")
    assert "1 are negative, the first of them -2.5 in sample 's1', feature 'b'" in message


def test_a_matrix_that_seems_to_be_transposed(run, matrix, values):
    options = ("-o", "out.csv", "--method", "mean", "--force")
    assert "transposed" not in run("impute", matrix, *options).stderr
    # More features than samples is normal, the opposite is suspicious.
    warning = run("impute", matrix, "--features-in-rows", *options).stderr
    assert "Is the matrix transposed? There are more samples (60) than features (50)" in warning
    assert "leave --features-in-rows out" in warning
    genes = ["TP53", "EGFR", "PTEN", "MYC", *(f"g{i}" for i in range(46))]
    values.set_axis(genes).to_csv("genes.csv")
    warning = run("impute", "genes.csv", *options).stderr
    assert "'TP53', 'EGFR' and 48 more, taken for samples, look like names of features" in warning
    assert "say --features-in-rows" in warning


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["expression.csv", "-o", "out.xls"], "out.xls has an extension that is not known"),
        (["expression.csv", "-o", "out"], "out has an extension that is not known"),
        (["none.csv", "-o", "out.csv"], "There is no file none.csv"),
        (["folder.csv", "-o", "out.csv"], "folder.csv is a folder"),
        (["expression.csv", "-o", "folder.csv"], "folder.csv is a folder"),
        (["expression.csv", "-o", "none/out.csv"], "There is no folder none to write out.csv to"),
        (["expression.csv", "-o", "old.csv"], "old.csv exists. Choose another name, or replace"),
        (["expression.csv", "-o", "out.csv", "--std", "old.csv"], "old.csv exists"),
        (["expression.csv", "-o", "out.csv", "--model", "old.csv"], "old.csv exists"),
        (["expression.csv", "-o", "out.csv", "--report", "old.csv"], "old.csv exists"),
        (["expression.csv", "-o", "pipe.csv", "--force"], "pipe.csv is a device or the like"),
        (["bad.h5ad", "-o", "out.h5ad"], "bad.h5ad cannot be read as AnnData"),
        (["bad.parquet", "-o", "out.csv"], "bad.parquet cannot be read as Parquet"),
        (["expression.csv", "-o", "out.csv", "--device", "cuda", "--method", "vae"], "no such GPU"),
    ],
)
def test_paths(fails, matrix, folder, arguments, message):
    (folder / "folder.csv").mkdir()
    os.mkfifo("pipe.csv")
    for name in ("old.csv", "bad.h5ad", "bad.parquet"):
        write("old", name)
    before = sorted(os.listdir(folder))
    assert message in fails("impute", *arguments)
    assert sorted(os.listdir(folder)) == before
    assert Path("old.csv").read_text() == "old"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "nothing"], "'nothing' is not one of"),
        (["--seed", "-1"], "Invalid value for '--seed'"),
        (["--method", "knn", "--mnar", "low"], "--mnar low corrects the VAE; --method knn has no"),
        (["--method", "knn", "--std", "s.csv"], "--std: knn has no standard deviations; these"),
        (["--std", "out.csv"], "Two of the files to write are the same"),
        (["--layer", "raw"], "--layer applies to .h5ad only"),
        (["--device", "gpu"], "Expected --device as auto, cpu, mps, cuda or cuda:1, but got 'gpu'"),
        (["-q", "-v"], "Choose one of --quiet and --verbose"),
    ],
)
def test_usage(fails, matrix, folder, arguments, message):
    assert message in fails("impute", matrix, "-o", "out.csv", *arguments, status=2)
    assert os.listdir(folder) == [matrix]


def test_usage_of_annotated_data(fails, folder):
    anndata.AnnData(np.ones((2, 2), np.float32)).write_h5ad("in.h5ad")
    message = fails("impute", "in.h5ad", "-o", "out.h5ad", "--features-in-rows", status=2)
    assert "AnnData keeps samples in rows" in message
    message = fails("impute", "in.h5ad", "-o", "out.h5ad", "--layer", "raw")
    assert "in.h5ad has no layer 'raw'" in message


def test_repeated_names_in_annotated_data(fails, folder):
    data = anndata.AnnData(np.ones((2, 2), np.float32), var=pd.DataFrame(index=["a", "b"]))
    data.var_names = pd.Index(["a", "a"])
    data.write_h5ad("in.h5ad")
    message = fails("impute", "in.h5ad", "-o", "out.h5ad")
    assert "1 column ids occur more than once: 'a'" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everywhere")
def test_paths_without_permission(fails, matrix, folder):
    Path(matrix).chmod(0)
    assert "Permission denied" in fails("impute", matrix, "-o", "out.csv")
    Path(matrix).chmod(0o600)
    (folder / "closed").mkdir(mode=0o500)
    assert "may not be written to" in fails("impute", matrix, "-o", "closed/out.csv")


def test_paths_without_permission_as_the_system_tells(fails, matrix, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    message = fails("impute", matrix, "-o", "out.csv")
    assert "The folder . may not be written to; name another." in message


@pytest.fixture
def model(run, matrix):
    run("impute", matrix, "-o", "first.csv", "--method", "knn", "--model", "model.st")
    return "model.st"


def test_a_model_of_other_features(run, fails, model, values):
    other = values.rename(columns={"gene1": "other"})
    other.to_csv("new.csv")
    result = run("apply", model, "new.csv", "-o", "out.csv")
    assert result.exit_code == 0, result.output
    assert "left as they are: 'other' (1 of 60 features)" in result.stderr
    assert "taken for missing: 'gene1' (1 of the model's 60 features)" in result.stderr
    found = read("out.csv")
    pd.testing.assert_series_equal(found["other"], other["other"])
    assert found.drop(columns="other").notna().all(axis=None)
    pd.testing.assert_frame_equal(found.where(other.notna()), other)
    message = fails("apply", model, "new.csv", "-o", "strict.csv", "--strict")
    assert "nothing may be guessed: Not known to the model" in message


def test_a_model_of_too_many_other_features(fails, model, values):
    values.iloc[:, :29].to_csv("few.csv")
    message = fails("apply", model, "few.csv", "-o", "out.csv")
    assert "60 features, of which 31 are not there, too many to be taken for missing" in message
    values.add_suffix(".2").rename(columns=str.upper).to_csv("named.csv")
    message = fails("apply", model, "named.csv", "-o", "out.csv")
    assert "But for case and versions (.1), 60 agree: rename them." in message


def test_a_model_where_nothing_is_missing(run, model, values):
    values.fillna(1.0).to_csv("whole.csv")
    result = run("apply", model, "whole.csv", "-o", "out.csv")
    assert result.stderr.endswith("out.csv: nothing was missing, so nothing was filled.\n")


@pytest.mark.parametrize("size", [0, 7, 1000, -1])
def test_a_truncated_model(fails, model, matrix, size):
    content = Path(model).read_bytes()
    Path("cut.st").write_bytes(content[:size])
    message = fails("apply", "cut.st", matrix, "-o", "out.csv")
    assert "cut.st is not a saved imputer, or is cut short" in message


@pytest.mark.parametrize(
    "card", ["no JSON", "null", "[1]", "{}", '{"class": "KNNImputer"}', {"class": ["x"]},
             {"parameters": 3}, {"n_features": "60"}, {"feature_names": None}, {"format": "1"}],
)  # fmt: skip
def test_a_card_that_is_none(fails, model, matrix, card):
    with safe_open(model, framework="numpy") as file:
        sound = json.loads(file.metadata()["card"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    text = card if isinstance(card, str) else json.dumps(sound | card)
    save_file(arrays, "odd.st", {"card": text})
    message = fails("apply", "odd.st", matrix, "-o", "out.csv")
    assert message.startswith("Error: odd.st has a card that vaeimpute did not write")


def test_no_model(fails, matrix):
    assert "There is no file none.st" in fails("apply", "none.st", matrix, "-o", "out.csv")
    assert "is not a saved imputer" in fails("apply", matrix, matrix, "-o", "out.csv")


def test_a_model_without_standard_deviations(fails, model, matrix):
    message = fails("apply", model, matrix, "-o", "out.csv", "--std", "s.csv", status=2)
    assert "a KNNImputer has no standard deviations" in message


def test_a_full_disk_leaves_the_old_output(fails, matrix, monkeypatch):
    write("old", "out.csv")

    def full(self, text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Full:
        write = full

    from contextlib import contextmanager

    @contextmanager
    def opened(path, encoding):
        yield Full()

    monkeypatch.setattr("vaeimpute.tables.delimited.open_for_text", opened)
    message = fails("impute", matrix, "-o", "out.csv", "--force", "--method", "mean")
    assert "out.csv cannot be written: No space left on device. What was there before is" in message
    assert Path("out.csv").read_text() == "old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("extension", ["csv", "csv.gz", "parquet", "h5ad"])
def test_a_full_disk_in_every_format(fails, values, folder, monkeypatch, extension):
    """The temporary file is a link to a device that is always full."""
    import vaeimpute.files as files

    make = files.tempfile.mkstemp

    def on_full_device(**options):
        handle, name = make(**options)
        os.close(handle)
        os.unlink(name)
        os.symlink("/dev/full", name)
        return os.open(name, os.O_WRONLY), name

    values.to_csv("in.csv")
    write("old", f"out.{extension}")
    monkeypatch.setattr(files.tempfile, "mkstemp", on_full_device)
    message = fails("impute", "in.csv", "-o", f"out.{extension}", "--force", "--method", "mean")
    assert "in.csv: 50 samples" in message
    assert "Error: " in message
    assert Path(f"out.{extension}").read_text() == "old"


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("matplotlib", ["expression.csv", "-o", "o.csv", "--report", "r.html"], "report"),
        ("jinja2", ["expression.csv", "-o", "o.csv", "--report", "r.html"], "report"),
        ("pyarrow", ["expression.csv", "-o", "o.parquet"], "data"),
        ("anndata", ["expression.csv", "-o", "o.h5ad"], "anndata"),
        ("anndata", ["in.h5ad", "-o", "o.csv"], "anndata"),
        ("openpyxl", ["expression.csv", "-o", "o.xlsx"], "data"),
    ],
)
def test_a_missing_package_names_the_extra(fails, matrix, monkeypatch, module, arguments, extra):
    write("x", "in.h5ad")
    monkeypatch.setitem(sys.modules, module, None)
    for imported in ("matplotlib.pyplot", "vaeimpute.comparison.report"):
        monkeypatch.delitem(sys.modules, imported, raising=False)
    message = fails("impute", *arguments)
    assert f"{module}, which is not installed. Install it: pip install 'vaeimpute[{extra}]'" in (
        message
    )
    assert not Path(arguments[2]).exists()


def test_debug_shows_where_an_error_comes_from(run, folder):
    result = run("impute", "none.csv", "-o", "out.csv", "--debug")
    assert isinstance(result.exception, FileNotFoundError)


def test_an_error_that_nobody_thought_of_is_one_line(fails, matrix, monkeypatch):
    def fault(*arguments, **options):
        raise RuntimeError("odd")

    monkeypatch.setattr("vaeimpute.tables.read_source", fault)
    message = fails("impute", matrix, "-o", "out.csv")
    assert message == "Error: RuntimeError: odd (--debug shows where this comes from)"


def test_memory_that_does_not_suffice(fails, matrix, monkeypatch):
    def greedy(*arguments, **options):
        raise MemoryError("Unable to allocate 1.00 TiB")

    monkeypatch.setattr("vaeimpute.tables.read_source", greedy)
    message = fails("impute", matrix, "-o", "out.csv")
    assert message == "Error: Out of memory. Unable to allocate 1.00 TiB"


def test_the_app_has_all_commands():
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    assert names == ["impute", "apply", "check", "compare", "fetch", "reproduce"]


def test_standard_deviations_that_no_number_holds(fails, folder):
    rng = np.random.default_rng(0)
    values = pd.DataFrame(np.where(rng.random((30, 5)) < 0.5, 0.0, 1e97)).add_prefix("gene")
    values[rng.random(values.shape) < 0.2] = np.nan
    values.to_csv("in.csv")
    options = ["--log", "--method", "gaussian", "--std", "std.csv"]
    message = fails("impute", "in.csv", "-o", "out.csv", *options)
    assert "GaussianImputer does not come to finite standard deviations here" in message
    assert not (folder / "out.csv").exists()


def test_what_is_guessed_is_said_and_strict_refuses_it(run, fails):
    """The first line names the row ids, or a column is there that nobody has a value in."""
    text = "id,a,b\ns1,1,2,\ns2,,3,\n"
    guess = "Every line but the first ends with a separator; no column is taken to follow it."
    command = ("impute", write(text), "-o", "out.csv", "--method", "mean")
    assert f"in.csv is not clear, and nothing may be guessed: {guess}" in fails(
        *command, "--strict"
    )
    result = run(*command)
    assert result.exit_code == 0
    assert f"Warning: {guess}" in result.stderr
    assert Path("out.csv").read_text() == "id,a,b\ns1,1,2,\ns2,1.0,3,\n"
    assert run("impute", "out.csv", "-o", "again.csv", "--strict").exit_code == 1
    clear = write("id,a,b\ns1,1,2\ns2,,3\n", "clear.csv")
    assert run("impute", clear, "-o", "again.csv", "--method", "mean", "--strict").exit_code == 0


def test_the_version(run):
    assert run("--version").stdout == f"vaeimpute {vaeimpute.__version__}\n"
