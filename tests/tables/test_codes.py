"""Numbers that stand for missing values are noticed, and taken for missing if that is said."""

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from vaeimpute.tables import Guess, read_source, write_filled
from vaeimpute.tables.codes import find_codes

RNG = np.random.default_rng(0)
SHAPE = (30, 40)
SCALES = {
    "log2": RNG.normal(22, 2.5, SHAPE),
    "expression": RNG.normal(8, 3, SHAPE),
    "z": RNG.normal(size=SHAPE),
    "beta": RNG.beta(0.5, 0.5, SHAPE),
    "intensity": RNG.lognormal(17, 2, SHAPE).round(),
    "genotype": RNG.integers(0, 3, SHAPE).astype(float),
}


@pytest.mark.parametrize(
    ("scale", "code"),
    [("log2", 0), ("log2", -9), ("log2", -999), ("log2", 999), ("expression", -99), ("z", -9),
     ("z", 99), ("beta", -1), ("beta", -9), ("beta", 9), ("intensity", 0), ("intensity", -1),
     ("genotype", -9), ("genotype", 9)],
)  # fmt: skip
def test_a_code_is_found(scale, code):
    values = SCALES[scale].copy()
    values[RNG.random(SHAPE) < 0.05] = code
    found = {c.number: c for c in find_codes(values) if c.next is not None}
    assert list(found) == [code]
    assert found[code].count == (values == code).sum()
    assert f"--missing-value {code}" in str(found[code])


def test_two_codes_at_once():
    values = SCALES["log2"].copy()
    values[:3], values[3:6] = -999, -9
    assert [c.number for c in find_codes(values) if c.next is not None] == [-999, -9]


@pytest.mark.parametrize(
    "values",
    [
        *SCALES.values(),
        RNG.poisson(2, SHAPE).astype(float),
        np.log2(RNG.poisson(3, SHAPE) + 1),
        np.log1p(RNG.poisson(0.4, SHAPE) / RNG.uniform(2e3, 9e3, (30, 1)) * 1e4),
        RNG.poisson(30, SHAPE) / RNG.uniform(10, 90, (30, 1)),
        np.maximum(SCALES["expression"], 5.0),
        np.log2(RNG.poisson(np.exp(RNG.normal(3, 2, SHAPE))) / 50 + 0.001),
        np.full(SHAPE, 3.0),
        np.full((2, 2), np.nan),
    ],
)
def test_values_are_no_codes(values):
    assert [c for c in find_codes(values) if c.next is not None] == []


def test_zeros_and_floors_are_counted():
    values = np.abs(SCALES["z"])
    values[:3] = 0
    (code,) = find_codes(values)
    assert "120 values (10 %) are exactly 0" in str(code)
    (code,) = find_codes(np.maximum(SCALES["expression"], 5.0))
    assert "are exactly 5, and are taken for values." in str(code)


@pytest.mark.parametrize("format_", ["csv", "parquet", "h5ad", "sparse"])
def test_codes_are_missing_if_that_is_said(tmp_path, format_):
    values = pd.DataFrame([[0.0, 21.5, 22.5], [20.5, -9.0, np.nan]], ["a", "b"], ["x", "y", "z"])
    path = tmp_path / f"in.{format_.replace('sparse', 'h5ad')}"
    if format_ == "csv":
        values.to_csv(path)
    elif format_ == "parquet":
        values.to_parquet(path)
    else:
        array = values.to_numpy()
        make = sparse.csr_matrix if format_ == "sparse" else np.array
        obs, var = pd.DataFrame(index=values.index), pd.DataFrame(index=values.columns)
        anndata.AnnData(make(array), obs, var).write_h5ad(path)
    source = read_source(path, missing_values=[0, -9])
    assert source.values.isna().to_numpy().tolist() == [[True, False, False], [False, True, True]]
    assert "1 values are -9, and are taken for missing." in source.notes
    write_filled(source, np.full((2, 3), 7.5), target := path.with_name(f"out{path.suffix}"))
    again = read_source(target).values
    assert again.to_numpy().tolist() == [[7.5, 21.5, 22.5], [20.5, 7.5, 7.5]]


def test_an_isolated_code_is_a_guess(tmp_path):
    values = pd.DataFrame(SCALES["log2"]).add_prefix("g").rename(index="s{}".format)
    values.iloc[::4, ::3] = 0
    values.to_csv(tmp_path / "in.csv")
    notes = read_source(tmp_path / "in.csv").notes
    assert any(
        isinstance(note, Guess) and "are exactly 0, and the next is" in note for note in notes
    )
