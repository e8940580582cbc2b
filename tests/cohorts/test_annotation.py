"""GC content and simulated coverage."""

import gzip
import os
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import Cohort, load_cohort, with_gc_content, with_simulated_coverage
from vaeimpute.cohorts.annotation import read_gc_table
from vaeimpute.exceptions import CohortError, TableError
from vaeimpute.missingness import SCENARIOS

MAKER = Path(__file__).parents[2] / "data" / "make_gc_table.py"


def expression(*genes):
    values = pd.DataFrame(np.ones((2, len(genes))), ["s1", "s2"], list(genes))
    return Cohort("toy", values, pd.DataFrame(index=values.index), "ln", "expression")


def methylation(n_sites=6, **options):
    values = pd.DataFrame(np.full((4, n_sites), 0.5), columns=[f"cg{i}" for i in range(n_sites)])
    return Cohort(
        "array", values, pd.DataFrame(index=values.index), "level", "methylation", **options
    )


def test_the_packaged_table_knows_the_genes_of_the_cohorts():
    annotated = with_gc_content(expression("TP53|7157", "GAPDH", "no gene"))
    gc = annotated.features["gc_content"]
    assert gc.tolist() == pytest.approx([0.540, 0.579, np.nan], nan_ok=True)
    assert annotated.features["gc_source"].unique() == ["Ensembl"]
    assert annotated.notes == ("GC content from Ensembl; 1 of 3 genes is not in the table.",)
    breast = with_gc_content(load_cohort("breast-gse1992"))
    assert breast.features["gc_content"].notna().mean() > 0.95


def test_genes_that_no_table_has_are_in_the_way_of_one_scenario_only():
    cohort = with_gc_content(expression("ENSMUSG00000059552"))
    assert cohort.notes == ("GC content from Ensembl; 1 of 1 genes is not in the table.",)
    with pytest.raises(ValueError, match=r"none of its genes.*ids like 'ENSMUSG00000059552'"):
        SCENARIOS["mnar_high_gc"].mask(cohort, np.arange(2), np.random.default_rng(0))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "id,geneLength,gcContent,chr\nTP53,2000,0.4885,chr17\n100130426,,,\nNA,5,0.3,chr1\n",
        "\tID\tAV_GC_PCT\n1\tTP53\t0.4885\n2\tNA\t0.3\n",
        "Gene name\tGene % GC content\nTP53\t48.85\nNA\t30\n",
    ],
)
def test_tables_are_read_as_they_come(tmp_path, text, compressed):
    path = tmp_path / ("gc.txt.gz" if compressed else "gc.txt")
    path.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    # NA is a symbol like any other; an empty GC content is unknown.
    assert read_gc_table(path).to_dict() == pytest.approx({"NA": 0.3, "TP53": 0.4885})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene,length\nTP53,5\n", "no GC content column: expected one of"),
        ("name,gc\nTP53,5\n", "no gene column"),
        ("gene,gc\nTP53,0.4\nEGFR,high\n", "line 3, column 'gc': expected a number .* 'high'"),
        ("gene,gc\nTP53,480\n", "got 480 to 480"),
        ("gene,gc\nTP53,-0.1\n", "got -0.1"),
        ("gene,gc\nTP53,\n", "no gene with a GC content"),
        ("", "is empty"),
        ('gene,gc\n"TP53,0.4\n', "cannot be read"),
    ],
)
def test_bad_table_says_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "gc.csv"
    path.write_text(text)
    with pytest.raises(TableError, match=message):
        read_gc_table(path)


def test_truncated_gzip_and_missing_file(tmp_path):
    path = tmp_path / "gc.csv.gz"
    path.write_bytes(gzip.compress(b"gene,gc\n" + b"TP53,0.4\n" * 5000)[:60])
    with pytest.raises(TableError, match="cut short"):
        read_gc_table(path)
    with pytest.raises(FileNotFoundError, match="There is no file"):
        read_gc_table(tmp_path / "none.csv")


def test_gene_without_a_symbol_is_found_by_its_number(tmp_path):
    path = tmp_path / "gc.csv"
    path.write_text("id,gcContent\n100133144,0.49\nTP53,0.4885\n")
    annotated = with_gc_content(expression("?|100133144", "TP53|7157"), path)
    assert annotated.features["gc_content"].tolist() == [0.49, 0.4885]
    assert annotated.features["gc_source"].unique() == ["gc.csv"]


