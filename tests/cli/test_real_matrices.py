"""Three real matrices with holes punched by this script, which keeps what was there."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from vaeimpute.cli.options import OWN_METHODS
from vaeimpute.cohorts import load_cohort
from vaeimpute.methods import METHODS

pytestmark = pytest.mark.slow


@dataclass
class Punched:
    """A matrix in a file: what is in it, what was taken out, and how to read and call it."""

    path: str
    options: list
    true: pd.DataFrame
    holes: pd.DataFrame
    read: object

    @property
    def output(self):
        return f"filled{''.join(Path(self.path).suffixes)}"


def punch(values, how, rng):
    """Return where to make holes; every feature keeps values."""
    if how == "random":
        holes = rng.random(values.shape) < 0.12
    elif how == "features":  # a third of the samples lacks a tenth of the features
        holes = np.zeros(values.shape, dtype=bool)
        holes[np.ix_(rng.random(len(values)) < 0.33, rng.random(values.shape[1]) < 0.1)] = True
    else:  # low values
        z = (values - values.mean()) / values.std()
        holes = (z < -1.3).to_numpy() & (rng.random(values.shape) < 0.5)
    return pd.DataFrame(holes, values.index, values.columns)


def breast_csv(folder, rng):
    values = load_cohort("breast-gse1992").values.iloc[:, ::20].round(4)
    holes = punch(values, "random", rng)
    values.mask(holes).to_csv(folder / "breast.csv")
    return Punched("breast.csv", [], values, holes, _read_csv)


def brain_tsv(folder, rng):
    values = load_cohort("brain-gse74193").values.iloc[::5, ::12].round(5)
    holes = punch(values, "features", rng)
    values.mask(holes).T.to_csv(folder / "brain.tsv.gz", sep="\t", na_rep="NA")
    return Punched("brain.tsv.gz", ["--features-in-rows"], values, holes, _read_tsv)


def other_breast_h5ad(folder, rng):
    survset = pytest.importorskip("SurvSet.data")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "numpy.core", DeprecationWarning)
        table = survset.SurvLoader().load_dataset("gse4335")["df"].set_index("pid")
    genes = [column for column in table if column.startswith("num_HS_")]
    values = table[genes].iloc[:, ::16].astype(np.float32)
    values.index.name = None
    holes = punch(values, "random", rng)
    anndata.AnnData(
        values.mask(holes).to_numpy(), pd.DataFrame(index=values.index),
        pd.DataFrame(index=values.columns),
    ).write_h5ad(folder / "other.h5ad")  # fmt: skip
    return Punched("other.h5ad", [], values, holes, _read_h5ad)


def _read_csv(path):
    return pd.read_csv(path, index_col=0, float_precision="round_trip")


def _read_tsv(path):
    return pd.read_csv(path, index_col=0, sep="\t", float_precision="round_trip").T


def _read_h5ad(path):
    return anndata.read_h5ad(path).to_df()


@pytest.fixture(params=[breast_csv, brain_tsv, other_breast_h5ad])
def punched(request, folder):
    return request.param(folder, np.random.default_rng(7))


def errors_by_sample(found, punched):
    """Mean absolute error of every sample over its holes, in standard deviations."""
    scale = punched.true.std()
    return ((found - punched.true).abs() / scale).where(punched.holes).mean(axis=1).dropna()


def test_every_hole_is_filled_and_every_value_kept(run, punched):
    result = run("impute", punched.path, "-o", punched.output, *punched.options)
    assert result.exit_code == 0, result.output
    found = punched.read(punched.output)
    assert found.notna().all(axis=None)
    kept = ~punched.holes.to_numpy()
    np.testing.assert_array_equal(found.to_numpy()[kept], punched.true.to_numpy()[kept])
    # It has learnt something: the means of the features do worse.
    means = punched.true.mask(punched.holes).mean()
    assert (
        errors_by_sample(found, punched).mean()
        < 0.95 * errors_by_sample(punched.true * 0 + means, punched).mean()
    )


def test_compare_names_the_best_method_to_within_noise(run, punched):
    """The exhaustive run: every method fills the real holes, and the truth says how well."""
    errors = {}
    for name in OWN_METHODS:
        arguments = ("-o", punched.output, "--method", name, "--force", *punched.options)
        result = run("impute", punched.path, *arguments)
        assert result.exit_code == 0, result.output
        errors[METHODS[name].label] = errors_by_sample(punched.read(punched.output), punched)
    result = run("compare", punched.path, *punched.options, "--trials", 2)
    assert result.exit_code == 0, result.output
    named = result.stdout.splitlines()[-1].partition(" errs least")[0]
    best = min(errors, key=lambda label: errors[label].mean())
    difference = errors[named] - errors[best]
    noise = difference.std() / np.sqrt(len(difference))
    assert difference.mean() <= 2 * noise
