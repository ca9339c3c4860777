"""Parse `mlperf_log_detail.txt`: every message of a LoadGen run, with exact 64-bit integers such as seeds.

Verdicts depend on this file, so an unreadable line becomes data with its line number instead of an exception: the
caller decides what a damaged line means.
"""

import json
import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import DataError
from engine.store.files import read_plain

MARKER = b":::MLLOG"


class Metadata(msgspec.Struct, frozen=True):
    """Source location and severity of a message in LoadGen."""

    is_error: bool = False
    is_warning: bool = False
    file: str = ""
    line_no: int = 0
    pid: int = 0
    tid: int = 0


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON object of one line."""

    key: str
    value: Any
    """A string, number, bool, list or object. Integers are exact, up to 2^64 and beyond."""
    time_ms: float = 0.0
    namespace: str = ""
    event_type: str = ""
    metadata: Metadata = Metadata()


class Message(Body, frozen=True, kw_only=True):
    """A message with its line number."""

    line: int
    """Counted from 1."""


class Malformed(msgspec.Struct, frozen=True):
    """A line with the marker that is not a message."""

    line: int
    text: str
    """The beginning of the line, at most 200 characters, bytes that are not UTF-8 replaced."""
    why: str


@dataclass(frozen=True)
class Detail:
    """A whole detail log."""

    messages: tuple[Message, ...]
    malformed: tuple[Malformed, ...] = ()
    other_lines: int = 0
    """Lines without the marker; no published log has one."""

    @cached_property
    def _firsts(self) -> dict[str, Message]:
        firsts: dict[str, Message] = {}
        for message in self.messages:
            firsts.setdefault(message.key, message)
        return firsts

    def first(self, key: str) -> Message | None:
        """Return the first message of this key, which is the one that counts."""
        return self._firsts.get(key)

    def value(self, key: str, default: Any = None) -> Any:
        """Return the value of the first message of this key."""
        message = self._firsts.get(key)
        return default if message is None else message.value

    def values(self, key: str) -> list[Any]:
        """Return the values of all messages of this key, in the order of the log."""
        return [message.value for message in self.messages if message.key == key]

    @property
    def errors(self) -> tuple[Message, ...]:
        """The messages that LoadGen marked as errors."""
        return tuple(message for message in self.messages if message.metadata.is_error)

    @property
    def warnings(self) -> tuple[Message, ...]:
        """The messages that LoadGen marked as warnings."""
        return tuple(message for message in self.messages if message.metadata.is_warning)


_decode = msgspec.json.Decoder(Body).decode
_LARGEST = int(sys.float_info.max)
_DIGITS = 4000
"""Maximum length of an integer that is parsed exactly; Python refuses 4,300 digits."""


def _body(payload: bytes) -> Body:
    """Decode one JSON object. Raises ValueError (msgspec's errors are) for anything else."""
    try:
        body = _decode(payload)
    except msgspec.DecodeError:
        # LoadGen prints bare Infinity and NaN, which are not JSON but which the standard library accepts.
        body = msgspec.convert(loads(payload), Body)
    value = in_range(body.value)
    return body if value is body.value else msgspec.structs.replace(body, value=value)


def loads(data: bytes) -> Any:
    """Parse JSON as the standard library does, including Infinity and NaN; a number out of range is infinity."""
    return json.loads(data, parse_int=lambda digits: int(digits) if len(digits) <= _DIGITS else float(digits))


def in_range(value: Any) -> Any:
    """Return a value, or infinity for an integer too large for a float: no measurement is as large."""
    if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
        return math.inf if value > 0 else -math.inf
    return value


def messages(lines: Iterable[bytes]) -> Iterator[Message | Malformed]:
    """Yield the message of each line with the marker; lines without it yield nothing."""
    for number, line in enumerate(lines, start=1):
        if not line.startswith(MARKER):
            continue
        try:
            body = _body(line[len(MARKER) :])
        except (ValueError, RecursionError) as error:
            text = line[:200].decode("utf-8", "replace").rstrip("\r\n")
            yield Malformed(number, text, str(error))
            continue
        yield Message(
            key=body.key,
            value=body.value,
            time_ms=body.time_ms,
            namespace=body.namespace,
            event_type=body.event_type,
            metadata=body.metadata,
            line=number,
        )


def parse(data: bytes) -> Detail:
    """Parse a detail log in memory."""
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    found = list(messages(lines))
    return Detail(
        tuple(entry for entry in found if isinstance(entry, Message)),
        tuple(entry for entry in found if isinstance(entry, Malformed)),
        len(lines) - len(found),
    )


def read(path: Path) -> Detail:
    """Read a detail log. Raises DataError if the file cannot be read."""
    try:
        return parse(read_plain(path))
    except OSError as error:
        raise DataError(
            f"{path}: the detail log cannot be read ({error.strerror})", "give the folder of a finished LoadGen run"
        ) from error
