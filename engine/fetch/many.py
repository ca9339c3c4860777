"""Download many small files concurrently; each is verified before it gets its name, and failures don't stop the others.

An image data set is tens of thousands of files: over one connection that takes hours, and a few always fail. So a
number of threads use persistent connections; permanent failures are collected and reported at the end, after all other
files have been downloaded; existing files are verified and not downloaded again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Event, Lock
from urllib.parse import urlsplit

import requests

from engine.errors import DataError, FetchError
from engine.fetch.web import Dropped, FailureKind, Refused, answer, chunks, refusal
from engine.store.files import disk_errors

AT_ONCE = 16
"""Concurrent requests: enough to fill a fast line despite latency."""
PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each further attempt at a server."""
TIMEOUT = (10.0, 30.0)
"""Seconds to wait for a connection, and for the next bytes."""
LARGEST = 64 << 20
"""Maximum bytes of a file: each is held in memory until it is verified."""
GIVE_UP = 100
"""Consecutive failures without a success after which the network or the server is considered gone."""
NAMED = 3
"""How many of the failed files the error names."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}")
"""A plain file name that needs no escaping in an address either."""
_MD5 = re.compile(r'"([0-9a-f]{32})"')
"""The strong ETag that S3 returns for a file uploaded in one piece. Other forms are no checksum."""

Check = Callable[[str, bytes], str]
"""Called with a file's name and content; returns an error text, empty if valid. Called from many threads."""
Progress = Callable[[int, int], None]
"""Called with the number of files and their bytes. Called by one thread at a time."""


@dataclass(frozen=True)
class Lost:
    """A file that could not be downloaded."""

    name: str
    kind: FailureKind
    why: str


@dataclass(frozen=True)
class Order:
    """What is downloaded, and from where."""

    names: Sequence[str]
    named_by: str
    """The source of the names, for messages."""
    patterns: Sequence[str]
    """Addresses, tried in order; `{name}` is replaced by the file's name."""
    check: Check

    def __post_init__(self) -> None:
        """Raise FetchError for an invalid pattern, DataError for a name that is no plain file name or a duplicate."""
        for pattern in self.patterns or [""]:
            if "{name}" not in urlsplit(pattern).path:
                raise FetchError(f"the address '{pattern}' has no {{name}} in its path", "write it: http://HOST/{name}")
        seen: set[str] = set()
        for name in self.names:
            fault = "no plain file name" if not _NAME.fullmatch(name) else "there twice" if name in seen else ""
            if fault:
                raise DataError(
                    f"{self.named_by} names {name!r}, which is {fault}", "take the file as it was published"
                )
            seen.add(name)


def fetch_many(order: Order, folder: Path, *, progress: Progress, lost: Callable[[Lost], None]) -> int:
    """Download the files into `folder` and return the bytes of all of them.

    An existing file that passes the check is kept. The size is checked against Content-Length, the MD5 against an ETag
    that is one. Dropped connections, 5xx, 408, 429 and damaged content are retried. `lost` is called for each file that
    could not be downloaded; the others are downloaded all the same.

    Raises FetchError at the end if any failed, or after GIVE_UP consecutive failures; StoreError: disk full, no
    permission.
    """
    work = _Work(order, folder, progress, lost)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob("*.part"):
            unfinished.unlink()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for thread in [pool.submit(work.run) for _ in order.names[:AT_ONCE]]:
                thread.result()
    if work.lost:
        raise work.explained()
    return work.bytes


