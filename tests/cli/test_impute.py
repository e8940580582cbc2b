"""`vaeimpute impute` and `apply`: what they write and what they say."""

import bz2
import fcntl
import logging
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import load_cohort
from vaeimpute.imputers import KNNImputer, load_imputer, read_card


def read(path, **options):
    return pd.read_csv(path, index_col=0, float_precision="round_trip", **options)


def assert_filled(found, values):
    assert found.notna().all(axis=None)
    pd.testing.assert_frame_equal(found.where(values.notna()), values, check_exact=True)


def test_it_chooses_a_method_and_says_which_and_why(run, matrix, values):
    result = run("impute", matrix, "-o", "filled.csv", "--method", "auto")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert_filled(read("filled.csv"), values)
    assert "expression.csv: 50 samples x 60 features;" in result.stderr
    assert "hid 10 % of the observed values, at random" in result.stderr
    assert "the missing values show no pattern" in result.stderr
    # Three factors and hardly any noise: a linear model is the true one.
    best = re.search(r"(.*) errs least on hidden values: 0\.\d+ standard", result.stderr)[1]
    assert best in ("SVD, tuned", "Gaussian", "recommended")
    taken = re.search(r"filled.csv: filled with (.*)\.", result.stderr)[1]
    assert taken == best or f"Of equals, took the simplest: {taken}." in result.stderr
    assert "%|" not in result.stderr  # no bar where nobody watches


def test_by_default_it_takes_the_recommended_method_and_says_what_that_chose(run, folder, values):
    values.to_csv("in.csv")
    result = run(
        "impute", "in.csv", "-o", "filled.csv", "--std", "std.csv", "--report", "page.html"
    )
    assert result.exit_code == 0, result.output
    assert "filled.csv: filled with recommended." in result.stderr
    said = re.search(r"Predicted on .* refined\. Errors on held-out values.*", result.stderr)[0]
    assert said[:20] in (folder / "page.html").read_text()
    assert_filled(read("filled.csv"), values)
    np.testing.assert_array_equal(read("std.csv") > 0, values.isna())


def test_where_the_recommended_method_would_take_too_long_the_others_are_compared(
    run, matrix, monkeypatch
):
    from vaeimpute.imputers import AdaptiveImputer

    monkeypatch.setattr(AdaptiveImputer, "_operations", lambda *shape: (1e15, 0.0))
    result = run("impute", matrix, "-o", "filled.csv")
    assert "The recommended method would take about" in result.stderr
    assert re.search("filled with (SVD, tuned|Gaussian)", result.stderr)


def test_where_methods_are_equal_within_the_noise_it_takes_the_simplest(run, folder):
    rng = np.random.default_rng(0)
    noise = pd.DataFrame(rng.normal(size=(60, 20)), [f"s{i}" for i in range(60)]).add_prefix("gene")
    noise.mask(rng.random(noise.shape) < 0.15).to_csv("noise.csv")
    result = run("impute", "noise.csv", "-o", "filled.csv", "--method", "auto")
    assert result.exit_code == 0, result.output
    words = re.search(r"\. (.*) (is|are) no worse within the noise", result.stderr)[1]
    best = re.search(r"(.*) errs least", result.stderr)[1]
    assert "mean" in (best, *words.split("; "))
    assert "filled.csv: filled with mean." in result.stderr
    assert ("Of equals, took the simplest: mean." in result.stderr) == (best != "mean")


@pytest.mark.parametrize(
    "method", ["random", "mean", "knn", "svd_tuned", "gaussian", "recommended", "vae"]
)
def test_every_method_fills_and_gives_the_same_again(run, matrix, values, method):
    for name in ("one.csv", "two.csv"):
        assert run("impute", matrix, "-o", name, "--method", method, "-q").stderr == ""
    assert_filled(read("one.csv"), values)
    pd.testing.assert_frame_equal(read("one.csv"), read("two.csv"), check_exact=True)


def test_it_is_what_the_estimator_gives(run, matrix, values):
    run("impute", matrix, "-o", "filled.csv", "--method", "knn")
    expected = KNNImputer().fit_transform(values)
    np.testing.assert_allclose(read("filled.csv"), expected, rtol=1e-12)
    run("impute", matrix, "-o", "filled.csv", "--method", "knn", "--no-zscore", "--force")
    expected = KNNImputer(standardize=False).fit_transform(values)
    np.testing.assert_allclose(read("filled.csv"), expected, rtol=1e-12)


