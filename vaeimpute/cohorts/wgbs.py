"""Bisulfite sequencing: methylation calls of one chromosome, a file per sample, with coverage."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
import pandas as pd

from vaeimpute.cohorts.cohort import Cohort
from vaeimpute.cohorts.derived import negative_log
from vaeimpute.cohorts.registry import COHORTS
from vaeimpute.exceptions import CohortError, OptionError, some
from vaeimpute.tables.text import open_bytes

PAPER_SAMPLES, PAPER_SITES = 206, 21220
_BLOCK = 1 << 24


@dataclass(frozen=True)
class Layout:
    """Where the columns of a file of methylation calls are; the first is column 0.

    Attributes
    ----------
    position : int
        Column of the site's position.
    first : {0, 1}
        What the first base of a chromosome counts as.
    methylated, unmethylated, coverage, percent : int, optional
        Columns of the reads that say methylated, of those that do not, of all, and of the
        percentage methylated. Two of them are enough.
    strand : int, optional
        Column of the strand.
    fraction : bool
        One column holds methylated and all reads as ``'M/T'``; it counts as two.

    Notes
    -----
    The chromosome is in column 0.
    """

    position: int
    first: int
    methylated: int | None = None
    unmethylated: int | None = None
    coverage: int | None = None
    percent: int | None = None
    strand: int | None = None
    fraction: bool = False


LAYOUTS = {
    # chromosome, start, end, percent, methylated, unmethylated
    "bismark-cov": Layout(position=1, first=1, methylated=4, unmethylated=5),
    # chromosome, position, strand, methylated, unmethylated, context, trinucleotide
    "bismark-cytosine": Layout(position=1, first=1, strand=2, methylated=3, unmethylated=4),
    # chromosome, start, end, 'methylated/all', score from 0 to 1000, strand (RnBeads' "EPP")
    "epp": Layout(position=1, first=0, methylated=3, coverage=4, strand=6, fraction=True),
    # chromosome, start, end, name, score, strand, 3 columns for display, all, percent (ENCODE)
    "bedmethyl": Layout(position=1, first=0, coverage=9, percent=10, strand=5),
}


_HUMAN = {*map(str, range(1, 23)), "X", "Y", "M"}


def blueprint_wgbs(
    *,
    source: str = "rnbeads",
    chromosome: str = "chr22",
    min_share: float = 1.0,
    merge_strands: bool = False,
    transform: str = "none",
) -> Cohort:
    """Methylomes of blood cells by whole-genome bisulfite sequencing: the paper's second cohort.

    The download is about 45 GB and stays packed: the samples are read out of it one by one.

    Parameters
    ----------
    source : {"rnbeads"}
        The BLUEPRINT release of 2016 as RnBeads' methylome resource collects it.
    chromosome, min_share, merge_strands
        As in `read_methylomes`.
    transform : {"none", "negative_log"}
        ``"none"`` is the methylation level, between 0 and 1, as other methylation cohorts have it;
        ``"negative_log"`` takes -ln(level + 0.01) of it as the paper does, see
        `vaeimpute.cohorts.derived.negative_log`.

    Returns
    -------
    Cohort

    Raises
    ------
    OptionError
        If an option has another value; nothing is downloaded then.
    DownloadError
        If a file cannot be had.
    CohortError
        If a file is not what it should be.
    """
    entry = COHORTS["blueprint-wgbs"]
    entry.check_source(source)
    _check_options(chromosome, min_share)
    if re.sub("^chr", "", chromosome) not in _HUMAN:  # before gigabytes are downloaded for nothing
        raise OptionError(
            f"chromosome must be one of chr1 to chr22, chrX, chrY, chrM, got {chromosome!r}."
        )
    if transform not in ("none", "negative_log"):
        raise OptionError(f"transform must be 'none' or 'negative_log', got {transform!r}.")
    files = entry.fetch(source)
    cohort = read_methylomes(
        files["calls"],
        files["samples"],
        chromosome=chromosome,
        min_share=min_share,
        merge_strands=merge_strands,
    )
    notes = list(cohort.notes)
    for what, got, expected in zip(
        ("samples", "sites"), cohort.values.shape, (PAPER_SAMPLES, PAPER_SITES), strict=True
    ):
        if got != expected:
            notes.append(f"{got} {what}, {got - expected:+d} against the paper's {expected}.")
    cohort = replace(
        cohort,
        name=entry.name,
        citation=entry.citation,
        licence=entry.licence,
        notes=tuple(notes),
    )
    return negative_log(cohort) if transform == "negative_log" else cohort


def read_methylomes(
    calls: Path,
    samples: Path,
    *,
    chromosome: str = "chr22",
    min_share: float = 1.0,
    merge_strands: bool = False,
    layout: Layout | str | None = None,
    sample_column: str | None = None,
    file_column: str | None = None,
) -> Cohort:
    """Read one chromosome of a set of methylomes, sample by sample.

    Parameters
    ----------
    calls : pathlib.Path
        A folder or a zip archive with one file per sample, plain or gzipped. Nothing is unpacked
        to disk.
    samples : pathlib.Path
        Sample sheet, comma-separated if it is called ``.csv`` and tab-separated otherwise. All of
        it becomes the clinical table.
    chromosome : str
        With or without ``chr``.
    min_share : float
        Keep the sites that have a value in at least this share of the samples, above 0 and at
        most 1. With 1, the default, nothing is missing, as in the paper.
    merge_strands : bool
        Add up the reads of the two cytosines of a CpG, at the position of the one on the forward
        strand. Needs files that name the strand.
    layout : Layout or str, optional
        How the files are laid out, a key of `LAYOUTS` or your own. Without it, each file's first
        line on the chromosome decides.
    sample_column, file_column : str, optional
        Columns of the sheet with the samples' ids and file names. Without them: the column whose
        entries all end in .bed, .cov, .txt or .tsv (or with .gz after it), and the first other
        column that has a different value in every row.

    Returns
    -------
    Cohort
        Samples x sites, methylation levels between 0 and 1, with the reads behind them in
        `Cohort.coverage`. Sites are called ``chr22:16050097``, counted from 1.

    Raises
    ------
    OptionError
        If an option has no such value.
    CohortError
        If sheet and files do not fit together, an archive names files outside itself, or a file
        is cut short, of an unknown layout, or holds what is not a count. The message names it.

    Notes
    -----
    Sites are dropped as soon as too many samples lack them. At the most, when nothing is dropped,
    memory is 24 bytes for every site of the chromosome in every sample, however large the files.
    """
    _check_options(chromosome, min_share)
    if isinstance(layout, str) and layout not in LAYOUTS:
        raise OptionError(f"Unknown layout {layout!r}; choose one of {', '.join(LAYOUTS)}.")
    members = _members(calls)
    sheet, names = _read_sheet(samples, sample_column, file_column)
    files = _match(names, members, calls.name)
    number = re.sub("^chr", "", chromosome)
    aligned = _align(
        (
            _read_calls(members[file], PurePosixPath(file).name, number, layout, merge_strands)
            for file in files
        ),
        len(files),
        min_share,
    )
    if not len(aligned.positions):
        raise CohortError(
            f"No site of chr{number} has a value in {min_share:.0%} of the {len(files)} samples; "
            f"{aligned.n_seen} have one in at least one. Lower min_share."
        )
    sites = pd.Index([f"chr{number}:{position}" for position in aligned.positions], name="site")
    return Cohort(
        name=calls.stem,
        values=pd.DataFrame(aligned.levels, sheet.index, sites),
        clinical=sheet,
        units="methylation level",
        data_type="methylation",
        features=pd.DataFrame(
            {"chromosome": f"chr{number}", "position": aligned.positions}, index=sites
        ),
        coverage=pd.DataFrame(aligned.coverage, sheet.index, sites),
        notes=(
            f"{len(sites)} of {aligned.n_seen} sites of chr{number} have a value in at least "
            f"{min_share:.0%} of the {len(files)} samples and were kept.",
            "The reads of both strands of a CpG were added up."
            if merge_strands
            else "Each cytosine counts by itself; strands were not merged.",
        ),
    )


def _check_options(chromosome: str, min_share: float) -> None:
    if not re.fullmatch(r"(chr)?[0-9A-Za-z_.]+", chromosome):
        raise OptionError(f"chromosome must be a name such as 'chr22', got {chromosome!r}.")
    if not 0 < min_share <= 1:
        raise OptionError(f"min_share must be above 0 and at most 1, got {min_share!r}.")


# -- Which file belongs to which sample --------------------------------------------------------


def _members(path: Path) -> Mapping[str, Callable[[], IO[bytes]]]:
    """Return the files of a folder or archive by their path inside it, each ready to be opened."""
    if path.is_dir():
        return {
            file.relative_to(path).as_posix(): partial(io.FileIO, file)
            for file in sorted(path.rglob("*"))
            if file.is_file()
        }
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise CohortError(
            f"{path.name} is neither a folder nor a whole zip archive: {error}. If it was "
            "downloaded, delete it and fetch it again."
        ) from error
    outside = [name for name in archive.namelist() if _leaves(name)]
    if outside:
        raise CohortError(
            f"{path.name} names files outside itself: {some(pd.Index(outside))}. No data archive "
            "does that by accident: delete it, and check where it came from."
        )
    return {
        info.filename: partial(archive.open, info)
        for info in archive.infolist()
        if not info.is_dir()
    }


def _leaves(name: str) -> bool:
    parts = re.split(r"[/\\]", name)
    return ".." in parts or parts[0] == "" or parts[0].endswith(":")


def _read_sheet(
    path: Path, sample_column: str | None, file_column: str | None
) -> tuple[pd.DataFrame, list[str]]:
    """Return the sample sheet by sample id, and the name of each sample's file."""
    try:
        sheet = pd.read_csv(path, sep="," if path.suffix == ".csv" else "\t")
    except (ValueError, OSError) as error:
        raise CohortError(f"{path.name} cannot be read as a sample sheet: {error}") from error
    columns = list(sheet.columns)
    for column in (sample_column, file_column):
        if column is not None and column not in columns:
            raise CohortError(f"{path.name} has no column {column!r}; there are {columns}.")
    if file_column is None:
        like_files = [
            column
            for column in columns
            if sheet[column]
            .astype(str)
            .str.contains(r"\.(?:bed|cov|txt|tsv)(?:\.gz)?$", case=False)
            .all()
        ]
        if len(like_files) != 1:
            raise CohortError(
                f"{path.name}: {len(like_files)} columns hold file names, expected one. Say which "
                f"with file_column; there are {columns}."
            )
        file_column = like_files[0]
    if sample_column is None:
        distinct = (c for c in columns if c != file_column and sheet[c].is_unique)
        sample_column = next(distinct, file_column)
    names = sheet[file_column].astype(str).tolist()
    ids = sheet[sample_column].astype(str)
    sheet = sheet.set_axis(pd.Index(ids, name="sample"), axis=0)
    return sheet.drop(columns=list({sample_column, file_column})), names


