"""Fast reader of detail logs: a round has 15,000 of them, mostly lists of sample indices.

Every message is still validated: long lists without being kept, all other lines in a single decoding call; values
become objects only on request. A log with any irregularity is read again, line by line, by `engine.mlperf_logs.detail`.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from engine.mlperf_logs import detail
from engine.mlperf_logs.detail import Detail, Malformed, Message, in_range, loads

SMALL = 1 << 25
"""Bytes above which a log is not loaded into memory as a whole."""
LONGEST = 1 << 24
"""Maximum bytes of one line; the longest published one has 2 MB."""
KEPT = 4096
"""Maximum number of messages of one key, errors, and damaged lines that are kept of a broken log."""

_OPENING = b'\n:::MLLOG {"key"'
_OPENED = b'\n       {"MLLOG"'
"""As long as the opening, so that the bytes need not move; a line without the marker has no such key."""
_LIST = b'"value": ['
SHORT = 64
"""Bytes below which a list is not worth removing."""
LISTS_KEPT = 20_000
"""Maximum number of known lists; all logs of a round have some 2,000 different ones."""


class _Metadata(msgspec.Struct, gc=False):
    is_error: bool
    is_warning: bool = False


class _Entry(msgspec.Struct, gc=False):
    key: str = msgspec.field(name="MLLOG")
    value: Any


class _Line(_Entry, gc=False):
    value: msgspec.Raw
    metadata: _Metadata


_decode_lines = msgspec.json.Decoder(_Line).decode_lines
_decode = msgspec.json.Decoder().decode
_skip = msgspec.json.Decoder(msgspec.Raw).decode


class Log:
    """Messages of a detail log; of a repeated key the first one counts."""

    def __init__(self, entries: Sequence[_Entry]) -> None:
        self._entries = entries
        self._firsts = {entry.key: entry.value for entry in reversed(entries)}
        self.errors: list[str] = []
        """Values of the messages that LoadGen marked as errors."""
        self.malformed: list[Malformed] = []
        self.warnings = 0
        self.other_lines = 0
        """Number of lines without LoadGen's marker."""

    @property
    def is_empty(self) -> bool:
        """Whether no message could be read."""
        return not self._entries

    def value(self, key: str) -> Any:
        """Return the value of a key's first message; None where there is none, infinity for a number out of range."""
        return _decoded(self._firsts.get(key))

    def values(self, key: str) -> list[Any]:
        """Return the values of all messages of a key."""
        return [_decoded(entry.value) for entry in self._entries if entry.key == key]

    def detail(self, keys: Iterable[str]) -> Detail:
        """Return the first messages of these keys in the form of engine.mlperf_logs."""
        return Detail(tuple(Message(key=key, value=self.value(key), line=0) for key in keys if key in self._firsts))


def _decoded(value: Any) -> Any:
    if not isinstance(value, msgspec.Raw):
        return value
    try:
        return in_range(_decode(value))
    except msgspec.DecodeError:
        return in_range(loads(bytes(value)))


class Reader:
    """Reads logs one after another, recognising repeated lists: with equal seeds all runs draw the same samples."""

    def __init__(self) -> None:
        self._lists: set[tuple[int, int]] = set()
        """Length and checksum of validated lists."""

    def parse(self, data: bytes) -> Log:
        """Read a log that is in memory."""
        try:
            return self._fast(data)
        except (ValueError, RecursionError):
            return slow(data.split(b"\n"))

    def _fast(self, data: bytes) -> Log:
        """Read a log in which every line is a message. Raises ValueError or RecursionError where one is not."""
        short = self._without_lists(data)
        if not short.isascii():
            short.decode()
        lines = _decode_lines(short.replace(_OPENING, _OPENED))
        log = Log(lines)
        marked = [line for line in lines if line.metadata.is_error or line.metadata.is_warning]
        log.errors = [str(_decoded(line.value)) for line in marked if line.metadata.is_error]
        log.warnings = sum(line.metadata.is_warning for line in marked)
        return log

    def _without_lists(self, data: bytes) -> bytes:
        """Replace validated long lists by empty ones, and prepend a newline. Raises ValueError."""
        pieces = [b"\n"]
        done = 0
        begin = data.find(b"[")
        while begin >= 0:
            end = self._list_end(data, begin) if data.startswith(_LIST, begin - len(_LIST) + 1) else 0
            if end:
                pieces += [data[done:begin], b"[]"]
                done = end
            begin = data.find(b"[", end or begin + 1)
        pieces.append(data[done:])
        return b"".join(pieces)

    def _list_end(self, data: bytes, begin: int) -> int:
        """Return the end of a JSON list, 0 where it is too short to replace. Raises ValueError for invalid JSON."""
        end = data.find(b"]", begin) + 1
        if end - begin <= SHORT:
            return 0
        values = memoryview(data)[begin:end]
        known = (end - begin, zlib.crc32(values))
        if known not in self._lists:
            _skip(values)
            if b"\n" in data[begin:end] or not data[begin:end].isascii():
                return 0
            if len(self._lists) < LISTS_KEPT:
                self._lists.add(known)
        return end


def slow(lines: Iterable[bytes]) -> Log:
    """Read a log line by line, tolerating anything; values that are lists or objects are dropped."""
    seen: Counter[str] = Counter()
    entries: list[_Entry] = []
    errors: list[str] = []
    malformed: list[Malformed] = []
    warnings = 0
    for message in detail.messages(_counted(lines, seen)):
        if isinstance(message, Malformed):
            seen["malformed lines"] += 1
            malformed.append(message)
            del malformed[KEPT:]
            continue
        seen[message.key] += 1
        if seen[message.key] <= KEPT:
            entries.append(_Entry(message.key, None if isinstance(message.value, list | dict) else message.value))
        if message.metadata.is_error and len(errors) < KEPT:
            errors.append(str(message.value))
        warnings += message.metadata.is_warning
    log = Log(entries)
    log.errors, log.malformed, log.warnings = errors, malformed, warnings
    log.other_lines = 2 * seen[""] - seen.total()
    return log


def _counted(lines: Iterable[bytes], seen: Counter[str]) -> Iterator[bytes]:
    """Pass lines on, counting the non-empty ones under the empty key."""
    for line in lines:
        seen[""] += not line.isspace() and line != b""
        yield line
