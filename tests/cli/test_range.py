"""Values stay between what they can be: bounds, scales, whole numbers, and what is said of them."""

import re

import numpy as np
import pandas as pd
import pytest

from vaeimpute.imputers import read_card


def latent(n_samples=40, n_features=60):
    rng = np.random.default_rng(12)
    return rng.normal(size=(n_samples, 3)) @ rng.normal(size=(3, n_features)), rng


def betas():
    z, rng = latent()
    return 1 / (1 + np.exp(-(1.5 * z + rng.choice([-4.5, 4.5, 0], z.shape[1]))))


def intensities():
    z, rng = latent()
    return np.exp(rng.normal(8, 2, z.shape[1]) + 1.2 * z)


def proportions():
    values = intensities()
    return values / values.sum(axis=1, keepdims=True)


def percentages():
    return 100 * betas()


def counts():
    z, rng = latent()
    return rng.poisson(np.exp(z + 1)).astype(float)


def genotypes():
    z, _ = latent()
    return np.digitize(z, [-1.0, 1.0]).astype(float)


def differences():
    z, _ = latent()
    return z


KINDS = {
    betas: (0, 1), intensities: (0, np.inf), proportions: (0, 1), percentages: (0, 100),
    counts: (0, np.inf), genotypes: (0, 2), differences: (-np.inf, np.inf),
}  # fmt: skip


def write(true, name="in.csv"):
    """Write a matrix of which 15 % is missing, and return where."""
    holes = np.random.default_rng(1).random(true.shape) < 0.15
    frame = pd.DataFrame(true).add_prefix("x").rename(index="s{}".format)
    if (true % 1 == 0).all():
        frame = frame.astype("Int64")
    frame.mask(holes).rename_axis("id").to_csv(name)
    return holes


def filled(name="out.csv"):
    return pd.read_csv(name, index_col=0).to_numpy()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_all_that_is_filled_in_can_be(run, folder, kind):
    holes = write(kind())
    result = run("impute", "in.csv", "-o", "out.csv", "--method", "gaussian")
    low, high = KINDS[kind]
    new = filled()[holes]
    assert ((new >= low) & (new <= high)).all()
    assert ("would not be" in result.stderr) == np.isfinite(low)
    if np.isfinite(low):
        n_at_bounds = ((new == low) | (new == high)).sum()
        assert f"Warning: {n_at_bounds} of {holes.sum()} values to fill in" in result.stderr


def test_a_bound_that_was_guessed_and_matters_is_an_error_if_nothing_may_be(run, fails, folder):
    write(betas())
    command = ("impute", "in.csv", "-o", "out.csv", "--method", "gaussian")
    assert "would not be between 0 and 1" in fails(*command, "--strict")
    assert not (folder / "out.csv").exists()
    assert run(*command, "--strict", "--min", "0", "--max", "1").exit_code == 0
    assert run("impute", "in.csv", "-o", "knn.csv", "--method", "knn", "--strict").exit_code == 0


def test_other_limits(run, fails, folder):
    holes = write(betas())
    command = ("impute", "in.csv", "-o", "out.csv", "-f", "--method", "gaussian")
    result = run(*command, "--min", "-inf", "--max", "inf")
    free = filled()[holes]
    assert free.min() < 0
    assert "outside of the range observed" in result.stderr
    assert "would not be" not in result.stderr
    run(*command, "--min", "0.1", "--max", "0.9")
    np.testing.assert_array_equal(filled()[holes], np.clip(free, 0.1, 0.9))
    assert "Expected --min below --max" in fails(*command, "--min", "1", "--max", "0", status=2)


def test_a_limit_holds_to_the_last_digit(run, folder):
    """exp(log(10 + 1)) - 1 is more than 10."""
    (folder / "in.csv").write_text("id,a,b\ns1,10,1\ns2,10,2\ns3,,3\n")
    run("impute", "in.csv", "-o", "out.csv", "--log", "--max", "10", "--method", "mean")
    assert pd.read_csv(folder / "out.csv", index_col=0).loc["s3", "a"] == 10.0


@pytest.mark.parametrize("kind", [betas, intensities, proportions], ids=lambda kind: kind.__name__)
def test_the_scale_that_errs_less_on_hidden_values_is_taken_and_said(run, folder, kind):
    true = kind()
    holes = write(true)
    options = ("--std", "std.csv", "--model", "m.safetensors", "--method", "auto")
    result = run("impute", "in.csv", "-o", "out.csv", *options)
    scale = "ln(x + " if kind is intensities else "logits"
    assert f"on {scale}" in re.search("out.csv: filled with .*", result.stderr)[0]
    assert "consider --log" not in result.stderr
    ours, std = filled(), filled("std.csv")
    assert (std[holes] > 0).all()
    run("impute", "in.csv", "-o", "plain.csv", "--method", "gaussian")
    sd = true.std(axis=0)
    errors = [np.abs((x - true) / sd)[holes].mean() for x in (ours, filled("plain.csv"))]
    assert errors[0] < 0.7 * errors[1]
    inside = (np.abs(ours - true) < 2 * std)[holes].mean()
    assert inside > 0.8
    # A saved model does the same on new samples.
    assert read_card("m.safetensors")["transform"].startswith(("log", "logit"))
    run("apply", "m.safetensors", "in.csv", "-o", "again.csv")
    np.testing.assert_allclose(filled("again.csv"), ours, rtol=1e-9)


def test_whole_numbers_stay_whole_and_text_stays_without_points(run, folder):
    holes = write(genotypes())
    result = run("impute", "in.csv", "-o", "out.csv", "--method", "gaussian", "--round")
    assert "Filled with whole numbers in 60 of 60 features." in result.stderr
    text = (folder / "out.csv").read_text()
    assert "." not in text
    assert set(np.unique(filled()[holes])) <= {0.0, 1.0, 2.0}
    frame = pd.read_csv("in.csv", index_col=0).astype("Int64")
    frame["x0"] = frame["x0"] + 0.5
    frame.to_parquet("in.parquet")
    run("impute", "in.parquet", "-o", "out.parquet", "--method", "gaussian", "--round")
    types = pd.read_parquet("out.parquet").dtypes.astype(str)
    assert types["x0"] == "Float64"
    assert set(types[1:]) == {"Int64"}


def test_iterations_that_run_away_are_said_without_a_source_line(run, folder):
    rng = np.random.default_rng(1)
    true = rng.normal(size=(90, 4)) @ rng.normal(size=(4, 120)) / 2 + rng.normal(20, 3, 120)
    pd.DataFrame(np.where(rng.random(true.shape) < 0.8, np.nan, true)).add_prefix("P").rename(
        index="s{}".format
    ).to_csv("in.csv")
    result = run("impute", "in.csv", "-o", "out.csv", "--method", "vae")
    assert "Warning: The iterations of VAEImputer run away instead of settling" in result.stderr
    assert ".py" not in result.stderr
