"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Write a file elsewhere and put it in its place when it is complete.

    If the block ends with an exception, an interruption included, the file that was there stays as
    it was, and nothing is left beside it.

    Parameters
    ----------
    path : str or path
        An existing file is replaced, or the one that a link leads to; its folder is made if need
        be.

    Yields
    ------
    pathlib.Path
        An empty file in the same folder, with the same extensions, to be written to.

    Raises
    ------
    OSError
        If no file can be made there; it names `path`.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/note.txt") as unfinished:
    ...         _ = unfinished.write_text("done")
    ...     os.listdir(folder), Path(f"{folder}/note.txt").read_text()
    (['note.txt'], 'done')
    """
    # Of a link, what it leads to is replaced, as a program that writes to the link would do. Its
    # own extensions tell a writer what to write, whatever the other file is called.
    asked_for, path = Path(path), Path(os.path.realpath(path))
    for wrong, number in ((path.is_symlink(), errno.ELOOP), (path.is_dir(), errno.EISDIR)):
        if wrong:
            raise OSError(number, os.strerror(number), str(asked_for))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.name[:100]}-",
            suffix="".join(asked_for.suffixes)[-100:],
            dir=path.parent,
        )
    except OSError as error:  # it would speak of the temporary file
        raise type(error)(error.errno, error.strerror, str(asked_for)) from None
    temporary = Path(name)
    try:
        os.close(handle)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # or a power cut could leave the new name on an empty file
        temporary.chmod(0o666 & ~_umask())  # mkstemp's own is for its owner's eyes only
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: str | Path, content: str | bytes) -> None:
    """Write a file so that an interruption leaves either the old one or the new one.

    Parameters
    ----------
    path : str or path
        An existing file is replaced; its folder is made if need be.
    content : str or bytes
        Text is written as UTF-8.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(f"{folder}/new/note.txt", "α")
    ...     os.listdir(f"{folder}/new"), Path(f"{folder}/new/note.txt").read_text("utf-8")
    (['note.txt'], 'α')
    """
    with replacing(path) as unfinished:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
