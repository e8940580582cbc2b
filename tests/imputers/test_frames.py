"""Data frames in and out of imputers: labels, order and types of columns."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone

from vaeimpute.exceptions import EmptyFeatureWarning, FeatureOrderWarning
from vaeimpute.imputers import (
    GaussianImputer,
    KNNImputer,
    MeanImputer,
    RandomImputer,
    SVDImputer,
    VAEImputer,
    load_imputer,
    save_imputer,
)

SMALL = {"hidden_sizes": (16,), "latent_dim": 4, "n_epochs": 3, "init": "mean", "device": "cpu"}
IMPUTERS = [
    MeanImputer(),
    RandomImputer(random_state=0),
    KNNImputer(n_neighbors=3),
    GaussianImputer(random_state=0),
    SVDImputer(n_components=4),
    VAEImputer(**SMALL, random_state=0),
]


@pytest.fixture(params=IMPUTERS, ids=lambda imputer: type(imputer).__name__)
def imputer(request):
    return clone(request.param).set_output(transform="pandas")


@pytest.fixture
def frames():
    """Rows to fit to and rows to fill, both with holes."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 8)) + 7
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:, 0] = np.where(np.isnan(X[:, 0]), 0.0, X[:, 0])
    X = pd.DataFrame(X, [f"s{i}" for i in range(50)], [f"gene{i}" for i in range(8)])
    return X[:40], X[40:].rename_axis(index="sample")


def test_index_and_columns_come_back(imputer, frames):
    train, new = frames
    filled = imputer.fit(train).transform(new)
    pd.testing.assert_index_equal(filled.index, new.index)
    assert filled.columns.tolist() == new.columns.tolist()
    assert imputer.get_feature_names_out().tolist() == train.columns.tolist()


def test_columns_in_another_order_are_matched_by_name(imputer, frames):
    train, new = frames
    expected = imputer.fit(train).transform(new)
    shuffled = new[new.columns[::-1]]
    with pytest.warns(FeatureOrderWarning, match="another order .* matched by name"):
        filled = imputer.transform(shuffled)
    pd.testing.assert_frame_equal(filled, expected)


def test_other_columns_are_refused_with_a_list(imputer, frames):
    train, new = frames
    imputer.fit(train)
    with pytest.raises(ValueError, match=r"8 features.*: 'gene3', 'gene5' missing\. Drop"):
        imputer.transform(new.drop(columns=["gene3", "gene5"]))
    with pytest.raises(ValueError, match=r"differ: 'age' not known from the fit\. Drop"):
        imputer.transform(new.assign(age=50.0))
    with pytest.raises(ValueError, match=r"'gene0', .*'gene4' and 3 more missing; 'a0', .* and 3"):
        imputer.transform(new.set_axis([f"a{i}" for i in range(8)], axis=1))
    doubled = pd.concat([new, new[["gene2"]]], axis=1)
    with pytest.raises(ValueError, match="'gene2' there more than once"):
        imputer.transform(doubled)


def test_a_saved_imputer_matches_by_name_too(frames, tmp_path):
    train, new = frames
    save_imputer(MeanImputer().fit(train), tmp_path / "mean.safetensors")
    imputer = load_imputer(tmp_path / "mean.safetensors")
    with pytest.warns(FeatureOrderWarning):
        filled = imputer.transform(new[new.columns[::-1]])
    np.testing.assert_array_equal(filled, MeanImputer().fit(train).transform(new))
    with pytest.raises(ValueError, match="'gene1' missing"):
        imputer.transform(new.drop(columns="gene1"))


def test_names_that_could_not_be_matched_are_refused_at_fit(frames):
    train, _ = frames
    with pytest.raises(ValueError, match=r"same name apart: 'x'\. Merge or rename"):
        MeanImputer().fit(train.set_axis([*"abcdef", "x", "x"], axis=1))
    with pytest.raises(ValueError, match=r"have to be text, but 8 .* 101\. .*astype\(str\)"):
        MeanImputer().fit(train.set_axis([101, *range(8, 1, -1)], axis=1))
    with pytest.raises(ValueError, match=r"but 1 of X are not, the first of them 7\. "):
        MeanImputer().fit(train.set_axis([*"abcdefg", 7], axis=1))
    levels = pd.MultiIndex.from_product([["chr1", "chr2"], list("abcd")])
    with pytest.raises(ValueError, match=r"\('chr1', 'a'\)\. .*'\|'.join"):
        MeanImputer().fit(train.set_axis(levels, axis=1))


def test_columns_that_are_just_counted_have_no_names(frames):
    train, new = (frame.set_axis(range(8), axis=1) for frame in frames)
    imputer = MeanImputer().fit(train)
    assert not hasattr(imputer, "feature_names_in_")
    np.testing.assert_array_equal(imputer.transform(new), imputer.transform(new.to_numpy()))


@pytest.mark.parametrize(
    "convert",
    [
        lambda frame: frame.astype(object),
        lambda frame: frame.astype(object).where(frame.notna(), None),
        lambda frame: frame.astype(object).where(frame.notna(), pd.NA),
        lambda frame: frame.astype("string"),
        lambda frame: frame.astype({"gene1": object, "gene2": "string", "gene3": "category"}),
        lambda frame: frame.astype(pd.SparseDtype(float, np.nan)),
    ],
    ids=["object", "None", "NA", "string", "mixed", "sparse"],
)
def test_numbers_in_other_types_are_taken_as_such(frames, convert):
    train, new = frames
    imputer = MeanImputer().set_output(transform="pandas")
    expected = imputer.fit(train).transform(new)
    pd.testing.assert_frame_equal(imputer.fit(convert(train)).transform(convert(new)), expected)


