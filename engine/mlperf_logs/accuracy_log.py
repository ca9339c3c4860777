"""Stream `mlperf_log_accuracy.json`: one record per sample, with the response's raw bytes.

The log of a whole data set can take gigabytes, so it is parsed in chunks: one chunk is in memory, or one record if that
is larger. LoadGen writes one record per line; a log with all records on one line, or one record over several lines, is
also accepted. A submission's truncated copy is detected and refused: its score would be that of a few samples.
"""

import re
from binascii import unhexlify
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import msgspec

from engine.errors import DataError
from engine.mlperf import TRUNCATION_MARK
from engine.store.files import open_plain

PIECE = 1 << 18
"""Bytes read at once."""
LONGEST = 1 << 30
"""Maximum bytes of one record's text; the largest response of v2.1, a segmented volume, takes some 200 MB."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """The response to one sample."""

    seq_id: int
    """Order of issue."""
    qsl_idx: int
    """Index of the sample in the data set."""
    data: bytes
    """The raw response."""


class _Entry(msgspec.Struct, gc=False):
    seq_id: int
    qsl_idx: int
    data: str


_decode = msgspec.json.Decoder(_Entry).decode
_decode_all = msgspec.json.Decoder(list[_Entry]).decode
_JOINT = re.compile(rb"\s*([\[,])(?=\s*\{)")
"""What precedes a record: the bracket that opens the log, or a comma."""
_RUN_AGAIN = "run the accuracy mode again: a log is whole only when the run ended"
_WHOLE = "score the whole log, from the truncation's backup"


def parse(pieces: Iterable[bytes], name: str) -> Iterator[Record]:
    """Yield the records of a log given in chunks split anywhere; `name` is used in errors. Raises DataError."""
    reader = _Reader(name)
    for block in _blocks(pieces, name):
        yield from reader.read(block)
    reader.finish()


def _blocks(pieces: Iterable[bytes], name: str) -> Iterator[bytearray]:
    """Yield a log in blocks that end with a record. Raises DataError for a record that does not end."""
    held = bytearray()
    for piece in pieces:
        end = piece.rfind(b"}") + 1
        held += piece[:end] if end else piece
        if end or (len(held) >= PIECE and held.find(b"{", 0, PIECE) < 0):  # data that begins no record is not buffered
            yield held
            held = bytearray(piece[end:] if end else b"")
        elif len(held) > LONGEST:
            raise DataError(f"{name}: a record has more than {LONGEST:,} bytes", _RUN_AGAIN)
    yield held


class _Reader:
    """Parses the blocks of one log to records."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._line = 1
        """Line number of the next block's start, from 1."""
        self._after_record = False
        """Whether the next block begins after a record, on the same line."""
        self._opened = self._closed = False

    def read(self, block: bytearray) -> Iterator[Record]:
        """Yield the records of a block. Raises DataError."""
        lines = block.count(b"\n")
        ends_with_record = block.endswith(b"}")
        found = self._at_once(block)
        yield from self._line_by_line(block) if found is None else found
        self._line += lines
        self._after_record = ends_with_record

    def finish(self) -> None:
        """Raise DataError if the log is incomplete."""
        if not self._closed:
            raise DataError(f"{self._name}: the accuracy log ends early, its closing bracket is missing", _RUN_AGAIN)

    def _at_once(self, block: bytearray) -> list[Record] | None:
        """Return the records of a well-formed block; None if it has to be parsed line by line.

        The block is made a JSON array in place: the text of a record can be larger than everything else in memory.
        """
        joint = _JOINT.match(block)
        if joint is None or self._closed or (joint[1] == b"[") is self._opened:
            return None
        at = joint.start(1)
        sign, block[at] = block[at], ord("[")
        block += b"]"
        try:
            found = [Record(one.seq_id, one.qsl_idx, unhexlify(one.data)) for one in _decode_all(block)]
        except (ValueError, RecursionError):
            block.pop()
            block[at] = sign
            return None
        self._opened = True
        return found

    def _line_by_line(self, block: bytearray) -> Iterator[Record]:
        """Yield the records of a possibly malformed block. Raises DataError naming the line."""
        for number, line in enumerate(block.split(b"\n"), start=self._line):
            text = line.strip()
            if self._after_record:
                text = text.lstrip(b",").lstrip()
                self._after_record = False
            if text.startswith(b"{") and self._opened and not self._closed:
                yield self._record(text, number)
            elif text == b"[" and not self._opened:
                self._opened = True
            elif text == b"]" and self._opened:
                self._closed = True
            elif text == b"...":
                raise DataError(f"{self._name}:{number}: this accuracy log is truncated", _WHOLE)
            elif text:
                raise DataError(f"{self._name}:{number}: not a record of an accuracy log", _RUN_AGAIN)

    def _record(self, text: bytearray, number: int) -> Record:
        try:
            one = _decode(text.rstrip(b","))
            return Record(one.seq_id, one.qsl_idx, unhexlify(one.data))
        except (ValueError, RecursionError) as error:
            mark = "a line that is cut off or damaged"
            raise DataError(f"{self._name}:{number}: {mark} ({error})", _RUN_AGAIN) from error


def records(path: Path) -> Iterator[Record]:
    """Stream the records of an accuracy log. Raises DataError: unreadable, damaged, incomplete or truncated."""
    with _readable(path), open_plain(path) as file:
        start = file.read(PIECE)
        if TRUNCATION_MARK in start:
            raise DataError(f"{path}: this accuracy log is truncated", _WHOLE)
        yield from parse(chain([start], _pieces(file)), str(path))


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def write_log(path: Path, found: Iterable[Record]) -> None:
    """Write an accuracy log of these records, in LoadGen's format."""
    with path.open("w", encoding="ascii") as file:
        file.write("[")
        for number, one in enumerate(found):
            data = one.data.hex().upper()
            file.write(",\n" if number else "\n")
            file.write(f'{{ "seq_id" : {one.seq_id}, "qsl_idx" : {one.qsl_idx}, "data" : "{data}" }}')
        file.write("\n]\n")


def is_truncated(path: Path) -> bool:
    """Return whether this is the truncated copy of a submission. Raises DataError."""
    with _readable(path), open_plain(path) as file:
        return TRUNCATION_MARK in file.read(PIECE)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path}: the accuracy log cannot be read ({error.strerror})", "give the folder of a finished accuracy run"
        ) from error
