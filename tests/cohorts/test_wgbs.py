"""Methylomes, from files in the layouts that bisulfite sequencing tools write."""

import gzip
import io
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import load_cohort
from vaeimpute.cohorts.registry import COHORTS
from vaeimpute.cohorts.wgbs import read_methylomes
from vaeimpute.exceptions import CohortError, OptionError

# Per sample: position on chr22, methylated reads, all reads.
CALLS = {
    "s1": [(100, 3, 4), (101, 0, 6), (200, 0, 10), (300, 5, 5)],
    "s2": [(100, 1, 2), (200, 9, 10), (300, 0, 7), (400, 2, 3)],
    "s3": [(100, 0, 1), (200, 5, 10), (400, 8, 8)],
}


def cov(calls, chromosome="chr22"):
    """Bismark: chromosome, start, end, percent, methylated, unmethylated."""
    return "".join(f"{chromosome}\t{p}\t{p}\t{100 * m / t}\t{m}\t{t - m}\n" for p, m, t in calls)


def cytosine(calls):
    """Bismark, every cytosine of the genome, read or not."""
    strand = {101: "-"}
    lines = [f"chr22\t{p}\t{strand.get(p, '+')}\t{m}\t{t - m}\tCG\tCGA\n" for p, m, t in calls]
    return "".join([*lines, "chr22\t999\t+\t0\t0\tCG\tCGT\n"])


def epp(calls):
    """RnBeads: counted from 0, a fraction in quotes, a score, the strand."""
    strand = {101: "-"}
    return "".join(
        f"chr22\t{p - 1}\t{p + 1}\t'{m}/{t}'\t{1000 * m // t}\t{strand.get(p, '+')}\n"
        for p, m, t in calls
    )


def bedmethyl(calls):
    """ENCODE: counted from 0, coverage and percentage in the last two of eleven columns."""
    return 'track name="x"\n' + "".join(
        f"chr22\t{p - 1}\t{p}\tx\t{t}\t+\t{p - 1}\t{p}\t0,255,0\t{t}\t{100 * m / t}\n"
        for p, m, t in calls
    )


def folder(path, write=cov, suffix=".cov", calls=CALLS):
    """A folder with a file per sample, each with other chromosomes around, and a sample sheet."""
    path.mkdir(exist_ok=True)
    for sample, of_sample in calls.items():
        around = cov([(100, 1, 1)], "chr2"), cov([(100, 1, 1)], "chr221")
        text = write(of_sample) if write is bedmethyl else around[0] + write(of_sample) + around[1]
        content = text.encode()
        (path / f"{sample}{suffix}").write_bytes(
            gzip.compress(content) if suffix.endswith(".gz") else content
        )
    sheet = path.parent / "samples.tsv"
    pd.DataFrame(
        {
            "cell": ["T", "T", "B"][: len(calls)],
            "id": list(calls),
            "bedFile": [f"{s}{suffix}" for s in calls],
        }
    ).to_csv(sheet, sep="\t", index=False)
    return path, sheet


