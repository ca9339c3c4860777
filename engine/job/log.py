"""The event log of a job: one writer appends JSON lines, any number of readers follow at their own rate."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine.events import AnyEvent, Done, Launch, Phase, StepEnded, decode, encode
from engine.store.files import disk_errors

_LASTING = (Launch, Phase, StepEnded, Done)
"""Events after which the log is flushed to the disk."""

_TICK = b'{"event":"tick"'
"""How the line of a Tick begins."""


class EventWriter:
    """Appends events; safe to use from several threads of the one process that holds the job's lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with disk_errors(path):
            self._file = path.open("ab", buffering=0)
            if self._file.tell() and not _ends_with_newline(path):
                self._file.write(b"\n")

    def write(self, event: AnyEvent) -> None:
        """Append one event as a whole line."""
        with self._lock, disk_errors(self._path):
            self._file.write(encode(event))
            if isinstance(event, _LASTING) and not _is_instant(event):
                os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class EventReader:
    """Reads what was appended since the last call. A torn last line is left until its newline comes."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def read(self, *, ticks: bool = True, limit: int = -1) -> list[AnyEvent]:
        """Return the new events; lines that are no events (the tail of a killed writer) are skipped.

        Without `ticks` the running measurements are left out, which are nearly all of a long log. At most `limit` bytes
        are read, which must be longer than any line.
        """
        try:
            with self.path.open("rb") as handle:
                handle.seek(self.offset)
                data = handle.read(limit)
        except FileNotFoundError:
            return []
        whole, newline, _ = data.rpartition(b"\n")
        if not newline:
            return []
        self.offset += len(whole) + 1
        return list(_events(whole, ticks=ticks))


def _events(data: bytes, *, ticks: bool) -> Iterator[AnyEvent]:
    for line in data.split(b"\n"):
        if not line or (not ticks and line.startswith(_TICK)):
            continue
        try:
            yield decode(line)
        except msgspec.DecodeError:
            continue


def _is_instant(event: AnyEvent) -> bool:
    """A step that was there already changed nothing, so losing its line in a power cut loses nothing."""
    return isinstance(event, StepEnded) and event.outcome in ("cached", "found")


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as handle:
        handle.seek(-1, os.SEEK_END)
        return handle.read(1) == b"\n"
