"""GC content and simulated coverage; BioMart is a server on loopback."""

import gzip
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import Cohort, with_simulated_coverage
from vaeimpute.cohorts.annotation import biomart_gc_table, read_gc_table, with_gc_content
from vaeimpute.exceptions import CohortError, DownloadError, TableError

TABLE = "TP53\t48.85\nEGFR\t44.66\nEGFR\t44.60\n\t39.02\nNA\t50.0\n"


def expression(*genes):
    values = pd.DataFrame(np.ones((2, len(genes))), ["s1", "s2"], list(genes))
    return Cohort("toy", values, pd.DataFrame(index=values.index), "ln", "expression")


def methylation(n_sites=6, **options):
    values = pd.DataFrame(np.full((4, n_sites), 0.5), columns=[f"cg{i}" for i in range(n_sites)])
    return Cohort(
        "array", values, pd.DataFrame(index=values.index), "level", "methylation", **options
    )


@pytest.fixture
def biomart(monkeypatch, tmp_path):
    """Return the address of a server and the answer that it will give, to be changed."""
    monkeypatch.setenv("VAEIMPUTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    answer = {"status": 200, "text": TABLE + "[success]\n", "queries": []}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer["queries"].append(parse_qs(body)["query"][0])
            text = answer["text"].encode()
            self.send_response(answer["status"])
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(answer.get("promised", len(text))))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/biomart/martservice", answer
    server.shutdown()
    thread.join()
    server.server_close()


def cached_files(tmp_path):
    return [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]


def test_biomart_is_asked_once(biomart, tmp_path):
    url, answer = biomart
    cohort = expression("TP53|7157", "EGFR|1956", "XYZ|1")
    for _ in range(2):
        annotated = with_gc_content(cohort, url=url)
        gc = annotated.features["gc_content"]
        assert gc.tolist() == pytest.approx([0.4885, 0.4463, np.nan], nan_ok=True)
        assert annotated.features["gc_source"].unique() == ["Ensembl BioMart"]
        assert annotated.notes == ("GC content from Ensembl BioMart; 1 of 3 genes are not in it.",)
    assert len(answer["queries"]) == 1
    assert 'name="hsapiens_gene_ensembl"' in answer["queries"][0]
    assert 'name="percentage_gene_gc_content"' in answer["queries"][0]
    assert len(cached_files(tmp_path)) == 1
    assert "gc_content" not in cohort.features


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": "Query ERROR: caught BioMart::Exception::Usage: Attribute"}, "Query ERROR"),
        ({"text": "<html><title>Down for maintenance</title></html>"}, "Down for maintenance"),
        ({"text": "busy", "status": 503}, "status 503"),
        ({"text": TABLE}, "stopped half-way"),
        ({"text": TABLE[:20]}, "stopped half-way"),
        ({"text": ""}, "stopped half-way"),
        ({"text": TABLE, "promised": 10_000}, "BioMart at .*(half-way|cannot be reached)"),
    ],
    ids=["error", "page", "status", "no stamp", "cut", "empty", "connection cut"],
)
def test_biomart_without_a_table_leaves_nothing_behind(biomart, tmp_path, change, message):
    url, answer = biomart
    right = dict(answer)
    answer.update(change)
    with pytest.raises(DownloadError, match=message) as error:
        biomart_gc_table(url)
    assert "mirror" in str(error.value)
    assert cached_files(tmp_path) == []
    answer.pop("promised", None)
    answer.update(text=right["text"], status=200)
    assert biomart_gc_table(url).exists()  # and the next attempt works


def test_biomart_out_of_reach(monkeypatch, tmp_path):
    monkeypatch.setenv("VAEIMPUTE_CACHE", str(tmp_path))
    with pytest.raises(DownloadError, match="cannot be reached"):
        biomart_gc_table("http://127.0.0.1:9/")


def test_full_disk_leaves_nothing_behind(biomart, monkeypatch, tmp_path):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vaeimpute.files.Path.replace", fail)
    with pytest.raises(OSError, match="No space left"):
        biomart_gc_table(biomart[0])
    assert cached_files(tmp_path) == []


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


def test_simulated_gc_says_so():
    cohort = expression("TP53", "EGFR")
    annotated = with_gc_content(cohort, "simulated", seed=3)
    assert (annotated.features["gc_source"] == "simulated").all()
    assert "SIMULATED (seed 3)" in annotated.notes[0]
    again = with_gc_content(cohort, "simulated", seed=3)
    assert annotated.features.equals(again.features)
    assert not annotated.features.equals(with_gc_content(cohort, "simulated").features)


def test_gc_content_belongs_to_genes():
    with pytest.raises(CohortError, match="belongs to genes"):
        with_gc_content(methylation(), "simulated")


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


DATA = os.environ.get("VAEIMPUTE_DATA")


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