def packed(path, suffix=".cov", **extra):
    """The same in an archive, as a download is."""
    source, sheet = folder(path / "plain", suffix=suffix)
    with zipfile.ZipFile(path / "data.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(source.iterdir()):
            archive.write(file, f"bed/{file.name}")
        for name, content in extra.items():
            archive.writestr(name, content)
    return path / "data.zip", sheet


def test_sites_with_a_value_in_every_sample(tmp_path):
    cohort = read_methylomes(*folder(tmp_path / "calls"))
    assert list(cohort.values) == ["chr22:100", "chr22:200"]
    assert list(cohort.values.index) == ["s1", "s2", "s3"]
    assert np.allclose(cohort.values, [[0.75, 0], [0.5, 0.9], [0, 0.5]])
    assert cohort.coverage.to_numpy().tolist() == [[4, 10], [2, 10], [1, 10]]
    assert cohort.clinical["cell"].to_dict() == {"s1": "T", "s2": "T", "s3": "B"}
    assert cohort.features.loc["chr22:200"].to_dict() == {"chromosome": "chr22", "position": 200}
    assert "2 of 5 sites of chr22 have a value in at least 100% of the 3 samples" in cohort.notes[0]


@pytest.mark.parametrize("order", [["s1", "s2", "s3"], ["s3", "s2", "s1"], ["s2", "s1", "s3"]])
@pytest.mark.parametrize("min_share", [1.0, 2 / 3, 0.3])
def test_sites_by_their_share_of_samples(tmp_path, order, min_share):
    """Against a table of everything, in every order of reading."""
    calls = {sample: CALLS[sample] for sample in order}
    cohort = read_methylomes(*folder(tmp_path / "calls", calls=calls), min_share=min_share)
    level = pd.DataFrame({s: {p: m / t for p, m, t in c} for s, c in calls.items()}).sort_index().T
    reads = pd.DataFrame({s: {p: t for p, m, t in c} for s, c in calls.items()}).sort_index().T
    keep = level.notna().mean() >= min_share - 1e-9
    assert np.allclose(cohort.values, level.loc[:, keep], equal_nan=True)
    assert np.array_equal(cohort.coverage, reads.loc[:, keep].fillna(0))
    assert list(cohort.features["position"]) == list(level.columns[keep])


@pytest.mark.parametrize("suffix", [".bed", ".bed.gz"])
@pytest.mark.parametrize("write", [cov, cytosine, epp, bedmethyl])
def test_every_layout_says_the_same(tmp_path, write, suffix):
    cohort = read_methylomes(*folder(tmp_path / "calls", write, suffix), min_share=0.3)
    reference = read_methylomes(*folder(tmp_path / "reference"), min_share=0.3)
    assert np.allclose(cohort.values, reference.values, equal_nan=True)
    assert cohort.values.columns.equals(reference.values.columns)
    assert cohort.coverage.equals(reference.coverage)


@pytest.mark.parametrize("write", [cytosine, epp])
def test_strands_are_added_up(tmp_path, write):
    cohort = read_methylomes(*folder(tmp_path / "calls", write), merge_strands=True)
    assert list(cohort.values) == ["chr22:100", "chr22:200"]
    assert cohort.values.loc["s1", "chr22:100"] == pytest.approx(0.3)
    assert cohort.coverage.loc["s1", "chr22:100"] == 10


def test_strands_cannot_be_merged_where_none_is_named(tmp_path):
    with pytest.raises(CohortError, match=r"s1\.cov does not say which strand.*merge_CpG"):
        read_methylomes(*folder(tmp_path / "calls"), merge_strands=True)


@pytest.mark.parametrize("chromosome", ["chr22", "22"])
@pytest.mark.parametrize("prefix", ["chr22", "22"])
def test_chromosomes_with_and_without_chr(tmp_path, prefix, chromosome):
    calls = folder(tmp_path / "calls", lambda c: cov(c, prefix))
    assert read_methylomes(*calls, chromosome=chromosome).values.shape == (3, 2)


def test_an_unsorted_file_and_one_without_a_last_newline(tmp_path):
    calls, sheet = folder(tmp_path / "calls")
    reference = read_methylomes(calls, sheet)
    (calls / "s1.cov").write_text(cov(CALLS["s1"][::-1]).removesuffix("\n"))
    assert read_methylomes(calls, sheet).values.equals(reference.values)


@pytest.mark.parametrize("suffix", [".cov", ".cov.gz"])
def test_an_archive_is_read_without_being_unpacked(tmp_path, suffix):
    calls, sheet = packed(tmp_path, suffix)
    before = sorted(tmp_path.rglob("*"))
    cohort = read_methylomes(calls, sheet)
    assert sorted(tmp_path.rglob("*")) == before
    assert cohort.values.equals(read_methylomes(tmp_path / "plain", sheet).values)


def test_a_sheet_may_leave_out_gz_and_folders(tmp_path):
    calls, sheet = packed(tmp_path, ".cov.gz")
    sheet.write_text(sheet.read_text().replace(".gz", "").replace("s1.cov", "/home/x/s1.cov"))
    assert read_methylomes(calls, sheet).values.shape == (3, 2)


def test_the_columns_of_the_sheet_are_found_by_what_they_hold(tmp_path):
    calls, _ = folder(tmp_path / "calls")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("a,b,c,d\n7,x,s1.cov,1.bed\n7,y,s2.cov,2.bed\n8,z,s3.cov,3.bed\n")
    cohort = read_methylomes(calls, sheet)
    assert list(cohort.values.index) == ["x", "y", "z"]
    assert cohort.clinical["a"].tolist() == [7, 7, 8]
    assert list(cohort.clinical) == ["a", "d"]


# -- Files that are not what they should be ------------------------------------------------------


def test_no_archive(tmp_path):
    _, sheet = folder(tmp_path / "calls")
    (tmp_path / "data.zip").write_text("<html>")
    with pytest.raises(CohortError, match="neither a folder nor a whole zip archive"):
        read_methylomes(tmp_path / "data.zip", sheet)


def test_a_truncated_gzip(tmp_path):
    calls, sheet = folder(tmp_path / "calls", suffix=".cov.gz")
    file = calls / "s2.cov.gz"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(CohortError, match=r"s2\.cov\.gz is cut short or damaged"):
        read_methylomes(calls, sheet)


def test_a_damaged_member_of_an_archive(tmp_path):
    calls, sheet = packed(tmp_path)
    content = bytearray(calls.read_bytes())
    content[45] ^= 0xFF  # in the packed data of the first file
    calls.write_bytes(content)
    with pytest.raises(CohortError, match=r"s1\.cov is cut short or damaged"):
        read_methylomes(calls, sheet)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chr22\t100\t100\t50\tx\t1\n", r"unknown layout, such as b'chr22\\t100.*of these orders"),
        (cov([(100, 1, 2)]) + "chr22\t200\t200\t50\tx\t1\n", "not a count or a position"),
        (cov([(100, 1, 2)]) + "chr22\t200\n", "not a count or a position|is impossible"),
        (cov([(100, 1, 2)]) + "chr22\t200\t200\t50\t-1\t1\n", "-1 of 0 reads.*position 200"),
        (cov([(100, 1, 2), (100, 1, 2)]), r"repeats positions: 100\..*merge_strands"),
        ("chr21\t1\t1\t0\t0\t1\n", "no line that begins with chr22 or 22"),
    ],
)
def test_lines_that_are_wrong(tmp_path, line, message):
    calls, sheet = folder(tmp_path / "calls")
    (calls / "s2.cov").write_text(line)
    with pytest.raises(CohortError, match=rf"s2\.cov.*{message}"):
        read_methylomes(calls, sheet)


