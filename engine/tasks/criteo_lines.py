"""Reads the lines of Criteo's days: a label, 13 counts and 26 hashes between tabs, missing ones empty.

A piece of a file is read as a whole: the separators are found, and of the eight bytes before each one, two digits at a
time are looked up in a table. Nothing is guessed: a line that is not of the form is named.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from engine.errors import DataError
from engine.store.files import open_plain
from engine.tasks.criteo_files import BINARY_COLUMNS, DENSE
from engine.tasks.listing import readable
from engine.text import clean

Array = np.ndarray[Any, np.dtype[Any]]

PIECE = 1 << 17
"""Bytes of lines that are read at once: what is made of them, 20 times as much, fits a core's cache."""
NUMBERS = 1 + DENSE
"""Columns that are decimal numbers."""

_END = ord("\n")
_WIDTH = 8
"""Bytes of a word: the most digits of a hash."""
_LARGEST = 2**31 - 1
_GZIP, _GZIP_BITS = b"\x1f\x8b", 31
_FORM = (
    f"a line has {BINARY_COLUMNS} columns between tabs: label, {DENSE} whole numbers, "
    f"hashes of up to {_WIDTH} hex digits"
)
_AGAIN = "fetch or copy the file again"


class Rows(NamedTuple):
    """Some lines, missing values 0."""

    numbers: Array
    """Label and counts: int32 [n, 14]."""
    hashes: Array
    """uint32 [n, 26]."""


def rows(path: Path, read: Callable[[int], None]) -> Iterator[Rows]:
    """Yield the rows of a day, a plain file or gzip, about a thousand at a time.

    `read` is called with the place in the file, in bytes. Raises DataError, with file and line, for
    what is not of the form, also where the file ends within a line.
    """
    # Freed once, an array of this size has the C library keep what is freed from then on: it would be given back to the
    # system after each piece, and its pages be cleared again for the next one.
    np.empty(30 << 20, np.uint8)
    rest, line = b"", 1
    try:
        for chunk in _chunks(path, read):
            lines, end, begun = chunk.rpartition(b"\n")
            if not end:
                rest += begun
            else:
                found = parse(rest + lines + end, path, line)
                yield found
                line += len(found.numbers)
                rest = begun
            if len(rest) > PIECE:
                _refuse(path, line, f"the line does not end within {PIECE:,} bytes", _FORM)
    except (zlib.error, EOFError) as error:
        _refuse(path, line, f"from about this line on it can't be unpacked: {error}", _AGAIN)
    if rest:
        _refuse(path, line, f"the file ends within the line '{_shown(rest)}'", _AGAIN)


