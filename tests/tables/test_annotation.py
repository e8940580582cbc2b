"""What is no sample and no feature is found, named, and left as it is; what is one is kept."""

import numpy as np
import pandas as pd
import pytest

from vaeimpute.exceptions import TableError
from vaeimpute.tables import Guess, read_source, write_filled
from vaeimpute.tables.annotation import is_annotation
from vaeimpute.tables.unlike import find_unlike

N_FEATURES, N_SAMPLES = 60, 12


@pytest.fixture
def samples():
    """Features x samples of log intensities, with holes."""
    rng = np.random.default_rng(0)
    array = rng.normal(20, 2, size=(N_FEATURES, 1)) + rng.normal(0, 0.4, (N_FEATURES, N_SAMPLES))
    array[rng.random(array.shape) < 0.1] = np.nan
    return pd.DataFrame(array.round(4)).add_prefix("s").rename(index="P{:05d}".format)


def write(path, table, **options):
    table.to_csv(path, sep="\t", **options)
    return path


def of(name, rng):
    """Return what a column of that name may hold, as numbers."""
    plain = name.lower()
    if "id" in plain or plain in ("start", "chromosome", "index") or "length" in plain:
        return rng.choice(90_000, N_FEATURES, replace=False)
    if "value" in plain or plain in ("fdr", "padj"):
        return rng.random(N_FEATURES)
    return rng.uniform(1, 900, N_FEATURES).round(3)


@pytest.mark.parametrize(
    "name",
    ["Entrez_Gene_Id", "Locus ID", "Start", "Length", "Chromosome", "P.Value", "adj.P.Val", "logFC",
     "row m/z", "row retention time", "m/z", "mzmed", "Average Rt(min)", "Sequence coverage [%]",
     "Sequence.coverage....", "Mol. weight [kDa]", "Q-value", "Score", "Precursor.Charge",
     "Protein Length", "MAPINFO", "AddressA_ID", "Mean", "StDev", "Unnamed: 0", "probe id"],
)  # fmt: skip
def test_known_annotation_is_named_and_left(tmp_path, samples, name):
    rng = np.random.default_rng(1)
    table = samples.copy()
    table.insert(0, name, of(name, rng))
    path = write(tmp_path / "in.tsv", table, index_label="id", na_rep="NA")
    source = read_source(path, features_in_rows=True)
    pd.testing.assert_frame_equal(source.values.T, samples, check_names=False)
    (guess,) = (note for note in source.notes if isinstance(note, Guess))
    assert f"left as it is: column {name!r}" in guess
    with pytest.raises(TableError, match="nothing may be guessed"):
        read_source(path, features_in_rows=True, strict=True)
    write_filled(source, np.full(source.values.shape, 7.5), tmp_path / "out.tsv")
    expected = path.read_text().replace("NA", "7.5")
    assert (tmp_path / "out.tsv").read_text() == expected


def test_asked_for_or_denied(tmp_path, samples):
    samples.insert(3, "Length", np.arange(N_FEATURES) * 7 + 100)
    path = write(tmp_path / "in.tsv", samples)
    asked = read_source(path, features_in_rows=True, annotation=["Len*"], strict=True)
    assert asked.values.shape == (N_SAMPLES, N_FEATURES)
    denied = read_source(path, features_in_rows=True, annotation=["none"], strict=True)
    assert denied.values.shape == (N_SAMPLES + 1, N_FEATURES)
    other = read_source(path, features_in_rows=True, annotation=["s0"])
    assert list(other.values.index[:3]) == ["s1", "s2", "Length"]
    assert any("Is column 'Length' annotation?" in note for note in other.notes)
    with pytest.raises(TableError, match="has no row or column 'Width'"):
        read_source(path, features_in_rows=True, annotation=["Width"])


