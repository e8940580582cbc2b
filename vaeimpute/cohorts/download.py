"""Downloads that can be interrupted and taken up again, and arrive whole and checked or not at all.

pooch, which would fetch and check them, begins an interrupted download anew; one file has 45 GB.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vaeimpute.exceptions import DownloadError

if TYPE_CHECKING:
    from requests import Response


logger = logging.getLogger(__name__)

_CHUNK = 1 << 18
_TIMEOUT = (30, 60)  # seconds to connect, seconds without a byte
_RETRIES = 4  # in a row, without a byte gained
_WAIT = 2.0  # seconds before the first of them; each waits this much longer
_MORE_SPACE = "Free some space, or choose another folder with VAEIMPUTE_CACHE or --cache-dir."
_AGAIN = "the same command goes on from there"
_MAGIC = {".gz": b"\x1f\x8b", ".zip": b"PK", ".xlsx": b"PK"}


@dataclass(frozen=True)
class RemoteFile:
    """A file to download, and what is published about it.

    Attributes
    ----------
    name : str
        What it is called here.
    url : str
        Where it is.
    md5 : str, optional
        Its checksum.
    size : int, optional
        Its exact size in bytes.
    about_size : int, optional
        Its rough size in bytes, where the exact one is not published.
    """

    name: str
    url: str
    md5: str | None = None
    size: int | None = None
    about_size: int | None = None

    @property
    def expected_size(self) -> int:
        """The best figure there is for its size in bytes, 0 if there is none."""
        return self.size or self.about_size or 0

    @property
    def host(self) -> str:
        """The server it comes from."""
        return urlsplit(self.url).netloc


def human_size(size: int) -> str:
    """Write a number of bytes as people read it.

    Examples
    --------
    >>> human_size(1882540959), human_size(812)
    ('1.9 GB', '812 bytes')
    """
    for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if size >= 1000**power:
            return f"{size / 1000**power:.1f} {unit}"
    return f"{size} bytes"


def describe_size(files: Sequence[RemoteFile]) -> str:
    """Say how much there is to download, and how exactly that is known.

    Examples
    --------
    >>> describe_size([RemoteFile("a", "", size=2_000_000), RemoteFile("b", "")])
    '2.0 MB and 1 file of unknown size'
    """
    total = sum(file.expected_size for file in files)
    n_unknown = sum(not file.expected_size for file in files)
    about = "" if all(file.size or not file.about_size for file in files) else "about "
    parts = [f"{about}{human_size(total)}"] if total else []
    if n_unknown:
        parts.append(f"{n_unknown} file{'s' * (n_unknown > 1)} of unknown size")
    return " and ".join(parts) or "nothing"


def download(files: Sequence[RemoteFile], folder: Path) -> list[Path]:
    """Bring files into a folder, unless they are there already.

    Before the first byte it is logged what will be downloaded and how large it is. A download that
    stops half-way leaves ``NAME.part`` and goes on from there the next time. A file is under its
    own name only when it is whole, and has the published size and checksum.

    Parameters
    ----------
    files : sequence of RemoteFile
    folder : pathlib.Path
        Made if it is not there.

    Returns
    -------
    list of pathlib.Path
        In the order of `files`.

    Raises
    ------
    DownloadError
        If a file cannot be had.
    """
    missing = [file for file in files if not (folder / file.name).exists()]
    if missing:
        # A warning, so that whoever only called load_cohort sees it as well.
        logger.warning(
            "Downloading %s from %s to %s: %s.",
            describe_size(missing),
            " and ".join(dict.fromkeys(file.host for file in missing)),
            folder,
            ", ".join(f"{file.name} ({describe_size([file])})" for file in missing),
        )
        folder.mkdir(parents=True, exist_ok=True)
        parts = (folder / f"{file.name}.part" for file in missing)
        arrived = sum(part.stat().st_size for part in parts if part.exists())
        _require_space(folder, sum(file.expected_size for file in missing) - arrived)
    return [_Download(file, folder).fetch() for file in files]


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DownloadError(
            f"The download needs {human_size(needed)}, but only {human_size(free)} are free in "
            f"{folder}. {_MORE_SPACE}"
        )


class _Download:
    """One file on its way: what arrives is kept in ``NAME.part``, and goes on from there."""

    def __init__(self, file: RemoteFile, folder: Path) -> None:
        self.file = file
        self.path = folder / file.name
        self.part = folder / f"{file.name}.part"
        # What identifies the version of the file that the part belongs to.
        self.version = folder / f"{file.name}.part.version"

    def fetch(self) -> Path:
        """Return the path of the file, downloaded if need be."""
        if self.path.exists():
            if self._has_checksum(self.path):
                return self.path
            logger.warning(
                "%s is there, but has not the published checksum: downloading it again.",
                self.file.name,
            )
        # Unbuffered: what a full disk did not take must not be written again on closing.
        with FileIO(self.part, "ab") as sink:
            try:
                fcntl.flock(sink, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DownloadError(
                    f"Another process is downloading {self.file.name} to {self.path.parent}. Wait "
                    "for it to end."
                ) from None
            try:
                self._insist(sink)
                if not self._has_checksum(self.part):
                    self._start_over(sink)
                    raise DownloadError(
                        f"What arrived from {self.file.host} is not the published file: "
                        f"{self.file.name} has not the md5 checksum {self.file.md5}. Try once "
                        "more; if it differs again, the file has changed at its source: please "
                        "report it."
                    )
                os.replace(self.part, self.path)
                self.version.unlink(missing_ok=True)
            finally:
                if not sink.tell():
                    self.part.unlink(missing_ok=True)
                    self.version.unlink(missing_ok=True)
        return self.path

    def _has_checksum(self, path: Path) -> bool:
        if self.file.md5 is None:
            return True
        with path.open("rb") as content:
            return hashlib.file_digest(content, "md5").hexdigest() == self.file.md5

    def _insist(self, sink: FileIO) -> None:
        """Take up the download as often as the connection is lost, unless it gains nothing."""
        import requests
        import urllib3

        lost = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError)
        failures = 0
        while True:
            before = sink.tell()
            try:
                return self._go_on(sink)
            except lost as error:
                failures = 0 if sink.tell() > before else failures + 1
                if failures > _RETRIES:
                    kept = f" The first {human_size(sink.tell())} are kept: {_AGAIN}."
                    raise DownloadError(
                        f"Could not download {self.file.name} from {self.file.host}: {error}."
                        f"{kept if sink.tell() else ''} Try again later, or get {self.file.url} by "
                        f"other means and put it at {self.path}."
                    ) from error
                logger.info("%s: %s; trying again.", self.file.host, error)
                time.sleep(_WAIT * failures)

    def _go_on(self, sink: FileIO) -> None:
        """Ask for what is still missing, and append it."""
        import requests
        from tqdm import tqdm

        have = sink.tell()
        if have and have == self.file.size:
            return
        headers = {"Accept-Encoding": "identity"}
        version = self.version.read_text() if self.version.exists() else None
        if have and (version or self.file.md5):  # otherwise nothing tells one version from another
            headers["Range"] = f"bytes={have}-"
            if version:
                headers["If-Range"] = version
        asked = requests.get(self.file.url, headers=headers, stream=True, timeout=_TIMEOUT)
        with asked as response:
            extent = response.headers.get("Content-Range", "")
            length = extent.rpartition("/")[2] or response.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
            if response.status_code == 416 and have == total:
                return
            goes_on = response.status_code == 206
            if response.status_code == 416 or (goes_on and f"bytes {have}-" not in extent):
                self._start_over(sink)
                raise requests.ConnectionError("the server has another file than it had before")
            self._check_status(response)
            # As it was sent: requests would unpack what a server labels as compressed.
            chunks = response.raw.stream(_CHUNK, decode_content=False)
            head = next(chunks, b"")
            total = total or self.file.size
            if not goes_on:
                self._check_start(head)
            if self.file.size and total != self.file.size:
                raise DownloadError(
                    f"{self.file.host} offers {self.file.name} with {total} bytes where "
                    f"{self.file.size} were published: the file has changed. Please report it."
                )
            if not goes_on:  # whether it was asked for the beginning or ignored the range
                self._start_over(sink)
                self._remember_version(response)
            _require_space(self.path.parent, (total or 0) - sink.tell())
            # disable=None: on a terminal only.
            bar = tqdm(desc=self.file.name, initial=sink.tell(), total=total, unit="B",
                       unit_scale=True, disable=None)  # fmt: skip
            with bar:
                for chunk in chain([head], chunks):
                    self._write(sink, chunk)
                    bar.update(len(chunk))
        if total and sink.tell() < total:
            raise requests.ConnectionError("the connection was closed early")

    def _write(self, sink: FileIO, chunk: bytes) -> None:
        left = memoryview(chunk)
        try:
            while left:
                left = left[sink.write(left) :]
        except OSError as error:
            raise DownloadError(
                f"Could not write {self.file.name} to {self.path.parent}: {error.strerror}. "
                f"{_MORE_SPACE} What has arrived is kept: {_AGAIN}."
            ) from error

    def _check_status(self, response: Response) -> None:
        import requests

        if response.ok:
            return
        answer = f"{response.status_code} {response.reason}"
        if response.status_code >= 500 or response.status_code == 429:
            raise requests.ConnectionError(f"the server answers {answer}")
        raise DownloadError(
            f"{self.file.host} does not give out {self.file.name} ({answer} for {response.url}). "
            f"It may have moved: look for it at its source, and put it at {self.path}; please "
            "report it."
        )

    def _check_start(self, head: bytes) -> None:
        """Refuse a page that a proxy or a login put in the place of the file."""
        page = head[:512].lstrip().lower().startswith((b"<!doctype html", b"<html"))
        magic = _MAGIC.get(self.path.suffix, b"")
        if page or not head or not head.startswith(magic):
            raise DownloadError(
                f"{self.file.host} sent {'a web page' if page else 'something else'} instead of "
                f"{self.file.name}; it begins with {head[:60]!r}. It was not kept. Open "
                f"{self.file.url} in a browser: a login or a proxy may be in between."
            )

    def _remember_version(self, response: Response) -> None:
        version = response.headers.get("ETag", "W/")
        if version.startswith("W/"):  # a weak one does not promise equal bytes
            version = response.headers.get("Last-Modified", "")
        if version:
            self.version.write_text(version)

    def _start_over(self, sink: FileIO) -> None:
        if sink.tell():
            sink.truncate(0)
            sink.seek(0)
        self.version.unlink(missing_ok=True)