def test_a_sheet_that_does_not_fit(tmp_path):
    calls, sheet = folder(tmp_path / "calls")
    text = sheet.read_text()
    (calls / "s3.cov").rename(calls / "s4.cov")
    with pytest.raises(CohortError, match=r"1 of the 3 files .* are not there: 's3\.cov'"):
        read_methylomes(calls, sheet)
    sheet.write_text(text.replace("s3.cov", "s2.cov"))
    with pytest.raises(CohortError, match=r"belong to several samples: 's2\.cov'"):
        read_methylomes(calls, sheet)
    (calls / "again").mkdir()
    (calls / "again" / "s1.cov").write_text("")
    sheet.write_text(text.replace("s1.cov", "x/s1.cov").replace("s3.cov", "s4.cov"))
    with pytest.raises(CohortError, match=r"are there several times: 'x/s1\.cov'"):
        read_methylomes(calls, sheet)
    sheet.write_text("")
    with pytest.raises(CohortError, match=r"samples\.tsv is empty"):
        read_methylomes(calls, sheet)


def test_no_site_in_every_sample(tmp_path):
    calls = folder(tmp_path / "calls", calls={"s1": [(1, 1, 2)], "s2": [(5, 1, 2)]})
    with pytest.raises(CohortError, match=r"No site of chr22 .* 2 have one .* Lower min_share"):
        read_methylomes(*calls)


@pytest.mark.parametrize("options", [{"min_share": 0}, {"min_share": 1.1}, {"chromosome": "a b"}])
def test_wrong_options(tmp_path, options):
    with pytest.raises(OptionError, match=next(iter(options))):
        read_methylomes(*folder(tmp_path / "calls"), **options)


# -- By name, over HTTP --------------------------------------------------------------------------


