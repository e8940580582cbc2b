"""Matrices in blocks of rows, from whatever rows can be sliced from."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_info

from vaeimpute.imputers import (
    AutoencoderImputer,
    GaussianImputer,
    KNNImputer,
    MeanImputer,
    RandomImputer,
    SVDImputer,
    VAEImputer,
    fit_anndata,
    fit_blocks,
    impute_blocks,
    transform_anndata,
)
from vaeimpute.imputers._moments import Moments

NETWORK = {
    "hidden_sizes": (16,), "latent_dim": 4, "n_epochs": 5, "init": "mean", "device": "cpu",
    "random_state": 0,
}  # fmt: skip
IMPUTERS = [
    MeanImputer(),
    RandomImputer(random_state=0),
    KNNImputer(),
    GaussianImputer(random_state=0),
    SVDImputer(joint=False, n_components=4, random_state=0),
    VAEImputer(**NETWORK),
    AutoencoderImputer(**NETWORK),
]


@pytest.fixture
def imputer(request):
    return clone(request.param)


each = pytest.mark.parametrize("imputer", IMPUTERS, ids=lambda i: type(i).__name__, indirect=True)


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 4)) @ rng.normal(size=(4, 30)) + 0.1 * rng.normal(size=(90, 30)) + 5
    X[rng.random(X.shape) < 0.1] = np.nan
    return X.astype(np.float32)


@each
def test_learns_and_fills_as_in_memory(imputer, matrix):
    expected = clone(imputer).fit(matrix).transform(matrix)
    fit_blocks(imputer, matrix, rows_per_block=13)
    filled = np.zeros_like(matrix)
    impute_blocks(imputer, matrix, filled, rows_per_block=7)
    observed = ~np.isnan(matrix)
    assert filled[observed].tobytes() == matrix[observed].tobytes()
    if isinstance(imputer, SVDImputer):  # its scans end a little apart from the decomposition
        assert np.abs(filled - expected).mean() < 0.02
    else:
        np.testing.assert_allclose(filled, expected, rtol=0, atol=1e-4)


def test_scans_find_the_singular_vectors():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 6)) * [9, 7, 5, 4, 3, 2] @ rng.normal(size=(6, 50))
    X += 0.3 * rng.normal(size=X.shape)
    imputer = fit_blocks(
        SVDImputer(joint=False, n_components=6, standardize=False, random_state=0), X,
        rows_per_block=30,
    )  # fmt: skip
    exact = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2][:6]
    cosines = np.linalg.svd(exact @ imputer.components_.T)[1]
    np.testing.assert_allclose(cosines, 1.0, atol=1e-8)
    np.testing.assert_allclose(
        np.abs(np.sum(exact * imputer.components_, axis=1)), 1.0, atol=1e-6
    )  # by falling singular value


def test_a_rank_is_chosen_on_rows_in_memory_or_not_at_all(matrix):
    auto = SVDImputer(n_components="auto", joint=False, random_state=0)
    expected = clone(auto).fit(matrix)
    found = fit_blocks(clone(auto), matrix, rows_per_block=13)
    assert found.n_components_ == expected.n_components_
    np.testing.assert_allclose(found.components_, expected.components_, rtol=0, atol=1e-5)
    needed = auto._bytes_to_fit(*matrix.shape)
    source = Counted(matrix)
    with pytest.raises(MemoryError, match=r"SVDImputer needs .*with a number of components"):
        fit_blocks(auto, source, max_bytes=needed - 1)
    assert source.n_read == 0


class Counted:
    """A matrix that counts the rows which are read from it and written to it."""

    def __init__(self, matrix):
        self.matrix, self.shape, self.dtype = matrix, matrix.shape, matrix.dtype
        self.n_read = self.n_written = self.most_between = 0

    def __getitem__(self, rows):
        self.n_read += rows.stop - rows.start
        self.most_between = max(self.most_between, self.n_read - self.n_written)
        return self.matrix[rows]

    def __setitem__(self, rows, block):
        assert rows.start == self.n_written  # in order
        self.n_written = rows.stop
        self.matrix[rows] = block


@each
@pytest.mark.parametrize("n_jobs", [3, -1])
def test_in_threads_the_same_comes_out(imputer, matrix, n_jobs):
    expected = np.zeros_like(matrix)
    impute_blocks(fit_blocks(clone(imputer), matrix), matrix, expected, rows_per_block=7)
    fit_blocks(imputer, matrix, rows_per_block=7, n_jobs=n_jobs)
    copy = Counted(matrix.copy())
    impute_blocks(imputer, copy, copy, rows_per_block=7, n_jobs=n_jobs)
    np.testing.assert_allclose(copy.matrix, expected, rtol=0, atol=1e-5)


def test_threads_do_not_read_everything_into_memory(matrix):
    copy = Counted(matrix.copy())
    impute_blocks(MeanImputer().fit(matrix), copy, copy, rows_per_block=2, n_jobs=3)
    assert copy.n_written == len(matrix)
    assert copy.most_between <= 4 * 2


def test_threads_of_libraries_are_given_back_after_an_error(matrix):
    class Full(Counted):
        def __setitem__(self, rows, block):
            raise OSError("No space left on device")

    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    with pytest.raises(OSError, match="No space") as error:
        impute_blocks(
            MeanImputer().fit(matrix), matrix, Full(matrix.copy()), rows_per_block=2, n_jobs=2
        )
    assert threads() == before, error  # whose traceback still holds on to everything


def test_no_jobs_are_refused_and_a_fit_is_kept(matrix):
    imputer = MeanImputer().fit(matrix)
    for call in (fit_blocks, partial(impute_blocks, out=matrix.copy())):
        with pytest.raises(ValueError, match="n_jobs"):
            call(imputer, matrix, n_jobs=0)
    imputer.transform(matrix)


def test_what_fails_in_a_thread_is_raised_and_no_file_is_left(matrix, tmp_path):
    imputer = MeanImputer().fit(matrix)
    broken = matrix.copy()
    broken[50, 3] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        impute_blocks(imputer, broken, tmp_path / "out.npy", rows_per_block=5, n_jobs=2)
    assert not any(tmp_path.iterdir())


@each
@pytest.mark.parametrize("kind", ["npy", "zarr", "h5ad", "h5ad sparse"])
def test_reads_and_writes_what_slices_rows(imputer, matrix, kind, tmp_path):
    expected = np.zeros_like(matrix)
    impute_blocks(fit_blocks(clone(imputer), matrix), matrix, expected)
    if kind == "npy":
        np.save(tmp_path / "holes.npy", matrix)
        source = np.load(tmp_path / "holes.npy", mmap_mode="r")
        out = np.lib.format.open_memmap(
            tmp_path / "filled.npy", "w+", dtype=np.float32, shape=matrix.shape
        )
    elif kind == "zarr":
        zarr = pytest.importorskip("zarr")
        source, out = (
            zarr.create_array(tmp_path / name, shape=matrix.shape, dtype="float32", chunks=(20, 30))
            for name in ("holes.zarr", "filled.zarr")
        )
        source[:] = matrix
    else:
        anndata = pytest.importorskip("anndata")
        values = matrix if kind == "h5ad" else csr_matrix(matrix)
        anndata.AnnData(values).write_h5ad(tmp_path / "holes.h5ad")
        source = anndata.read_h5ad(tmp_path / "holes.h5ad", backed="r")
        out = np.zeros_like(matrix)
    fit_blocks(imputer, source, rows_per_block=17)
    impute_blocks(imputer, source, out, rows_per_block=11)
    np.testing.assert_allclose(np.asarray(out[:]), expected, rtol=0, atol=2e-3)
    if kind == "h5ad":
        assert list(imputer.feature_names_in_) == list(source.var_names)
        source.file.close()


def test_features_stay_where_the_source_has_them(matrix):
    names = pd.Index([f"g{i}" for i in range(matrix.shape[1])])
    imputer = KNNImputer().fit(pd.DataFrame(matrix, columns=names))
    order = np.random.default_rng(0).permutation(matrix.shape[1])
    anndata = pytest.importorskip("anndata")
    other = anndata.AnnData(matrix[:, order], var=pd.DataFrame(index=names[order]))
    filled = np.zeros_like(matrix)
    impute_blocks(imputer, other, filled, rows_per_block=40)
    np.testing.assert_array_equal(
        filled, imputer.transform(pd.DataFrame(matrix, columns=names))[:, order]
    )


def test_writes_a_file_that_is_there_whole_or_not_at_all(matrix, tmp_path):
    imputer = MeanImputer().fit(matrix)
    path = tmp_path / "filled.npy"
    impute_blocks(imputer, matrix, path, rows_per_block=40)
    filled = np.load(path)
    assert filled.dtype == np.float32
    np.testing.assert_array_equal(filled, imputer.transform(matrix))

    class Broken:
        shape = matrix.shape

        def __getitem__(self, rows):
            if rows.start > 0:
                raise OSError("unreadable")
            return matrix[rows]

    with pytest.raises(OSError, match="unreadable"):
        impute_blocks(imputer, Broken(), path, rows_per_block=40)
    np.testing.assert_array_equal(np.load(path), filled)
    assert [file.name for file in tmp_path.iterdir()] == ["filled.npy"]
    with pytest.raises(OSError, match="unreadable"):
        fit_blocks(imputer, Broken(), rows_per_block=40)
    with pytest.raises(NotFittedError):
        imputer.transform(matrix)


def test_reference_rows_are_drawn_by_the_seed_and_scaled_by_all_rows(matrix):
    first, again, second = (
        fit_blocks(KNNImputer(), matrix, n_reference=20, random_state=seed, rows_per_block=8)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.train_, again.train_)
    assert (first.train_ != second.train_).any()
    np.testing.assert_allclose(first._scaler.mean_, np.nanmean(matrix, axis=0), rtol=1e-5)


def test_means_and_variances_lose_no_digits():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 5)) * 3 + [0, 1e8, -1e4, 0, 0]
    X[rng.random(X.shape) < 0.2] = np.nan
    X[:10, 0] = X[45:, 1] = np.nan  # nothing in the first block, or in the last
    X[:, 2] = 0.1
    parts = [Moments.of(X[start : start + 10]) for start in range(0, 60, 10)]
    moments = sum(parts[1:], start=parts[0])
    np.testing.assert_allclose(moments.mean, np.nanmean(X, axis=0), rtol=1e-14)
    expected = np.nanstd(X, axis=0)
    expected[2] = 1.0  # a constant
    np.testing.assert_allclose(moments.scale, expected, rtol=1e-6)


def test_says_up_front_what_memory_it_needs(matrix):
    class Unread:
        shape = (100_000, 17_176)

    with pytest.raises(
        MemoryError, match=r"KNNImputer needs about .* GB .*n_reference=\d+"
    ) as error:
        fit_blocks(KNNImputer(), Unread())
    few = int(str(error.value).split("n_reference=")[1].split()[0])
    needed = KNNImputer()._bytes_to_fit(few, 17_176)
    assert 0.99 * 2**31 < needed <= 2**31
    with pytest.raises(MemoryError, match=r"SVDImputer needs .*with a number of components"):
        fit_blocks(SVDImputer(n_components="auto", joint=False), Unread())  # needs the rows
    with pytest.raises(MemoryError, match=r"VAEImputer needs about .* Not even one row would fit"):
        fit_blocks(VAEImputer(), Unread())  # the paper's network


class Unread:
    """Cells of which nothing may be read."""

    def __init__(self, names, n_rows=4):
        self.var_names, self.shape, self.X = pd.Index(names), (n_rows, len(names)), self


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "c"], "'b' missing; 'c' not known"),
        (["a", "a"], "'b' missing; 'a' there more than once"),
        (["a", "b", "c"], "'c' not known|fitted to 2 features"),
    ],
)
def test_other_features_are_refused_before_anything_is_read(names, message, tmp_path):
    imputer = MeanImputer().fit(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}))
    with pytest.raises(ValueError, match=message):
        impute_blocks(imputer, Unread(names), tmp_path / "out.npy")
    with pytest.raises(ValueError, match=message):
        transform_anndata(imputer, Unread(names))
    with pytest.raises(NotFittedError):
        impute_blocks(MeanImputer(), Unread(names), tmp_path / "out.npy")
    with pytest.raises(NotFittedError):
        transform_anndata(MeanImputer(), Unread(names))


@pytest.mark.parametrize(
    ("imputer", "n_rows", "message"),
    [
        (AutoencoderImputer(validation_fraction=0.1), 4, "of 4 rows leaves 4 for training and 0"),
        (VAEImputer(validation_fraction=0.9), 4, "of 4 rows leaves 0 for training and 4"),
        # Enough for the model, but not for the one by which the shift is chosen.
        (VAEImputer(validation_fraction=0.1, shift="auto"), 6, "of 5 rows leaves 5"),
    ],
)
def test_no_rows_to_validate_with_are_refused_before_anything_is_read(imputer, n_rows, message):
    with pytest.raises(ValueError, match=message):
        fit_blocks(imputer, Unread(["a", "b"], n_rows))


@pytest.mark.parametrize("fit", [fit_blocks, fit_anndata])
def test_features_of_one_name_are_refused_before_anything_is_read(fit):
    with pytest.raises(ValueError, match="cannot tell features of the same name apart: 'a'"):
        fit(MeanImputer(), Unread(["a", "a"]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X: fit_blocks(MeanImputer(), [[1.0]]), "rows can be sliced from.*got list"),
        (
            lambda X: impute_blocks(SVDImputer().fit(X), X, np.empty_like(X)),
            "Fit one with joint=False",
        ),
        (lambda X: impute_blocks(MeanImputer().fit(X), X, X[:3]), r"shape \(90, 30\) but got"),
        (
            lambda X: impute_blocks(MeanImputer().fit(X), X, np.zeros(X.shape, int)),
            "out to hold floats but got int64",
        ),
        (lambda X: impute_blocks(MeanImputer().fit(X), X[:0], "a.npy"), r"of shape \(0, 30\)"),
        (lambda X: fit_blocks(MeanImputer(), X[:, :0]), r"of shape \(90, 0\)"),
        (lambda X: impute_blocks(MeanImputer().fit(X), X, "a.csv"), "ends in .npy but got a.csv"),
        (lambda X: fit_blocks(MeanImputer(), np.where(X > 5, np.inf, X)), "contain infinity"),
        (
            lambda X: fit_blocks(MeanImputer(), np.where(np.arange(30) < 2, np.nan, X)),
            "no value in the rows that MeanImputer learns from: 0, 1 of 30",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(matrix, call, message):
    with pytest.raises(ValueError, match=message):
        call(matrix)
