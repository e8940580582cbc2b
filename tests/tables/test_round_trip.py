"""A matrix is written back as it was, but for its missing values."""

import gzip
import warnings
from datetime import date
from decimal import Decimal

import anndata
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from vaeimpute.exceptions import TableError
from vaeimpute.tables import read_source, write_filled, write_table
from vaeimpute.tables.text import MISSING

HOLES = np.array([[True, False, False], [False, False, True]])


@pytest.fixture
def values():
    array = np.array([[np.nan, 0.1 + 0.2, -3.0], [1e-17, 12345678.9, np.nan]])
    return pd.DataFrame(array, ["s1", "s2"], ["a", "b", "c"])


def fill(path, target, number=1 / 3, **options):
    source = read_source(path, **options)
    write_filled(source, np.full(source.values.shape, number), target)
    return source


@pytest.mark.parametrize("spelling", ["", *MISSING])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_text_keeps_every_other_character(tmp_path, separator, spelling):
    text = (
        '\n"sample",a,"b, or c",d\r\n'
        's1 ,1.500,{0}, 3\r\n'
        '\r\n'
        '"s,2",{0},"1E+2",-0\r\n'
        's3,+7,007,1.0000000000000000000001\n'
        's4,1,2,{0}'
    )  # fmt: skip
    # The separator within a quoted id has to stay one.
    text = text.replace(",", separator)
    extension = "tsv" if separator == "\t" else "csv"
    before, after = tmp_path / f"before.{extension}", tmp_path / f"after.{extension}"
    before.write_bytes(text.format(spelling).encode())
    fill(before, after, number=0.25)
    assert after.read_bytes().decode() == text.format("0.25")


@pytest.mark.parametrize("target", ["out.csv", "out.tsv"])
def test_text_keeps_its_byte_order_mark(tmp_path, target):
    (tmp_path / "in.csv").write_text("\ufeffid,a\ns1,1\ns2,\n", encoding="utf-8")
    fill(tmp_path / "in.csv", tmp_path / target, number=0.25)
    separator = "," if target == "out.csv" else "\t"
    expected = "\ufeffid,a\ns1,1\ns2,0.25\n".replace(",", separator)
    assert (tmp_path / target).read_text("utf-8") == expected


def test_quoted_missing_values_and_stray_quotation_marks(tmp_path):
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    before.write_text('id,a,b\n"5"" probe","NA",1\ns2,2,"3"\n')
    fill(before, after, number=4.0)
    assert after.read_text() == 'id,a,b\n"5"" probe","4.0",1\ns2,2,"3"\n'


@pytest.mark.parametrize("extension", ["csv", "csv.gz", "tsv.gz", "txt"])
def test_filled_numbers_are_read_again_to_the_bit(tmp_path, extension, values):
    path = tmp_path / f"in.{extension}"
    values.to_csv(path, sep="," if "csv" in extension else "\t")
    fill(path, tmp_path / f"out.{extension}")
    again = read_source(tmp_path / f"out.{extension}").values
    pd.testing.assert_frame_equal(again, values.fillna(1 / 3), check_exact=True)


def test_gzip_without_time_or_name(tmp_path, values):
    values.to_csv(tmp_path / "in.csv.gz")
    fill(tmp_path / "in.csv.gz", tmp_path / "one.csv.gz")
    fill(tmp_path / "in.csv.gz", tmp_path / "two.csv.gz")
    one = (tmp_path / "one.csv.gz").read_bytes()
    assert one == (tmp_path / "two.csv.gz").read_bytes()
    assert gzip.decompress(one).startswith(b",a,b,c\n")


def test_another_separator_keeps_the_digits(tmp_path):
    (tmp_path / "in.csv").write_text('id,a,"b,c"\n"s\t1",1.50,\ns2,2,"1e2"\n')
    fill(tmp_path / "in.csv", tmp_path / "out.tsv", number=0.5)
    assert (tmp_path / "out.tsv").read_text() == 'id\ta\tb,c\n"s\t1"\t1.50\t0.5\ns2\t2\t1e2\n'


