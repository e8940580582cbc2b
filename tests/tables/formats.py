"""One matrix as different programs write it: what a reader has to take all of them for.

A member's `build` gets the cells of `FEATURES` x `SAMPLES`, as text with decimal points and None
where a value is missing, and returns the file. `test_formats.py` reads each, fills it, and compares
the result with what `build` makes of the filled cells.
"""

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow

SAMPLES = ["day 0, a", "S2", "S3", "S4", "S5"]
FEATURES = ["P1", "P2", "P3", "P4", "P5", "P6"]
CELLS = [
    ["1.50", None, "-2.25", "1200.5", "7"],
    [None, "3.125", "4.0", "0.75", None],
    ["12.5", "-0.5", "1e-3", None, "8.25"],
    ["2.5", "6", "19.75", "3.5", "1.25"],
    ["31.5", None, "4.5", None, None],
    ["0.125", "11.5", None, "9.75", "16.5"],
]
FILLED = "0.625"
PAGE = Path(__file__).parents[2] / "book" / "formats.md"
MARKS = ("<!-- written by tests/tables/formats.py -->\n\n", "\n<!-- end -->\n")


@dataclass(frozen=True)
class Member:
    """A way of writing the matrix.

    Attributes
    ----------
    writer : str
        Who writes so; the name that a table of formats shows.
    name : str
        Of the file.
    build : callable
    says : tuple of str
        Of what is said about the file, so much, and nothing else.
    guesses : bool
        Whether one of it is a guess.
    """

    writer: str
    name: str
    build: Callable[[list[list[str | None]]], bytes]
    says: tuple[str, ...] = ()
    guesses: bool = False


def lines(cells, separator=",", *, na="", ids="id", decimal=".", quote=False, extra=()):
    """Return the lines of a table, header first; `extra` are columns after the ids."""
    buffer = io.StringIO()
    quoting = csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL if separator == "," else csv.QUOTE_NONE
    writer = csv.writer(buffer, delimiter=separator, quoting=quoting, lineterminator="\n")
    writer.writerow([ids, *(name for name, _ in extra), *SAMPLES])
    for at, (feature, row) in enumerate(zip(FEATURES, cells, strict=True)):
        words = [na if cell is None else cell.replace(".", decimal) for cell in row]
        writer.writerow([feature, *(values[at % len(values)] for _, values in extra), *words])
    return buffer.getvalue().splitlines()


def table(
    *separator, before=(), second=(), after=(), strip=False, end="", mark=b"", encoding="utf-8",
    newline="\n", pack=bytes, **options
):  # fmt: skip
    """Return a `build`: lines with others before and after them, encoded and packed."""

    def build(cells):
        header, *rows = lines(cells, *separator, **options)
        whole = [header, *second, *rows]
        if strip:
            whole = [line.rstrip("".join(separator) or ",") for line in whole]
        whole = [*before, *(line + end for line in whole), *after]
        return pack(mark + (newline.join(whole) + newline).encode(encoding))

    return build


def from_r(separator, na="NA", corner=None, decimal="."):
    """Quote names and nothing else, as R does."""

    def build(cells):
        names = [f'"{name}"' for name in SAMPLES]
        whole = [separator.join([*([] if corner is None else [corner]), *names])]
        for feature, row in zip(FEATURES, cells, strict=True):
            words = (na if cell is None else cell.replace(".", decimal) for cell in row)
            whole.append(separator.join([f'"{feature}"', *words]))
        return ("\n".join(whole) + "\n").encode()

    return build


def aligned(cells):
    """Print as R does on a screen."""
    whole = [" " * 4 + "".join(f"{name:>9}" for name in ("S1", "S2", "S3", "S4", "S5"))]
    for feature, row in zip(FEATURES, cells, strict=True):
        whole.append(f"{feature:<4}" + "".join(f"{cell or 'NA':>9}" for cell in row))
    return ("\n".join(whole) + "\n").encode()


def gz(content):
    return gzip.compress(content, mtime=0)


def zst(content):
    return pyarrow.compress(content, "zstd", asbytes=True)


