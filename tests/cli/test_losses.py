"""`vaeimpute impute --mechanism`, `--groups` and `--mask-out`: how values were lost, and which."""

import numpy as np
import pandas as pd
import pytest


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


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--mechanism", "curve", "--method", "knn"], "knn knows no curve"),
        (["--groups", "batch"], "no annotation of samples called 'batch'"),
        (["--mask-out", "filled.csv"], "Two of the files to write are the same"),
    ],
)
def test_what_cannot_be_is_refused(run, folder, lost, options, words):
    lost.to_csv("protein.csv")
    result = run("impute", "protein.csv", "-o", "filled.csv", *options)
    assert result.exit_code in (1, 2)
    assert words in " ".join(result.output.replace("│", " ").split())
    assert not (folder / "filled.csv").exists()
