"""Unpacks zip and tar archives that came from elsewhere: nothing may land outside the folder they are unpacked into.

Only files and folders are taken. The filters of Python's tarfile are not in the 3.11 that Debian 12 has, and zipfile
renames what it should refuse, so the check is here, the same for both.
"""

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, NamedTuple

from engine.errors import DataError
from engine.store.files import disk_errors
from engine.store.part import Report

Wanted = Callable[[str], bool]
"""Gets a member's name as it stands in the archive."""

_BY_HAND = "if you trust it, unpack it by hand and give the folder"


class _Member(NamedTuple):
    name: str
    kind: int
    """The file type bits of a Unix mode; 0 where the archive does not say."""
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path, progress: Report, wanted: Wanted = lambda _: True) -> list[str]:
    """Unpack the wanted members into `folder` and return the names of the files, in the order of the archive.

    A tar archive may be compressed; a wheel is a zip archive. `progress` gets bytes of the archive.

    Raises DataError: neither zip nor tar, damaged, or a wanted member that leads outside or is a link or device.
    StoreError: disk full, no permission.
    """
    files = []
    with disk_errors(folder), _damage(archive), archive.open("rb") as file:
        size = archive.stat().st_size
        for member in _members(archive, file):
            if not wanted(member.name):
                continue
            target = _inside(archive, folder, member)
            if member.kind == stat.S_IFDIR:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with member.open() as source, target.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
            files.append(member.name)
            progress(file.tell(), size)
    return files


@contextmanager
def _damage(archive: Path) -> Iterator[None]:
    """Bytes that do not decompress are the archive's fault, not ours and not the disk's."""
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, BadGzipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise DataError(f"{archive}: damaged archive ({error})", "fetch it again") from error
    except (NotImplementedError, RuntimeError) as error:
        raise DataError(f"{archive}: cannot be unpacked ({error})", _BY_HAND) from error


def _members(archive: Path, file: BinaryIO) -> Iterator[_Member]:
    if zipfile.is_zipfile(file):
        return _zip_members(file)
    file.seek(0)
    if tarfile.is_tarfile(file):
        file.seek(0)
        return _tar_members(file)
    raise DataError(f"{archive}: neither a zip nor a tar archive", "check the address that it came from")


def _zip_members(file: BinaryIO) -> Iterator[_Member]:
    with zipfile.ZipFile(file) as members:
        for info in members.infolist():
            # The upper half holds the Unix mode where the archive was made on Unix.
            kind = stat.S_IFDIR if info.is_dir() else stat.S_IFMT(info.external_attr >> 16)
            yield _Member(info.filename, kind, lambda info=info: members.open(info))  # type: ignore[misc]


def _tar_members(file: BinaryIO) -> Iterator[_Member]:
    with tarfile.open(fileobj=file) as members:
        for info in members:
            kind = stat.S_IFDIR if info.isdir() else stat.S_IFREG if info.isreg() else stat.S_IFLNK

            def source(info: tarfile.TarInfo = info) -> IO[bytes]:
                stream = members.extractfile(info)
                assert stream is not None  # only links and devices have none
                return stream

            yield _Member(info.name, kind, source)
        # gzip's checksum stands behind the last member, and only reading as far as that checks it.
        while members.fileobj is not None and members.fileobj.read(1 << 20):
            pass


def _inside(archive: Path, folder: Path, member: _Member) -> Path:
    """Return where a member goes, or refuse it."""
    name = PurePosixPath(member.name)
    target = folder / name
    if member.kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{archive}: its member {member.name!r} is neither a file nor a folder", _BY_HAND)
    leads_out = name.is_absolute() or ".." in name.parts or not name.parts
    if (leads_out and member.name != ".") or not target.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{archive}: its member {member.name!r} leads outside the folder", _BY_HAND)
    return target
