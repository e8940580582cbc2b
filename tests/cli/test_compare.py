"""`vaeimpute compare`: what it prints and writes."""

import re

import numpy as np
import pandas as pd
import pytest


def test_it_prints_a_table_and_a_verdict(run, matrix):
    result = run("compare", matrix, "--trials", 2, "--table", "t.csv", "--figure", "f.png")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["method", "mae", "rmse", "seconds", "fit_seconds"]
    shown = [re.match(r" *(.*?) +(\d\.\d{4}) +(\d\.\d{4})", line).groups() for line in lines[1:8]]
    assert {name for name, _, _ in shown} == {
        "random", "mean", "KNN", "SVD, tuned", "Gaussian", "recommended", "VAE",
    }  # fmt: skip
    errors = [float(mae) for _, mae, _ in shown]
    assert errors == sorted(errors)
    assert lines[8].startswith(f"{shown[0][0]} errs least on hidden values: ")
    table = pd.read_csv("t.csv")
    assert len(table) == 14
    means = table.groupby("method")["mae"].mean()
    assert {name: float(mae) for name, mae, _ in shown} == means.round(4).to_dict()
    assert (table[["seconds", "fit_seconds"]] > 0).all(axis=None)
    with open("f.png", "rb") as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"
    # Filling in means errs by about 0.8 standard deviations, whatever the units.
    assert 0.7 < means["mean"] < 1


def test_methods_can_be_chosen(run, matrix):
    result = run("compare", matrix, "--method", "knn", "--method", "mean", "--method", "knn")
    names = [line.split()[0] for line in result.stdout.splitlines()[1:]]
    assert names == ["KNN", "mean", "KNN"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("random", "10 % of the observed values, at random"),
        ("features", "a quarter of the features, each of them whole, in a fifth of the samples"),
        ("low", "half of the values below the 10 % quantile"),
    ],
)
def test_what_is_hidden_can_be_named(run, matrix, name, words):
    arguments = ("--missing-like", name, "--method", "mean", "--trials", 1)
    result = run("compare", matrix, *arguments)
    assert result.exit_code == 0, result.output
    assert f"hid {words}" in result.stderr
    assert "as asked for" in result.stderr


def test_the_shift_for_low_values_is_compared(run, matrix):
    arguments = ("--mnar", "low", "--method", "vae", "--method", "mean", "--trials", 1)
    result = run("compare", matrix, *arguments)
    assert "VAE, shifted" in result.stdout
    assert "as asked for" in result.stderr


def test_low_values_that_are_all_zero_cannot_be_hidden(run, folder, values):
    counts = pd.DataFrame(0.0, values.index, values.columns)
    counts.iloc[0] = 1.0
    counts.to_csv("counts.csv")
    arguments = ("counts.csv", "--method", "mean", "--trials", 1)
    result = run("compare", *arguments, "--missing-like", "low")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "has no value below its 10 % quantile" in result.stderr
    assert run("compare", *arguments).exit_code == 0


def test_a_large_matrix_is_compared_in_part(run, folder, monkeypatch):
    monkeypatch.setattr("vaeimpute.comparison.holdout.MOST_SAMPLES", 20)
    monkeypatch.setattr("vaeimpute.comparison.holdout.MOST_FEATURES", 30)
    array = np.random.default_rng(0).normal(size=(25, 60))
    array[0] = np.nan
    pd.DataFrame(array).add_prefix("g").rename(index="s{}".format).to_csv("in.csv")
    arguments = ("in.csv", "--method", "mean", "--trials", 1, "--table", "t.csv", "--force")
    assert "at random of 20 samples x 30 features of it" in run("compare", *arguments).stderr
    assert pd.read_csv("t.csv")["n_missing"].item() < 61
    assert "features of it" not in run("compare", *arguments, "--whole").stderr
    assert pd.read_csv("t.csv")["n_missing"].item() == 144


def test_usage(fails, matrix):
    message = fails("compare", matrix, "--method", "knn", "--mnar", "low", status=2)
    assert "--mnar low corrects the VAE, which is not to be compared" in message
    assert "f.txt has an extension that is not known" in fails(
        "compare", matrix, "--figure", "f.txt"
    )
    (message,) = [fails("compare", "none.csv")]
    assert "There is no file none.csv" in message


def test_too_little_to_hide(fails, folder):
    with open("in.csv", "w") as file:
        file.write("id,a,b\ns1,1,\ns2,,2\n")
    assert "No feature has two values, so that one of them can be hidden" in fails(
        "compare", "in.csv"
    )
