"""Files are there whole or not at all."""

import errno
import os
import stat

import pytest

from vaeimpute.files import replacing, write_atomically


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_text("old")
    return path


def test_the_new_file_takes_the_place_of_the_old(old):
    with replacing(old) as unfinished:
        assert unfinished.parent == old.parent
        assert unfinished.name.endswith(".csv.gz")
        unfinished.write_text("new")
        assert old.read_text() == "old"
    assert old.read_text() == "new"
    assert os.listdir(old.parent) == [old.name]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_goes_on_leading_to_the_file(tmp_path, there):
    target, link = tmp_path / "data" / "table.csv", tmp_path / "latest.csv"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    link.symlink_to(target)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert os.listdir(target.parent) == [target.name]


def test_what_to_write_is_told_by_the_name_of_the_link(tmp_path):
    (tmp_path / "latest.csv.gz").symlink_to(tmp_path / "4f9a-blob")
    with replacing(tmp_path / "latest.csv.gz") as unfinished:
        assert unfinished.name.endswith(".csv.gz")


def test_links_in_a_circle_and_folders_are_refused_by_name(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    for path in (tmp_path / "a", tmp_path):
        with pytest.raises(OSError, match=f"'{path}'"):
            write_atomically(path, "new")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device"), SystemExit()]
)
def test_whatever_ends_the_writing_leaves_the_old_file_and_nothing_else(old, error):
    def write_half():
        with replacing(old) as unfinished:
            unfinished.write_text("half")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert old.read_text() == "old"
    assert os.listdir(old.parent) == [old.name]


def test_permissions_are_those_of_any_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_the_error_names_the_file_and_not_the_temporary_one(tmp_path):
    (tmp_path / "file").write_text("no folder")
    path = tmp_path / "file" / "out.csv"
    with pytest.raises(OSError, match="file") as raised:
        write_atomically(path, "x")
    assert raised.value.filename == str(path)


def test_names_as_long_as_can_be(tmp_path):
    path = tmp_path / ("n" * 250 + ".csv")
    write_atomically(path, "x")
    assert path.read_text() == "x"
