"""Anyone's matrix: read with what is needed to write it back as it was, missing values filled."""

from vaeimpute.tables.checks import empty_features
from vaeimpute.tables.describe import describe
from vaeimpute.tables.features import align_features
from vaeimpute.tables.notes import Guess, check_guesses
from vaeimpute.tables.read import Source, read_source
from vaeimpute.tables.transforms import (
    Bounds,
    Scale,
    guess_bounds,
    suggest_scale,
    suggest_transforms,
)
from vaeimpute.tables.write import check_output, write_filled, write_table

__all__ = [
    "Bounds",
    "Guess",
    "Scale",
    "Source",
    "align_features",
    "check_guesses",
    "check_output",
    "describe",
    "empty_features",
    "guess_bounds",
    "read_source",
    "suggest_scale",
    "suggest_transforms",
    "write_filled",
    "write_table",
]