@pytest.mark.parametrize("kind", ["Float64", "float64[pyarrow]"])
def test_nullable_types_come_back_nullable(frames, kind):
    train, new = frames
    counts = train["gene0"].fillna(3).round()
    train, new = (frame.assign(gene0=counts) for frame in frames)
    expected = MeanImputer().set_output(transform="pandas").fit(train).transform(new)
    integer = "int64[pyarrow]" if "pyarrow" in kind else "Int64"
    types = dict.fromkeys(train.columns, kind) | {"gene0": integer, "gene7": "float64"}
    imputer = MeanImputer().fit(train.astype(types))
    assert type(imputer.transform(new.astype(types))) is np.ndarray  # as nobody asked for frames
    filled = imputer.set_output(transform="pandas").transform(new.astype(types))
    assert filled.dtypes.astype(str).replace("double[pyarrow]", kind).tolist() == [kind] * 7 + [
        "float64"
    ]
    pd.testing.assert_frame_equal(filled.astype(float), expected)


def other_libraries(frame):
    table = pytest.importorskip("pyarrow").Table.from_pandas(frame, preserve_index=False)
    return {"polars": pl.from_arrow(table), "Arrow": table}


@pytest.mark.parametrize("library", ["polars", "Arrow"])
def test_frames_of_other_libraries(frames, library):
    train, new = frames
    expected = KNNImputer().fit(train).transform(new)
    imputer = KNNImputer().fit(other_libraries(train)[library])
    assert list(imputer.feature_names_in_) == list(train)
    np.testing.assert_allclose(imputer.transform(other_libraries(new)[library]), expected)
    reversed_columns = other_libraries(new.iloc[:, ::-1])[library]
    with pytest.warns(FeatureOrderWarning):
        np.testing.assert_allclose(imputer.transform(reversed_columns), expected)
    for strange, words in (
        (train.assign(batch="a"), "got 'a' in row 0, column 'batch'"),
        (train.assign(day=pd.Timestamp(2026, 1, 1)), "column 'day' holds dates"),
    ):
        with pytest.raises(ValueError, match=words):
            imputer.fit(other_libraries(strange)[library])


def test_a_lazy_frame_is_to_be_collected(frames):
    with pytest.raises(ValueError, match=r"in memory: collect\(\) the LazyFrame"):
        MeanImputer().fit(other_libraries(frames[0])["polars"].lazy())


def test_arrays_of_objects(frames):
    train, new = (frame.to_numpy() for frame in frames)
    expected = MeanImputer().fit(train).transform(new)
    for missing in (None, pd.NA, "nan"):
        objects = np.where(np.isnan(new), missing, new.astype(object))
        for some in (objects, objects.tolist()):
            np.testing.assert_array_equal(MeanImputer().fit(train).transform(some), expected)
    objects[3, 5] = "n.d."
    with pytest.raises(ValueError, match=r"got 'n\.d\.' in row 3, column 5"):
        MeanImputer().fit(objects)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("marker", [np.nan, -1])
def test_what_is_masked_is_missing(frames, dtype, marker):
    mask = frames[0].isna().to_numpy()
    values = frames[0].fillna(-999).round().to_numpy()
    expected = MeanImputer().fit_transform(np.where(mask, np.nan, values))
    masked = np.ma.masked_array(values.astype(dtype), mask)
    filled = MeanImputer(missing_values=marker).fit_transform(masked)
    np.testing.assert_allclose(filled, expected, rtol=1e-6)
    assert masked.data[mask].tolist() == values[mask].tolist()  # not changed


def test_integers_without_holes_and_with(frames):
    counts = frames[0].fillna(3).round().astype(int)
    np.testing.assert_array_equal(MeanImputer().fit_transform(counts), counts)
    holes = counts.astype("Int64")
    holes.iloc[1, 2] = pd.NA
    filled = MeanImputer().fit_transform(holes)
    assert filled.dtype == np.float64
    assert filled[1, 2] == pytest.approx(counts["gene2"].drop("s1").mean())


def test_text_is_refused_with_its_place(frames):
    train = frames[0].astype(object)
    train.loc["s7", "gene4"] = "n.d."
    train.loc["s9", "gene5"] = "n.d."
    with pytest.raises(ValueError, match=r"got 'n\.d\.' in row 's7', column 'gene4', and 1 more"):
        MeanImputer().fit(train)
    with pytest.raises(ValueError, match="row 's7', column 'gene4'"):
        MeanImputer().fit(frames[0]).transform(train)


def test_dates_are_refused(frames):
    train = frames[0].assign(day=pd.Timestamp("2020-02-01"))
    with pytest.raises(ValueError, match="'day' holds dates or durations"):
        MeanImputer().fit(train)


def test_a_feature_may_be_missing_in_all_new_rows_but_not_in_the_fit(imputer, frames):
    train, new = frames
    empty = new.assign(gene6=np.nan)
    filled = imputer.fit(train).transform(empty)
    assert filled.shape == new.shape
    assert np.isfinite(filled["gene6"]).all()
    with pytest.warns(EmptyFeatureWarning, match="1 of 8 features .* 'gene6'"):
        imputer.fit(empty)
    assert list(imputer.transform(new)) == [name for name in new if name != "gene6"]


@pytest.mark.parametrize("shape", [(1, 8), (8, 1), (1, 1), (2, 2)])
def test_the_smallest_matrices(imputer, shape):
    if isinstance(imputer, VAEImputer):
        imputer.set_params(n_epochs=1)
    X = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    holes = np.full((1, shape[1]), np.nan)
    assert np.isfinite(imputer.fit(X).transform(holes)).all(axis=None)


def test_no_rows_are_refused(imputer, frames):
    train, new = frames
    with pytest.raises(ValueError, match="0 sample"):
        imputer.fit(train).transform(new[:0])