@pytest.fixture
def serve(file_server, tmp_path, monkeypatch):
    monkeypatch.setenv("VAEIMPUTE_CACHE", str(tmp_path / "cache"))
    entry = COHORTS["blueprint-wgbs"]

    def run(calls, sheet):
        content = {"calls": calls.read_bytes(), "samples": sheet.read_bytes()}
        files = {
            role: file_server.add(file.name, content[role], published=False)
            for role, file in entry.files["rnbeads"].items()
        }
        monkeypatch.setitem(COHORTS, entry.name, replace(entry, files={"rnbeads": files}))
        return file_server

    return run


def test_by_name(serve, tmp_path):
    server = serve(*packed(tmp_path))
    cohort = load_cohort("blueprint-wgbs")
    assert cohort.name == "blueprint-wgbs"
    assert np.allclose(cohort.values.iloc[0], [0.75, 0])
    assert "3 samples, -203 against the paper's 206." in cohort.notes
    assert "2 sites, -21218 against the paper's 21220." in cohort.notes
    again = load_cohort("blueprint-wgbs", chromosome="chr22")
    assert again.values.equals(cohort.values)
    assert again.coverage.equals(cohort.coverage)
    more = load_cohort("blueprint-wgbs", min_share=0.3)
    assert more.values.shape == (3, 5)
    assert len(server.requests) == 2


def test_a_wrong_option_downloads_nothing(serve, tmp_path):
    server = serve(*packed(tmp_path))
    wrong = ({"min_share": 2}, {"source": "ebi"}, {"chromosome": ""})
    for options in (*wrong, {"chromosome": "chrZ"}):
        with pytest.raises(OptionError):
            load_cohort("blueprint-wgbs", **options)
    assert server.requests == []


def test_real_counts_over_http(serve, tmp_path):
    """Four samples of chromosome 21, written out as Bismark does, packed, cut and resumed."""
    data = Path(os.environ.get("VAEIMPUTE_DATA", "/nowhere")) / "wgbs_counts_with_coverage"
    if not data.exists():
        pytest.skip("VAEIMPUTE_DATA does not point at the development data")
    table = (
        pd.read_parquet(data / "dmrseq_chr21_imr90_h1.parquet").drop_duplicates("pos").head(60_000)
    )
    samples = [column.removesuffix("_Cov") for column in table if column.endswith("_Cov")]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for sample in samples:
            reads, methylated = table[f"{sample}_Cov"], table[f"{sample}_M"]
            rows = pd.DataFrame(
                {
                    "chromosome": table["chr"],
                    "start": table["pos"],
                    "end": table["pos"],
                    "percent": 100 * methylated / reads,
                    "methylated": methylated,
                    "unmethylated": reads - methylated,
                }
            )[reads > 0]  # Bismark lists only what was read
            text = rows.to_csv(sep="\t", header=False, index=False)
            archive.writestr(f"{sample}.cov.gz", gzip.compress(text.encode(), 1))
    (tmp_path / "data.zip").write_bytes(buffer.getvalue())
    sheet = tmp_path / "samples.tsv"
    pd.DataFrame({"sample": samples, "file": [f"{s}.cov" for s in samples]}).to_csv(
        sheet, sep="\t", index=False
    )
    server = serve(tmp_path / "data.zip", sheet)
    half = len(buffer.getvalue()) // 2
    server.faults["data.zip"] = [("cut", half)]
    cohort = load_cohort("blueprint-wgbs", chromosome="21", min_share=0.5)
    assert ("data.zip", f"bytes={half}-") in server.requests

    reads = table.set_index("pos")[[f"{s}_Cov" for s in samples]].sort_index()
    reads = reads[(reads > 0).mean(axis=1) >= 0.5]
    assert len(reads) > 30_000
    assert np.array_equal(cohort.features["position"], reads.index)
    assert np.array_equal(cohort.coverage, reads.T)
    methylated = table.set_index("pos")[[f"{s}_M" for s in samples]].loc[reads.index]
    expected = (methylated.to_numpy() / reads.where(reads > 0).to_numpy()).T
    assert np.allclose(cohort.values, expected, equal_nan=True, atol=1e-6)
