"""Find the external data files of an ONNX model from the protobuf wire format alone.

A plan needs them on every key press: neither the onnx package nor the weights, which may be gigabytes, are loaded. Only
the parts of a model that can lead to a tensor are parsed; everything else is skipped by its length.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from engine.errors import DataError
from engine.store.files import digest, open_plain, sha256_of
from engine.text import clean

_MODEL, _GRAPH, _NODE, _ATTRIBUTE, _SPARSE, _TENSOR, _FUNCTION = range(7)
_EXTERNAL_DATA = 13
"""Field of TensorProto: entries of a key and a value."""
_INSIDE = {
    _MODEL: {7: _GRAPH, 25: _FUNCTION},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _FUNCTION: {7: _NODE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
    _TENSOR: {},
}
"""Messages by the fields of onnx.proto that lead to a tensor."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEPTH = 100
"""Nesting limit of graphs in attributes, as in protobuf itself."""
_ANOTHER = "give a whole model: export it again, or copy all of its files"

Buffer = bytes | mmap.mmap


@dataclass(frozen=True)
class External:
    """An external data file."""

    name: str
    """Relative to the model's folder."""
    size: int
    """Least size in bytes."""


def external(path: Path) -> list[External]:
    """Return a model's external data files, sorted by name; none if all tensors are in the model itself.

    Of a damaged file those before the damage are returned: whoever loads the model refuses it. Raises DataError if the
    file can't be opened, or the model names a file outside its folder.
    """
    found: list[dict[str, str]] = []
    try:
        with open_plain(path) as file:
            if os.fstat(file.fileno()).st_size:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data, suppress(ValueError):
                    found.extend(_tensors(data, 0, len(data), _MODEL, _DEPTH))
    except OSError as error:
        where = clean(str(path))
        raise DataError(f"{where} cannot be read: {error.strerror}", "check its name and permissions") from None
    sizes: dict[str, int] = {}
    for entries in found:
        name = entries.get("location", "")
        plain = PurePosixPath(name)
        if plain.is_absolute() or ".." in plain.parts or not plain.parts:
            raise DataError(
                f"{clean(str(path))} keeps weights in {clean(name)!r}, which is not in its folder", _ANOTHER
            )
        sizes[str(plain)] = max(sizes.get(str(plain), 0), _number(entries, "offset") + _number(entries, "length"))
    return [External(name, size) for name, size in sorted(sizes.items())]


def files(path: Path) -> list[Path]:
    """Return all files of a model, itself first. Raises DataError if one of them is missing or truncated."""
    every = [path]
    for one in external(path):
        file = path.parent / one.name
        where = f"{clean(str(path))} keeps weights in {clean(one.name)},"
        try:
            if not file.is_file():
                raise DataError(
                    f"{where} which is not in {clean(str(path.parent))}", f"put it beside {clean(path.name)}"
                )
            size = file.stat().st_size
        except OSError as error:
            raise DataError(f"{where} which cannot be read: {error.strerror}", "check its permissions") from None
        if size < one.size:
            raise DataError(f"{where} which has {size:,} bytes where {one.size:,} are expected", _ANOTHER)
        every.append(file)
    return every


def weight_bytes(path: Path) -> int:
    """Return the approximate bytes of a model's weights: the size of all its files. 0 if it does not exist."""
    if path.is_dir():
        return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    if not path.is_file():
        return 0
    seen = path.stat()
    return _weight_bytes(path, seen.st_size, seen.st_mtime_ns)


@lru_cache(maxsize=64)
def _weight_bytes(path: Path, _size: int, _changed: int) -> int:
    """Look once for as long as the file stays as it is: a plan asks for each run, on every key press."""
    return sum(one.stat().st_size for one in (files(path) if path.suffix == ".onnx" else [path]))


def checksum(path: Path) -> str:
    """Return the SHA-256 of a model: of its one file, or over the names and checksums of all its files.

    Raises DataError if one of them is missing or truncated.
    """
    every = files(path)
    if len(every) == 1:
        return sha256_of(path)
    return digest("\n".join(f"{one.relative_to(path.parent).as_posix()} {sha256_of(one)}" for one in every))


def _number(entries: dict[str, str], name: str) -> int:
    text = entries.get(name, "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _tensors(data: Buffer, start: int, end: int, kind: int, depth: int) -> Iterator[dict[str, str]]:
    """Yield the entries of each tensor with external data in a message. Raises ValueError if it is malformed."""
    if depth < 0:
        raise ValueError("it is nested too deeply")
    entries: dict[str, str] = {}
    for field, first, last in _fields(data, start, end):
        if kind == _TENSOR and field == _EXTERNAL_DATA:
            pair = {number: _text(data[a:b]) for number, a, b in _fields(data, first, last)}
            entries[pair.get(1, "")] = pair.get(2, "")
        elif field in _INSIDE[kind]:
            yield from _tensors(data, first, last, _INSIDE[kind][field], depth - 1)
    if entries:
        yield entries


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _fields(data: Buffer, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, start and end of each length-delimited field. Raises ValueError if the message is malformed."""
    place = start
    while place < end:
        tag, place = _varint(data, place, end)
        wire = tag & 7
        if not tag >> 3:
            raise ValueError("no field has the number 0")
        if wire == _VARINT:
            _, place = _varint(data, place, end)
        elif wire in (_FIXED64, _FIXED32):
            place += 8 if wire == _FIXED64 else 4
        elif wire == _BYTES:
            length, place = _varint(data, place, end)
            if place + length > end:
                raise ValueError("it is cut off, or damaged")
            yield tag >> 3, place, place + length
            place += length
        else:
            raise ValueError("it does not hold what a model holds")
    if place > end:
        raise ValueError("it is cut off, or damaged")


def _varint(data: Buffer, place: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= end:
            raise ValueError("it is cut off, or damaged")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("it does not hold what a model holds")