def test_table_of_other_ids_is_refused(tmp_path):
    path = tmp_path / "gc.csv"
    path.write_text("id,gcContent\nENSG00000141510,0.49\n")
    with pytest.raises(TableError, match=r"of none .* 'ENSG00000141510', the cohort 'TP53'"):
        with_gc_content(expression("TP53"), path)


def test_gc_content_belongs_to_genes():
    with pytest.raises(CohortError, match="belongs to genes"):
        with_gc_content(methylation())


def test_simulated_coverage_says_so_and_touches_no_value():
    cohort = methylation(500)
    covered = with_simulated_coverage(cohort, seed=2)
    assert covered.values.equals(cohort.values)
    assert covered.coverage.to_numpy().min() >= 1
    assert "Coverage is SIMULATED (seed 2" in covered.notes[0]
    assert covered.coverage.equals(with_simulated_coverage(cohort, seed=2).coverage)
    with pytest.raises(CohortError, match="has its own coverage"):
        with_simulated_coverage(covered)
    with pytest.raises(CohortError, match="not methylation"):
        with_simulated_coverage(expression("TP53"))


def test_neighbours_are_covered_alike_in_whatever_order_they_come():
    n = 4000
    rng = np.random.default_rng(0)
    order = rng.permutation(n)
    features = pd.DataFrame(
        {"chromosome": np.where(order < n // 2, "chr1", "chr2"), "position": 10 * order},
        index=[f"cg{i}" for i in range(n)],
    )
    reads = with_simulated_coverage(methylation(n, features=features)).coverage.to_numpy()
    along = reads[0, np.argsort(order)]
    assert np.corrcoef(along[1:], along[:-1])[0, 1] > 0.7
    assert abs(np.corrcoef(reads[0, 1:], reads[0, :-1])[0, 1]) < 0.1


def test_the_script_makes_one_table_of_several(tmp_path):
    export = "HGNC symbol\tGene % GC content\nTP53\t48.85\nEGFR\t44.66\nEGFR\t44.60\n\t39.02\n"
    (tmp_path / "biomart.tsv").write_text(export + "1-Mar\t50\nRP11-34P13.7\t50\nMARCH1\t40\n")
    (tmp_path / "more.csv").write_text("id,gcContent\nTP53,0.9\nNA,0.3\n")
    make_table = runpy.run_path(str(MAKER))["make_table"]
    made = tmp_path / "made.csv.gz"
    make_table([tmp_path / "biomart.tsv", tmp_path / "more.csv"], made)
    expected = "gene,gc\nEGFR,0.446\nMARCH1,0.400\nNA,0.300\nTP53,0.488\n"
    assert gzip.decompress(made.read_bytes()).decode() == expected
    first = made.read_bytes()
    make_table([tmp_path / "biomart.tsv", tmp_path / "more.csv"], made)
    assert made.read_bytes() == first


DATA = os.environ.get("VAEIMPUTE_DATA")


@pytest.mark.skipif(not DATA, reason="VAEIMPUTE_DATA does not point at the development data")
def test_the_packaged_table_is_what_the_script_makes(tmp_path):
    names = ("Average_GC.tsv.gz", "tcgabiolinks_geneInfo.csv.gz")
    sources = [Path(DATA) / "gene_gc_content" / name for name in names]
    maker = runpy.run_path(str(MAKER))
    maker["make_table"](sources, tmp_path / "made.csv.gz")
    made, packaged = (tmp_path / "made.csv.gz").read_bytes(), maker["TABLE"].read_bytes()
    assert gzip.decompress(made) == gzip.decompress(packaged)


@pytest.mark.skipif(not DATA, reason="VAEIMPUTE_DATA does not point at the development data")
@pytest.mark.parametrize(
    ("name", "rows", "covered"),
    [
        ("tcgabiolinks_geneInfo.csv.gz", 20330, 20322),
        ("tcgabiolinks_geneInfoHT.csv.gz", 60000, None),
        ("Average_GC.tsv.gz", 50000, 17850),
    ],
)
def test_real_tables(name, rows, covered):
    folder = Path(DATA)
    path = folder / "gene_gc_content" / name
    table = read_gc_table(path)
    assert len(table) == pytest.approx(rows, rel=0.15)
    assert table.between(0, 1).all()
    genes = pd.read_parquet(
        folder / "tcga_small_cohorts_rnaseqv2" / "expr_rsem_normalized.parquet", columns=[]
    ).index
    if covered is None:
        with pytest.raises(TableError, match="of none in cohort"):
            with_gc_content(expression(*genes), path)
    else:
        gc = with_gc_content(expression(*genes), path).features["gc_content"]
        assert gc.notna().sum() == pytest.approx(covered, abs=60)
