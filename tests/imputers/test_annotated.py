"""Imputers on AnnData."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from vaeimpute.exceptions import MissingCodeWarning, SparseLayerWarning
from vaeimpute.imputers import (
    GaussianImputer,
    KNNImputer,
    MeanImputer,
    fit_anndata,
    transform_anndata,
)

anndata = pytest.importorskip("anndata")


@pytest.fixture
def adata():
    """Cells with counts in X, without holes, and logarithms with holes in a layer."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(3, size=(30, 12)).astype(np.float32)
    logs = np.log1p(counts)
    logs[rng.random(logs.shape) < 0.2] = np.nan
    return anndata.AnnData(
        counts,
        obs=pd.DataFrame({"batch": ["a", "b"] * 15}, index=[f"cell{i}" for i in range(30)]),
        var=pd.DataFrame(index=[f"gene{i}" for i in range(12)]),
        layers={"log": logs},
        uns={"note": "kept"},
    )


def test_a_layer_comes_back_filled_in_another(adata):
    before = adata.layers["log"].copy()
    imputer = fit_anndata(KNNImputer(n_neighbors=3), adata[:20], layer="log")
    result = transform_anndata(imputer, adata, layer="log", output_layer="imputed")
    expected = KNNImputer(n_neighbors=3).fit(before[:20]).transform(before)
    np.testing.assert_array_equal(result.layers["imputed"], expected)
    assert result.layers["imputed"].dtype == np.float32
    np.testing.assert_array_equal(result.layers["log"], before)
    np.testing.assert_array_equal(adata.layers["log"], before)
    assert list(adata.layers) == ["log"]
    np.testing.assert_array_equal(result.X, adata.X)
    assert result.obs.equals(adata.obs)
    assert result.uns == {"note": "kept"}


def test_without_an_output_layer_it_is_filled_where_it_is(adata):
    imputer = fit_anndata(MeanImputer(), adata, layer="log")
    assert np.isfinite(transform_anndata(imputer, adata, layer="log").layers["log"]).all()
    adata.X[3, 4] = np.nan
    filled = transform_anndata(fit_anndata(MeanImputer(), adata), adata)
    assert filled.X[3, 4] == pytest.approx(np.nanmean(adata.X[:, 4]))
    assert np.isnan(adata.X[3, 4])


def test_variables_are_matched_by_name_and_keep_their_order(adata):
    imputer = fit_anndata(GaussianImputer(random_state=0), adata, layer="log")
    expected = transform_anndata(imputer, adata, layer="log", std_layer="std")
    turned = adata[:, ::-1].copy()
    result = transform_anndata(imputer, turned, layer="log", std_layer="std")
    assert result.var_names.equals(turned.var_names)
    for layer in ("log", "std"):
        np.testing.assert_array_equal(result.layers[layer], expected.layers[layer][:, ::-1])
    missing = np.isnan(adata.layers["log"])
    np.testing.assert_array_equal(expected.layers["std"] > 0, missing)
    with pytest.raises(ValueError, match="'gene11' missing"):
        transform_anndata(imputer, adata[:, :11], layer="log")


def test_pandas_output_is_no_hindrance(adata):
    imputer = fit_anndata(MeanImputer().set_output(transform="pandas"), adata, layer="log")
    assert isinstance(transform_anndata(imputer, adata, layer="log").layers["log"], np.ndarray)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_array])
def test_zeros_of_a_sparse_layer_are_values(adata, kind):
    dense = np.asarray(adata.X).copy()
    dense[0, 0] = np.nan
    adata.layers["sparse"] = kind(dense)
    imputer = fit_anndata(MeanImputer(), adata, layer="sparse")
    result = transform_anndata(imputer, adata, layer="sparse", output_layer="imputed")
    dense[0, 0] = np.nanmean(dense[:, 0])
    np.testing.assert_allclose(result.layers["imputed"], dense)
    assert (dense == 0).any()


def test_a_sparse_layer_without_holes_is_remarked_upon(adata):
    adata.layers["sparse"] = sparse.csr_matrix(adata.X)
    imputer = fit_anndata(MeanImputer(), adata, layer="sparse")
    with pytest.warns(SparseLayerWarning, match="The layer 'sparse' is sparse .* missing_values"):
        result = transform_anndata(imputer, adata, layer="sparse")
    np.testing.assert_array_equal(result.layers["sparse"], adata.X)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_numbers_that_stand_for_missing_values(adata, kind):
    intensities = np.random.default_rng(0).lognormal(17, 1, adata.shape)
    holes = np.random.default_rng(1).random(adata.shape) < 0.2
    adata.X = kind(np.where(holes, 0.0, intensities))
    with pytest.warns(MissingCodeWarning, match=r"In X, .* exactly 0, .*missing_values=\[0\]"):
        fit_anndata(MeanImputer(), adata)
    imputer = fit_anndata(MeanImputer(), adata, missing_values=[0])
    found = transform_anndata(imputer, adata, missing_values=[0]).X
    means = np.nanmean(np.where(holes, np.nan, intensities), axis=0)
    np.testing.assert_allclose(found, np.where(holes, means, intensities))


def test_integers(adata):
    adata.layers["counts"] = np.asarray(adata.X).astype(int)
    result = transform_anndata(fit_anndata(MeanImputer(), adata), adata, layer="counts")
    np.testing.assert_array_equal(result.layers["counts"], adata.X)


def test_what_is_not_there_is_refused(adata):
    with pytest.raises(ValueError, match=r"no layer 'tpm'; its layers are: 'log'\."):
        fit_anndata(MeanImputer(), adata, layer="tpm")
    with pytest.raises(TypeError, match="MeanImputer knows no standard deviations"):
        transform_anndata(fit_anndata(MeanImputer(), adata), adata, std_layer="std")
    del adata.X
    with pytest.raises(ValueError, match=r"no X; its layers are: 'log'\."):
        fit_anndata(MeanImputer(), adata)
    adata.var_names = ["gene0"] * 12
    with pytest.raises(ValueError, match="same name apart: 'gene0'"):
        fit_anndata(MeanImputer(), adata, layer="log")


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_backed_mode(adata, tmp_path, form):
    adata.X = form(np.where(np.arange(360).reshape(30, 12) % 5, adata.X, np.nan))
    expected = transform_anndata(fit_anndata(MeanImputer(), adata), adata)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    backed = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    result = transform_anndata(fit_anndata(MeanImputer(), backed), backed)
    backed.file.close()
    assert not result.isbacked
    np.testing.assert_array_equal(result.X, expected.X)


@pytest.mark.parametrize("output_layer", [None, "std"])
def test_standard_deviations_do_not_replace_what_was_filled_in(adata, output_layer):
    adata.layers["std"] = adata.layers["log"]
    imputer = fit_anndata(GaussianImputer(random_state=0), adata, layer="std")
    with pytest.raises(ValueError, match=r"different layers .* but got 'std', 'std'"):
        transform_anndata(imputer, adata, layer="std", output_layer=output_layer, std_layer="std")