def test_features_in_rows(tmp_path, values):
    values.T.to_csv(tmp_path / "in.csv", index_label="gene")
    source = read_source(tmp_path / "in.csv", features_in_rows=True)
    pd.testing.assert_frame_equal(source.values, values)
    filled = np.arange(6.0).reshape(2, 3)
    write_filled(source, filled, tmp_path / "out.csv")
    again = pd.read_csv(tmp_path / "out.csv", index_col="gene", float_precision="round_trip")
    np.testing.assert_array_equal(again.T, values.where(values.notna(), filled))


def test_nan_stays_missing(tmp_path):
    (tmp_path / "in.csv").write_text("id,a,b\ns1,NA,\ns2,1,\n")
    source = read_source(tmp_path / "in.csv")
    write_filled(source, np.array([[5.0, np.nan], [1.0, np.nan]]), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "id,a,b\ns1,5.0,\ns2,1,\n"


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("index", ["s", None])
def test_parquet_keeps_types_and_index(tmp_path, values, dtype, index):
    values = values.iloc[:, [0, 2]].astype(dtype)
    values.index.name = index
    values.to_parquet(tmp_path / "in.parquet")
    fill(tmp_path / "in.parquet", tmp_path / "out.parquet")
    again = pd.read_parquet(tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(again, values.fillna(np.dtype(dtype).type(1 / 3)))


def test_parquet_of_mixed_types_with_ids_in_a_column(tmp_path):
    frame = pd.DataFrame(
        {
            "sample": ["s1", "s2", "s3"],
            "count": [2**53 - 1, 2, 3],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "single": np.array([0.1, np.nan, 0.3], dtype=np.float32),
            "text": ["1.50", "NA", "2"],
            "decimal": [Decimal("1.50"), None, Decimal("2.25")],
        }
    )
    frame.to_parquet(tmp_path / "in.parquet")
    fill(tmp_path / "in.parquet", tmp_path / "out.parquet", number=0.25)
    again = pd.read_parquet(tmp_path / "out.parquet")
    assert list(again) == list(frame)
    assert again["count"].tolist() == frame["count"].tolist()
    assert again["count"].dtype == frame["count"].dtype
    assert again["nullable"].tolist() == [1.0, 0.25, 3.0]
    assert again["single"].dtype == np.float32
    assert again["single"].tolist() == [np.float32(0.1), 0.25, np.float32(0.3)]
    assert again["text"].tolist() == ["1.50", "0.25", "2"]
    assert again["decimal"].tolist() == [Decimal("1.50"), Decimal("0.25"), Decimal("2.25")]
    assert again["sample"].tolist() == ["s1", "s2", "s3"]


@pytest.mark.parametrize(
    ("dtype", "observed", "number", "filled"),
    [
        ("Int64", 2**53 + 1, 0.7, 1),
        ("Int64", -(2**63), -1e30, -(2**63)),
        ("UInt64", 2**64 - 1, -4.0, 0),
    ],
)
def test_parquet_keeps_integers_that_no_float_is(tmp_path, dtype, observed, number, filled):
    column = pd.array([observed, None, 3], dtype=dtype)
    pd.DataFrame({"a": column, "b": [1.5, 2.5, 3.5]}).to_parquet(tmp_path / "in.parquet")
    fill(tmp_path / "in.parquet", tmp_path / "out.parquet", number=number)
    again = pd.read_parquet(tmp_path / "out.parquet")["a"]
    assert again.dtype == dtype
    assert again.tolist() == [observed, filled, 3]


@pytest.mark.parametrize("ordered", [False, True])
def test_parquet_of_categories_that_are_numbers(tmp_path, ordered):
    column = pd.Categorical(["1.50", None, "2"], ordered=ordered)
    pd.DataFrame({"b": [1.5, 2.5, np.nan], "a": column}).to_parquet(tmp_path / "in.parquet")
    fill(tmp_path / "in.parquet", tmp_path / "out.parquet", number=0.25)
    again = pd.read_parquet(tmp_path / "out.parquet")["a"]
    assert again.dtype == pd.CategoricalDtype(["1.50", "2", "0.25"], ordered=ordered)
    assert again.tolist() == ["1.50", "0.25", "2"]


@pytest.mark.parametrize(
    "column", [[None, None], ["NA", ""], pd.array([None, None], dtype="string")]
)
def test_parquet_columns_of_nothing(tmp_path, column):
    # As for vaeimpute apply, which asks for a column without values where a feature is lacking.
    pd.DataFrame({"b": [1.5, 2.5], "a": column}).to_parquet(tmp_path / "in.parquet")
    fill(tmp_path / "in.parquet", tmp_path / "out.parquet", number=0.25)
    assert pd.read_parquet(tmp_path / "out.parquet")["a"].tolist() == [0.25, 0.25]


@pytest.mark.parametrize("layer", [None, "raw"])
@pytest.mark.parametrize("kind", ["dense", "csr", "csc"])
def test_annotated_data_keeps_everything_else(tmp_path, values, kind, layer):
    array = values.to_numpy(dtype=np.float32)
    make = {"dense": np.array, "csr": sparse.csr_matrix, "csc": sparse.csc_matrix}[kind]
    data = anndata.AnnData(
        make(array), obs=pd.DataFrame({"grade": [2, 3]}, values.index),
        var=pd.DataFrame(index=values.columns), layers={"raw": make(array), "other": array * 2},
        uns={"title": "mine"},
    )  # fmt: skip
    data.write_h5ad(tmp_path / "in.h5ad")
    fill(tmp_path / "in.h5ad", tmp_path / "out.h5ad", layer=layer)
    again = anndata.read_h5ad(tmp_path / "out.h5ad")
    changed, same = (again.X, again.layers["raw"])[:: 1 if layer is None else -1]
    for found, expected in ((changed, values.fillna(1 / 3)), (same, values)):
        assert sparse.issparse(found) == (kind != "dense")
        found = found.toarray() if kind != "dense" else found
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected.to_numpy(dtype=np.float32))
    np.testing.assert_array_equal(again.layers["other"], array * 2)
    assert again.obs["grade"].tolist() == [2, 3]
    assert again.uns["title"] == "mine"


@pytest.mark.parametrize("target", ["csv", "parquet", "h5ad"])
@pytest.mark.parametrize("origin", ["csv", "parquet", "h5ad"])
def test_from_one_format_into_another(tmp_path, values, origin, target):
    path = tmp_path / f"in.{origin}"
    if origin == "csv":
        values.to_csv(path)
    elif origin == "parquet":
        values.to_parquet(path)
    else:
        anndata.AnnData(
            values.to_numpy(), pd.DataFrame(index=values.index), pd.DataFrame(index=values.columns)
        ).write_h5ad(path)
    fill(path, tmp_path / f"out.{target}")
    again = read_source(tmp_path / f"out.{target}").values
    again.index.name = None
    pd.testing.assert_frame_equal(again, values.fillna(1 / 3), check_exact=True)


def test_a_table_with_the_ids_of_a_matrix(tmp_path, values):
    values.T.to_csv(tmp_path / "in.csv")
    source = read_source(tmp_path / "in.csv", features_in_rows=True)
    write_table(source, np.arange(6.0).reshape(2, 3), tmp_path / "std.tsv")
    assert (tmp_path / "std.tsv").read_text() == (
        "feature\ts1\ts2\na\t0.0\t3.0\nb\t1.0\t4.0\nc\t2.0\t5.0\n"
    )


def test_a_file_that_changes_in_the_meantime(tmp_path, values):
    path = tmp_path / "in.csv"
    values.to_csv(path)
    source = read_source(path)
    path.write_text(path.read_text() + "s3,1,2,3\n")
    with pytest.raises(TableError, match="was changed while"):
        write_filled(source, np.ones((2, 3)), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_parquet_keeps_codec_row_groups_metadata_and_types(tmp_path):
    columns = {
        "sample": pa.array([f"s{i}" for i in range(30)]).dictionary_encode(),
        "batch": pa.array([date(2020, 1, 1)] * 30),
        "a": pa.array([None, *range(29)], pa.float32()),
        "b": pa.array([None, *range(29)], pa.int32()),
        "c": pa.array([float("nan"), None, *range(28)]),
        "d": pa.array([str(i) if i else None for i in range(30)], pa.large_string()),
    }
    table = pa.table(columns).replace_schema_metadata({"study": "X1", "units": "log2"})
    codecs = {"a": "zstd", "b": "gzip", "c": "snappy", "d": "zstd", "batch": "none"}
    pq.write_table(
        table, tmp_path / "in.parquet", compression=codecs | {"sample": "zstd"}, row_group_size=10
    )
    fill(tmp_path / "in.parquet", tmp_path / "out.parquet", number=0.25)
    before, after = (pq.ParquetFile(tmp_path / f"{name}.parquet") for name in ("in", "out"))
    found = after.read()
    assert found.schema.metadata == {b"study": b"X1", b"units": b"log2"}
    assert after.num_row_groups == 3
    groups = before.metadata.row_group(0), after.metadata.row_group(0)
    for i in range(6):
        assert groups[1].column(i).compression == groups[0].column(i).compression
    types = dict(zip(table.column_names, table.schema.types, strict=True))
    assert {name: found.schema.field(name).type for name in columns} == types | {"b": pa.float64()}
    assert found["a"].to_pylist() == [0.25, *range(29)]
    assert found["b"].to_pylist() == [0.25, *range(29)]
    assert found["c"].to_pylist() == [0.25, 0.25, *range(28)]
    assert found["d"].to_pylist()[:2] == ["0.25", "1"]
    assert found["batch"].to_pylist() == [date(2020, 1, 1)] * 30


def test_parquet_without_the_types_of_arrow_gets_none(tmp_path):
    table = pa.table({"sample": ["a", "b"], "x": [1.5, None], "y": [2.5, 3.5]})
    pq.write_table(table, tmp_path / "in.parquet", store_schema=False)
    fill(tmp_path / "in.parquet", tmp_path / "out.parquet", number=0.25)
    assert pq.ParquetFile(tmp_path / "out.parquet").metadata.metadata is None
    assert pq.read_table(tmp_path / "out.parquet")["x"].to_pylist() == [1.5, 0.25]


def everything(folder, group, found=None):
    """List what an HDF5 file holds, and how it is stored."""
    found = {} if found is None else found
    for name, item in group.items():
        path = f"{folder}/{name}"
        attributes = {key: str(value) for key, value in item.attrs.items()}
        if isinstance(item, h5py.Group):
            found[path] = attributes
            everything(path, item, found)
        else:
            how = (item.dtype, item.chunks, item.compression, item.compression_opts)
            found[path] = (attributes, how, item[()].tobytes() if item.dtype != object else None)
    return found


@pytest.mark.parametrize("kind", ["dense", "csr", "csc"])
def test_annotated_data_is_changed_nowhere_else(tmp_path, values, kind):
    array = values.to_numpy(dtype=np.float32)
    make = {"dense": np.array, "csr": sparse.csr_matrix, "csc": sparse.csc_matrix}[kind]
    data = anndata.AnnData(
        make(array), obs=pd.DataFrame({"grade": pd.Categorical([2, 3])}, values.index),
        var=pd.DataFrame({"Length": [7, 8, 9]}, values.columns), layers={"counts": array * 2},
        obsm={"X_pca": np.ones((2, 2))}, uns={"title": "mine", "log1p": {"base": 2}},
    )  # fmt: skip
    data.raw = data.copy()
    data.write_h5ad(tmp_path / "in.h5ad", compression="gzip", compression_opts=7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fill(tmp_path / "in.h5ad", tmp_path / "out.h5ad")
    with h5py.File(tmp_path / "in.h5ad") as one, h5py.File(tmp_path / "out.h5ad") as two:
        before, after = everything("", one), everything("", two)
    filled = "/X" if kind == "dense" else "/X/data"
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == [filled]
    assert before[filled][:2] == after[filled][:2]


@pytest.mark.parametrize("make", [np.array, sparse.csr_matrix, sparse.csc_matrix])
def test_annotated_counts_of_which_zeros_are_missing(tmp_path, make):
    counts = np.array([[0, 5, 9], [7, 0, 8], [6, 4, 0]])
    anndata.AnnData(make(counts)).write_h5ad(tmp_path / "in.h5ad", compression="gzip")
    fill(tmp_path / "in.h5ad", tmp_path / "out.h5ad", number=2.5, missing_values=[0])
    found = anndata.read_h5ad(tmp_path / "out.h5ad").X
    assert sparse.issparse(found) == (make is not np.array)
    found = found.toarray() if sparse.issparse(found) else found
    np.testing.assert_array_equal(found, np.where(counts == 0, 2.5, counts))
    with h5py.File(tmp_path / "out.h5ad") as file:
        stored = file["X"] if make is np.array else file["X/data"]
        assert stored.compression == "gzip"
