"""Streams `mlperf_log_accuracy.json`: one record per sample, the response as the bytes the model gave.

The log of a whole data set can take gigabytes, so records are read line by line as LoadGen writes them. A submission
carries a truncated copy, which is recognised and refused: a score from it would be a score of a few samples.
"""

from binascii import unhexlify
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from engine.errors import DataError
from engine.store.files import open_plain

TRUNCATION_MARK = b"\n\n...\n\n"
"""What the rules' truncation tool puts between the first and the last 4096 bytes (v2.1)."""
TRUNCATED_LIMIT = 10_240
"""Bytes: the largest file that counts as truncated in v2.1."""


class Record(msgspec.Struct, frozen=True):
    """The response to one sample."""

    seq_id: int
    """Order of issue."""
    qsl_idx: int
    """Index of the sample in the data set."""
    data: bytes
    """The raw response."""


class _Line(msgspec.Struct):
    seq_id: int
    qsl_idx: int
    data: str


_decode = msgspec.json.Decoder(_Line).decode
_RUN_AGAIN = "run the accuracy mode again: a log is whole only when the run ended"


def parse(lines: Iterable[bytes], name: str) -> Iterator[Record]:
    """Yield the records of a log whose lines are given; `name` stands in the errors. Raises DataError."""
    closed = opened = False
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text.startswith(b"{") and opened and not closed:
            yield _record(text, name, number)
        elif text == b"[" and not opened:
            opened = True
        elif text == b"]" and opened:
            closed = True
        elif text == b"...":
            raise DataError(
                f"{name}:{number}: this accuracy log is truncated", "score the whole log, from the truncation's backup"
            )
        elif text:
            raise DataError(f"{name}:{number}: not a record of an accuracy log", _RUN_AGAIN)
    if not closed:
        raise DataError(f"{name}: the accuracy log ends early, its closing bracket is missing", _RUN_AGAIN)


def _record(text: bytes, name: str, number: int) -> Record:
    try:
        line = _decode(text.rstrip(b","))
        return Record(line.seq_id, line.qsl_idx, unhexlify(line.data))
    except ValueError as error:
        mark = "a line that is cut off or damaged"
        raise DataError(f"{name}:{number}: {mark} ({error})", _RUN_AGAIN) from error


def records(path: Path) -> Iterator[Record]:
    """Stream the records of an accuracy log. Raises DataError: unreadable, damaged, unfinished or truncated."""
    if is_truncated(path):
        raise DataError(f"{path}: this accuracy log is truncated", "score the whole log, from the truncation's backup")
    with _readable(path), open_plain(path) as file:
        yield from parse(file, str(path))


def write(path: Path, found: Iterable[Record]) -> None:
    """Write an accuracy log of these records, in LoadGen's form."""
    with path.open("w", encoding="ascii") as file:
        file.write("[")
        for number, one in enumerate(found):
            data = one.data.hex().upper()
            file.write(",\n" if number else "\n")
            file.write(f'{{ "seq_id" : {one.seq_id}, "qsl_idx" : {one.qsl_idx}, "data" : "{data}" }}')
        file.write("\n]\n")


def is_truncated(path: Path) -> bool:
    """Say whether this is the shortened copy that goes into a submission. Raises DataError."""
    with _readable(path), open_plain(path) as file:
        start = file.read(TRUNCATED_LIMIT + 1)
    return len(start) <= TRUNCATED_LIMIT and TRUNCATION_MARK in start


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path}: the accuracy log cannot be read ({error.strerror})", "give the folder of a finished accuracy run"
        ) from error
