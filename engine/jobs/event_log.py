"""The event log of a job: one writer appends JSON lines, any number of readers follow independently."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, get_args

import msgspec

from engine.events import AnyEvent, Done, Launch, Phase, StepEnded, Tick, Warned, decode, encode
from engine.store.files import disk_errors, open_plain
from engine.text import size

_LASTING = (Launch, Phase, StepEnded, Done)
"""Events after which the log is synced to disk."""

Kinds = tuple[type[AnyEvent], ...]

SELDOM: Kinds = tuple(kind for kind in get_args(AnyEvent) if kind is not Tick)
"""All kinds but ticks, which are nearly all of a long log."""

PIECE = 1 << 20
"""Bytes per read; no event is longer."""


class EventWriter:
    """Appends events; thread-safe within the one process that holds the job's lock."""

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
    """Reads what was appended since the last call, in pieces, so that memory stays bounded for any log.

    A torn last line is left until its newline arrives. A line longer than `piece` bytes is skipped, with a Warned event
    in its place.
    """

    def __init__(self, path: Path, offset: int = 0, *, piece: int = PIECE) -> None:
        self.path = path
        self.offset = offset
        self._piece = piece
        self._in_long_line = False
        self._at = 0.0

    def read(self, *, ticks: bool = True) -> list[AnyEvent]:
        """Return all new events at once; without `ticks`, those that are not ticks."""
        return [event for piece in self.pieces(None if ticks else SELDOM) for event in piece]

    def pieces(self, kinds: Kinds | None = None, *, until: int | None = None) -> Iterator[list[AnyEvent]]:
        """Yield the new events in batches, which may be empty; invalid lines are skipped.

        Only events of these `kinds` are decoded, which makes a long log quick to read. Nothing beyond the byte `until`
        is read. Raises StoreError where the log can't be read.
        """
        with disk_errors(self.path):
            try:
                file = open_plain(self.path)
            except FileNotFoundError:
                return
            with file:
                while (lines := self._lines(file, until)) is not None:
                    yield list(self._events(lines, _starts(kinds)))

    def _lines(self, file: BinaryIO, until: int | None) -> list[bytes] | None:
        """Return the next whole lines; None where there are none yet."""
        wanted = self._piece if until is None else max(min(self._piece, until - self.offset), 0)
        file.seek(self.offset)
        data = file.read(wanted)
        whole, newline, _ = data.rpartition(b"\n")
        if not newline:
            if len(data) < self._piece:
                return None
            self._in_long_line = True
            self.offset += len(data)
            return []
        self.offset += len(whole) + 1
        lines = whole.split(b"\n")
        if self._in_long_line:
            lines[0] = self._left_out()
            self._in_long_line = False
        return lines

    def _left_out(self) -> bytes:
        text = f"a line longer than {size(self._piece)} was skipped: it is not an event of a job"
        return encode(Warned(at=self._at, step=self.path.name, text=text))

    def _events(self, lines: list[bytes], starts: tuple[bytes, ...]) -> Iterator[AnyEvent]:
        for line in lines:
            if not line.startswith(starts):
                continue
            try:
                event = decode(line)
            except msgspec.DecodeError:
                continue
            self._at = event.at
            yield event


def _starts(kinds: Kinds | None) -> tuple[bytes, ...]:
    """Return the prefixes of the lines of these kinds of event."""
    return (b"{",) if kinds is None else tuple(f'{{"event":"{kind.__struct_config__.tag}"'.encode() for kind in kinds)


def _is_instant(event: AnyEvent) -> bool:
    """Return whether an event is about a step that needed no work: losing its line in a power failure loses nothing."""
    return isinstance(event, StepEnded) and event.outcome in ("cached", "found")


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as handle:
        handle.seek(-1, os.SEEK_END)
        return handle.read(1) == b"\n"