class _Work:
    """State shared by the threads."""

    def __init__(self, order: Order, folder: Path, progress: Progress, lost: Callable[[Lost], None]) -> None:
        self.bytes = 0
        self.lost: list[Lost] = []
        self._order, self._folder = order, folder
        self._progress, self._tell = progress, lost
        self._names = iter(order.names)
        self._done = 0
        self._in_a_row = 0
        self._lock = Lock()
        self._stop = Event()

    def run(self) -> None:
        """Download one file after the other, until there are no more or any thread had to stop."""
        try:
            with requests.Session() as session:
                while (name := self._next()) is not None:
                    self._settle(name, session)
        except BaseException:
            self._stop.set()
            raise

    def explained(self) -> FetchError:
        """Return the error about the failed files, in two lines."""
        names = "; ".join(f"{one.name}: {one.why}" for one in islice(self.lost, NAMED))
        more = "; ..." if len(self.lost) > NAMED else ""
        hosts = ", ".join(urlsplit(pattern).hostname or "?" for pattern in self._order.patterns)
        whole = len(self._order.names)
        gave_up = f", and {GIVE_UP} in a row failed" if self._in_a_row >= GIVE_UP else ""
        what = f"{len(self.lost)} of {whole:,} files could not be fetched from {hosts}{gave_up}: {names}{more}"
        kinds = {one.kind for one in self.lost}
        cause = "check the network and the proxy (HTTPS_PROXY)" if "network" in kinds else "the server may have changed"
        return FetchError(what, f"{cause}; {self._done:,} are kept, and the same command downloads only the others")

    def _next(self) -> str | None:
        with self._lock:
            return None if self._stop.is_set() else next(self._names, None)

    def _settle(self, name: str, session: requests.Session) -> None:
        target = self._folder / name
        size = self._kept(target)
        if size is None:
            came = self._from_anywhere(name, session)
            if came is None:
                return
            if isinstance(came, Lost):
                self._count_lost(came)
                return
            _write(target, came)
            size = len(came)
            with self._lock:
                self._in_a_row = 0
        with self._lock:
            self._done += 1
            self.bytes += size
            self._progress(self._done, self.bytes)

    def _kept(self, target: Path) -> int | None:
        """Return the bytes of an existing valid file; remove an invalid one."""
        try:
            data = target.read_bytes()
        except FileNotFoundError:
            return None
        if not self._order.check(target.name, data):
            return len(data)
        target.unlink()
        return None

    def _count_lost(self, one: Lost) -> None:
        with self._lock:
            self.lost.append(one)
            self._in_a_row += 1
            self._tell(one)
            if self._in_a_row >= GIVE_UP:
                self._stop.set()

    def _from_anywhere(self, name: str, session: requests.Session) -> bytes | Lost | None:
        """Try the servers in order; None if all must stop."""
        failed: Lost | None = None
        for pattern in self._order.patterns:
            came = self._from_server(name, pattern.replace("{name}", name), session)
            if not isinstance(came, Lost):
                return came
            failed = failed or came
        return failed

    def _from_server(self, name: str, url: str, session: requests.Session) -> bytes | Lost | None:
        last: Dropped | None = None
        for pause in (0.0, *PAUSES):
            if self._stop.wait(max(pause, last.pause if last else 0.0)):
                return None
            try:
                return self._transfer(name, url, session)
            except Refused as refused:
                return Lost(name, refused.kind, refused.why)
            except Dropped as dropped:
                last = dropped
        assert last is not None
        return Lost(name, last.kind, last.why)

    def _transfer(self, name: str, url: str, session: requests.Session) -> bytes:
        """Return the complete, verified content. Raises Dropped or Refused."""
        with answer(session, url, {}, TIMEOUT) as response:
            if response.status_code != requests.codes.ok:
                raise refusal(response)
            data = b"".join(_limited(chunks(response)))
            length, etag = response.headers.get("Content-Length", ""), response.headers.get("ETag", "")
        if length.isdigit() and len(data) != int(length):
            raise Dropped(f"{len(data)} of {length} bytes came")
        promised = _MD5.fullmatch(etag)
        found = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if promised and promised[1] != found:
            raise Dropped(f"wrong MD5: the server says {promised[1]}, found {found}", kind="content")
        complaint = self._order.check(name, data)
        if complaint and promised:
            raise Refused("content", complaint)
        if complaint:
            raise Dropped(complaint, kind="content")
        return data


def _limited(body: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in body:
        size += len(chunk)
        if size > LARGEST:
            raise Refused("content", f"larger than {LARGEST >> 20} MiB")
        yield chunk


def _write(target: Path, data: bytes) -> None:
    """Write a file atomically."""
    unfinished = target.with_name(f"{target.name}.part")
    unfinished.write_bytes(data)
    unfinished.replace(target)
