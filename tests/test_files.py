"""A file is written whole or not at all."""

import errno
import os
import stat

import pytest

from autograd_lite.files import atomic


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(("mode", "written"), [("w", "ŷ\nσ"), ("wb", "ŷ\nσ".encode())])
def test_what_is_written_arrives(tmp_path, mode, written):
    with atomic(tmp_path / "new", mode) as file:
        file.write(written)
    assert contents(tmp_path) == {"new": "ŷ\nσ".encode()}


def test_the_old_content_stands_until_the_end(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with atomic(path) as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_loses_nothing_and_leaves_nothing(tmp_path, error):
    path = tmp_path / "file"
    path.write_text("old")

    def fail_halfway():
        with atomic(path) as file:
            file.write("half of the n")
            raise error

    with pytest.raises(error):
        fail_halfway()
    assert contents(tmp_path) == {"file": b"old"}


def test_the_permissions_stay(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o640)
    with atomic(path) as file:
        file.write("new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_goes_on_pointing(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    with atomic(tmp_path / "link") as file:
        file.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_a_device_is_written_to_not_replaced():
    with atomic(os.devnull) as file:
        file.write("gone")
    assert not os.path.isfile(os.devnull)


def test_a_long_name(tmp_path):
    name = "n" * 250
    with atomic(tmp_path / name) as file:
        file.write("new")
    assert contents(tmp_path) == {name: b"new"}


def test_an_error_names_the_file_that_was_meant(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError(errno.EACCES, "Permission denied", str(source))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError) as failure, atomic(tmp_path / "file"):
        pass
    assert failure.value.filename == str(tmp_path / "file")
    assert contents(tmp_path) == {}


def test_bad_targets(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder"), atomic(tmp_path):
        pass
    with pytest.raises(FileNotFoundError), atomic(tmp_path / "missing" / "file"):
        pass
    with pytest.raises(ValueError, match="not 'a'"), atomic(tmp_path / "file", "a"):
        pass
    assert contents(tmp_path) == {}
