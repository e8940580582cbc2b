"""The paper's expression cohort, from files in the formats of the GDC and of Xena."""

import gzip
import os
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vaeimpute.cohorts import load_cohort
from vaeimpute.cohorts.registry import COHORTS
from vaeimpute.cohorts.tcga import read_tcga_glioma
from vaeimpute.exceptions import CohortError, OptionError

LGG, GBM, OTHER = "TCGA-CS-4938", "TCGA-02-0047", "TCGA-OR-A5J1"
BARCODES = [
    f"{OTHER}-01A-11R-A29S-07",
    f"{LGG}-01B-11R-1896-07",  # a second vial, of a later plate
    f"{LGG}-01A-11R-1470-07",
    f"{LGG}-01A-12R-1896-07",  # the first vial again, of a later plate: this one
    f"{LGG}-02A-11R-2000-07",  # a recurrence
    f"{GBM}-11A-01R-1849-01",  # normal tissue
    f"{GBM}-01A-01R-1849-01",
]
GENES = ["?|100130426", "A1BG|1", "SLC35E2|9906", "SLC35E2|728661", "TP53|7157"]


def expression(barcodes=BARCODES, genes=GENES):
    """Values that say where they come from: 10 x row + column."""
    rows, columns = np.indices((len(genes), len(barcodes)))
    return pd.DataFrame(10.0 * rows + columns, genes, barcodes)


def write(table, path):
    table.to_csv(path, sep="\t", index_label="gene_id", na_rep="NA")
    return path


@pytest.fixture
def clinical(tmp_path):
    """In Latin-1, with free text that is no UTF-8 and with the columns in between."""
    path = tmp_path / "clinical.tsv"
    path.write_bytes(
        "bcr_patient_uuid\tbcr_patient_barcode\tacronym\tneoplasm_histologic_grade\tnotes\n"
        f"u1\t{LGG}\tLGG\tG3\tastrocytome \xe0 surveiller\n"
        f"u2\t{GBM}\tGBM\t[Not Available]\t\n"
        f"u3\t{OTHER}\tACC\t[Not Available]\t\n".encode("latin-1")
    )
    return path


def clinical_resource(path, **changes):
    """The workbook of Liu et al. 2018: an index without a name, several sheets."""
    table = pd.DataFrame(
        {
            "bcr_patient_barcode": [OTHER, LGG, GBM],
            "type": ["ACC", "LGG", "GBM"],
            "age_at_initial_pathologic_diagnosis": [58, 31, "[Not Available]"],
            "gender": ["MALE", "FEMALE", "MALE"],
            "vital_status": ["Dead", "Alive", "Dead"],
            "OS": [1, 0, 1],
            "OS.time": [1355, 143, "#N/A"],
        }
        | changes
    )
    with pd.ExcelWriter(path) as workbook:
        table.to_excel(workbook, sheet_name="TCGA-CDR")
        table[["type"]].to_excel(workbook, sheet_name="ExtraEndpoints")
    return path


@pytest.fixture
def survival(tmp_path):
    return clinical_resource(tmp_path / "cdr.xlsx")


@pytest.fixture
def read(tmp_path, clinical, survival):
    def run(table, **options):
        path = table if isinstance(table, Path) else write(table, tmp_path / "expression.tsv")
        return read_tcga_glioma(path, clinical=clinical, survival=survival, **options)

    return run


def test_one_primary_tumour_of_each_glioma(read):
    cohort = read(expression())
    assert list(cohort.values.index) == [GBM, LGG]
    assert list(cohort.clinical["barcode"]) == [BARCODES[6], BARCODES[3]]
    assert np.allclose(np.expm1(cohort.values.loc[LGG]), [3, 13, 23, 33, 43])
    assert np.allclose(np.expm1(cohort.values.loc[GBM]), [6, 16, 26, 36, 46])
    assert any("1 patients have several primary tumour samples" in n for n in cohort.notes)


def test_the_order_of_columns_does_not_matter(read):
    table = expression()
    first, second = read(table), read(table.iloc[:, ::-1])
    assert first.values.equals(second.values)
    assert first.clinical.equals(second.clinical)