def _chunks(path: Path, read: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the contents of a file, unpacked if it is gzip. Raises zlib.error, and EOFError where that is cut off."""
    with readable(path), open_plain(path) as file:
        chunks = iter(lambda: file.read(PIECE), b"")
        for chunk in _unpacked(chunks) if file.peek(len(_GZIP)).startswith(_GZIP) else chunks:
            yield chunk
            read(file.tell())


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack gzip, any number of members, one after another."""
    inflate = zlib.decompressobj(wbits=_GZIP_BITS)
    for packed in chunks:
        left = packed
        while left:
            if inflate.eof:
                inflate = zlib.decompressobj(wbits=_GZIP_BITS)
            yield inflate.decompress(left, PIECE)
            left = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
    if not inflate.eof:
        raise EOFError("it is cut off")


def parse(piece: bytes, path: Path, line: int) -> Rows:
    """Return the rows of whole lines, the first of which is number `line`. Raises DataError, which names the field."""
    text = np.frombuffer(bytes(_WIDTH) + piece, np.uint8)
    ends = np.flatnonzero(text <= _END)[_WIDTH:]  # those before the piece are zeros
    shape = len(ends) // BINARY_COLUMNS, BINARY_COLUMNS
    if len(ends) % BINARY_COLUMNS or (text.take(ends).reshape(shape) != _SEPARATORS).any():
        _refuse_columns(piece, path, line)
    lengths = np.diff(ends, prepend=_WIDTH - 1)
    lengths -= 1
    every = np.ndarray((len(piece) + 1,), "<u8", text, strides=(1,))  # the word that begins at each byte
    words, lengths = every[ends - _WIDTH].reshape(shape), lengths.reshape(shape)
    hashes, odd = _hexadecimal(words[:, NUMBERS:], lengths[:, NUMBERS:])
    starts = ends.reshape(shape)[:, :NUMBERS] - lengths[:, :NUMBERS]
    negative = (text.take(starts) == ord("-")) & (lengths[:, :NUMBERS] > 1)
    numbers, wrong = _decimal(words[:, :NUMBERS], lengths[:, :NUMBERS] - negative)
    numbers *= 1 - 2 * negative

    def field(row: int, column: int) -> bytes:
        end = int(ends[row * BINARY_COLUMNS + column]) - _WIDTH
        return piece[end - int(lengths[row, column]) : end]

    if wrong.any():  # among them are those of more than eight digits
        for row, column in zip(*np.nonzero(wrong), strict=True):
            value = field(row, column)
            if re.fullmatch(rb"-?[0-9]+", value) and -_LARGEST - 1 <= int(value) <= _LARGEST:
                numbers[row, column], wrong[row, column] = int(value), False
    wrong[:, 0] |= numbers[:, 0] >> 1 != 0
    if wrong.any() or odd.any():
        row, column = (int(one) for one in np.argwhere(np.hstack([wrong, odd]))[0])
        kind = f"a whole number up to {_LARGEST}" if column < NUMBERS else "a hash of 8 hex digits"
        found = f"column {column + 1} is '{_shown(field(row, column))}', not {kind if column else '0 or 1'}"
        _refuse(path, line + row, found, _FORM)
    return Rows(numbers, hashes)


def _table(digits: str) -> Array:
    """Return the value of each pair of characters, by their two bytes as a number; _NONE where they are no digits."""
    found = np.full(1 << 16, _NONE, np.uint16)
    base = int(digits[-1], 36) + 1
    for one, other in product(digits + digits.upper(), repeat=2):
        found[ord(one) | ord(other) << 8] = int(one + other, base)
    return found


_NONE = 1 << 8
_DECIMAL, _HEXADECIMAL = _table("0123456789"), _table("0123456789abcdef")
_SEPARATORS = np.array([ord("\t")] * (BINARY_COLUMNS - 1) + [_END], np.uint8)
_OWN = ~np.array([(1 << 8 * (_WIDTH - length)) - 1 for length in range(_WIDTH + 1)], np.uint64)
"""By its length, the bytes of a word that are the field's own: the last ones."""
_ZEROS = ~_OWN & np.frombuffer(b"0" * _WIDTH, "<u8")
"""By its length, what stands before them."""


def _pairs(words: Array, lengths: Array, table: Array) -> tuple[Array, Array]:
    """Return the values of the four pairs of digits of each field, and where a field is no number of 8 digits."""
    own = _OWN.take(lengths, mode="clip")
    own &= words
    own |= _ZEROS.take(lengths, mode="clip")
    pairs = table.take(own[..., None].view("<u2"))
    wrong = lengths > _WIDTH
    if (pairs == _NONE).any():  # seldom, and slow
        wrong |= (pairs == _NONE).any(-1)
    return pairs, wrong


def _decimal(words: Array, lengths: Array) -> tuple[Array, Array]:
    """Return the numbers in fields of decimal digits, int32, and where they are not."""
    pairs, wrong = _pairs(words, lengths, _DECIMAL)
    numbers = pairs[..., 0].astype(np.int32)
    for place in range(1, _WIDTH // 2):
        numbers *= 100
        numbers += pairs[..., place]
    return numbers, wrong


def _hexadecimal(words: Array, lengths: Array) -> tuple[Array, Array]:
    """Return the numbers in fields of hexadecimal digits, uint32, and where they are not."""
    pairs, wrong = _pairs(words, lengths, _HEXADECIMAL)
    return pairs.astype(np.uint8).view(">u4")[..., 0].astype(np.uint32), wrong


def _refuse_columns(piece: bytes, path: Path, line: int) -> NoReturn:
    """Name the first line whose separators are others."""
    for row, text in enumerate(piece.split(b"\n")):
        columns = text.count(b"\t") + 1
        if columns != BINARY_COLUMNS:
            _refuse(path, line + row, f"{columns} column{'s' * (columns > 1)}, not {BINARY_COLUMNS}", _FORM)
        if min(text) < ord("\t"):
            _refuse(path, line + row, f"it has the byte {min(text)}", _FORM)
    raise AssertionError(f"{path}:{line}")


def _refuse(path: Path, line: int, what: str, remedy: str) -> NoReturn:
    raise DataError(f"{clean(str(path))}:{line}: {what}", remedy)


def _shown(field: bytes) -> str:
    text = field[:40].decode("utf-8", "replace")
    return clean(text if len(field) <= 40 else f"{text}...")
