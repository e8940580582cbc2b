"""Downloads from a real HTTP server, with all that can go wrong on the way."""

import fcntl
import hashlib
import logging
import os
import resource
from dataclasses import replace

import numpy as np
import pytest

from vaeimpute.cohorts import download as module
from vaeimpute.cohorts.download import RemoteFile, describe_size, download
from vaeimpute.exceptions import DownloadError

CONTENT = np.random.default_rng(0).bytes(3_000_000)


def contents(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "downloads"


def test_a_file_arrives_whole_and_is_not_asked_for_again(file_server, folder, caplog):
    file = file_server.add("data.bin", CONTENT)
    with caplog.at_level(logging.WARNING):
        (path,) = download([file], folder)
    assert path.read_bytes() == CONTENT
    assert contents(folder) == ["data.bin"]
    assert "Downloading 3.0 MB from 127.0.0.1" in caplog.text
    assert "data.bin (3.0 MB)" in caplog.text
    caplog.clear()
    assert download([file], folder) == [path]
    assert len(file_server.requests) == 1
    assert not caplog.records


def test_the_announcement_comes_before_the_first_byte(file_server, folder, caplog):
    file = replace(file_server.add("data.bin", CONTENT), url="http://127.0.0.1:1/data.bin")
    with pytest.raises(DownloadError):
        download([file], folder)
    assert "Downloading 3.0 MB" in caplog.records[0].message


@pytest.mark.parametrize("published", [True, False])
def test_a_lost_connection_is_taken_up_where_it_broke(file_server, folder, published):
    file = file_server.add("data.bin", CONTENT, published=published)
    file_server.faults["data.bin"] = [("cut", 1_000_000), ("cut", 500_000)]
    (path,) = download([file], folder)
    assert path.read_bytes() == CONTENT
    starts = [asked for _, asked in file_server.requests]
    assert starts == [None, "bytes=1000000-", "bytes=1500000-"]
    assert contents(folder) == ["data.bin"]


def test_a_later_attempt_goes_on_from_the_part(file_server, folder):
    file = file_server.add("data.bin", CONTENT)
    gone = [("status", 503)] * (module._RETRIES + 1)
    file_server.faults["data.bin"] = [("cut", 1_000_000), *gone]
    with pytest.raises(DownloadError, match=r"503.*first 1.0 MB are kept.*same command"):
        download([file], folder)
    assert (folder / "data.bin.part").read_bytes() == CONTENT[:1_000_000]
    assert not (folder / "data.bin").exists()
    (path,) = download([file], folder)
    assert path.read_bytes() == CONTENT
    assert file_server.requests[-1] == ("data.bin", "bytes=1000000-")
    assert contents(folder) == ["data.bin"]


def interrupted(file_server, folder, **known):
    """Leave the first million bytes of a file behind."""
    file = file_server.add("data.bin", CONTENT, **known)
    gone = [("status", 503)] * (module._RETRIES + 1)
    file_server.faults["data.bin"] = [("cut", 1_000_000), *gone]
    with pytest.raises(DownloadError):
        download([file], folder)
    file_server.requests.clear()
    return file


def test_a_server_without_ranges_starts_over(file_server, folder):
    file = interrupted(file_server, folder)
    file_server.faults["data.bin"] = ["no range"]
    assert download([file], folder)[0].read_bytes() == CONTENT


@pytest.mark.parametrize("shorter", [False, True])
def test_a_file_that_changed_meanwhile_starts_over(file_server, folder, shorter):
    interrupted(file_server, folder, published=False)
    changed = CONTENT[::-1][: 900_000 if shorter else None]
    file = file_server.add("data.bin", changed, published=False)
    assert download([file], folder)[0].read_bytes() == changed
    assert contents(folder) == ["data.bin"]


def test_without_checksum_or_version_a_part_is_not_trusted(file_server, folder):
    file_server.versions["data.bin"] = 'W/"weak"'
    file = interrupted(file_server, folder, published=False)
    assert download([file], folder)[0].read_bytes() == CONTENT
    assert file_server.requests == [("data.bin", None)]


def test_a_part_that_is_complete_already_is_only_checked(file_server, folder):
    file = file_server.add("data.bin", CONTENT)
    folder.mkdir()
    (folder / "data.bin.part").write_bytes(CONTENT)
    assert download([file], folder)[0].read_bytes() == CONTENT
    assert file_server.requests == []


def test_a_complete_part_of_unknown_size_is_recognised(file_server, folder):
    file = file_server.add("data.bin", CONTENT, published=False)
    folder.mkdir()
    (folder / "data.bin.part").write_bytes(CONTENT)
    (folder / "data.bin.part.version").write_text(f'"{hashlib.md5(CONTENT).hexdigest()}"')
    assert download([file], folder)[0].read_bytes() == CONTENT
    assert file_server.requests == [("data.bin", f"bytes={len(CONTENT)}-")]


def test_a_wrong_checksum_leaves_nothing(file_server, folder):
    file = replace(file_server.add("data.bin", CONTENT), md5="0" * 32)
    with pytest.raises(DownloadError, match=r"not the published file.*0{32}.*report it"):
        download([file], folder)
    assert contents(folder) == []


def test_a_part_of_something_else_is_found_by_the_checksum(file_server, folder):
    file = file_server.add("data.bin", CONTENT)
    folder.mkdir()
    (folder / "data.bin.part").write_bytes(b"not the beginning of it")
    with pytest.raises(DownloadError, match="not the published file"):
        download([file], folder)
    assert contents(folder) == []
    assert download([file], folder)[0].read_bytes() == CONTENT


def test_another_size_than_published_is_refused(file_server, folder):
    file = replace(file_server.add("data.bin", CONTENT), size=17)
    with pytest.raises(DownloadError, match="3000000 bytes where 17 were published"):
        download([file], folder)
    assert contents(folder) == []


def test_a_wrong_file_under_the_right_name_is_replaced(file_server, folder, caplog):
    file = file_server.add("data.bin", CONTENT)
    folder.mkdir()
    (folder / "data.bin").write_bytes(b"an older release")
    assert download([file], folder)[0].read_bytes() == CONTENT
    assert "has not the published checksum" in caplog.text


def test_a_web_page_instead_of_the_file(file_server, folder):
    file = file_server.add("data.bin", CONTENT)
    file_server.faults["data.bin"] = ["page"]
    with pytest.raises(DownloadError, match=r"sent a web page instead of data\.bin.*in a browser"):
        download([file], folder)
    assert contents(folder) == []


def test_a_web_page_does_not_cost_what_has_arrived(file_server, folder):
    file = interrupted(file_server, folder)
    file_server.faults["data.bin"] = ["page"]
    with pytest.raises(DownloadError, match="web page"):
        download([file], folder)
    assert (folder / "data.bin.part").read_bytes() == CONTENT[:1_000_000]


@pytest.mark.parametrize("name", ["table.xlsx", "data.zip", "data.gz"])
def test_something_else_than_the_format(file_server, folder, name):
    file = file_server.add(name, b'{"error": "maintenance"}', published=False)
    with pytest.raises(DownloadError, match=r"something else.*maintenance"):
        download([file], folder)
    assert contents(folder) == []


def test_an_empty_answer(file_server, folder):
    with pytest.raises(DownloadError, match=r"instead of samples\.tsv"):
        download([file_server.add("samples.tsv", b"", published=False)], folder)
    assert contents(folder) == []


def test_a_missing_file_says_where_to_put_it(file_server, folder):
    file = RemoteFile("data.bin", f"http://127.0.0.1:{file_server.port}/gone", md5="0" * 32)
    with pytest.raises(DownloadError, match=r"404 Not Found.*gone.*put it at .*data\.bin"):
        download([file], folder)
    assert contents(folder) == []
    assert len(file_server.requests) == 1


def test_a_server_that_recovers(file_server, folder):
    file = file_server.add("data.bin", CONTENT)
    file_server.faults["data.bin"] = [("status", 500), ("status", 429)]
    assert download([file], folder)[0].read_bytes() == CONTENT


def test_a_server_that_does_not(file_server, folder):
    file = file_server.add("data.bin", CONTENT)
    file_server.faults["data.bin"] = [("status", 500)] * 50
    with pytest.raises(DownloadError, match=r"500 Internal Server Error\. Try again later"):
        download([file], folder)
    assert len(file_server.requests) == module._RETRIES + 1
    assert contents(folder) == []


def test_nobody_listens(folder, monkeypatch):
    monkeypatch.setattr(module, "_WAIT", 0)
    file = RemoteFile("data.bin", "http://127.0.0.1:1/data.bin")
    with pytest.raises(DownloadError, match=r"Could not download data\.bin from 127.0.0.1:1"):
        download([file], folder)
    assert contents(folder) == []


def test_too_little_space_is_noticed_before_the_first_byte(file_server, folder):
    file = file_server.add("data.zip", CONTENT, published=False, about_size=10**18)
    with pytest.raises(DownloadError, match=r"needs 1000000\.0 TB, but only .* VAEIMPUTE_CACHE"):
        download([file], folder)
    assert file_server.requests == []


def test_what_has_arrived_needs_no_space_again(file_server, folder, monkeypatch):
    file = interrupted(file_server, folder)
    usage = module.shutil.disk_usage(folder)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage._replace(free=2_000_000))
    assert download([file], folder)[0].read_bytes() == CONTENT