def test_clinical_columns(read):
    clinical = read(expression()).clinical
    assert clinical["subtype"].to_dict() == {GBM: "GBM", LGG: "LGG"}
    assert clinical["grade"].to_dict() == {GBM: 4, LGG: 3}
    assert clinical["event"].to_dict() == {GBM: 1, LGG: 0}
    assert clinical.loc[LGG, "time"] == pytest.approx(143 / 30.4375)
    assert np.isnan(clinical.loc[GBM, "time"])
    assert np.isnan(clinical.loc[GBM, "age"])
    assert clinical.loc[LGG, "age"] == 31


def test_what_a_cohort_says_of_itself(read):
    cohort = read(expression())
    assert cohort.stratify_by == "subtype"
    assert cohort.features.loc["SLC35E2|9906"].to_dict() == {"symbol": "SLC35E2", "entrez": "9906"}
    assert "2 patients, -665 against the paper's 667." in cohort.notes
    assert "5 genes, -17171 against the paper's 17176." in cohort.notes
    assert "Grade is unknown for 0 patients, survival for 1." in cohort.notes


@pytest.mark.parametrize("missing", ["NA", "", "NaN"])
def test_genes_with_a_gap_are_dropped(read, tmp_path, missing):
    table = expression().astype(object)
    table.loc["A1BG|1", BARCODES[0]] = missing  # in another cancer
    table.loc["TP53|7157", BARCODES[6]] = missing  # in a glioma, at the end of the line
    cohort = read(table)
    assert list(cohort.values) == [GENES[0], GENES[2], GENES[3]]
    assert "2 of 5 genes were dropped" in cohort.notes[0]


def test_values_below_zero_count_as_zero_and_are_reported(read):
    table = expression()
    table.loc["A1BG|1", BARCODES[3]] = -0.25
    table.loc["A1BG|1", BARCODES[0]] = -9.0  # not a glioma: of no interest
    cohort = read(table)
    assert cohort.values.loc[LGG, "A1BG|1"] == 0
    assert any(n.startswith("1 values (10.00%) below zero") and "-0.25" in n for n in cohort.notes)


def test_gzip_and_quotes_and_windows_lines(read, tmp_path):
    path = write(expression(), tmp_path / "plain.tsv")
    lines = path.read_text().splitlines()
    quoted = "\r\n".join("\t".join([f'"{f}"' for f in lines[0].split("\t")]) if not i else line
                         for i, line in enumerate(lines))  # fmt: skip
    (tmp_path / "quoted.tsv.gz").write_bytes(gzip.compress(quoted.encode()))
    assert read(tmp_path / "quoted.tsv.gz").values.equals(read(path).values)


def test_log2_values_become_natural_logarithms(read):
    table = np.log2(expression(BARCODES[3:4] + BARCODES[6:7]) + 1)
    table.columns = [barcode[:15] for barcode in table]  # Xena's barcodes end there
    table.index = table.index.str.split("|").str[0] + pd.Series(list("abcde"))
    cohort = read(table, log2=True)
    assert np.allclose(np.expm1(cohort.values.loc[LGG]), [0, 10, 20, 30, 40])
    assert cohort.features["entrez"].isna().all()
    assert not any("below zero" in note for note in cohort.notes)


# -- Files that are not what they should be ------------------------------------------------------


def test_a_duplicate_barcode(read):
    table = expression()
    table.columns = [*BARCODES[:-1], BARCODES[2]]
    with pytest.raises(CohortError, match=rf"repeats barcodes.*'{BARCODES[2]}'.*fetch"):
        read(table)


def test_a_truncated_gzip(read, tmp_path):
    path = tmp_path / "expression.tsv.gz"
    noise = expression(genes=[f"G{i}|{i}" for i in range(500)])
    whole = gzip.compress(write(noise, tmp_path / "plain.tsv").read_bytes())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CohortError, match=r"expression\.tsv\.gz is cut short.*download it again"):
        read(path)


def test_a_truncated_line(read, tmp_path):
    path = write(expression(), tmp_path / "expression.tsv")
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(CohortError, match=r"line 6 has \d columns where the header has 8.*cut"):
        read(path)


def test_a_value_that_is_no_number(read):
    table = expression().astype(object)
    table.loc["TP53|7157", BARCODES[3]] = "1,5"
    with pytest.raises(CohortError, match=rf"gene 'TP53\|7157', sample '{BARCODES[3]}': '1,5'"):
        read(table)