def test_the_seed_decides(run, matrix):
    for seed in (0, 1):
        run("impute", matrix, "-o", f"{seed}.csv", "--method", "random", "--seed", seed)
    assert not read("0.csv").equals(read("1.csv"))


def test_features_in_rows(run, folder, values):
    values.T.to_csv("genes.tsv.gz", sep="\t")
    arguments = ("genes.tsv.gz", "-o", "filled.tsv.gz", "--features-in-rows", "--method", "knn")
    assert run("impute", *arguments).exit_code == 0
    found = read("filled.tsv.gz", sep="\t")
    np.testing.assert_allclose(found.T, KNNImputer().fit_transform(values), rtol=1e-12)
    values.to_csv("samples.csv")
    run("impute", "samples.csv", "-o", "filled.csv", "--method", "knn")
    np.testing.assert_array_equal(found.T, read("filled.csv"))


def test_parquet_keeps_bits_and_types(run, folder, values):
    values = values.astype(np.float32)
    values["gene3"] = values["gene3"].astype(np.float64)
    values.to_parquet("in.parquet")
    assert run("impute", "in.parquet", "-o", "out.parquet", "--method", "svd_tuned").exit_code == 0
    assert_filled(pd.read_parquet("out.parquet"), values)


def test_a_layer_of_annotated_data(run, folder, values):
    data = anndata.AnnData(
        np.zeros(values.shape, np.float32), pd.DataFrame({"grade": 2}, values.index),
        pd.DataFrame(index=values.columns), layers={"log": values.to_numpy(np.float32)},
    )  # fmt: skip
    data.write_h5ad("in.h5ad")
    arguments = ("in.h5ad", "-o", "out.h5ad", "--layer", "log", "--method", "knn")
    assert run("impute", *arguments).exit_code == 0
    found = anndata.read_h5ad("out.h5ad")
    layer = pd.DataFrame(found.layers["log"], values.index, values.columns)
    assert_filled(layer, values.astype(np.float32))
    assert (found.X == 0).all()
    assert found.obs["grade"].tolist() == [2] * len(values)


def test_the_logarithm_is_taken_and_inverted(run, folder, values):
    counts = np.expm1(values.clip(lower=0)).round(1) * 1000
    counts.to_csv("counts.csv")
    result = run("impute", "counts.csv", "-o", "plain.csv", "--method", "knn")
    assert "consider --log" in result.stderr
    result = run("impute", "counts.csv", "-o", "log.csv", "--method", "knn", "--log")
    assert "--log" not in result.stderr
    found = read("log.csv")
    assert_filled(found, counts)
    expected = np.expm1(KNNImputer().fit_transform(np.log1p(counts)))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert not found.equals(read("plain.csv"))


def test_standard_deviations_beside_the_values(run, matrix, values):
    result = run("impute", matrix, "-o", "filled.csv", "--std", "std.csv", "--method", "vae")
    assert result.exit_code == 0, result.output
    std = read("std.csv")
    assert (std.index.equals(values.index), list(std)) == (True, list(values))
    np.testing.assert_array_equal(std > 0, values.isna())


def test_standard_deviations_of_counts_are_in_counts(run, folder, values):
    counts = np.expm1(values.clip(lower=0))
    counts.to_csv("counts.csv")
    values.clip(lower=0).to_csv("logs.csv")
    for name, more in (("counts", ["--log"]), ("logs", [])):
        run("impute", f"{name}.csv", "-o", f"{name}-filled.csv", "--std", f"{name}-std.csv",
            "--method", "vae", *more)  # fmt: skip
    holes = values.isna()
    logs, std = read("logs-filled.csv")[holes], read("logs-std.csv")[holes]
    # About the median of the log-normal distribution, which is what is filled in.
    mean, median = np.exp(logs + std**2 / 2), np.exp(logs.clip(lower=0))
    expected = np.sqrt(mean**2 * np.expm1(std**2) + (mean - median) ** 2)
    np.testing.assert_allclose(read("counts-std.csv")[holes], expected, rtol=1e-4)


