"""Unpack untrusted zip and tar archives: nothing is written outside the folder, and expansion is limited.

Only files and folders are extracted. Python 3.11's tarfile as in Debian 12 lacks extraction filters, and zipfile
renames what it should refuse, so the checks are here, the same for both. A member's declared size is authoritative:
both modules read no more of it than that.
"""

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from gzip import BadGzipFile
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, NamedTuple

from engine.errors import DataError, StoreError
from engine.fetch.part import Progress
from engine.store.files import disk_errors, open_plain
from engine.text import clean, size

Wanted = Callable[[str], bool]
"""Called with a member's name as in the archive; returns whether to extract it."""

MOST_MEMBERS = 200_000
MOST_BYTES = 1 << 40
MOST_RATIO = 100
"""Maximum expansion ratio. Texts reach 20; only decompression bombs are far above."""
ALWAYS_FINE = 64 << 20
"""Bytes that even the smallest archive may expand to."""
SPARE = 64 << 20
"""Bytes that must stay free on the disk."""
PIECE = 1 << 20
MOST_HEADER_BYTES = 1 << 20
"""Maximum size of a long name or of extended headers in a tar archive."""

_MORE_HEADERS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
"""Members that carry metadata of the next one, and are read completely."""

_BY_HAND = "if you trust it, unpack it by hand and give the folder"


class _Member(NamedTuple):
    name: str
    kind: int
    """The file type bits of a Unix mode; 0 if the archive has none."""
    size: int
    """Bytes of its content."""
    open: Callable[[], IO[bytes]]


@dataclass
class _Bounds:
    """Limits of an archive's expansion, and the present counts."""

    archive: Path
    free: int
    """Free bytes of the disk at the beginning."""
    members: int = 0
    read: int = 0
    """Bytes of all members, extracted or not: of a compressed tar archive all have to be read."""
    written: int = 0
    most: int = field(init=False)

    def __post_init__(self) -> None:
        self.most = min(MOST_BYTES, max(ALWAYS_FINE, MOST_RATIO * self.archive.stat().st_size))

    def take(self, bytes_: int) -> None:
        """Count bytes read. Raises DataError above the limit."""
        self.read += bytes_
        if self.read > self.most:
            come, went = size(self.most), size(self.archive.stat().st_size)
            raise DataError(f"{clean(str(self.archive))}: more than {come} from {went}", _BY_HAND)

    def member(self, one: _Member, *, wanted: bool) -> None:
        """Count a member. Raises DataError if there are too many, StoreError if the disk is too small."""
        self.members += 1
        if self.members > MOST_MEMBERS:
            raise DataError(f"{clean(str(self.archive))}: it has more than {MOST_MEMBERS:,} members", _BY_HAND)
        self.take(one.size)
        self.written += one.size if wanted else 0
        if wanted and self.written + SPARE > self.free:
            raise StoreError(
                f"no room to unpack {clean(str(self.archive))}: {size(self.written)} and more are needed, "
                f"{size(max(self.free - SPARE, 0))} can be used",
                "free some space or move the store: --home DIR",
            )


def unpack(archive: Path, folder: Path, progress: Progress, wanted: Wanted = lambda _: True) -> list[str]:
    """Unpack the wanted members into `folder` and return the names of the files, in the order of the archive.

    A tar archive may be compressed; a wheel is a zip archive. `progress` gets bytes of the archive.

    Raises DataError: neither zip nor tar, damaged, too large for its size, or a wanted member that leads outside or is
    a link or device. StoreError: disk full or too small, no permission.
    """
    files = []
    with disk_errors(folder), _damage(archive), open_plain(archive) as file:
        folder.mkdir(parents=True, exist_ok=True)
        bounds = _Bounds(archive, shutil.disk_usage(folder).free)
        places = _Places(archive, folder)
        total = archive.stat().st_size
        for member in _members(archive, file, bounds):
            take = wanted(member.name)
            bounds.member(member, wanted=take)
            if not take:
                continue
            target = places.of(member)
            if member.kind == stat.S_IFDIR:
                places.folder(target)
                continue
            places.folder(target.parent)
            target.unlink(missing_ok=True)  # never written through: a link, or a hard-linked file
            with member.open() as source, target.open("xb") as out:
                shutil.copyfileobj(source, out, PIECE)
            files.append(member.name)
            progress(file.tell(), total)
    return files


