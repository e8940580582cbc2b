"""Whole tables as programs lay them out: the samples are found, and all else stays as it is.

`formats.py` has how programs spell a small table; here is what they put into one.
"""

import csv
import io
from dataclasses import dataclass

import numpy as np
import pytest

from vaeimpute.exceptions import TableError
from vaeimpute.tables import Guess, describe, read_source, write_filled

N_FEATURES = 40
SAMPLES = ["A_1", "A_2", "A_3", "B_1", "B_2", "B_3"]
FILLED = 0.625
rng = np.random.default_rng(0)
LOGS = 24 + rng.normal(0, 2, (N_FEATURES, 1)) + rng.normal(0, 0.4, (N_FEATURES, len(SAMPLES)))
HOLES = rng.random(LOGS.shape) < 0.12
HOLES[:, 0] = False
LOGS = LOGS.round(4)
AREAS = np.exp2(LOGS).round()
COUNTS = np.exp2(LOGS - 16).round()
BETAS = (1 / (1 + np.exp(12 - LOGS / 2))).round(4)

GENES = [f"GENE{i}" for i in range(N_FEATURES)]
PROTEINS = [f"P{10000 + 37 * i}" for i in range(N_FEATURES)]
PROBES = [f"cg{i:08d}" for i in range(N_FEATURES)]
NUMBERS = [str(i + 1) for i in range(N_FEATURES)]
PAIRS = [GENES[i // 2] for i in range(N_FEATURES)]
RUNS = [SAMPLES[i % len(SAMPLES)] for i in range(N_FEATURES)]


def words(text):
    return [text] * N_FEATURES


def ints(low, high):
    return [str(x) for x in rng.integers(low, high, N_FEATURES)]


def reals(low, high):
    return [f"{x:.4g}" for x in rng.uniform(low, high, N_FEATURES)]


def named(entries, *names):
    """Give columns of numbers their names; `entries` draws them."""
    return [(name, entries()) for name in names]


def for_each(form, values=None, na="", names=SAMPLES):
    """Return a column for each sample, of values with gaps or, without values, of any numbers."""
    columns = []
    for i, name in enumerate(names):
        entries = ints(0, 10**6) if values is None else [f"{x:.10g}" for x in values[:, i]]
        if values is not None:
            entries = [na if hole else x for x, hole in zip(entries, HOLES[:, i], strict=True)]
        columns.append((form.format(name, i=i + 1), entries))
    return columns


def interleaved(*groups):
    return [column for columns in zip(*groups, strict=True) for column in columns]


@dataclass
class Writer:
    """What a program writes.

    `columns` are names and entries, `above` and `second` lines above and below the names, `below`
    those below the rows. `values`
    (features x samples), `ids` and `samples` are what is to be found.
    """

    name: str
    file: str
    columns: list
    values: np.ndarray
    ids: list | None = None
    samples: list | None = None
    separator: str = "\t"
    above: tuple = ()
    second: tuple = ()
    below: tuple = ()
    zeros: bool = False

    def text(self):
        names, entries = zip(*self.columns, strict=True)
        buffer = io.StringIO()
        table = [names, *zip(*entries, strict=True)]
        csv.writer(buffer, delimiter=self.separator, lineterminator="\n").writerows(table)
        header, *rows = buffer.getvalue().splitlines()
        return "\n".join([*self.above, header, *self.second, *rows, *self.below, ""])


COHORT = [f"TCGA-02-000{i}-01A" for i in range(len(SAMPLES))]
REALS = lambda: reals(0, 9)  # noqa: E731
INTS = lambda: ints(1, 90)  # noqa: E731
WRITERS = [
    Writer(
        "MaxQuant, label-free", "proteinGroups.txt",
        [("Protein IDs", PROTEINS), ("Majority protein IDs", PROTEINS),
         *named(INTS, "Peptide counts (all)"), ("Gene names", GENES),
         *named(INTS, "Number of proteins", "Peptides"), *for_each("Peptides {}"),
         *for_each("Sequence coverage {} [%]"), *named(REALS, "Q-value", "Score", "Intensity"),
         *for_each("Intensity {}"), *named(INTS, "iBAQ peptides", "iBAQ"), *for_each("iBAQ {}"),
         *for_each("LFQ intensity {}", AREAS, "0"), *for_each("MS/MS count {}"),
         ("Reverse", words("")), ("Potential contaminant", ["", "+"] * 20), ("id", NUMBERS),
         ("Peptide IDs", words("1;2"))],
        AREAS, zeros=True,
    ),
    Writer(
        "MaxQuant, SILAC", "proteinGroups.txt",
        [("Protein IDs", PROTEINS), *named(REALS, "Ratio H/L", "Ratio H/L normalized"),
         *interleaved(for_each("Ratio H/L {}"), for_each("Ratio H/L normalized {}", LOGS, "NaN"),
                      for_each("Ratio H/L count {}")),
         *named(INTS, "Intensity", "Intensity L", "Intensity H")],
        LOGS,
    ),
    Writer(
        "MaxQuant, sites", "Phospho (STY)Sites.txt",
        [("Proteins", PROTEINS), *named(INTS, "Positions within proteins", "Localization prob"),
         *for_each("Localization prob {}"), *named(INTS, "Charge", "Intensity", "Intensity___1"),
         *for_each("Intensity {}", AREAS, "0"), *for_each("Intensity {}___1"),
         *for_each("Intensity {}___2"), ("id", NUMBERS)],
        AREAS, zeros=True,
    ),
    Writer(
        "DIA-NN, precursors", "report.pr_matrix.tsv",
        [("Protein.Group", PAIRS), ("Genes", PAIRS), *named(INTS, "Proteotypic"),
         ("Stripped.Sequence", PAIRS), *named(INTS, "Precursor.Charge"), ("Precursor.Id", GENES),
         *for_each("D:\\raw\\{}.raw", AREAS)],
        AREAS, GENES,
    ),
    Writer(
        "FragPipe, label-free", "combined_protein.tsv",
        [("Protein", PROTEINS), ("Protein ID", GENES), *named(INTS, "Protein Length"),
         ("Organism", words("Homo sapiens OX=9606")),
         ("Protein Existence", words("1:Experimental evidence at protein level")),
         *named(REALS, "Protein Probability", "Combined Spectral Count"),
         *for_each("{} Spectral Count"), *for_each("{} Intensity"),
         *for_each("{} MaxLFQ Intensity", AREAS, "0")],
        AREAS, zeros=True,
    ),
    Writer(
        "FragPipe, TMT", "abundance_gene_MD.tsv",
        [("Index", GENES), *named(INTS, "NumberPSM"), *named(REALS, "MaxPepProb"),
         ("ReferenceIntensity", [f"{x:.4f}" for x in LOGS[:, 0] + 0.5]),
         *for_each("{}", LOGS, "NA")],
        LOGS,
    ),
    Writer(
        "Spectronaut", "pivot.tsv",
        [("PG.ProteinGroups", PROTEINS), *named(REALS, "PG.Qvalue"),
         *interleaved(for_each("[{i}] {}.raw.PG.NrOfStrippedSequencesIdentified"),
                      for_each("[{i}] {}.raw.PG.Quantity", AREAS, "Filtered"))],
        AREAS,
    ),
    Writer(
        "Proteome Discoverer", "proteins.txt",
        [("Checked", words("False")), ("Master", words("IsMasterProtein")),
         ("Accession", PROTEINS), *named(REALS, "Exp. q-value: Combined", "Coverage [%]"),
         *named(INTS, "# Peptides", "# AAs"), *for_each("Abundance: F{i}: {}"),
         *for_each("Abundances (Normalized): F{i}: {}", AREAS),
         *for_each("Abundances Count: F{i}: {}")],
        AREAS, PROTEINS,
    ),
    Writer(
        "Skyline", "areas.csv",
        [("Peptide", PROTEINS), ("Protein", GENES),
         *interleaved(for_each("{} Total Area", AREAS, "#N/A"),
                      for_each("{} Best Retention Time"))],
        AREAS, separator=",",
    ),
    Writer(
        "MZmine", "full.csv",
        [("id", NUMBERS), *named(REALS, "area", "mz", "mz_range:min", "rt", "height", "charge"),
         *interleaved(for_each("datafile:{}.mzML:mz"), for_each("datafile:{}.mzML:area", AREAS),
                      for_each("datafile:{}.mzML:height"))],
        AREAS, separator=",",
    ),
    Writer(
        "MS-DIAL", "heights.txt",
        [("Alignment ID", NUMBERS), *named(REALS, "Average Rt(min)", "Average Mz"),
         ("Metabolite name", words("Unknown")), *named(REALS, "S/N average"),
         *for_each("{}", AREAS, "0")],
        AREAS, zeros=True,
        above=("\t\t\t\tClass\tA\tA\tA\tB\tB\tB", "\t\t\t\tInjection order\t1\t2\t3\t4\t5\t6"),
    ),
    Writer(
        "XCMS", "peaks.csv",
        [("", NUMBERS), *named(REALS, "mz", "mzmin", "mzmax", "rt", "rtmin", "rtmax", "npeaks"),
         *for_each("{}", AREAS, "NA"), ("isotopes", words("")), ("adduct", words("")),
         *named(INTS, "pcgroup")],
        AREAS, separator=",",
    ),
    Writer(
        "OpenMS, consensus", "consensus.txt",
        [("#CONSENSUS", words("CONSENSUS")), *named(REALS, "rt_cf", "mz_cf", "intensity_cf"),
         *interleaved(for_each("rt_{i}"), for_each("intensity_{i}", AREAS, "0"))],
        AREAS, NUMBERS, zeros=True,
    ),
    Writer(
        "GEO, with p-values", "GSE1_processed.txt",
        [("ID_REF", PROBES),
         *interleaved(for_each("{}", BETAS), for_each("Detection Pval", names=SAMPLES))],
        BETAS, samples=SAMPLES,
    ),
    Writer(
        "GEO, with p-values by name", "GSE1_processed.txt",
        [("ID_REF", PROBES), *interleaved(for_each("{}", BETAS), for_each("{}.Detection.Pval"))],
        BETAS, samples=SAMPLES,
    ),
    Writer(
        "GenomeStudio, methylation", "TableControl.txt",
        [("Index", NUMBERS), ("TargetID", PROBES), *named(INTS, "ProbeID_A"),
         *interleaved(for_each("{}.AVG_Beta", BETAS, "NaN"), for_each("{}.SIGNAL_A"),
                      for_each("{}.Detection Pval")), *named(INTS, "CHR", "MAPINFO")],
        BETAS, PROBES,
    ),
    Writer(
        "Firehose, methylation", "gdac.txt",
        [("Hybridization REF", PROBES),
         *interleaved(for_each("{}", BETAS, "NA", COHORT), for_each("{}", names=COHORT),
                      for_each("{}", names=COHORT))],
        BETAS, samples=COHORT,
        second=("Composite Element REF" + 6 * "\tBeta_value\tChromosome\tGenomic_Coordinate",),
    ),
    Writer(
        "a table of sites", "sites.bed",
        [("chr", ["chr1"] * 20 + ["chr2"] * 20), ("start", NUMBERS), ("end", NUMBERS),
         *for_each("{}", BETAS, "NA")],
        BETAS, [f"chr{1 + i // 20}:{i + 1}-{i + 1}" for i in range(N_FEATURES)],
    ),
    Writer(
        "GenePattern, with phenotypes", "m.gct",
        [("id", GENES), *named(INTS, "pr_gene_id"), *for_each("{}", LOGS, "NaN")],
        LOGS, GENES, above=("#1.3", "40\t6\t1\t2"),
        second=("dose\tna\t1.5\t2\t3\t4\t5\t6", "cell\tna\tA\tA\tA\tB\tB\tB"),
    ),
    Writer(
        "GenePattern, without descriptions", "m.gct",
        [("Name", GENES), ("Description", words("na")), *for_each("{}", LOGS)],
        LOGS, above=("#1.2", "40\t6"),
    ),
    Writer(
        "CLC", "clc.csv",
        [("Name", GENES), ("Region", words("100..900")),
         *interleaved(for_each("{} (GE) - Expression value", COUNTS),
                      for_each("{} (GE) - Unique gene reads"))],
        COUNTS, separator=",",
    ),
    Writer(
        "Cufflinks", "genes.fpkm_tracking",
        [("tracking_id", GENES), ("class_code", words("-")), ("length", words("-")),
         *interleaved(for_each("{}_FPKM", LOGS), for_each("{}_conf_lo"))],
        LOGS,
    ),
    Writer(
        "edgeR, with counts", "table.csv",
        [("", GENES), *named(REALS, "logFC", "logCPM", "LR", "PValue", "FDR"),
         *for_each("{}", COUNTS, "NA")],
        COUNTS, separator=",",
    ),
    Writer(
        "MetaboAnalyst", "m.csv", [("Sample", GENES), *for_each("{}", AREAS)],
        AREAS, GENES, separator=",", second=("Label,0,0,0,1,1,1",),
    ),
    Writer(
        "FragPipe, peptides", "combined_peptide.tsv",
        [("Peptide Sequence", PROTEINS), *named(INTS, "Start", "End"), ("Charges", words("2,3")),
         *for_each("{} Spectral Count"), *for_each("{} Intensity", AREAS, "0")],
        AREAS, zeros=True,
    ),
    Writer(
        "PEAKS", "proteins.csv",
        [("Protein Group", NUMBERS), ("Accession", PROTEINS), *named(REALS, "-10lgP"),
         *for_each("Coverage (%) {}"), *for_each("Area {}", AREAS), *for_each("#Spec {}")],
        AREAS, PROTEINS, separator=",",
    ),
    Writer(
        "AlphaPept", "results_proteins.csv",
        [("", PROTEINS), *for_each("{}_LFQ", AREAS), *for_each("{}")], AREAS, separator=",",
    ),
    Writer(
        "Sage", "lfq.tsv",
        [("peptide", PROTEINS), *named(INTS, "charge"), *named(REALS, "spectral_angle"),
         *for_each("{}.mzML", AREAS)],
        AREAS,
    ),
    Writer(
        "TRIC", "matrix.tsv",
        [("Peptide", PROTEINS),
         *interleaved(for_each("Intensity_{}", AREAS, "NA"), for_each("RT_{}")),
         *named(REALS, "RT_mean", "pg_pvalue")],
        AREAS,
    ),
    Writer(
        "CPTAC", "proteome.tmt10.tsv",
        [("Gene", GENES), *for_each("{} Log Ratio", LOGS), *for_each("{} Unshared Log Ratio"),
         ("NCBIGeneID", NUMBERS)],
        LOGS,
    ),
    Writer(
        "MarkerLynx", "markers.csv",
        [("", words("")), *named(REALS, "m/z", "Ret. Time"), ("Saturated", words("False")),
         ("Biotransformations/Adducts", words("")), *for_each("{}", AREAS)],
        AREAS, NUMBERS, separator=",", above=("MarkerLynx XS Marker Report", ""),
    ),
    Writer(
        "XCMS, with classes", "peaks.csv",
        [("", NUMBERS), *named(REALS, "mzmed", "rtmed"), *named(INTS, "npeaks", "group 1"),
         *for_each("{}", AREAS + 0.25)],
        AREAS + 0.25, separator=",",
    ),
    Writer(
        "Metabolomics Workbench", "ST000001_AN000001.txt",
        [("Samples", GENES), *for_each("{}", AREAS)], AREAS,
        above=("#METABOLOMICS WORKBENCH STUDY_ID:ST000001 ANALYSIS_ID:AN000001", "#PROJECT",
               "PR:PROJECT_TITLE\tLipids", "MS_METABOLITE_DATA_START"),
        second=("Factors" + 6 * "\tArm:control",),
        below=("MS_METABOLITE_DATA_END", "#METABOLITES", "METABOLITES_START",
               "metabolite_name\tpubchem_id", "GENE1\t5", "METABOLITES_END", "#END"),
    ),
    Writer(
        "ArrayExpress", "processed.txt",
        [("Normalization REF", PROBES), *interleaved(for_each("{}", BETAS), for_each("{}"))],
        BETAS, samples=SAMPLES,
        second=("Composite Element REF" + 6 * "\tAVG_Beta\tDetection Pval",),
    ),
    Writer(
        "Stanford's PCL", "m.pcl",
        [("YORF", GENES), ("NAME", words("a b")), ("GWEIGHT", words("1")), *for_each("{}", LOGS)],
        LOGS, second=("EWEIGHT\t\t" + 6 * "\t1",),
    ),
    Writer(
        "GenomeStudio, beads", "signal.txt",
        [("ID_REF", PROBES),
         *interleaved(for_each("{}", AREAS), for_each("{}.NARRAYS"), for_each("{}.BEAD_STDERR"),
                      for_each("{}.Avg_NBEADS"),
                      [(f"{sample}_pval", words("<1E-16")) for sample in SAMPLES])],
        AREAS, samples=SAMPLES,
    ),
    Writer(
        "tximport", "txi.csv",
        [("", GENES), *for_each("abundance.{}"), *for_each("counts.{}", COUNTS),
         *for_each("length.{}")],
        COUNTS, separator=",",
    ),
    Writer(
        "miRDeep2", "miRNAs.tsv",
        [("#miRNA", GENES), *named(REALS, "read_count", "total"), *for_each("{}", COUNTS),
         *for_each("{}(norm)")],
        COUNTS,
    ),
    Writer(
        "cycles of PCR", "ct.csv", [("Detector", GENES), *for_each("{}", LOGS, "Undetermined")],
        LOGS, separator=",",
    ),
]  # fmt: skip


@pytest.mark.parametrize("writer", WRITERS, ids=[writer.name for writer in WRITERS])
def test_samples_are_found_and_all_else_stays(tmp_path, writer):
    path, target = tmp_path / writer.file, tmp_path / f"out-{writer.file}"
    path.write_text(writer.text())
    options = {"missing_values": [0] if writer.zeros else []}
    source = read_source(path, features_in_rows=True, **options)
    np.testing.assert_allclose(source.values.T, np.where(HOLES, np.nan, writer.values), rtol=1e-9)
    assert list(source.values.columns) == (writer.ids or writer.columns[0][1])
    assert writer.samples in (None, list(source.values.index))
    write_filled(source, np.full(source.values.shape, FILLED), target)
    before, after = (
        [field for line in file.read_text().splitlines() for field in line.split(writer.separator)]
        for file in (path, target)
    )
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [str(FILLED)] * HOLES.sum()


LEADING = {
    "MetaboAnalyst": [("Label", "000111")],
    "with a clinical table": [("Age", "456345"), ("Sex", "010101"), ("OS.time", "945213")],
    "PLINK": [("PAT", "000000"), ("MAT", "000000"), ("SEX", "121212"), ("PHENOTYPE", "999999")],
}


@pytest.mark.parametrize("name", [*LEADING])
def test_what_is_said_of_samples_is_no_feature(tmp_path, name):
    columns = [("sample", SAMPLES), *((title, [*entries]) for title, entries in LEADING[name])]
    features = np.where(HOLES, np.nan, COUNTS)
    columns += [
        (gene, ["" if np.isnan(x) else f"{x:g}" for x in row])
        for gene, row in zip(GENES, features, strict=True)
    ]
    names, entries = zip(*columns, strict=True)
    lines = [names, *zip(*entries, strict=True)]
    (tmp_path / "m.csv").write_text("\n".join(map(",".join, lines)) + "\n")
    source = read_source(tmp_path / "m.csv")
    np.testing.assert_array_equal(source.values, features.T)
    assert any(isinstance(note, Guess) and "(by name)" in note for note in describe(source))


def test_columns_of_a_clinical_table_are_its_features(tmp_path):
    text = "id,age,sex,bmi,s1\na,50,0,22.5,1\nb,61,1,,2\nc,44,0,30,3\n"
    (tmp_path / "m.csv").write_text(text)
    assert list(read_source(tmp_path / "m.csv").values) == ["age", "sex", "bmi", "s1"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([("File.Name", RUNS), ("Protein.Group", PAIRS), ("PG.Quantity", INTS())],
         "one measurement a line, of the sample in column 'File.Name'"),
        ([("Run.Index", INTS()), ("Run", RUNS), ("Protein.Group", PAIRS), ("PG.MaxLFQ", INTS())],
         "one measurement a line, of the sample in column 'Run'"),
        ([("SampleID", RUNS), ("OlinkID", GENES), ("NPX", REALS())], "in column 'SampleID'"),
        ([("gene", PAIRS), ("variable", RUNS), ("value", REALS())], "in column 'variable'"),
        ([("Name", GENES), ("Length", INTS()), ("EffectiveLength", REALS()), ("TPM", REALS()),
          ("NumReads", REALS())], "quantities of each sample, or of one .'TPM', 'NumReads'."),
        ([("target_id", GENES), ("length", INTS()), ("eff_length", REALS()),
          ("est_counts", REALS()), ("tpm", REALS())], "quantities of each sample, or of one"),
        ([("gene_id", GENES), ("expected_count", REALS()), ("FPKM", REALS())], "or of one"),
        ([("ProteinName", PAIRS), ("PeptideSequence", GENES), ("BioReplicate", ints(1, 4)),
          ("Run", ints(1, 4)), ("Intensity", INTS())], "in column 'Run'"),
        ([("chr", GENES), *for_each("coverage{i}"), *for_each("numCs{i}")], "of each sample"),
        ([("key", GENES), *interleaved(for_each("{}_Prob", BETAS), for_each("{}_MS1", AREAS))],
         "'Prob' and 'MS1', as in 'A_1_Prob' and 'A_1_MS1'"),
    ],
)  # fmt: skip
def test_what_is_no_matrix_is_refused_by_its_kind(tmp_path, columns, message):
    path = tmp_path / "m.tsv"
    path.write_text(Writer("", "", columns, COUNTS).text())
    with pytest.raises(TableError, match=message):
        read_source(path, features_in_rows=True)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tS1\n1\t5\trs1\t0/1\n", "genotypes in words"),
        (b"%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 5\n", "a sparse matrix"),
        (b'{"a": {"s1": 1, "s2": 2}}\n', "JSON"),
        (b"<!DOCTYPE html>\n<table>\n", "a web page"),
        (b">chr1\nACGT\n", "sequences"),
        (b"@relation x\n@attribute a numeric\n@data\n1,2\n3,?\n", "an ARFF file"),
        (b"<Header>\nFileVersion,1.7\n</Header>\n", "counts of one sample"),
        (b"MTD\tmzTab-version\t1.0.0\nPRH\taccession\n", "several tables in one"),
        (b"Description\tAccession\tS1\t\tS2\n", "a matrix with calls"),
        (b"* Block Type = 96well\n\n[Results]\nWell\tCT\n", "a list of wells"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'}\n" + bytes(range(64)), "no text"),
        (b"%PDF-1.4\n" + bytes(range(256)), "no text"),
        (b"X\n\x00\x00\x00\x03" + bytes(range(256)), "no text"),  # R's .rds
        (b"ARROW1\x00\x00" + bytes(range(256)), "no text"),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path, content, kind):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(TableError, match=f"is {kind}.*, not a table"):
        read_source(tmp_path / "m")


def test_repeated_genes_below_a_corner_called_sample_are_repeated_genes(tmp_path):
    columns = [("sample", PAIRS), *for_each("{}", LOGS)]
    (tmp_path / "HiSeqV2").write_text(Writer("", "", columns, LOGS).text())
    with pytest.raises(TableError, match="20 row ids occur more than once"):  # as Xena writes it
        read_source(tmp_path / "HiSeqV2", features_in_rows=True)