def test_space_is_checked_against_what_the_server_says(file_server, folder, monkeypatch):
    file = file_server.add("data.bin", CONTENT, published=False)
    folder.mkdir()
    usage = module.shutil.disk_usage(folder)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DownloadError, match=r"needs 3\.0 MB, but only 1\.0 kB"):
        download([file], folder)
    assert contents(folder) == []


def test_a_full_disk_keeps_what_fitted(file_server, folder):
    """A quota of this process on the size of a file: the write fails as on a full disk."""
    file = file_server.add("data.bin", CONTENT)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(DownloadError, match=r"Could not write data\.bin .*Free some space"):
            download([file], folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (folder / "data.bin.part").read_bytes() == CONTENT[:1_000_000]
    assert download([file], folder)[0].read_bytes() == CONTENT
    assert contents(folder) == ["data.bin"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device that is always full")
def test_a_disk_with_no_room_at_all(file_server, folder):
    file = file_server.add("data.bin", CONTENT)
    folder.mkdir()
    (folder / "data.bin.part").symlink_to("/dev/full")
    with pytest.raises(DownloadError, match="No space left on device"):
        download([file], folder)
    assert contents(folder) == []


def test_two_processes_do_not_write_the_same_part(file_server, folder):
    file = interrupted(file_server, folder)
    with (folder / "data.bin.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match=r"Another process is downloading data\.bin"):
            download([file], folder)
    assert (folder / "data.bin.part").stat().st_size == 1_000_000
    assert download([file], folder)[0].read_bytes() == CONTENT


def test_sizes_in_words():
    assert describe_size([]) == "nothing"
    assert describe_size([RemoteFile("a", "", about_size=45 * 10**9)]) == "about 45.0 GB"
