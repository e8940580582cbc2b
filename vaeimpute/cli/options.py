"""The options of the commands on a matrix of one's own, each in one place, and what they exclude.

An option that several commands have gets a type here; one that a single command has stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from vaeimpute.methods import METHODS

#: Keys of the methods that are offered for a matrix of one's own.
OWN_METHODS = [key for key, method in METHODS.items() if method.own_data]
# An enumeration, because typer knows no list of literals.
MethodName = StrEnum("MethodName", [(key, key) for key in OWN_METHODS])  # type: ignore[misc]
MethodChoice = StrEnum(  # type: ignore[misc]
    "MethodChoice", [(key, key) for key in ("auto", *OWN_METHODS)]
)
#: What is said where there was nothing to do.
NOTHING_MISSING = "nothing was missing, so nothing was filled"

Input = Annotated[
    Path,
    typer.Argument(
        metavar="IN",
        readable=False,  # typer would call it an error of usage
        help="The matrix: text, compressed or not, .parquet, .h5ad or .xlsx; - is standard input. "
        "Samples in rows, features in columns, with ids; an empty field or NA is a missing value.",
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        metavar="OUT",
        help="Write the filled matrix here: .csv, .tsv, .tab, .txt (each also .gz, .bz2, .xz, .zst "
        "or .zip), .parquet, .h5ad or .xlsx; - is standard output.",
    ),
]
FeaturesInRows = Annotated[
    bool, typer.Option("--features-in-rows", help="Rows of the file are features, not samples.")
]
Layer = Annotated[str | None, typer.Option(help="Layer of an .h5ad file, instead of its X.")]
Annotation = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="A column or row that is neither a sample nor a feature and stays as it is, or a "
        "pattern such as 'Peptides *'; may be repeated. By default they are looked for, and named; "
        "'none' if there are none.",
    ),
]
MissingValue = Annotated[
    list[float] | None,
    typer.Option(
        metavar="NUMBER", help="A number that stands for a missing value, as 0; may be repeated."
    ),
]
Duplicates = Annotated[
    Literal["error", "first", "mean", "suffix"],  # as in `vaeimpute.tables.repeated`
    typer.Option(
        help="What to do with ids that occur more than once: impute the first of each, or the mean "
        "of each, or each by itself under a number of its own. The file keeps its ids.",
    ),
]
KeepEmpty = Annotated[
    bool,
    typer.Option(
        "--keep-empty",
        help="Leave features without any value empty in the output, and impute the others; "
        "without it, they are an error.",
    ),
]
NA = Annotated[
    list[str] | None,
    typer.Option(
        "--na",
        metavar="TEXT",
        help="Text that stands for a missing value, besides NA, NaN, #N/A and the like; may be "
        "repeated.",
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse a file of which something has to be guessed.")
]
Log = Annotated[
    bool,
    typer.Option(
        "--log", help="Work on ln(x + 1), for counts; the output is in x again, as medians."
    ),
]
ZScore = Annotated[
    bool,
    typer.Option(
        "--zscore/--no-zscore",
        help="Work in standard deviations of each feature; the output is in its units again. The "
        "VAE always does.",
    ),
]
Min = Annotated[
    float | None,
    typer.Option(
        "--min",
        help="Fill in nothing below this; -inf for no limit. Without it, 0 where no value is "
        "negative, which is said where it makes a difference.",
    ),
]
Max = Annotated[
    float | None,
    typer.Option(
        "--max",
        help="Fill in nothing above this; inf for no limit. Without it, 1 or 100 where all values "
        "are proportions or percentages.",
    ),
]
Round = Annotated[
    bool,
    typer.Option(
        "--round",
        help="Fill in whole numbers in features of which all observed values are whole.",
    ),
]
MNAR = Annotated[
    Literal["low"] | None,
    typer.Option(
        help="Low values are the ones that are missing, as below a detection limit: correct the "
        "VAE for it, and compare methods on low values. Only if you know.",
    ),
]
Mechanism = Annotated[
    Literal["auto", "mcar", "curve"],
    typer.Option(
        help="Of the recommended method: correct for low values being lost more often, by a curve "
        "that is found from the matrix: if it explains what is missing clearly better than chance "
        "(auto), in any case (curve), or never (mcar).",
    ),
]
Groups = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="A column of annotation that puts samples in groups, such as batches: say of each "
        "how many values are imputed, and by which curve they were lost.",
    ),
]
WithinGroups = Annotated[
    bool,
    typer.Option(
        "--within-groups",
        help="Impute every group from its own samples alone; features without a value there, and "
        "groups of one sample, from all.",
    ),
]
MaskOut = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write True where a value is imputed, False elsewhere."),
]
#: Keys of `vaeimpute.comparison.holdout.HOLD_OUTS`, which takes long to import, or to guess one.
Resemblance = Literal["auto", "random", "features", "low"]
MissingLike = Annotated[
    Resemblance,
    typer.Option(
        help="What to hide when methods are compared: values at random, whole features in some "
        "samples, or low values; auto takes what the missing values of the matrix look like.",
    ),
]
Std = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write predictive standard deviations about the values filled in here, 0 where a "
        "value is observed.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Root of all random choices.")]
Device = Annotated[
    str,
    typer.Option(
        help="Where to compute: auto (the VAE on a GPU if there is one, all else on the CPU), cpu, "
        "cuda (all but mean on a GPU), mps (the VAE on that of a Mac)."
    ),
]
Force = Annotated[bool, typer.Option("--force", "-f", help="Replace files that exist.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more, with times.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def to_hide(missing_like: str, mnar: str | None) -> str:
    """Return what to hide in order to compare methods."""
    return "low" if mnar and missing_like == "auto" else missing_like


def corrected(methods: Iterable[str], low: bool) -> list[str]:
    """Return the keys of methods, of the VAE with the correction for low values if they are."""
    return ["vae_shifted" if low and key == "vae" else str(key) for key in methods]


def check(
    matrix: Path, features_in_rows: bool, layer: str | None, device: str, *outputs: Path | None
) -> None:
    """Refuse options that exclude each other, before anything is imported."""
    if matrix.suffix == ".h5ad" and features_in_rows:
        raise typer.BadParameter(
            "--features-in-rows does not apply to .h5ad: AnnData keeps samples in rows. Transpose "
            "the object before it is written."
        )
    if matrix.suffix != ".h5ad" and layer is not None:
        raise typer.BadParameter("--layer applies to .h5ad only.")
    if device not in ("auto", "cpu", "mps") and not re.fullmatch(r"cuda(:\d+)?", device):
        raise typer.BadParameter(
            f"Expected --device as auto, cpu, mps, cuda or cuda:1, but got {device!r}."
        )
    named = [path.resolve() for path in outputs if path is not None]
    if len(set(named)) < len(named):
        raise typer.BadParameter("Two of the files to write are the same; name different ones.")
