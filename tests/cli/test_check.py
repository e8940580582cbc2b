"""What a file is taken for is said before anything is filled, and the same when it is filled."""

import os
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def proteins(folder):
    """Features x samples of intensities as MaxQuant writes them: low ones are 0."""
    rng = np.random.default_rng(2)
    logs = 26 + rng.normal(0, 2.5, (60, 1)) + rng.normal(0, 0.5, (60, 8))
    holes = rng.random(logs.shape) < 1 / (1 + np.exp(logs - 24))
    holes[:, 0] = False
    array = np.where(holes, 0, 2**logs).round()
    table = pd.DataFrame(array.astype(int), [f"P{i}" for i in range(60)])
    table = table.add_prefix("LFQ intensity ")
    table.insert(0, "Gene names", [f"G{i}" for i in range(60)])
    table["Score"] = rng.uniform(1, 300, 60).round(3)
    table.to_csv("in.tsv", sep="\t", index_label="Protein IDs")
    return "in.tsv"


def test_check_says_what_impute_says_and_writes_nothing(run, proteins, folder):
    options = ("--features-in-rows", "--missing-value", 0)
    checked = run("check", proteins, *options)
    assert checked.exit_code == 0, checked.output
    assert os.listdir(folder) == [proteins]
    said = run("impute", proteins, *options, "-o", "out.tsv", "--method", "mean").stderr
    common = [line for line in checked.stdout.splitlines() if line in said.splitlines()]
    assert checked.stdout.splitlines()[:-1] == common
    for words in (
        "in.tsv: text, features in rows and samples in columns.",
        "Annotation, left as it is: column 'Gene names' (words).",
        "Warning: Annotation, left as it is: column 'Score' (not among the 8 taken for samples",
        "are 0, and are taken for missing.",
        "in.tsv: 8 samples x 60 features; ",
        "half of them below ",
        "Features of lower values miss more of them",
    ):
        assert words in checked.stdout
    after, before = (pd.read_csv(f, sep="\t", index_col=0) for f in ("out.tsv", "in.tsv"))
    assert (after.filter(like="LFQ") > 0).all(axis=None)
    pd.testing.assert_frame_equal(after[["Gene names", "Score"]], before[["Gene names", "Score"]])


def test_codes_are_pointed_out_wherever_methods_learn_from_them(run, fails, proteins):
    code = "are exactly 0, and the next is"
    assert code in run("check", proteins, "--features-in-rows").stdout
    ranked = run("compare", proteins, "--features-in-rows", "--method", "mean", "--trials", 1)
    (warning,) = (line for line in ranked.stderr.splitlines() if code in line)
    assert warning.startswith("Warning: ")
    assert "is a mixture of both" in ranked.stderr
    filled = run("impute", proteins, "-o", "out.tsv", "--features-in-rows", "--method", "mean")
    assert code in filled.stderr
    assert filled.stderr.endswith("out.tsv: nothing was missing, so nothing was filled.\n")
    assert Path("out.tsv").read_bytes() == Path(proteins).read_bytes()
    assert code in fails("impute", proteins, "-o", "s.tsv", "--features-in-rows", "--strict")


def test_annotation_is_carried_into_another_format_or_named(run, proteins):
    options = ("--features-in-rows", "--missing-value", 0, "--method", "mean")
    before = pd.read_csv(proteins, sep="\t", index_col=0)
    words = ["Gene names", "Score"]
    for name in ("out.parquet", "out.xlsx"):
        assert "no place for" not in run("impute", proteins, "-o", name, *options).stderr
    run("impute", proteins, "-o", "out.h5ad", *options)
    tables = [pd.read_parquet("out.parquet"), pd.read_excel("out.xlsx", index_col=0)]
    for table in tables:
        assert [*table] == [*words, *before.filter(like="LFQ")]
        assert (table.filter(like="LFQ") > 0).all(axis=None)
    data = anndata.read_h5ad("out.h5ad")
    for table in (*tables, data.var.astype({"Gene names": object})):
        pd.testing.assert_frame_equal(table[words], before[words], check_names=False)
    lost = run("impute", "out.h5ad", "-o", "out.csv", "--method", "mean")
    assert "Warning: out.csv has no place for 'Gene names', 'Score'." in lost.stderr


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("csv", "text"), ("parquet", "Parquet"), ("xlsx", "Excel"), ("h5ad", "AnnData")],
)
def test_every_format_is_named(run, folder, suffix, kind):
    Path("in.csv").write_text("id,g1,g2\ns1,1.5,\ns2,2,4\n")
    assert run("impute", "in.csv", "-o", f"out.{suffix}", "--method", "mean").exit_code == 0
    result = run("check", f"out.{suffix}")
    assert f"out.{suffix}: {kind}, samples in rows" in result.stdout, result.output


def test_rows_of_annotation_in_another_format(run, folder):
    lines = ["id,s1,s2,s3", "Label,a,a,b", "g1,1,2,", "g2,3,4,5"]
    Path("in.csv").write_text("\n".join(lines) + "\n")
    options = ("--features-in-rows", "--method", "mean")
    result = run("impute", "in.csv", "-o", "out.parquet", *options)
    assert "Warning: out.parquet has no place for 'Label'." in result.stderr
    assert pd.read_parquet("out.parquet").shape == (2, 3)
    run("impute", "in.csv", "-o", "out.h5ad", *options)
    assert [*anndata.read_h5ad("out.h5ad").obs["Label"]] == ["a", "a", "b"]


def test_annotation_of_h5ad_is_not_named(run, fails, folder):
    data = anndata.AnnData(np.array([[1.0, np.nan], [2.0, 3.0]]))
    data.var["Length"] = [7, 8]
    data.write_h5ad("in.h5ad")
    words = "in.h5ad: what AnnData has in obs and var is no value, and stays as it is"
    assert words in fails("impute", "in.h5ad", "-o", "out.h5ad", "--annotation", "Length")
    run("impute", "in.h5ad", "-o", "out.h5ad", "--method", "mean")
    assert [*anndata.read_h5ad("out.h5ad").var["Length"]] == [7, 8]


def test_errors_of_a_file_are_those_of_check(fails, folder):
    Path("in.csv").write_text("id,a,b\ns1,1,2\ns1,3,\n")
    assert "--duplicates" in fails("check", "in.csv")


def test_repeated_ids_as_asked(run, folder):
    Path("in.csv").write_text("id,a,b\ns1,1,2\ns1,3,\ns2,5,6\n")
    result = run("impute", "in.csv", "-o", "out.csv", "--duplicates", "mean", "--method", "mean")
    assert "1 row ids occur more than once, such as 's1': the mean of each" in result.stderr
    assert Path("out.csv").read_text() == "id,a,b\ns1,1,2\ns1,3,2.0\ns2,5,6\n"
