"""The partial file of a download: content, digests, and the version of the remote file."""

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from engine import codec
from engine.store.files import read_plain

Progress = Callable[[int, int | None], None]
"""Called with bytes done and bytes in all, None if unknown."""

CHUNK = 1 << 16
"""Bytes read at once: the most that a dropped connection can lose."""


class Origin(msgspec.Struct, frozen=True):
    """The server's description of the remote file when the download began."""

    url: str
    etag: str = ""
    modified: str = ""

    @property
    def validator(self) -> str:
        """The value for If-Range: a strong entity tag, else the date (RFC 9110, 13.1.5); empty for neither."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


class Part:
    """`NAME.part` with `NAME.part.json` next to it. Digests are updated with every byte, so nothing is read twice."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._memo = target.with_name(f"{target.name}.part.json")
        self._fresh()

    def _fresh(self) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)

    @property
    def sha256(self) -> str:
        """Of the present content, in lower-case hex."""
        return self._sha256.hexdigest()

    @property
    def md5(self) -> str:
        """Of the present content, in lower-case hex."""
        return self._md5.hexdigest()

    @property
    def origin(self) -> Origin | None:
        """The remote file it is from; None if unknown."""
        try:
            return codec.decode(read_plain(self._memo, 1 << 20), type=Origin)
        except (OSError, msgspec.DecodeError):
            return None

    def take_up(self, total: int | None, report: Progress) -> None:
        """Read the content of an earlier attempt into the digests. A finished file counts as content."""
        if self.target.exists():
            self.target.replace(self.path)
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                self._count(chunk)
                report(self.size, total)

    def restart(self, origin: Origin) -> None:
        """Truncate, and record the new origin."""
        self.path.write_bytes(b"")
        self._memo.write_bytes(codec.encode(origin))
        self._fresh()

    def extend(self, chunks: Iterable[bytes], total: int | None, report: Progress) -> None:
        """Append bytes as they arrive."""
        with self.path.open("ab") as file:
            for chunk in chunks:
                file.write(chunk)
                self._count(chunk)
                report(self.size, total)

    def _count(self, chunk: bytes) -> None:
        self._sha256.update(chunk)
        self._md5.update(chunk)
        self.size += len(chunk)

    def publish(self) -> None:
        """Rename to the final name atomically."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.replace(self.target)
        self._memo.unlink(missing_ok=True)

    def discard(self) -> None:
        """Delete the partial file."""
        self.path.unlink(missing_ok=True)
        self._memo.unlink(missing_ok=True)
        self._fresh()
