"""File operations: atomic, never through a link, and with the operating system's errors in two lines."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from engine.errors import StoreError
from engine.store import files


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    files.write_atomic(path, b"one")
    files.write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert [one.name for one in path.parent.iterdir()] == ["b.json"]


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with files.new_beside(path) as out:
            out.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["b.json"]


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        files.write_atomic(tmp_path, b"new")
    assert caught.value.what == f"{tmp_path}: Is a directory"


def test_the_mode_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.write_atomic(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_link_in_the_place_of_the_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "a").symlink_to(victim)
    files.write_atomic(tmp_path / "a", b"new")
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "a").is_symlink()


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "link"])
def test_only_plain_files_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path(os.devnull)
    else:
        path.symlink_to(tmp_path / "other")
        (tmp_path / "other").write_bytes(b"outside")
        assert files.read_plain(path) == b"outside"
    with pytest.raises(OSError, match=r"not a plain file|symbolic links"):
        files.read_plain(path, follow=False)


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert files.read_plain(tmp_path / "a", 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        files.read_plain(tmp_path / "a", 4)


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    assert not files.is_locked(path)
    with files.locked(path) as mine:
        assert mine is not None
        assert files.is_locked(path)
        with files.locked(path, wait=False) as other:
            assert other is None
    assert not files.is_locked(path)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_a_message(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "run.lock"
    path.touch()
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StoreError, match="no file locks") as found, files.locked(path):
        pass
    with pytest.raises(StoreError, match="no file locks") as found:
        files.is_locked(path)
    assert str(path) in found.value.what
    assert "--home" in found.value.remedy


def test_only_an_error_that_names_a_path_is_a_persons_to_mend(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "x").read_text()
    told = files.user_error(caught.value)
    assert isinstance(told, StoreError)
    assert str(tmp_path / "x") in told.what
    assert files.user_error(told) is told
    assert files.user_error(OSError(errno.EINVAL, "no path")) is None
    assert files.user_error(ValueError("x")) is None


def test_a_file_that_cannot_take_its_place_is_named_and_not_the_temporary_one(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(StoreError) as caught:
        files.write_atomic(tmp_path / "taken", b"x")
    assert caught.value.what == f"{tmp_path / 'taken'}: Is a directory"
    assert not list(tmp_path.glob(".*")), "nothing is left beside it"
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OSError, match=f"Not a directory: '{tmp_path / 'file' / 'x'}'"),
        files.new_beside(tmp_path / "file" / "x"),
    ):
        pass


def test_a_file_that_is_too_large_for_its_disk(tmp_path: Path) -> None:
    told = files.explained(OSError(errno.EFBIG, "File too large"), tmp_path / "x")
    assert told.what == f"{tmp_path / 'x'}: too large a file"
    assert "ulimit -f" in told.remedy


def test_a_digest_takes_any_text() -> None:
    assert len(files.digest("a\udce9\ud800")) == 64
    assert files.digest("é") == "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"