def test_another_file_altogether(read, tmp_path):
    path = tmp_path / "page.tsv"
    path.write_text("<html>\n<body>Please log in</body></html>")
    with pytest.raises(CohortError, match=r"no primary tumour.*expected barcodes such as"):
        read(path)
    path.write_text("")
    with pytest.raises(CohortError, match=r"no primary tumour.*'missing'"):
        read(path)


def test_no_complete_gene(read):
    table = expression()
    table.iloc[:, 0] = np.nan
    with pytest.raises(CohortError, match="each of its 5 genes lacks a value"):
        read(table)


def test_a_duplicate_gene(read):
    with pytest.raises(CohortError, match=r"feature ids occur more than once: 'A1BG\|1'"):
        read(expression(genes=["A1BG|1", "A1BG|1"]))


def test_clinical_tables_that_lack_what_is_needed(read, tmp_path, clinical, survival):
    path = write(expression(), tmp_path / "e.tsv")
    clinical_text = clinical.read_bytes()
    clinical.write_bytes(clinical_text.replace(b"neoplasm_histologic_grade", b"grade"))
    with pytest.raises(CohortError, match=r"clinical\.tsv cannot be read: .*histologic"):
        read(path)
    clinical.write_bytes(clinical_text + f"u4\t{LGG}\tLGG\tG2\t\n".encode())
    with pytest.raises(CohortError, match=rf"clinical\.tsv repeats patients: '{LGG}'"):
        read(path)
    clinical.write_bytes(clinical_text)
    clinical_resource(survival, bcr_patient_barcode=[GBM, LGG, GBM], type=["GBM", "LGG", "GBM"])
    with pytest.raises(CohortError, match=rf"cdr\.xlsx repeats patients: '{GBM}'"):
        read(path)
    pd.DataFrame({"type": ["LGG"]}).to_excel(survival, sheet_name="TCGA-CDR")
    with pytest.raises(CohortError, match=r"cdr\.xlsx is not the TCGA Clinical Data Resource"):
        read(path)
    survival.write_bytes(b"<html>")
    with pytest.raises(CohortError, match=r"cdr\.xlsx is not the TCGA Clinical Data Resource"):
        read(path)


def test_memory_depends_on_the_gliomas_and_not_on_the_width_of_the_file(read, tmp_path):
    others = [f"TCGA-OR-{i:04d}-01A-11R-A29S-07" for i in range(1000)]
    table = expression([*others, *BARCODES], [f"G{i}|{i}" for i in range(600)])
    path = write(table, tmp_path / "wide.tsv")
    del table
    read(path)  # what is imported on the first call is not its memory
    tracemalloc.start()
    try:
        cohort = read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert cohort.values.shape == (2, 600)
    assert path.stat().st_size > 4_000_000
    assert peak < 3_000_000  # of which two are buffers


# -- By name, over HTTP --------------------------------------------------------------------------


@pytest.fixture
def serve(file_server, tmp_path, monkeypatch, clinical, survival):
    """Let the cohort of that name come from the test's own server, into the test's own cache."""
    monkeypatch.setenv("VAEIMPUTE_CACHE", str(tmp_path / "cache"))
    entry = COHORTS["tcga-glioma"]

    def content(role, source):
        if role != "expression":
            return {"clinical": clinical, "survival": survival}[role].read_bytes()
        if source == "gdc":
            return write(expression(), tmp_path / "served.tsv").read_bytes()
        return gzip.compress(write(np.log2(expression() + 1), tmp_path / "x.tsv").read_bytes())

    def run(**replaced):
        files = {
            source: {
                role: file_server.add(
                    file.name,
                    replaced.get(role, content(role, source)),
                    published=file.md5 is not None,
                )
                for role, file in roles.items()
            }
            for source, roles in entry.files.items()
        }
        monkeypatch.setitem(COHORTS, "tcga-glioma", replace(entry, files=files))
        return file_server

    return run


