"""Anyone's matrix: read with what is needed to write it back as it was, missing values filled."""

from vaeimpute.exceptions import Guess
from vaeimpute.tables.describe import describe
from vaeimpute.tables.read import Source, read_source
from vaeimpute.tables.write import write_filled, write_table

__all__ = ["Guess", "Source", "describe", "read_source", "write_filled", "write_table"]
