import contextlib
import io
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DataError, StoreError
from engine.fetch import archive as archive_module
from engine.fetch.archive import unpack


def no_report(_done: int, _total: int | None) -> None:
    pass


def make_zip(path: Path, members: dict[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


def make_tar(path: Path, members: dict[str, bytes], kind: bytes = tarfile.REGTYPE, how: str = "w") -> Path:
    with tarfile.open(path, how) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            info.type = kind
            info.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
            archive.addfile(info, io.BytesIO(data) if info.size else None)
    return path


GOOD = {"a.txt": b"one", "sub/deep/b.txt": b"two" * 1000, "sub/c.txt": b""}


def test_a_zip_is_unpacked(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    archive = make_zip(tmp_path / "x.zip", {"sub/": b"", **GOOD})
    assert unpack(archive, tmp_path / "out", lambda *both: told.append(both)) == list(GOOD)
    assert {name: (tmp_path / "out" / name).read_bytes() for name in GOOD} == GOOD
    assert told
    assert all(total == archive.stat().st_size for _, total in told)


def test_a_pipe_is_no_archive(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.tar")
    with pytest.raises(StoreError, match=r"x\.tar: not a plain file"):
        unpack(tmp_path / "x.tar", tmp_path / "out", no_report)


@pytest.mark.parametrize("how", ["w", "w:gz", "w:xz", "w:bz2"])
def test_a_tar_is_unpacked(how: str, tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "x.tar", GOOD, how=how)
    assert unpack(archive, tmp_path / "out", no_report) == list(GOOD)
    assert {name: (tmp_path / "out" / name).read_bytes() for name in GOOD} == GOOD


def test_only_the_wanted_members(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "x.zip", {**GOOD, "../evil": b""})
    assert unpack(archive, tmp_path / "out", no_report, lambda name: name.startswith("sub/c")) == ["sub/c.txt"]
    assert [path.name for path in (tmp_path / "out").rglob("*.txt")] == ["c.txt"]


def test_unpacking_again_overwrites(tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "x.tar", GOOD)
    for _ in range(2):
        unpack(archive, tmp_path / "out", no_report)
        (tmp_path / "out" / "a.txt").write_bytes(b"half")
    unpack(archive, tmp_path / "out", no_report)
    assert (tmp_path / "out" / "a.txt").read_bytes() == b"one"


ESCAPES = ["../evil", "/tmp/evil", "sub/../../evil", "..", "/", "sub/.."]


@pytest.mark.parametrize("name", ESCAPES)
def test_a_zip_that_leads_outside_is_refused(name: str, tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "x.zip", {name: b"evil"})
    with pytest.raises(DataError, match="leads outside") as caught:
        unpack(archive, tmp_path / "in" / "out", no_report)
    assert caught.value.remedy
    assert [path.name for path in tmp_path.rglob("*evil*")] == []


@pytest.mark.parametrize("name", ESCAPES)
def test_a_tar_that_leads_outside_is_refused(name: str, tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "x.tar", {name: b"evil"})
    with pytest.raises(DataError, match="leads outside"):
        unpack(archive, tmp_path / "in" / "out", no_report)
    assert [path.name for path in tmp_path.rglob("*evil*")] == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "x.tar", {"link": b""}, kind)
    with pytest.raises(DataError, match="neither a file nor a folder"):
        unpack(archive, tmp_path / "out", no_report)


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "x.zip", {"link": b"/etc/passwd"}, stat.S_IFLNK | 0o777)
    with pytest.raises(DataError, match="neither a file nor a folder"):
        unpack(archive, tmp_path / "out", no_report)


def test_a_link_that_is_there_already_is_not_followed_outside(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path)
    with pytest.raises(DataError, match="leads outside"):
        unpack(make_zip(tmp_path / "x.zip", {"sub/evil": b""}), tmp_path / "out", no_report)
    assert not (tmp_path / "evil").exists()


@given(st.text(st.sampled_from("a./\\~ "), min_size=1, max_size=12))
def test_no_name_leads_outside(name: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        base = Path(place)
        archive = make_zip(base / "x.zip", {name: b"x"})
        with contextlib.suppress(DataError, StoreError):
            unpack(archive, base / "out", no_report)
        outside = [path for path in base.rglob("*") if not path.is_relative_to(base / "out") and path != archive]
        assert outside == []


@pytest.mark.parametrize("data", [b"", b"neither", b"PK\x03\x04 and then nothing", b"\x1f\x8b\x08 no gzip"])
def test_what_is_no_archive(data: bytes, tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    archive.write_bytes(data)
    with pytest.raises(DataError) as caught:
        unpack(archive, tmp_path / "out", no_report)
    assert str(archive) in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize("how", ["zip", "w:gz", "w:xz"])
def test_a_damaged_archive(how: str, tmp_path: Path) -> None:
    members = {"big.bin": bytes(range(256)) * 4000}
    archive = tmp_path / "x"
    make_zip(archive, members) if how == "zip" else make_tar(archive, members, how=how)
    data = bytearray(archive.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 20] = bytes(20)
    archive.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        unpack(archive, tmp_path / "out", no_report)


def test_a_cut_off_tar(tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "x.tar.gz", {"big.bin": bytes(10**6)}, how="w:gz")
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(DataError, match="damaged"):
        unpack(archive, tmp_path / "out", no_report)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StoreError):
        unpack(make_zip(tmp_path / "x.zip", GOOD), tmp_path / "out", no_report)


@pytest.mark.parametrize("form", ["zip", "w:gz"])
def test_an_archive_that_swells_is_refused_before_it_does(form: str, tmp_path: Path) -> None:
    archive = tmp_path / "x"
    members = {"a.txt": b"one", "zeros": bytes(archive_module.ALWAYS_FINE)}
    make_zip(archive, members) if form == "zip" else make_tar(archive, members, how=form)
    with pytest.raises(DataError, match=r"more than 67\.1 MB from [\d.]+ kB") as caught:
        unpack(archive, tmp_path / "out", no_report)
    assert "by hand" in caught.value.remedy
    assert not (tmp_path / "out" / "zeros").exists()


@pytest.mark.parametrize("form", ["zip", "w"])
def test_there_must_be_room(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "x"
    make_zip(archive, GOOD) if form == "zip" else make_tar(archive, GOOD, how=form)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=archive_module.SPARE + 1000))
    with pytest.raises(StoreError, match=r"no room to unpack .*/x: 3\.0 kB and more are needed, 1\.0 kB can be used"):
        unpack(archive, tmp_path / "out", no_report)
    assert unpack(archive, tmp_path / "out", no_report, lambda name: name == "a.txt") == ["a.txt"]


def test_there_may_be_only_so_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MOST_MEMBERS", 2)
    with pytest.raises(DataError, match="more than 2 members"):
        unpack(make_tar(tmp_path / "x.tar", GOOD), tmp_path / "out", no_report)


def test_a_folder_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    whole = Path.resolve

    def resolve(path: Path, strict: bool = False) -> Path:
        looked.append(path)
        return whole(path, strict)

    monkeypatch.setattr(Path, "resolve", resolve)
    unpack(make_zip(tmp_path / "x.zip", {f"sub/{n}": b"" for n in range(100)}), tmp_path / "out", no_report)
    assert len(looked) == 2


def test_a_member_without_a_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        nameless = zipfile.ZipInfo("a")
        nameless.filename = ""
        archive.writestr(nameless, b"x")
    with pytest.raises(DataError, match="a member without a name"):
        unpack(tmp_path / "x.zip", tmp_path / "out", no_report)


def test_a_header_is_not_read_whatever_its_length(tmp_path: Path) -> None:
    good = make_tar(tmp_path / "good.tar", {"a": b"x"}).read_bytes()[:1024]
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 1 << 40
    (tmp_path / "x.tar").write_bytes(good + header.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    with pytest.raises(DataError, match="a header of 1099511627776 bytes"):
        unpack(tmp_path / "x.tar", tmp_path / "out", no_report)


def test_a_file_that_is_there_is_replaced_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / "shared").write_bytes(b"shared")
    (tmp_path / "out" / "a.txt").symlink_to(tmp_path / "mine")
    (tmp_path / "out" / "b.txt").hardlink_to(tmp_path / "shared")
    unpack(make_zip(tmp_path / "x.zip", {"a.txt": b"new", "b.txt": b"new"}), tmp_path / "out", no_report)
    assert [(tmp_path / name).read_bytes() for name in ("mine", "shared", "out/a.txt", "out/b.txt")] == [
        *(b"mine", b"shared"),
        *(b"new", b"new"),
    ]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["zip", "w", "w:gz", "w:bz2", "w:xz"]), st.data())
def test_damage_is_always_said(form: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        archive = Path(place) / "x"
        make_zip(archive, GOOD) if form == "zip" else make_tar(archive, GOOD, how=form)
        content = bytearray(archive.read_bytes())
        for _ in range(3):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        archive.write_bytes(content)
        with contextlib.suppress(DataError, StoreError):
            unpack(archive, Path(place) / "out", no_report)