def test_by_name(serve, tmp_path):
    server = serve()
    cohort = load_cohort("tcga-glioma")
    assert cohort.values.shape == (2, 5)
    assert len(server.requests) == 3
    again = load_cohort("tcga-glioma", source="gdc")
    assert again.values.equals(cohort.values)
    assert again.clinical.equals(cohort.clinical)
    assert again.features.equals(cohort.features)
    assert again.notes == cohort.notes
    # Stating the default is asking for the same.
    assert len(list((tmp_path / "cache" / "cohorts").iterdir())) == 1
    assert len(server.requests) == 3
    xena = load_cohort("tcga-glioma", source="xena")
    assert np.allclose(xena.values, cohort.values)
    assert len(server.requests) == 4  # the clinical tables are shared


def test_a_wrong_option_downloads_nothing(serve):
    server = serve()
    for options, message in (
        ({"source": "synapse"}, "no source 'synapse'; choose one of gdc, xena"),
        ({"genes": 5}, "no option 'genes'; it takes source"),
    ):
        with pytest.raises(OptionError, match=message):
            load_cohort("tcga-glioma", **options)
    assert server.requests == []


def test_a_missing_reader_of_excel_files_is_named_before_the_download(serve, monkeypatch):
    server = serve()
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ModuleNotFoundError, match=r"openpyxl.*vaeimpute\[data\]"):
        load_cohort("tcga-glioma")
    assert server.requests == []


def test_data_that_cannot_be_read_are_not_kept_as_a_cohort(serve, tmp_path):
    serve(expression=b"gene_id\tTCGA\nA1BG|1\t1\n")
    with pytest.raises(CohortError):
        load_cohort("tcga-glioma")
    assert not (tmp_path / "cache" / "cohorts").exists()


# -- Real data, in the paper's format ------------------------------------------------------------


@pytest.fixture
def real():
    folder = Path(os.environ.get("VAEIMPUTE_DATA", "/nowhere"))
    if not (folder / "tcga_glioma_rnaseqv2_40").exists():
        pytest.skip("VAEIMPUTE_DATA does not point at the development data")
    return (
        pd.read_parquet(folder / "tcga_glioma_rnaseqv2_40" / "expr.parquet"),
        pd.read_csv(
            folder / "tcga_glioma_clinical_ceccarelli" / "ceccarelli2016_tableS1.csv"
        ).set_index("patient"),
    )


def test_forty_real_gliomas_over_http(serve, real, clinical, survival, tmp_path):
    table, people = real
    patients = table.columns.str[:12]
    people = people.loc[patients]
    is_lgg = people["Study"].str.contains("Lower Grade")
    pd.DataFrame(
        {
            "bcr_patient_barcode": patients,
            "acronym": np.where(is_lgg, "LGG", "GBM"),
            "neoplasm_histologic_grade": people["Grade"].where(is_lgg).to_numpy(),
        }
    ).fillna("[Not Available]").to_csv(clinical, sep="\t", index=False, encoding="latin-1")
    clinical_resource(
        survival,
        bcr_patient_barcode=list(patients),
        type=list(np.where(is_lgg, "LGG", "GBM")),
        age_at_initial_pathologic_diagnosis=people["Age..years.at.diagnosis."].tolist(),
        gender=people["Gender"].str.upper().tolist(),
        vital_status=["[Not Available]"] * len(patients),
        OS=people["Vital.status..1.dead."].tolist(),
        **{"OS.time": (people["Survival..months."] * 30.4375).tolist()},
    )
    content = write(table, tmp_path / "real.tsv").read_bytes()
    server = serve(expression=content)
    file = COHORTS["tcga-glioma"].files["gdc"]["expression"]
    server.faults[file.name] = [("cut", len(content) // 2)]
    cohort = load_cohort("tcga-glioma")
    assert (file.name, f"bytes={len(content) // 2}-") in server.requests
    assert cohort.values.shape == (40, 19947)
    barcodes = cohort.clinical["barcode"]
    expected = np.log1p(table[barcodes].T.to_numpy().astype(float))
    assert np.allclose(cohort.values, expected, rtol=1e-5)
    assert (cohort.clinical["subtype"] == "LGG").sum() == is_lgg.sum()
    assert np.allclose(
        cohort.clinical["time"],
        people["Survival..months."].loc[cohort.values.index].astype(float),
        equal_nan=True,
    )
    assert "40 patients, -627 against the paper's 667." in cohort.notes