def test_with_std_the_choice_is_among_those_that_have_them(run, matrix):
    options = ("--std", "std.csv", "--method", "auto")
    result = run("impute", matrix, "-o", "filled.csv", *options)
    assert result.exit_code == 0, result.output
    assert "these have standard deviations:" in result.stderr
    assert "knn" not in result.stderr
    assert "filled.csv: filled with" in result.stderr


def test_low_values_missing(run, folder):
    values = load_cohort("breast-gse1992").values.iloc[:, :60]
    values = (values - values.mean()) / values.std()
    low = values.mask((values < -1.3) & (np.random.default_rng(0).random(values.shape) < 0.5))
    low.to_csv("low.csv")
    for name, more in (("plain", []), ("shifted", ["--mnar", "low"])):
        result = run("impute", "low.csv", "-o", f"{name}.csv", "--method", "vae", *more)
        assert result.exit_code == 0, result.output
    lost = low.isna() & values.notna()
    lost = lost.to_numpy()
    errors = {
        name: (read(f"{name}.csv") - values).abs().to_numpy()[lost].mean()
        for name in ("plain", "shifted")
    }
    assert errors["shifted"] < errors["plain"]
    result = run("impute", "low.csv", "-o", "auto.csv", "--mnar", "low")
    assert "hid half of the values below the 10 % quantile" in result.stderr
    # Of those that correct for it, one without being told.
    assert re.search(r"(VAE, shifted|recommended) errs least", result.stderr)


@pytest.mark.parametrize("method", ["mean", "knn", "svd_tuned", "gaussian", "recommended", "vae"])
def test_a_model_fills_new_samples_as_the_estimator_would(run, folder, values, method):
    values[:40].to_csv("train.csv")
    new = values[40:]
    new.iloc[:, ::-1].T.to_csv("new.tsv", sep="\t")
    saved = run("impute", "train.csv", "-o", "a.csv", "--method", method, "--model", "m.st")
    assert "do not pass on what you must not share" in saved.stderr
    result = run("apply", "m.st", "new.tsv", "-o", "out.tsv", "--features-in-rows")
    assert result.exit_code == 0, result.output
    assert "matched by name" in result.stderr
    found = read("out.tsv", sep="\t").T
    assert_filled(found, new.iloc[:, ::-1])
    expected = np.asarray(load_imputer("m.st").transform(new))
    np.testing.assert_array_equal(found[new.columns], expected)


def test_one_new_sample_and_a_feature_that_it_lacks_altogether(run, folder, values):
    values[:40].to_csv("train.csv")
    new = values[40:41].copy()
    new["gene0"] = np.nan
    new.to_csv("new.csv")
    run("impute", "train.csv", "-o", "a.csv", "--method", "gaussian", "--model", "m.st")
    assert run("apply", "m.st", "new.csv", "-o", "out.csv").exit_code == 0
    assert_filled(read("out.csv"), new)


def test_the_model_remembers_the_logarithm(run, folder, values):
    counts = np.expm1(values.clip(lower=0))
    counts[:40].to_csv("train.csv")
    counts[40:].to_csv("new.csv")
    run("impute", "train.csv", "-o", "a.csv", "--method", "vae", "--log", "--model", "m.st")
    assert read_card("m.st")["transform"] == "log 1.0"
    result = run("apply", "m.st", "new.csv", "-o", "out.csv", "--std", "std.csv")
    assert "works on ln(x + 1)" in result.stderr
    new = counts[40:]
    imputer = load_imputer("m.st")
    expected = np.expm1(np.maximum(np.asarray(imputer.transform(np.log1p(new))), 0))
    np.testing.assert_allclose(read("out.csv"), expected, rtol=1e-9)
    np.testing.assert_array_equal(read("std.csv") > 0, new.isna())


def test_nothing_is_missing(run, folder, values):
    values.fillna(0).to_csv("whole.csv")
    result = run("impute", "whole.csv", "-o", "out.csv")
    assert result.exit_code == 0
    assert "0 values are missing" in result.stderr
    assert "out.csv: nothing was missing, so nothing was filled." in result.stderr
    assert (folder / "out.csv").read_bytes() == (folder / "whole.csv").read_bytes()


def test_in_place_with_force(run, matrix, values):
    assert run("impute", matrix, "-o", matrix, "--force", "--method", "mean").exit_code == 0
    assert_filled(read(matrix), values)


