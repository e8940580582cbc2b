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
from vaeimpute.cohorts.published import against_the_paper
from vaeimpute.cohorts.registry import COHORTS
from vaeimpute.exceptions import CohortError, OptionError, some
from vaeimpute.tables.clinical import typed
from vaeimpute.tables.delimited import read_words
from vaeimpute.tables.text import open_bytes

_BUFFER = 1 << 20
_HUMAN = {*map(str, range(1, 23)), "X", "Y", "M"}


@dataclass(frozen=True)
class _Layout:
    """What lines of methylation calls look like, and where the columns are.

    The first column is number 0 and holds the chromosome. There are the reads that say methylated
    and those that do not or all of them (coverage), or the coverage and the percentage methylated.
    """

    pattern: str
    first: int  # what the first base of a chromosome counts as
    columns: Mapping[str, int]
    fraction: bool = False  # one column holds methylated and all reads as 'M/T', and counts as two


_NUMBER = r"\d+(?:\.\d+)?(?:e-?\d+)?"
_LAYOUTS = {
    # chromosome, start, end, 'methylated/all', score from 0 to 1000, strand (RnBeads' "EPP")
    "epp": _Layout(
        r"[^\t]+\t[^\t]+\t[^\t]+\t[\'\"]?\d+/\d+[\'\"]?(?:\t|$)",
        0, {"position": 1, "methylated": 3, "coverage": 4, "strand": 6}, fraction=True,
    ),
    # chromosome, position, strand, methylated, unmethylated, context, trinucleotide
    "bismark-cytosine": _Layout(
        r"[^\t]+\t[^\t]+\t[+-]\t[^\t]+\t[^\t]+",
        1, {"position": 1, "methylated": 3, "unmethylated": 4, "strand": 2},
    ),
    # chromosome, start, end, name, score, strand, 3 columns for display, all, percent (ENCODE)
    "bedmethyl": _Layout(
        r"(?:[^\t]*\t){5}[-+.](?:\t[^\t]*){5}",
        0, {"position": 1, "coverage": 9, "percent": 10, "strand": 5},
    ),
    # chromosome, start, end, percent, methylated, unmethylated
    "bismark-cov": _Layout(
        rf"[^\t]+(?:\t{_NUMBER}){{5}}$", 1, {"position": 1, "methylated": 4, "unmethylated": 5}
    ),
}  # fmt: skip