@pytest.mark.parametrize(
    ("columns", "taken"),
    [
        (["LFQ intensity a", "LFQ intensity b", "Intensity a", "Intensity b", "iBAQ a", "id"], 2),
        (["Intensity", "Intensity a", "Intensity b", "Intensity c", "MS/MS count a"], 3),
        (["a MaxLFQ Intensity", "b MaxLFQ Intensity", "a Intensity", "b Spectral Count"], 2),
        (["a Razor Intensity", "a Total Intensity", "b Razor Intensity", "b Total Intensity"], 2),
        (["[1] a.raw.PG.Quantity", "[2] b.raw.PG.Quantity", "[1] a.raw.PG.IsSingleHit"], 2),
        (["a.mzML Peak area", "b.mzML Peak area", "a.mzML Peak m/z", "row CCS"], 2),
        (["datafile:a.mzML:area", "datafile:b.mzML:area", "datafile:a.mzML:rt"], 2),
        (["a.AVG_Beta", "a.Detection Pval", "b.AVG_Beta", "b.Detection Pval"], 2),
        (["Area: a.raw (F1)", "Area: b.raw (F2)", "Area (Max)", "# Adducts"], 2),
    ],
)
def test_of_several_quantities_one_is_taken(tmp_path, columns, taken):
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.lognormal(10, 1, (30, len(columns))), columns=columns)
    path = write(tmp_path / "in.tsv", table.rename(index="P{:03d}".format))
    source = read_source(path, features_in_rows=True)
    assert len(source.values) == taken
    assert any(isinstance(note, Guess) and "taken for samples" in note for note in source.notes)


def test_words_are_left_without_a_guess(tmp_path, samples):
    samples.insert(0, "Description", ["kinase, 1-Mar", *["chaperone"] * (N_FEATURES - 1)])
    samples["flag"] = ["+", *[None] * (N_FEATURES - 1)]
    samples.loc["group"] = [None, *"AAAAAABBBBBB", None]
    path = write(tmp_path / "in.tsv", samples)
    source = read_source(path, features_in_rows=True, strict=True)
    assert source.values.shape == (N_SAMPLES, N_FEATURES)
    assert any("columns 'Description', 'flag' (words)" in note for note in source.notes)
    assert any("row 'group' (words)" in note for note in source.notes)
    write_filled(source, np.full(source.values.shape, 1.0), tmp_path / "out.tsv")
    assert "group\t\tA\tA" in (tmp_path / "out.tsv").read_text()


@pytest.mark.parametrize("word", ["1,5", "<0.1", "12 %", "1.234,5", "1 000"])
def test_what_may_be_a_number_is_no_word(tmp_path, word):
    path = tmp_path / "in.tsv"
    path.write_text(f"id\ta\tb\ns1\t{word}\t1.5\ns2\tx\t2.5\ns3\tx\t3.5\n")
    with pytest.raises(TableError, match="is not a number"):
        read_source(path)


ODD = {
    "locus": (lambda rng, x: rng.choice(90_000, len(x), replace=False), "none of them twice"),
    "line": (lambda rng, x: np.arange(len(x)), "numbers the lines"),
    "sorted": (
        lambda rng, x: np.sort(rng.uniform(100, 900, len(x))).round(4),
        "with none",
    ),
    "chance": (lambda rng, x: rng.random(len(x)), "another range"),
    "all": (lambda rng, x: np.nanmean(x, axis=1).round(4), "the mean or the sum"),
    "overall": (lambda rng, x: np.nansum(x, axis=1), "the mean or the sum"),
}


@pytest.mark.parametrize("name", ODD)
def test_columns_unlike_all_others_under_names_that_nobody_knows(tmp_path, samples, name):
    make, why = ODD[name]
    samples[name] = make(np.random.default_rng(3), samples.to_numpy())
    source = read_source(write(tmp_path / "in.tsv", samples), features_in_rows=True)
    (guess,) = (note for note in source.notes if isinstance(note, Guess))
    assert f"column {name!r}" in guess
    assert why in guess
    assert len(source.values) == N_SAMPLES
    # The same on the other side.
    source = read_source(write(tmp_path / "in.tsv", samples.T))
    assert len(source.values) == N_SAMPLES
    assert any(f"row {name!r}" in note for note in source.notes)


def test_a_feature_that_numbers_the_samples(tmp_path, samples):
    table = samples.T.fillna(0.5)
    table.insert(2, "order", range(1, N_SAMPLES + 1))
    table["subject"] = [200_000 + 37 * i for i in range(N_SAMPLES)]
    source = read_source(write(tmp_path / "in.tsv", table))
    assert source.values.shape == (N_SAMPLES, N_FEATURES)


