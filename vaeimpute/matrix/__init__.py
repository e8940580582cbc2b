"""Anyone's matrix: read with what is needed to write it back as it was, its holes filled."""

from vaeimpute.matrix.checks import (
    describe_orientation,
    empty_features,
    empty_samples,
    match_features,
)
from vaeimpute.matrix.reading import Source, read_source
from vaeimpute.matrix.transforms import from_log, from_log_std, suggest_transforms, to_log
from vaeimpute.matrix.writing import check_output, write_filled, write_table

__all__ = [
    "Source",
    "check_output",
    "describe_orientation",
    "empty_features",
    "empty_samples",
    "from_log",
    "from_log_std",
    "match_features",
    "read_source",
    "suggest_transforms",
    "to_log",
    "write_filled",
    "write_table",
]