def blueprint_wgbs(
    *,
    source: str = "rnbeads",
    chromosome: str = "chr22",
    min_share: float = 1.0,
    merge_strands: bool = False,
) -> Cohort:
    """Methylomes of blood cells by whole-genome bisulfite sequencing: the paper's second cohort.

    The download is about 45 GB and stays packed: the samples are read out of it one by one.

    Parameters
    ----------
    source : {"rnbeads"}
        The BLUEPRINT release of 2016 as RnBeads' methylome resource collects it.
    chromosome, min_share, merge_strands
        As in `read_methylomes`.

    Returns
    -------
    Cohort
        Methylation levels between 0 and 1; the paper takes
        `vaeimpute.cohorts.negative_log` of them.

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
    _check_options(chromosome, min_share)
    if re.sub("^chr", "", chromosome) not in _HUMAN:  # before gigabytes are downloaded for nothing
        raise OptionError(
            f"chromosome must be one of chr1 to chr22, chrX, chrY, chrM, got {chromosome!r}."
        )
    files = entry.fetch(source)
    cohort = read_methylomes(
        files["calls"],
        files["samples"],
        chromosome=chromosome,
        min_share=min_share,
        merge_strands=merge_strands,
    )
    return replace(
        cohort,
        name=entry.name,
        notes=cohort.notes + against_the_paper(cohort.values, {"samples": 206, "sites": 21220}),
    )


def read_methylomes(
    calls: Path,
    samples: Path,
    *,
    chromosome: str = "chr22",
    min_share: float = 1.0,
    merge_strands: bool = False,
) -> Cohort:
    """Read one chromosome of a set of methylomes, sample by sample.

    Parameters
    ----------
    calls : pathlib.Path
        A folder or a zip archive with one file per sample, plain or gzipped, as Bismark (coverage
        or cytosine reports), ENCODE (bedMethyl) or RnBeads (EPP) lay them out. Nothing is
        unpacked to disk.
    samples : pathlib.Path
        Sample sheet, separated by commas, tabs or semicolons. One column has the name of each
        sample's file, and the first other one that differs in every row the sample's id. The rest
        becomes the clinical table.
    chromosome : str
        With or without ``chr``.
    min_share : float
        Keep the sites that have a value in at least this share of the samples, above 0 and at
        most 1. With 1, the default, nothing is missing, as in the paper.
    merge_strands : bool
        Add up the reads of the two cytosines of a CpG, at the position of the one on the forward
        strand. Needs files that name the strand.

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
        If sheet and files do not fit together, or a file is cut short, of an unknown layout, or
        holds what is not a count. The message names it.

    Notes
    -----
    Sites are dropped as soon as too many samples lack them. At the most, when nothing is dropped,
    memory is 24 bytes for every site of the chromosome in every sample, however large the files.
    """
    _check_options(chromosome, min_share)
    members = _members(calls)
    sheet, files = _read_sheet(samples, members, calls.name)
    number = re.sub("^chr", "", chromosome)
    positions, levels, coverage, n_seen = _align(
        (
            _read_calls(members[file], PurePosixPath(file).name, number, merge_strands)
            for file in files
        ),
        len(files),
        min_share,
    )
    if not len(positions):
        raise CohortError(
            f"No site of chr{number} has a value in {min_share:.0%} of the {len(files)} samples; "
            f"{n_seen} have one in at least one. Lower min_share."
        )
    sites = pd.Index([f"chr{number}:{position}" for position in positions], name="site")
    return Cohort(
        name=calls.stem,
        values=pd.DataFrame(levels, sheet.index, sites),
        clinical=sheet,
        units="methylation level",
        data_type="methylation",
        features=pd.DataFrame({"chromosome": f"chr{number}", "position": positions}, index=sites),
        coverage=pd.DataFrame(coverage, sheet.index, sites),
        notes=(
            f"{len(sites)} of {n_seen} sites of chr{number} have a value in at least "
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
    return {
        info.filename: partial(archive.open, info)
        for info in archive.infolist()
        if not info.is_dir()
    }


def _read_sheet(
    path: Path, members: Mapping[str, object], where: str
) -> tuple[pd.DataFrame, list[str]]:
    """Return the sample sheet by sample id, and each sample's file.

    Files are found by their path, or by their name wherever they are, with or without .gz. The
    column of the sheet in which most are found has the files, and the first other one that is
    different in every row the samples' ids.
    """
    sheet = read_words(path)
    by_name: dict[str, list[str]] = {}
    for member in members:
        by_name.setdefault(_bare(member), []).append(member)
    found = sheet.map(lambda name: [name] if name in members else by_name.get(_bare(name), []))
    column = found.map(bool).sum().idxmax()
    names, of = sheet[column], found[column]
    for problem, wrong in (
        ("are not there", names[of.map(len) == 0]),
        ("are there several times", names[of.map(len) > 1]),
        ("belong to several samples", names[names.duplicated()]),
    ):
        if len(wrong):
            raise CohortError(
                f"{where}: {len(wrong)} of the {len(names)} files that column {column!r} of "
                f"{path.name} names {problem}: {some(wrong.unique())}. There are "
                f"{some(list(members))}. Correct the sheet."
            )
    ids = next((other for other in sheet if other != column and sheet[other].is_unique), column)
    clinical = sheet.set_axis(pd.Index(sheet[ids], name="sample"), axis=0)
    return clinical.drop(columns=list({ids, column})).apply(typed), [files[0] for files in of]


def _bare(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name.removesuffix(".gz")


# -- Reading one file ----------------------------------------------------------------------------


def _read_calls(
    open_file: Callable[[], IO[bytes]], name: str, number: str, merge_strands: bool
) -> pd.DataFrame:
    """Return level and coverage of a sample by position, sorted, where there is a read."""
    beginnings = (f"chr{number}\t".encode(), f"{number}\t".encode())
    with (
        open_bytes(open_file(), name) as content,
        io.BufferedReader(content, _BUFFER) as every,  # type: ignore[type-var]
    ):
        lines = b"".join(line for line in every if line.startswith(beginnings))
    if not lines:
        raise CohortError(f"{name} has no line that begins with chr{number} or {number}.")
    layout = _detect(lines.partition(b"\n")[0], name)
    if layout.fraction:
        lines = lines.replace(b"'", b"").replace(b'"', b"").replace(b"/", b"\t")
    if merge_strands and "strand" not in layout.columns:
        raise CohortError(
            f"{name} does not say which strand a read is of, so strands cannot be merged. Use "
            "Bismark's cytosine reports, or merge with its coverage2cytosine --merge_CpG."
        )
    return _counts(_parse(lines, layout, name), layout, name, merge_strands)


def _detect(line: bytes, name: str) -> _Layout:
    text = line.decode("latin-1").rstrip("\r")
    for layout in _LAYOUTS.values():
        if re.match(layout.pattern, text):
            return layout
    raise CohortError(
        f"{name} has lines of an unknown layout, such as {line[:80]!r}; known are "
        f"{', '.join(_LAYOUTS)}. Bring the columns into one of these orders."
    )


def _parse(lines: bytes, layout: _Layout, name: str) -> pd.DataFrame:
    columns = layout.columns
    try:
        table = pd.read_csv(
            io.BytesIO(lines),
            sep="\t",
            header=None,
            usecols=list(columns.values()),
            dtype={column: float for what, column in columns.items() if what != "strand"},
        )[list(columns.values())]
    except ValueError as error:
        raise CohortError(f"{name} holds what is not a count or a position: {error}") from error
    return table.set_axis(list(columns), axis=1)


def _counts(table: pd.DataFrame, layout: _Layout, name: str, merge_strands: bool) -> pd.DataFrame:
    """Turn whatever a file counts into the level and the coverage of each position."""
    if "coverage" not in table:
        table["coverage"] = table["methylated"] + table["unmethylated"]
    if "methylated" not in table:
        table["methylated"] = table["coverage"] * table["percent"] / 100
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


def _align(
    tables: Iterator[pd.DataFrame], n_samples: int, min_share: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Put the samples' tables on the positions that few enough of them lack.

    Returns the positions; of shape (n_samples, n_sites), the levels, NaN where there is no read,
    and the coverage, 0 there; and how many positions had a value in any sample.
    """
    from tqdm import tqdm

    may_lack = math.floor((1 - min_share) * n_samples + 1e-9)
    counts = pd.Series(dtype=np.int64)  # by position: how many of the samples so far have it
    seen = pd.Index([], dtype=np.int64)
    kept: list[pd.DataFrame] = []
    reading = tqdm(tables, "Reading samples", total=n_samples, disable=None)
    for n_read, table in enumerate(reading, start=1):
        seen = seen.union(table.index)
        counts = counts.add(pd.Series(1, table.index), fill_value=0)
        counts = counts[counts >= n_read - may_lack]
        kept.append(table[table.index.isin(counts.index)])
    positions = counts.index
    levels = np.empty((n_samples, len(positions)), dtype=np.float32)
    coverage = np.empty(levels.shape, dtype=np.int32)
    for row, table in enumerate(kept):
        table = table.reindex(positions)
        levels[row], coverage[row] = table["level"], table["coverage"].fillna(0)
    return positions.to_numpy(), levels, coverage, len(seen)