@pytest.mark.parametrize(
    "kind", ["counts", "betas", "intensities", "z-scores", "outlier", "two groups", "calls"]
)
@pytest.mark.parametrize("seed", range(3))
def test_samples_of_every_kind_are_kept(kind, seed):
    rng = np.random.default_rng(seed)
    base = rng.normal(0, 2, size=(200, 1)) + rng.normal(0, 0.5, size=(200, 15))
    base[rng.random(base.shape) < 0.1] = np.nan
    if kind == "counts":
        base = rng.poisson(np.exp(np.nan_to_num(base) + 3)).astype(float)
        base[:, 4] = np.floor(base[:, 4] / 50)  # hardly sequenced
    elif kind == "betas":
        base = 1 / (1 + np.exp(-base))
    elif kind == "intensities":
        base = np.exp(3 * base + 12)
        base[:, 3] /= 200
    elif kind == "z-scores":
        base = (base - np.nanmean(base, axis=1, keepdims=True)) / np.nanstd(base, axis=1)[:, None]
    elif kind == "outlier":
        base[:, 5] = 0.4 * base[:, 0] + rng.normal(0, 2, 200)
    elif kind == "two groups":
        base[:, 8:] = rng.normal(0, 2, size=(200, 1)) + rng.normal(0, 0.5, size=(200, 7))
    elif kind == "calls":
        base = np.nan_to_num(base).round().clip(-2, 2)
    order = np.argsort(base[:, 0])  # as tables often are, by one of their columns
    for values in (base, base[order]):
        assert find_unlike(values, samples=True)[0] == {}
        assert find_unlike(values.T, samples=False)[0] == {}


def test_a_column_that_may_be_annotation_is_said_and_kept(tmp_path, samples):
    samples["quality"] = np.random.default_rng(4).uniform(14, 26, N_FEATURES).round(3)
    source = read_source(write(tmp_path / "in.tsv", samples), features_in_rows=True)
    assert "quality" in source.values.index
    assert any("Is column 'quality' annotation?" in n for n in source.notes if isinstance(n, Guess))


@pytest.mark.parametrize("seed", range(20))
def test_few_samples_of_few_factors_are_kept(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 6)) + 20 + rng.normal(0, 0.2, (60, 6))
    assert find_unlike(values, samples=True) == ({}, {})


def test_names_of_genes_are_no_annotation():
    genes = ["MAX", "SEM", "SET", "MET", "POS", "ID1", "AVG", "MEAN", "cg00000029", "TP53"]
    assert not any(is_annotation(gene, of_features=False) for gene in genes)


def test_row_numbers_make_room_for_ids(tmp_path, samples):
    table = samples.reset_index(names="gene")
    source = read_source(write(tmp_path / "in.tsv", table), features_in_rows=True)
    assert list(source.values.columns) == list(samples.index)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("mz\ts0\ts1\n101.4\t1\t2\n110.2\t3\t\n", (2, 2)),
        ("sample\t101.4\t99.2\ns0\t1\t2\ns1\t3\t\n", (2, 2)),
        ("compound\t9.1\t101.4\t200.5\t300.25\t310.5\nx\t1\t2\t3\t4\t\ny\t2\t3\t4\t5\t6\n", (2, 5)),
    ],
)
def test_numbers_may_be_ids_of_one_side(tmp_path, text, shape):
    (tmp_path / "in.tsv").write_text(text)
    assert read_source(tmp_path / "in.tsv", strict=True).values.shape == shape


@pytest.mark.parametrize(
    "text",
    ["TP53\tEGFR\n0.5\t1.2\n0.1\t2.5\n", "s1\t0.5\t0.2\t0.1\ns2\t1\t2\t3\n",
     "x\t1.5\t2.5\n0.5\t1\t2\n0.7\t3\t4\n"],
)  # fmt: skip
def test_a_line_of_values_is_none_of_ids(tmp_path, text):
    (tmp_path / "in.tsv").write_text(text)
    with pytest.raises(TableError, match="ids are numbers"):
        read_source(tmp_path / "in.tsv")


def test_a_first_line_of_whole_numbers_is_a_guess(tmp_path):
    (tmp_path / "in.tsv").write_text("x\t7157\t1956\t207\ns1\t1\t2\t3\ns2\t1\t\t4\n")
    source = read_source(tmp_path / "in.tsv")
    assert any(isinstance(note, Guess) and "holds numbers" in note for note in source.notes)


def test_one_measurement_a_line_is_no_matrix(tmp_path):
    text = "PG.Genes\tR.FileName\tPG.Quantity\tPG.Qvalue\nA\ta.raw\t1\t0\nB\ta.raw\t2\t0\n"
    (tmp_path / "in.tsv").write_text(text)
    with pytest.raises(TableError, match=r"of the sample in column 'R.FileName', and is no matrix"):
        read_source(tmp_path / "in.tsv", features_in_rows=True)
