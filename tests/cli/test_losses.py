"""`vaeimpute impute --mechanism`, `--groups` and `--mask-out`: how values were lost, and which."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from vaeimpute.methods import build_own


@pytest.fixture(scope="module")
def lost():
    """Return values of which most below 8 are missing, more of them in the first batch."""
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(120, 3)) @ rng.normal(size=(3, 30))
    values = 10 + factors + 0.5 * rng.normal(size=factors.shape)
    chance = np.where(np.arange(120) < 60, 0.9, 0.4)[:, None]
    gone = (values < 8) & (rng.random(values.shape) < chance)
    return pd.DataFrame(np.where(gone, np.nan, values), [f"s{i}" for i in range(120)]).add_prefix(
        "gene"
    )


def test_the_curve_the_groups_and_the_mask(run, folder, lost):
    batches = ["first"] * 60 + ["second"] * 60
    lost.assign(batch=batches)[["batch", *lost]].to_csv("protein.csv", index_label="sample")
    result = run(
        "impute", "protein.csv", "-o", "filled.csv", "--mechanism", "curve", "--groups", "batch",
        "--annotation", "batch", "--mask-out", "mask.csv", "--report", "report.html",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "How values were lost: values below 8" in result.stderr.replace("7.9", "8")
    for batch in ("first", "second"):
        part = lost[np.array(batches) == batch]
        assert f"{batch}: {part.isna().to_numpy().mean():.1%} of the values are" in result.stderr
    mask = pd.read_csv("mask.csv", index_col=0)
    pd.testing.assert_frame_equal(mask, lost.isna(), check_names=False)
    page = (folder / "report.html").read_text()
    assert "How values were lost" in page
    assert "The chance that a value is missing, by value: values below" in page
    assert "Rubin" in page


def test_groups_are_imputed_each_from_its_own_samples(run, folder, lost):
    batch = pd.Series(["first"] * 60 + ["second"] * 59 + ["alone"], lost.index)
    lost = lost.where(batch != "second", lost.shift(1, axis=1))  # no value of the first gene
    lost.assign(batch=batch)[["batch", *lost]].to_csv("protein.csv", index_label="sample")
    options = ["--method", "gaussian", "--annotation", "batch", "--std"]
    assert run("impute", "protein.csv", "-o", "all.csv", *options, "all-std.csv").exit_code == 0
    result = run(
        "impute", "protein.csv", "-o", "filled.csv", "--groups", "batch", "--within-groups",
        *options, "std.csv", "--report", "report.html",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "every batch from its own samples" in (folder / "report.html").read_text()
    assert "2 groups were imputed each" in result.stderr
    read = partial(pd.read_csv, index_col=0)
    filled, std = read("filled.csv")[lost.columns], read("std.csv")[lost.columns]
    for name in ("first", "second"):
        rows = lost[batch == name].dropna(axis=1, how="all")
        own = build_own("gaussian", rows.shape[1], random_state=0).fit(rows)
        at = rows.index, rows.columns
        np.testing.assert_allclose(filled.loc[at], own.transform(rows), rtol=1e-6)
        np.testing.assert_allclose(std.loc[at], own.predict_std(rows), rtol=1e-5)
    for name, of_groups in (("all.csv", filled), ("all-std.csv", std)):
        of_all = read(name)[lost.columns]
        pd.testing.assert_series_equal(of_groups.loc["s119"], of_all.loc["s119"])
        second = batch == "second"
        pd.testing.assert_series_equal(of_groups[second].iloc[:, 0], of_all[second].iloc[:, 0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--mechanism", "curve", "--method", "knn"], "knn knows no curve"),
        (["--groups", "batch"], "no annotation of samples called 'batch'"),
        (["--within-groups"], "--within-groups needs --groups"),
        (["--within-groups", "--groups", "batch", "--model", "m.safetensors"], "no single model"),
        (["--mask-out", "filled.csv"], "Two of the files to write are the same"),
    ],
)
def test_what_cannot_be_is_refused(run, folder, lost, options, words):
    lost.to_csv("protein.csv")
    result = run("impute", "protein.csv", "-o", "filled.csv", *options)
    assert result.exit_code in (1, 2)
    assert words in " ".join(result.output.replace("│", " ").split())
    assert not (folder / "filled.csv").exists()