def test_verbose_and_quiet(run, matrix):
    loud = run("impute", matrix, "-o", "a.csv", "-v", "--method", "auto")
    assert "trial 0, KNN: 0." in loud.stderr
    assert run("impute", matrix, "-o", "b.csv", "-q").stderr == ""
    assert logging.getLogger("vaeimpute").handlers == []


def test_knn_imports_no_torch(matrix):
    code = (
        "import sys; from vaeimpute.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, 'torch' in sys.modules)"
    )
    arguments = ["impute", matrix, "-o", "filled.csv", "--method", "knn", "--model", "m.st"]
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "0 False"


def test_help_comes_with_examples_and_without_heavy_imports():
    code = (
        "import sys; from vaeimpute.__main__ import main\n"
        "heavy = {'torch', 'pandas', 'sklearn', 'scipy', 'numpy', 'requests', 'yaml'}\n"
        "try: main()\n"
        "except SystemExit: print(heavy & set(sys.modules))"
    )
    for command in ("impute", "apply", "compare"):
        result = subprocess.run(
            [sys.executable, "-c", code, command, "--help"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert f"Examples:\n    vaeimpute {command} " in result.stdout
        assert result.stdout.endswith("set()\n")


def test_a_bar_is_shown_to_who_watches(matrix):
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    arguments = ["compare", matrix, "--method", "mean"]
    for more, expected in (([], True), (["-q"], False)):
        with subprocess.Popen(
            [sys.executable, "-m", "vaeimpute", *arguments, *more],
            stdout=subprocess.DEVNULL, stderr=terminal,
        ) as process:  # fmt: skip
            assert process.wait() == 0
        os.write(terminal, b"end")
        shown = b""
        while not shown.endswith(b"end"):
            shown += os.read(master, 10_000)
        assert (b"comparing:" in shown) == expected
    os.close(master)
    os.close(terminal)


def test_standard_input_and_output(folder):
    text = "# log2\nid\ta\tb\ns1\t1.50\t\ns2\tNA\t4\ns3\t2.5\t5\n"
    command = [sys.executable, "-m", "vaeimpute", "impute", "-", "-o", "-", "--method", "mean"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    assert done.stdout.decode() == text.replace("\t\n", "\t4.5\n").replace("NA", "2.0")
    assert "stdin: 3 samples x 2 features" in done.stderr.decode()


def test_a_pipe_is_read_once(run, folder):
    os.mkfifo("pipe")
    text = "id,a,b\ns1,1.50,\ns2,,4\ns3,2.5,5\n"
    writer = threading.Thread(target=Path("pipe").write_text, args=(text,))
    writer.start()
    result = run("impute", "pipe", "-o", "out.csv", "--method", "mean")
    writer.join()
    assert result.exit_code == 0, result.output
    assert Path("out.csv").read_text() == text.replace(",\n", ",4.5\n").replace(",,", ",2.0,")


def test_extensions_in_upper_case_and_unknown_ones(run, fails, folder):
    Path("M.DAT").write_text("id,a\ns1,1\ns2,\n")
    for name in ("OUT.CSV", "out.dat", "out.Tsv.BZ2"):
        assert run("impute", "M.DAT", "-o", name, "--method", "mean").exit_code == 0
    assert Path("out.dat").read_text() == "id,a\ns1,1\ns2,1.0\n"
    assert bz2.decompress(Path("out.Tsv.BZ2").read_bytes()) == b"id\ta\ns1\t1\ns2\t1.0\n"
    assert "out.xls has an extension that is not known" in fails("impute", "M.DAT", "-o", "out.xls")


def test_words_for_missing_values(run, fails, folder):
    Path("m.csv").write_text("id,a,b\ns1,1,1\ns2,n.d.,2\ns3,<LOD,3\n")
    message = fails("impute", "m.csv", "-o", "out.csv")
    assert (
        "'n.d.' in row 's2', column 'a' is not a number, nor are 1 more, such as '<LOD'" in message
    )
    options = ["--na", "n.d.", "--na", "<LOD"]
    result = run("impute", "m.csv", "-o", "out.csv", "--method", "mean", *options)
    assert result.exit_code == 0, result.output
    assert Path("out.csv").read_text() == "id,a,b\ns1,1,1\ns2,1.0,2\ns3,1.0,3\n"
