import gzip
import logging
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts.own import looks_like_path, read_table_cohort
from vaeimpute.exceptions import TableError
from vaeimpute.tables.clinical import match_samples
from vaeimpute.tables.text import MISSING

GENES = ["TP53", "EGFR", "PTEN", "ACTB"]
SAMPLES = ["GSM1", "GSM2", "GSM3"]


@pytest.fixture
def genes_by_samples():
    values = np.array([[0.1, -2, 3.25], [1e-3, 5, 6], [7, np.nan, 9], [10, 11, 1 / 3]])
    return pd.DataFrame(values, pd.Index(GENES, name="gene"), SAMPLES)


@pytest.fixture
def written(tmp_path):
    """Write a text file and return its path."""

    def write(text, name="m.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def assert_is(cohort, genes_by_samples):
    expected = genes_by_samples.T.rename_axis(index="sample", columns="feature")
    pd.testing.assert_frame_equal(cohort.values, expected, check_exact=True)


@pytest.mark.parametrize("orientation", ["features_by_samples", "samples_by_features", "auto"])
@pytest.mark.parametrize("extension", ["csv", "csv.gz", "tsv", "tsv.gz", "txt", "parquet"])
def test_every_format_in_both_orientations_is_read_exactly(
    genes_by_samples, tmp_path, extension, orientation
):
    table = genes_by_samples.T if orientation == "samples_by_features" else genes_by_samples
    path = tmp_path / f"my.matrix.{extension}"
    if extension == "parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, sep="," if "csv" in extension else "\t")
    cohort = read_table_cohort(path, orientation=orientation)
    assert_is(cohort, genes_by_samples)
    assert cohort.name == "my.matrix"
    assert list(cohort.features.index) == GENES


def test_numbers_come_back_as_written(tmp_path):
    # The fast parser of pandas is off by one bit in some of these.
    numbers = np.random.default_rng(0).normal(size=(200, 5)) * 10.0 ** np.arange(-150, 100, 50)
    table = pd.DataFrame(numbers).add_prefix("GSM").rename(index="cg{:08d}".format)
    table.to_csv(tmp_path / "m.csv")
    values = read_table_cohort(tmp_path / "m.csv").values
    np.testing.assert_array_equal(values.to_numpy().T, numbers)


@pytest.mark.parametrize("spelling", ["", "NA", "-"])
def test_spaces_around_a_missing_value_do_not_matter(written, spelling):
    path = written(f"gene, GSM1, GSM2, GSM3\nTP53, 1.5, {spelling}, 2\nEGFR, {spelling} , 3, 4\n")
    values = read_table_cohort(path, orientation="features_by_samples").values
    np.testing.assert_array_equal(values.T, [[1.5, np.nan, 2], [np.nan, 3, 4]])


@pytest.mark.parametrize("spelling", ["", *MISSING])
@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_every_documented_spelling_of_missing(written, tmp_path, spelling, extension):
    path = written(f"gene,GSM1,GSM2\nTP53,{spelling},1\nEGFR,2,{spelling}\n")
    if extension == "parquet":
        path = tmp_path / "m.parquet"
        pd.DataFrame(
            {"GSM1": [spelling, "2"], "GSM2": ["1", spelling]}, index=["TP53", "EGFR"]
        ).to_parquet(path)
    values = read_table_cohort(path, orientation="features_by_samples").values
    np.testing.assert_array_equal(values, [[np.nan, 2], [1, np.nan]])


def test_ids_that_look_like_missing_values_or_numbers_stay_ids(written):
    path = written("id,NA,007,nan\nNA,1,2,3\n-,4,5,6\n")
    values = read_table_cohort(path, orientation="samples_by_features").values
    assert list(values.columns) == ["NA", "007", "nan"]
    assert list(values.index) == ["NA", "-"]


@pytest.mark.parametrize(
    "text",
    [
        "GSM1\tGSM2\nTP53\t1\t2\nEGFR\t3\t4\n",  # write.table
        '"GSM1"\t"GSM2"\n"TP53"\t1\t2\n"EGFR"\t3\t4\n',  # write.table with its quotes
        '"",GSM1,GSM2\n"TP53",1,2\n"EGFR",3,4\n',  # write.csv
        "\ufeffgene;GSM1;GSM2\r\nTP53;1;2\r\nEGFR;3;4\r\n",  # Excel in half of Europe
        "\ngene\tGSM1\tGSM2\n\nTP53\t1\t2\n\n EGFR\t3\t4\n\n",  # blank lines and stray spaces
        "gene\tGSM1\tGSM2\nTP53\t1\t2\nEGFR\t3\t4",  # no end of line at the end
    ],
)
def test_files_as_r_and_spreadsheets_write_them(written, text):
    values = read_table_cohort(written(text)).values
    assert values.T.to_dict("list") == {"GSM1": [1, 3], "GSM2": [2, 4]}
    assert list(values.columns) == ["TP53", "EGFR"]


def test_another_separator_than_the_extension_promises_is_said(written):
    notes = read_table_cohort(written("gene;GSM1;GSM2\nTP53;1;2\n")).notes
    assert "'m.csv' is separated by semicolons, not by commas." in notes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("gene,s1,s2\n", "no rows below it"),
        ("gene\nTP53\n", "no tabs, semicolons, bars, commas, .*; its first line is 'gene'"),
        ("gene,s1,s2\nA,1,2\nB,3,high\nC,4,n.d.\n",
         "'high' in row 'B', column 's2' is not a number, nor are 1 more, such as 'n.d.'. .* --na"),
        ("gene,s1,s2\nA,True,2\nB,1,3\n", "value 'True' in row 'A', column 's1'"),
        ("gene,s1,s2\nA,1,inf\n", "the value inf in row 'A', column 's2' is infinite"),
        ("gene;s1;s2\nA;1,5;2.5\nB;3,25;1\n", r"'1,5' .* nor are 1 more, .* decimal points"),
        ("gene;s1;s2\nA;1,500;2\nB;3,250;1\n", "'1,500' can be 1.500 or 1500, and no other"),
        ("gene,s1,s2\nA,1,5,2,5\n", "line 2 has 5 fields where 3 are expected. .* name or number"),
        ("gene,s1,s2\nA,1,2\nB,3\n", "line 3 has 2 fields where 3 are expected; .* is cut short"),
        ("gene\ts1\ts2\nA\t1\t2\t3\t4\n", "line 2 has 5 fields where 3 .* name every column"),
        ("gene,s1,s1,s2,s2\nA,1,2,3,4\n", r"2 column ids occur more .*'s1', 's2'"),
        ("gene,s1\nA,1\nB,2\nA,3\n", r"1 row ids occur more .*: 'A'\. Merge"),
        ("gene,s1\n1-Mar,1\n1-Mar,2\n", "spreadsheet made dates or numbers of names"),
        ("gene,s1\n,1\nB,2\n", r"1 row ids are empty, the first is number 1"),
        ("g1,g2,g3\n0.1,0.2,0.3\n1.5,2,3\n", r"the row ids are numbers \('0.1'"),
        ("A,1.5,2\nB,2,3\n", r"the column ids are numbers \('1.5'"),
        ("<!DOCTYPE html>\n<html>\n", "is a web page"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xb0", "is cut short or damaged"),
        ('gene,s1\n"A,1\nB,2\n', "line 2 has a quotation mark that is not closed"),
        ('gene,s1\n"A' + 200_000 * "1" + ",1\n", "a quotation mark that is not closed"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_text_file_is_said(written, text, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        read_table_cohort(written(text), orientation="samples_by_features")


def test_the_message_names_the_file(written):
    path = written("gene,s1\nA,x\n")
    with pytest.raises(TableError) as caught:
        read_table_cohort(path, orientation="samples_by_features")
    assert str(path) in str(caught.value)


def test_compressed_files_that_are_damaged_or_only_called_so(written):
    whole = gzip.compress(b"gene,s1\n" + b"".join(b"g%d,1\n" % i for i in range(9999)))
    with pytest.raises(TableError, match="is cut short or damaged"):
        read_table_cohort(written(whole[: len(whole) // 2], "half.csv.gz"))
    plain = read_table_cohort(written("gene,GSM1\nA,1\n", "plain.csv.gz"))
    assert plain.values.loc["GSM1", "A"] == 1


def test_files_that_are_not_there_or_of_no_known_kind(written, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file .*gone.csv"):
        read_table_cohort(tmp_path / "gone.csv")
    with pytest.raises(IsADirectoryError, match="is a folder; name the file"):
        read_table_cohort(tmp_path)
    with pytest.raises(ValueError, match="Expected orientation to be one of"):
        read_table_cohort(written("gene,s1\nA,1\n"), orientation="rows")
    with pytest.raises(ValueError, match="only AnnData files have layers"):
        read_table_cohort(written("gene,s1\nA,1\n"), layer="counts")
    with pytest.raises(ValueError, match="needs a clinical table"):
        read_table_cohort(written("gene,s1\nA,1\n"), sample_column="id")


@pytest.mark.parametrize("dtype", ["float32", "float16", "float64", "int32", "Int64", "Float32"])
def test_parquet_keeps_single_precision_and_reads_other_numbers(genes_by_samples, tmp_path, dtype):
    table = genes_by_samples.fillna(0).round().astype(dtype)
    table.to_parquet(tmp_path / "m.parquet")
    values = read_table_cohort(tmp_path / "m.parquet").values
    expected = np.float32 if dtype in ("float32", "float16") else np.float64
    assert set(values.dtypes) == {np.dtype(expected)}
    np.testing.assert_array_equal(values.T, table.to_numpy(dtype=float))


def test_parquet_with_ids_in_a_column_and_without_pandas_index(genes_by_samples, tmp_path):
    genes_by_samples.reset_index().to_parquet(tmp_path / "m.parquet", index=False)
    assert_is(read_table_cohort(tmp_path / "m.parquet"), genes_by_samples)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"s1": [1.0, 2, 3], "s2": [*"3x4"]}, [*"ABC"]), "'x' in row 'B', .* 's2'"),
        (pd.DataFrame({"s1": [True], "s2": [True]}, ["A"]), "value 'True' in row 'A', column 's1'"),
        (pd.DataFrame({"s1": [1.0, 2]}, ["A", "A"]), "1 row ids occur more than once: 'A'"),
        (pd.DataFrame({"s1": []}), "is empty: 0 rows and 1 columns"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_parquet_file_is_said(tmp_path, table, message):
    table.to_parquet(tmp_path / "m.parquet")
    with pytest.raises(TableError, match=message):
        read_table_cohort(tmp_path / "m.parquet")


def test_damaged_parquet(written):
    path = written("not parquet", "m.parquet")
    with pytest.raises(TableError, match="cannot be read as Parquet"):
        read_table_cohort(path)
    with pytest.raises(TableError, match="cannot be read as Parquet"):
        read_table_cohort(written("gene,GSM1\nTP53,1\n"), clinical=path)


@pytest.mark.parametrize(
    ("rows", "columns", "by_samples", "reason"),
    [
        (["TCGA-OR-A5J1-01A", "TCGA-OR-A5J2-01A"], ["x", "y"], True, "by the look"),
        (["x", "y", "z"], ["TCGA.OR.A5J1.01A", "TCGA.OR.A5J2.01A"], False, "by the look"),
        (["Phillips:GSM1", "Phillips:GSM2", "c"], ["x", "y"], True, "by the look"),
        (["x", "y"], ["cg00000029", "cg00000108", "ch.1.1234F"], True, "by the look"),
        (["ENSG00000141510.11", "ENSG00000146648"], ["x", "y", "z"], False, "by the look"),
        (["A1BG|1", "A2M|2", "?|100"], ["x", "y", "z", "v"], False, "by the look"),
        (["chr22:16050", "chr22:16060"], ["x", "y", "z"], False, "by the look"),
        (["Tp53", "Egfr", "Actb", "Gm1234"], ["x", "y", "z", "v", "w"], False, "by the look"),
        (["a", "b"], ["x", "y", "z"], True, "a guess"),
        (["a", "b", "c"], ["x", "y"], False, "a guess"),
    ],
)
def test_orientation_is_detected_and_said(tmp_path, caplog, rows, columns, by_samples, reason):
    numbers = np.arange(len(rows) * len(columns), dtype=float).reshape(len(rows), len(columns))
    pd.DataFrame(numbers, rows, columns).to_csv(tmp_path / "m.csv")
    with caplog.at_level(logging.INFO, logger="vaeimpute"):
        cohort = read_table_cohort(tmp_path / "m.csv")
    assert list(cohort.values.index) == (rows if by_samples else columns)
    np.testing.assert_array_equal(cohort.values, numbers if by_samples else numbers.T)
    assert reason in cohort.notes[0]
    assert cohort.notes[0] in caplog.text
    warned = any(record.levelno == logging.WARNING for record in caplog.records)
    assert warned == (reason == "a guess")


def test_a_square_of_unknown_ids_has_to_be_stated(written):
    path = written("id,x,y\na,1,2\nb,3,4\n")
    with pytest.raises(TableError, match=r"as many rows as columns .*'a', 'b'; 'x', 'y'.*say what"):
        read_table_cohort(path)
    cohort = read_table_cohort(path, orientation="features_by_samples")
    assert list(cohort.values.index) == ["x", "y"]
    assert cohort.notes[0].endswith("as stated.")


@pytest.fixture
def matrix(genes_by_samples, tmp_path):
    genes_by_samples.to_csv(tmp_path / "m.csv")
    return tmp_path / "m.csv"


def test_clinical_table_is_joined_by_id_and_counted(matrix, written):
    clinical = written(
        "\ufeffwho,id,grade,code,receptor,treated,died\n"
        "a,GSM3,3,01,-,None,True\nb,GSM9,2,02,+,,False\nc,GSM1,NA,11,+,NA,False\n",
        "clinical.csv",
    )
    cohort = read_table_cohort(matrix, clinical=clinical, stratify_by="grade")
    table = cohort.clinical
    assert list(table.index) == SAMPLES
    assert list(table.columns) == ["who", "grade", "code", "receptor", "treated", "died"]
    np.testing.assert_array_equal(table["grade"], [np.nan, np.nan, 3])
    assert table["code"].fillna("?").tolist() == ["11", "?", "01"]  # a code, not a number
    assert table["receptor"].fillna("?").tolist() == ["+", "?", "-"]  # not a missing value
    assert table["treated"].fillna("?").tolist() == ["?", "?", "None"]
    assert table["died"].tolist()[::2] == [False, True]
    assert cohort.notes[-1] == (
        "2 of 3 samples have a clinical row, by 'id'; 1 clinical rows without a sample were "
        "dropped. Samples without a clinical row: 'GSM2'."
    )
    assert cohort.notes[0].endswith("because 2 of their ids are in the clinical table.")


@pytest.mark.parametrize("extension", ["csv", "tsv.gz", "parquet", None])
def test_clinical_table_from_any_source_and_by_its_row_names(matrix, tmp_path, extension):
    clinical = pd.DataFrame({"age": [61.0, 54, 33]}, index=["GSM2", "GSM3", "GSM1"])
    source = clinical
    if extension is not None:
        source = tmp_path / f"clinical.{extension}"
        if extension == "parquet":
            clinical.to_parquet(source)
        else:
            clinical.to_csv(source, sep="\t" if "tsv" in extension else ",")
    cohort = read_table_cohort(matrix, clinical=source)
    assert cohort.clinical["age"].tolist() == [33, 61, 54]


def test_clinical_table_that_r_wrote_with_row_names(matrix, written):
    clinical = written('"age" "sex"\n"GSM1" 5 "f"\n'.replace(" ", "\t"), "clinical.tsv")
    cohort = read_table_cohort(matrix, clinical=clinical)
    assert cohort.clinical.loc["GSM1"].tolist() == [5, "f"]


def test_the_clinical_table_decides_the_orientation_against_the_shape(written):
    path = written("id,p,q\nn1,1,2\nn2,3,4\nn3,5,6\n")
    clinical = pd.DataFrame({"patient": ["n3", "n2", "n1"], "age": [3, 2, 1]})
    cohort = read_table_cohort(path, clinical=clinical)
    assert list(cohort.values.index) == ["n1", "n2", "n3"]
    assert cohort.clinical["age"].tolist() == [1, 2, 3]


def test_words_of_a_clinical_table_that_are_gene_names_do_not_decide(written):
    # A glioma series is called Donson, and there is a gene DONSON.
    path = written("gene,a.1,a.2\nDONSON,1,2\nTP53,3,4\nMET,5,6\n")
    clinical = pd.DataFrame({"id": ["a.1", "b", "c"], "series": ["Donson", "Tp53", "Met"]})
    cohort = read_table_cohort(path, clinical=clinical)
    assert list(cohort.values.index) == ["a.1", "a.2"]
    assert cohort.clinical["series"].fillna("?").tolist() == ["Donson", "?"]


def test_line_numbers_of_a_clinical_table_are_no_ids(written):
    path = written("id,g1,g2,g3\n0,1,2,3\n1,4,5,6\n")
    clinical = pd.DataFrame({"sample": ["1", "0"], "grade": [2, 3]})
    cohort = read_table_cohort(path, clinical=clinical)
    assert cohort.clinical["grade"].tolist() == [3, 2]


def test_barcodes_find_their_patient_and_r_names_their_barcode():
    samples = pd.Index(["TCGA.OR.A5J2.01A.11R", "TCGA.OR.A5J1.01A.11R", "TCGA.OR.A5J2.11A.11R"])
    patients = pd.DataFrame({"bcr": ["TCGA-OR-A5J1", "TCGA-OR-A5J2"]})
    match = match_samples(samples, patients)
    assert match.rows().tolist() == [1, 0, 1]  # tumour and normal of one patient
    assert match.how == "TCGA barcodes cut to 12 characters"
    aliquots = pd.DataFrame({"id": ["tcga-or-a5j1-01a-11r", "TCGA-OR-A5J2-01A-11R"]})
    match = match_samples(samples, aliquots)
    assert match.rows().tolist() == [1, 0, -1]
    assert match.how == "ignoring case and punctuation"


def test_sample_column_overrules_the_best_overlap(matrix):
    clinical = pd.DataFrame(
        {"mine": ["GSM1", "GSM2", "GSM3"], "theirs": ["GSM2", "GSM1", "x"], "age": [1, 2, 3]}
    )
    assert read_table_cohort(matrix, clinical=clinical).clinical["age"].tolist() == [1, 2, 3]
    cohort = read_table_cohort(matrix, clinical=clinical, sample_column="theirs")
    np.testing.assert_array_equal(cohort.clinical["age"], [2, 1, np.nan])


@pytest.mark.parametrize("orientation", ["auto", "features_by_samples"])
def test_no_id_in_common_shows_both_sides(matrix, orientation):
    clinical = pd.DataFrame({"patient": ["P-001", "P-002"]})
    with pytest.raises(
        TableError, match=r"(?s)no id agrees.*Rows.*'TP53'.*'GSM1'.*'patient': 'P-001'"
    ):
        read_table_cohort(matrix, clinical=clinical, orientation=orientation)


def test_what_is_wrong_with_a_clinical_table_is_said(matrix, written):
    twice = pd.DataFrame({"id": ["GSM1", "GSM1", "GSM2"]})
    with pytest.raises(TableError, match="several rows for 1 samples, by 'id': 'GSM1', 'GSM1'"):
        read_table_cohort(matrix, clinical=twice)
    with pytest.raises(TableError, match="no column 'name'; it has 'id'"):
        read_table_cohort(matrix, clinical=twice, sample_column="name")
    both = pd.DataFrame({"id": ["GSM1", "TP53"]})
    with pytest.raises(TableError, match="rows and columns have 1 ids each"):
        read_table_cohort(matrix, clinical=both)
    with pytest.raises(FileNotFoundError, match=r"clinic.csv"):
        read_table_cohort(matrix, clinical=matrix.parent / "clinic.csv")
    with pytest.raises(TableError, match=r"clinical.csv is empty"):
        read_table_cohort(matrix, clinical=written("", "clinical.csv"))
    with pytest.raises(ValueError, match="stratify_by='subtype' is not a clinical column"):
        read_table_cohort(matrix, stratify_by="subtype")


@pytest.fixture
def h5ad(genes_by_samples, tmp_path):
    anndata = pytest.importorskip("anndata", reason="the extra 'anndata' is not installed")
    from scipy import sparse

    data = anndata.AnnData(
        genes_by_samples.T.to_numpy().astype(np.float32),
        obs=pd.DataFrame({"grade": pd.Categorical(["2", "3", "2"])}, index=SAMPLES),
        var=pd.DataFrame({"gc_content": [0.4, 0.5, 0.6, 0.7]}, index=GENES),
        layers={"counts": sparse.csr_matrix(np.arange(12.0).reshape(3, 4))},
    )
    data.write_h5ad(tmp_path / "cells.h5ad")
    return tmp_path / "cells.h5ad"


def test_anndata_brings_layers_obs_and_var(h5ad, genes_by_samples):
    cohort = read_table_cohort(h5ad, stratify_by="grade")
    np.testing.assert_array_equal(cohort.values, genes_by_samples.T.astype(np.float32))
    assert set(cohort.values.dtypes) == {np.dtype(np.float32)}
    assert cohort.clinical["grade"].astype(str).tolist() == ["2", "3", "2"]
    assert cohort.features["gc_content"].tolist() == [0.4, 0.5, 0.6, 0.7]
    counts = read_table_cohort(h5ad, layer="counts", orientation="samples_by_features")
    np.testing.assert_array_equal(counts.values, np.arange(12.0).reshape(3, 4))


def test_anndata_with_a_clinical_table_instead_of_obs(h5ad):
    clinical = pd.DataFrame({"age": [3, 1]}, index=["GSM3", "GSM1"])
    table = read_table_cohort(h5ad, clinical=clinical).clinical
    assert list(table.columns) == ["age"]
    np.testing.assert_array_equal(table["age"], [1, np.nan, 3])
    with pytest.raises(TableError, match="no id agrees"):
        read_table_cohort(h5ad, clinical=clinical.rename(index=lambda name: f"x{name}"))


def test_what_is_wrong_with_an_anndata_file_is_said(h5ad, written, monkeypatch):
    with pytest.raises(TableError, match="no layer 'raw'; it has 'counts'"):
        read_table_cohort(h5ad, layer="raw")
    with pytest.raises(ValueError, match="AnnData keeps samples in rows"):
        read_table_cohort(h5ad, orientation="features_by_samples")
    with pytest.raises(TableError, match="cannot be read as AnnData"):
        read_table_cohort(written("not HDF5", "m.h5ad"))
    monkeypatch.setitem(sys.modules, "anndata", None)  # as if it were not installed
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'vaeimpute\[anndata\]'"):
        read_table_cohort(h5ad)


def test_anndata_without_x_or_with_repeated_names(genes_by_samples, tmp_path):
    anndata = pytest.importorskip("anndata", reason="the extra 'anndata' is not installed")
    obs, var = pd.DataFrame(index=SAMPLES), pd.DataFrame(index=GENES)
    layers = {"logs": genes_by_samples.T.to_numpy()}
    anndata.AnnData(obs=obs, var=var, layers=layers).write_h5ad(tmp_path / "m.h5ad")
    with pytest.raises(TableError, match="has no X; name one of its layers: 'logs'"):
        read_table_cohort(tmp_path / "m.h5ad")
    assert_is(read_table_cohort(tmp_path / "m.h5ad", layer="logs"), genes_by_samples)
    with pytest.warns(UserWarning, match="not unique"):
        anndata.AnnData(np.ones((2, 1)), obs=pd.DataFrame(index=["a", "a"])).write_h5ad(
            tmp_path / "twice.h5ad"
        )
    with pytest.raises(ValueError, match="1 row ids occur more than once: 'a'"):
        read_table_cohort(tmp_path / "twice.h5ad")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "m.parquet").touch()
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'vaeimpute\[data\]'"):
        read_table_cohort(tmp_path / "m.parquet")


def test_names_and_paths_are_told_apart(tmp_path, monkeypatch):
    assert looks_like_path(Path("tcga-glioma"))
    assert looks_like_path(f"folder{os.sep}matrix")
    assert not looks_like_path("brain-gse74193")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "matrix").touch()
    assert looks_like_path("matrix")


@pytest.fixture
def real_data():
    folder = os.environ.get("VAEIMPUTE_DATA")
    if not folder:
        pytest.skip("VAEIMPUTE_DATA does not point at the folder of real data")
    return Path(folder)


@pytest.mark.parametrize(
    ("matrix", "clinical", "shape", "joined"),
    [
        ("tcga_small_cohorts_rnaseqv2/expr_rsem_normalized.parquet",
         "tcga_small_cohorts_rnaseqv2/clinical.csv", (350, 20531),
         "350 of 350 samples have a clinical row, by 'sample'; 0 clinical rows"),
        ("glioma_gliovis/expr_all_affy.parquet",
         "glioma_gliovis/clinical.csv", (702, 11196),
         "702 of 702 samples have a clinical row, by 'sample'; 139 clinical rows"),
        ("tcga_glioma_rnaseqv2_40/expr.parquet",
         "tcga_glioma_rnaseqv2_40/clinical.csv", (40, 19947),
         "40 of 40 samples have a clinical row, by 'sample'; 0 clinical rows"),
        ("tcga_glioma_rnaseqv2_40/expr.parquet",
         "tcga_glioma_clinical_ceccarelli/ceccarelli2016_tableS1.csv", (40, 19947),
         "40 of 40 samples have a clinical row, by 'patient' (TCGA barcodes cut to 12 characters); "
         "1082 clinical rows"),
    ],
)  # fmt: skip
def test_real_matrices_with_their_clinical_tables(real_data, matrix, clinical, shape, joined):
    cohort = read_table_cohort(real_data / matrix, clinical=real_data / clinical)
    alone = read_table_cohort(real_data / matrix)
    assert cohort.values.shape == alone.values.shape == shape
    assert set(cohort.values.dtypes) == {np.dtype(np.float32)}
    assert "by the look of the ids" in alone.notes[0]
    assert cohort.notes[-1].startswith(joined)


def test_real_clinical_columns_have_the_types_of_their_contents(real_data):
    small = real_data / "tcga_small_cohorts_rnaseqv2"
    table = read_table_cohort(
        small / "expr_rsem_normalized.parquet", clinical=small / "clinical.csv"
    ).clinical
    assert set(table["sample_type"]) == {"01", "11"}
    assert table["days_to_death"].dtype == float
    assert table["cohort"].value_counts()["DLBC"] == 48
    gliovis = real_data / "glioma_gliovis"
    table = read_table_cohort(
        gliovis / "expr_all_affy.parquet", clinical=gliovis / "clinical.csv"
    ).clinical
    assert table["grade_num"].value_counts().to_dict() == {4: 436, 1: 136, 3: 96, 2: 24}
    complete = table[["grade_num", "survival_months", "event"]].notna().all(axis=1)
    assert complete.sum() == 364
    assert table["in_all"].dtype == bool


def test_a_real_matrix_survives_text_in_both_orientations(real_data, tmp_path):
    folder = real_data / "tcga_glioma_rnaseqv2_40"
    table = pd.read_parquet(folder / "expr.parquet")
    table.to_csv(tmp_path / "genes.tsv.gz", sep="\t", compression={"method": "gzip", "mtime": 1})
    table.T.to_csv(tmp_path / "samples.csv")
    for name in ("genes.tsv.gz", "samples.csv"):
        cohort = read_table_cohort(tmp_path / name, clinical=folder / "clinical.csv")
        np.testing.assert_array_equal(cohort.values.to_numpy(np.float32), table.to_numpy().T)
        assert list(cohort.values.columns) == list(table.index)


def test_nul_bytes_are_not_read_as_missing(tmp_path):
    path = tmp_path / "damaged.csv"
    path.write_bytes(b"id,a,b\ns1,1\x0025,2\ns2,3,4\n")
    with pytest.raises(TableError, match="line 2 has NUL bytes"):
        read_table_cohort(path)


def test_numbers_are_exact_beside_one_that_no_integer_type_holds(tmp_path):
    values = np.random.default_rng(0).normal(size=(40, 5))
    lines = ["id,a,b,c,d,e,big"]
    lines += [
        f"s{i}," + ",".join(map(repr, map(float, row))) + f",{2**64 + i}"
        for i, row in enumerate(values)
    ]
    path = tmp_path / "exact.csv"
    path.write_text("\n".join(lines))
    cohort = read_table_cohort(path, orientation="samples_by_features")
    np.testing.assert_array_equal(cohort.values.to_numpy()[:, :5], values)