def _match(names: list[str], members: Mapping[str, object], where: str) -> list[str]:
    """Find each sample's file by its path, or by its name wherever it is, with or without .gz."""
    by_name: dict[str, list[str]] = {}
    for member in members:
        by_name.setdefault(_bare(member), []).append(member)
    found = {name: [name] if name in members else by_name.get(_bare(name), []) for name in names}
    for problem, wrong in (
        ("are not there", [name for name in names if not found[name]]),
        ("are there several times", [name for name in names if len(found[name]) > 1]),
        ("belong to several samples", [name for name in names if names.count(name) > 1]),
    ):
        if wrong:
            raise CohortError(
                f"{where}: {len(wrong)} of the {len(names)} files that the sample sheet names "
                f"{problem}: {some(pd.Index(wrong).unique())}. The archive holds "
                f"{some(pd.Index(members))}. Correct the sheet."
            )
    return [found[name][0] for name in names]


def _bare(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name.removesuffix(".gz")


# -- Reading one file ----------------------------------------------------------------------------


def _read_calls(
    open_file: Callable[[], IO[bytes]],
    name: str,
    number: str,
    layout: Layout | str | None,
    merge_strands: bool,
) -> pd.DataFrame:
    """Return level and coverage of a sample by position, sorted, where there is a read."""
    with open_bytes(open_file(), name) as content:
        lines = b"\n".join(_lines_of(content, number))
    if not lines:
        raise CohortError(f"{name} has no line that begins with chr{number} or {number}.")
    if layout is None:
        layout = _detect(lines[: lines.find(b"\n")] if b"\n" in lines else lines, name)
    elif isinstance(layout, str):
        layout = LAYOUTS[layout]
    if layout.fraction:
        lines = lines.replace(b"'", b"").replace(b'"', b"").replace(b"/", b"\t")
    if merge_strands and layout.strand is None:
        raise CohortError(
            f"{name} does not say which strand a read is of, so strands cannot be merged. Use "
            "Bismark's cytosine reports, or merge with its coverage2cytosine --merge_CpG."
        )
    return _counts(_parse(lines, layout, name), layout, name, merge_strands)


def _lines_of(content: IO[bytes], number: str) -> Iterator[bytes]:
    """Yield the lines of one chromosome; the others are skipped without being taken apart."""
    wanted = re.compile(rb"^(?:chr)?%b\t.*$" % re.escape(number.encode()), re.MULTILINE)
    beginnings = [b"\n%b\t" % name.encode() for name in (number, f"chr{number}")]
    rest = b"\n"  # the end of the line before, and what has arrived of the next one
    while block := content.read(_BLOCK):
        block = rest + block
        end = block.rfind(b"\n")
        # Most blocks are of other chromosomes, and finding bytes is faster than the pattern is.
        if any(beginning in block for beginning in beginnings):
            yield from wanted.findall(block[:end])
        rest = block[end:]
    yield from wanted.findall(rest)


def _detect(line: bytes, name: str) -> Layout:
    fields = line.decode("latin-1").rstrip("\r").split("\t")
    if len(fields) >= 4 and re.fullmatch(r"""['"]?\d+/\d+['"]?""", fields[3]):
        return LAYOUTS["epp"]
    if len(fields) >= 5 and fields[2] in ("+", "-"):
        return LAYOUTS["bismark-cytosine"]
    if len(fields) >= 11 and fields[5] in ("+", "-", "."):
        return LAYOUTS["bedmethyl"]
    if len(fields) == 6 and all(re.fullmatch(r"\d+(\.\d+)?(e-?\d+)?", f) for f in fields[1:]):
        return LAYOUTS["bismark-cov"]
    raise CohortError(
        f"{name} has lines of an unknown layout, such as {line[:80]!r}; known are "
        f"{', '.join(LAYOUTS)}. Say where the columns are with layout=Layout(...)."
    )


def _parse(lines: bytes, layout: Layout, name: str) -> pd.DataFrame:
    wanted = {
        what: column
        for what in ("position", "methylated", "unmethylated", "coverage", "percent", "strand")
        if (column := getattr(layout, what)) is not None
    }
    try:
        table = pd.read_csv(
            io.BytesIO(lines),
            sep="\t",
            header=None,
            usecols=list(wanted.values()),
            dtype={column: float for what, column in wanted.items() if what != "strand"},
        )[list(wanted.values())]
    except ValueError as error:
        raise CohortError(f"{name} holds what is not a count or a position: {error}") from error
    return table.set_axis(list(wanted), axis=1)


def _counts(table: pd.DataFrame, layout: Layout, name: str, merge_strands: bool) -> pd.DataFrame:
    """Turn whatever a file counts into the level and the coverage of each position."""
    if "coverage" not in table:
        table["coverage"] = table["methylated"] + table["unmethylated"]
    if "methylated" not in table:
        table["methylated"] = (
            table["coverage"] * table["percent"] / 100
            if "percent" in table
            else table["coverage"] - table["unmethylated"]
        )
    impossible = ~table["methylated"].between(0, table["coverage"]) | (table["position"] < 0)
    if impossible.any():
        worst = table[impossible].iloc[0]
        raise CohortError(
            f"{name}: {worst['methylated']:g} of {worst['coverage']:g} reads methylated at "
            f"position {worst['position']:.0f} is impossible, and so are {impossible.sum() - 1} "
            "others. Are the columns where the layout says?"
        )
    table = table[table["coverage"] > 0]
    position = table["position"].astype(np.int64) + (1 - layout.first)
    if merge_strands:
        # The partner on the reverse strand pairs with the G, one base further on.
        position = position - (table["strand"] == "-")
        table = table.drop(columns="strand").groupby(position).sum()
    else:
        table = table.set_axis(position, axis=0).sort_index()
        if not table.index.is_unique:
            raise CohortError(
                f"{name} repeats positions: {some(table.index[table.index.duplicated()])}. If "
                "these are two strands of a CpG, use merge_strands=True."
            )
    return pd.DataFrame(
        {
            "level": (table["methylated"] / table["coverage"]).astype(np.float32),
            "coverage": table["coverage"].astype(np.int32),
        }
    )


# -- Bringing the samples together ---------------------------------------------------------------


@dataclass(frozen=True)
class _Aligned:
    positions: np.ndarray  # (n_sites,)
    levels: np.ndarray  # (n_samples, n_sites), NaN where there is no read
    coverage: np.ndarray  # the same shape, 0 there
    n_seen: int  # positions that had a value in any sample


def _align(tables: Iterator[pd.DataFrame], n_samples: int, min_share: float) -> _Aligned:
    """Put the samples' tables on the positions that few enough of them lack."""
    from tqdm import tqdm

    may_lack = math.floor((1 - min_share) * n_samples + 1e-9)
    lacking = pd.Series(dtype=np.int64)  # by position, in the samples so far
    seen = pd.Index([], dtype=np.int64)
    kept: list[pd.DataFrame] = []
    for n_before, table in enumerate(
        tqdm(tables, "Reading samples", total=n_samples, disable=None)
    ):
        seen = seen.union(table.index)
        if n_before <= may_lack:  # a position that no sample had yet can still be kept
            lacking = lacking.reindex(lacking.index.union(table.index), fill_value=n_before)
        lacking = lacking + ~lacking.index.isin(table.index)
        lacking = lacking[lacking <= may_lack]
        kept.append(table[table.index.isin(lacking.index)])
    positions = lacking.index
    levels = np.full((n_samples, len(positions)), np.nan, dtype=np.float32)
    coverage = np.zeros((n_samples, len(positions)), dtype=np.int32)
    for row, table in enumerate(kept):
        table = table[table.index.isin(positions)]
        columns = positions.get_indexer(table.index)
        levels[row, columns] = table["level"]
        coverage[row, columns] = table["coverage"]
    return _Aligned(positions.to_numpy(), levels, coverage, len(seen))