@contextmanager
def _damage(archive: Path) -> Iterator[None]:
    """Raise DataError for bytes that can't be decompressed: the archive's fault, neither ours nor the disk's."""
    where = clean(str(archive))
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, BadGzipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise DataError(f"{where}: damaged archive ({error})", "fetch it again") from error
    except (NotImplementedError, RuntimeError) as error:
        raise DataError(f"{where}: cannot be unpacked ({error})", _BY_HAND) from error
    except (ValueError, LookupError, OverflowError) as error:  # raised by zipfile and tarfile for malformed headers
        raise DataError(f"{where}: damaged archive ({error})", "fetch it again") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise DataError(f"{where}: damaged archive ({error})", "fetch it again") from error  # bz2


def _members(archive: Path, file: BinaryIO, bounds: _Bounds) -> Iterator[_Member]:
    try:
        tarfile.open(fileobj=file, tarinfo=_Header).close()  # is_tarfile reads headers of any length
    except tarfile.TarError:
        file.seek(0)
        if zipfile.is_zipfile(file):  # second, because it is also true of a tar archive that ends with a wheel
            return _zip_members(archive, file)
        what = f"{clean(str(archive))}: neither a zip nor a tar archive"
        raise DataError(what, "check the address that it came from") from None
    file.seek(0)
    return _tar_members(file, bounds)


def _zip_members(archive: Path, file: BinaryIO) -> Iterator[_Member]:
    with zipfile.ZipFile(file) as members:
        for info in members.infolist():
            if not info.filename:
                raise DataError(f"{clean(str(archive))}: damaged archive (a member without a name)", "fetch it again")
            # the upper half holds the Unix mode if the archive was made on Unix
            kind = stat.S_IFDIR if info.is_dir() else stat.S_IFMT(info.external_attr >> 16)
            yield _Member(info.filename, kind, info.file_size, lambda info=info: members.open(info))  # type: ignore[misc]


def _tar_members(file: BinaryIO, bounds: _Bounds) -> Iterator[_Member]:
    with tarfile.open(fileobj=file, tarinfo=_Header) as members:
        for info in members:
            kind = stat.S_IFDIR if info.isdir() else stat.S_IFREG if info.isreg() else stat.S_IFLNK

            def source(info: tarfile.TarInfo = info) -> IO[bytes]:
                stream = members.extractfile(info)
                assert stream is not None  # only links and devices have none
                return stream

            yield _Member(info.name, kind, max(info.size, 0), source)
        # gzip's checksum is after the last member, and is only checked by reading that far
        while members.fileobj is not None and (rest := members.fileobj.read(PIECE)):
            bounds.take(len(rest))


class _Header(tarfile.TarInfo):
    """A tar header whose data is not read into memory beyond a limit."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _MORE_HEADERS and self.size > MOST_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]


class _Places:
    """Target paths of members. Each folder is checked once."""

    def __init__(self, archive: Path, folder: Path) -> None:
        self._archive = clean(str(archive))
        self._folder = folder
        self._whole = folder.resolve()
        self._made: set[Path] = {folder}

    def of(self, member: _Member) -> Path:
        """Return the target path of a member, or refuse it."""
        name = PurePosixPath(member.name)
        shown = repr(clean(member.name))
        if member.kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise DataError(f"{self._archive}: its member {shown} is neither a file nor a folder", _BY_HAND)
        if (name.is_absolute() or ".." in name.parts or not name.parts) and member.name != ".":
            raise self._outside(shown)
        return self._folder / name

    def folder(self, place: Path) -> None:
        """Make a folder. Raises DataError if existing links lead outside."""
        if place in self._made:
            return
        if not place.resolve().is_relative_to(self._whole):
            raise self._outside(repr(clean(str(place.relative_to(self._folder)))))
        place.mkdir(parents=True, exist_ok=True)
        self._made.add(place)

    def _outside(self, shown: str) -> DataError:
        return DataError(f"{self._archive}: its member {shown} leads outside the folder", _BY_HAND)
