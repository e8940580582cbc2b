"""Reading files that may be gzipped, with an error that says so when they are cut short."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from vaeimpute.exceptions import CohortError


@contextmanager
def unzipped(stream: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    """Read a stream through gzip if that is what it holds, whatever it is called.

    Parameters
    ----------
    stream : binary file
        Closed at the end.
    name : str
        What to call it in errors.

    Yields
    ------
    binary file

    Raises
    ------
    CohortError
        If the compressed data are cut short or damaged.

    Examples
    --------
    >>> with unzipped(io.BytesIO(gzip.compress(b"chr22")), "calls") as content:
    ...     content.read()
    b'chr22'
    """
    with stream, io.BufferedReader(stream, 1 << 20) as buffered:  # type: ignore[type-var]
        try:
            zipped = buffered.peek(2)[:2] == b"\x1f\x8b"
            yield gzip.GzipFile(fileobj=buffered) if zipped else buffered  # type: ignore[misc]
        except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
            raise CohortError(
                f"{name} is cut short or damaged: {error}. Delete it and fetch it again."
            ) from error