def zipped(content):
    """Pack as a Mac does, with a second file that nobody sees there."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("__MACOSX/._matrix.csv", b"\0")
        archive.writestr("matrix.csv", content)
    return buffer.getvalue()


TAB = "\t"
GEO = [
    '!Series_title\t"A study, of something"',
    '!Series_summary\t"ends with',
    'a line"',
    "",
    '!Sample_title\t"a"\t"b"\t"c"\t"d"\t"e"',
    "!Sample_id\t1\t2\t3\t4\t5",
    "!series_matrix_table_begin",
]
SOFT = ["^DATABASE = Geo", "^DATASET = GDS1", "#ID_REF = Platform", "!dataset_table_begin"]
FEATURE_COUNTS = ['# Program:featureCounts v2.0.1; Command:"featureCounts" "-a" "a.gtf"']
GENOMESTUDIO = [
    "[Header]",
    "GSGX Version\t1.9.0",
    "Report Date\t29/10/2013 14:56:38",
    "Normalization\tnone",
    "[Sample Probe Profile]",
]
PROGENESIS = ['"","Normalized","","","Raw",""', '"","control","","treated","",""']
PLACES = [("Chr", ["chr1", "chr2"]), ("Start", ["90"]), ("End", ["159"]), ("Strand", ["+"])]
TEXTS = [("Protein names", ["Keratin, type II", "Tubulin"]), ("Peptide IDs", ["1;2;33", "7"])]
SEMICOLONS, COMMAS = "semicolons, not by commas", "decimal commas"
SHORT, COMMENT = "rows, the first in line", "1 lines, from the end of the table on"

MEMBERS = [
    # The separators and quotation marks of programs.
    Member("Python", "m.csv", table()),
    Member("Python", "m.tsv", table(TAB)),
    Member("Python, everything quoted", "m.csv", table(quote=True)),
    Member("R, write.csv", "m.csv", from_r(",", corner='""')),
    Member("R, write.csv2", "m.csv", from_r(";", "NA", '""', ","), (SEMICOLONS, COMMAS)),
    Member("R, write.table", "m.txt", from_r(" ")),
    Member("R, write.table with tabs", "m.txt", from_r(TAB)),
    Member("R, write.table with tabs and na=''", "m.txt", from_r(TAB, "")),
    Member("R, print", "m.txt", aligned),
    Member("a database, bars", "m.txt", table("|", na="NULL")),
    Member("minfi, write.csv of betas", "betas.csv", from_r(",", corner='""')),
    # Spreadsheets.
    Member("Excel, CSV UTF-8", "m.csv", table(encoding="utf-8-sig", newline="\r\n")),
    Member(
        "Excel in Europe, CSV UTF-8",
        "m.csv",
        table(";", decimal=",", encoding="utf-8-sig", newline="\r\n"),
        (SEMICOLONS, COMMAS),
    ),
    Member("Excel in Europe, with points", "m.csv", table(";"), (SEMICOLONS,)),
    Member("Excel in Europe, text", "m.tsv", table(TAB, decimal=","), (COMMAS,)),
    Member(
        "Excel, with sep=", "m.csv", table(";", before=["sep=;"]), (SEMICOLONS, "Line 1, above")
    ),
    Member(
        "Excel, Unicode text",
        "m.txt",
        table(TAB, mark=b"\xff\xfe", encoding="utf-16-le", newline="\r\n"),
    ),
    Member("UTF-16, big end first", "m.txt", table(TAB, mark=b"\xfe\xff", encoding="utf-16-be")),
    Member("UTF-16 without a mark", "m.txt", table(TAB, encoding="utf-16-le")),
    Member(
        "Excel, CSV",
        "m.csv",
        table(ids="Größe, µm", encoding="cp1252"),
        ("is not in UTF-8",),
        guesses=True,
    ),
    Member("Excel of a Mac, CSV", "m.csv", table(newline="\r")),
    Member(
        "Excel, a sheet with a title and empty columns",
        "m.csv",
        table(before=["Table S1. Proteins,,,,,,,", ",,,,,,,"], end=",,", newline="\r\n"),
        ("Lines 1 to 2, above",),
    ),
    Member("Excel, empty cells left out", "m.csv", table(strip=True), (SHORT,), guesses=True),
    Member("an editor that strips tabs", "m.tsv", table(TAB, strip=True), (SHORT,), guesses=True),
    Member("DOS", "m.csv", table(newline="\r\n", after=["\x1a"])),
    Member(
        "somebody, with notes below",
        "m.csv",
        table(after=["", "Values are log2.", "n = 3, p < .05"]),
        ("2 lines below",),
    ),
    Member(
        "somebody, with a note", "m.tsv", table(TAB, after=["* not measured"]), ("1 lines below",)
    ),
    Member(
        "somebody, with comments",
        "m.csv",
        table(before=["# log2, of ratios"], second=["# below"], after=["# the end"]),
        ("Line 1, above", "2 lines of comment"),
    ),
    # Programs of the field.
    Member(
        "GEO, series matrix",
        "GSE1_series_matrix.txt.gz",
        table(
            TAB, ids="ID_REF", na="null", before=GEO, after=["!series_matrix_table_end"], pack=gz
        ),
        ("looks like a GEO series matrix", "Lines 1 to 7, above", COMMENT),
    ),
    Member(
        "GEO, series matrix without its head",
        "GSE1.txt",
        table(TAB, ids="ID_REF", after=["!series_matrix_table_end"]),
        (COMMENT,),
    ),
    Member(
        "GEO, dataset in SOFT",
        "GDS1.soft",
        table(TAB, na="null", extra=TEXTS[:1], before=SOFT, after=["!dataset_table_end"]),
        ("looks like a GEO SOFT file", "Lines 1 to 4, above", COMMENT),
    ),
    Member(
        "GenePattern",
        "m.gct",
        table(TAB, ids="Name", extra=[("Description", ["na"])], before=["#1.2", "6\t5"]),
        ("looks like a GCT file", "Lines 1 to 2, above"),
    ),
    Member(
        "featureCounts",
        "counts.txt",
        table(TAB, ids="Geneid", extra=[*PLACES, ("Length", ["70"])], before=FEATURE_COUNTS),
        ("a table of featureCounts", "Line 1, above"),
    ),
    Member(
        "GenomeStudio",
        "FinalReport.txt",
        table(TAB, ids="TargetID", na="NaN", before=GENOMESTUDIO, newline="\r\n"),
        ("a table of GenomeStudio", "Lines 1 to 5, above"),
    ),
    Member(
        "MaxQuant",
        "proteinGroups.txt",
        table(TAB, ids="Protein IDs", extra=TEXTS, na="NaN"),
        ("a table of MaxQuant",),
    ),
    Member(
        "MaxQuant, tabs stripped",
        "proteinGroups.txt",
        table(TAB, ids="Protein IDs", extra=TEXTS, strip=True),
        ("a table of MaxQuant", SHORT),
        guesses=True,
    ),
    Member(
        "Perseus",
        "matrix.txt",
        table(TAB, na="NaN", second=["#!{Type}T\tE\tE\tE\tE\tE", "#!{C:Group}\ta\ta\tb\tb\tb"]),
        ("a table of Perseus", "below the column ids"),
    ),
    Member(
        "DIA-NN",
        "report.pg_matrix.tsv",
        table(TAB, ids="Protein.Group", extra=TEXTS),
        ("a matrix of DIA-NN",),
    ),
    Member(
        "FragPipe",
        "combined_protein.tsv",
        table(TAB, ids="Protein", extra=[("Protein ID", ["Q1"]), *TEXTS]),
        ("a table of FragPipe",),
    ),
    Member(
        "Spectronaut",
        "pivot.tsv",
        table(TAB, ids="PG.ProteinGroups", na="Filtered"),
        ("a report of Spectronaut",),
    ),
    Member(
        "Spectronaut in Europe",
        "pivot.csv",
        table(";", ids="PG.ProteinGroups", na="Filtered", decimal=","),
        ("a report of Spectronaut", SEMICOLONS, COMMAS),
    ),
    Member("MZmine", "m.csv", table(ids="row ID", end=","), ("a table of MZmine",)),
    Member(
        "Progenesis QI", "m.csv", table(quote=True, before=PROGENESIS), ("Lines 1 to 2, above",)
    ),
    Member(
        "cBioPortal",
        "data_mrna.txt",
        table(TAB, ids="Hugo_Symbol", extra=[("Entrez_Gene_Id", ["7157", "1956"])], na="NA"),
        ("a table of cBioPortal",),
    ),
    Member(
        "Firehose",
        "gdac.txt",
        table(TAB, ids="Hybridization REF", na="NA", second=["gene_id" + "\tnormalized_count" * 5]),
        ("a table of Firehose", "below the column ids"),
    ),
    Member("UCSC Xena", "HiSeqV2", table(TAB, ids="sample", na="NA")),
    Member(
        "BIOM",
        "otu.txt",
        table(TAB, ids="#OTU ID", before=["# Constructed from biom file"]),
        ("a BIOM table", "Line 1, above"),
    ),
    Member("RnBeads", "betas_1.csv", table(ids="ID", extra=PLACES, na="NA")),
    # Missing values.
    Member("MATLAB", "m.txt", table(ids="Row", na="NaN")),
    Member("Stata, SAS", "m.csv", table(na=".")),
    Member("Julia", "m.csv", table(na="missing")),
    Member("C", "m.csv", table(na="-nan")),
    Member("Visual C++", "m.csv", table(na="1.#QNAN")),
    Member("Excel, errors in cells", "m.csv", table(na="#DIV/0!")),
    Member("Excel in German, errors in cells", "m.csv", table(na="#WERT!")),
    Member("a typesetter, dashes", "m.csv", table(na="–")),
    # Names and compression.
    Member("gzip", "m.csv.gz", table(pack=gz)),
    Member("bzip2", "m.csv.bz2", table(pack=bz2.compress)),
    Member("xz", "m.csv.xz", table(pack=lzma.compress)),
    Member("Zstandard", "m.csv.zst", table(pack=zst)),
    Member("zip", "m.csv.zip", table(pack=zipped)),
    Member("upper case", "M.CSV", table()),
    Member("no extension", "matrix", table()),
    Member("a table called a spreadsheet", "m.xls", table(TAB)),
    Member(
        "a program that ends rows with a separator",
        "m.csv",
        lambda cells: table(end=",")(cells).replace(b"S5,", b"S5", 1),
        ("no column is taken to follow",),
        guesses=True,
    ),
]


def markdown():
    """Return the members as the table of the page "What it reads"."""
    rows = [
        f"| {m.writer} | `{m.name}` | {'it is a guess' if m.guesses else 'yes' if m.says else ''} |"
        for m in MEMBERS
    ]
    return (
        "\n".join(["| writer | for example | something is said |", "|---|---|---|", *rows]) + "\n"
    )


if __name__ == "__main__":  # writes the table into the page
    PAGE.write_text(MARKS[0].join([PAGE.read_text().partition(MARKS[0])[0], markdown() + MARKS[1]]))
