"""Read the constants of a frozen TensorFlow graph without TensorFlow: half a gigabyte less to fetch for a file of 1 MB.

A frozen graph is a protobuf message, GraphDef: each node (field 1) has a name (1), an operator (2), and attributes (5),
of which a constant's `value` is a tensor. Numbers of fields are those of TensorFlow's graph.proto, node_def.proto,
attr_value.proto and tensor.proto. Only float32 constants are read.
"""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

FLOAT = 1
"""DT_FLOAT."""

_NODE = 1
_NAME, _OPERATOR, _ATTRIBUTE = 1, 2, 5
_KEY, _VALUE = 1, 2
_TENSOR = 8
_DTYPE, _SHAPE, _CONTENT, _FLOATS = 1, 2, 4, 5
_DIMENSION, _SIZE = 2, 1

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
"""Wire types of protobuf."""
_SIGNED = 1 << 63


def read(data: bytes) -> dict[str, Array]:
    """Return the float32 constants of a graph by the names of their nodes. Raises ValueError if it is none."""
    found: dict[str, Array] = {}
    for node in _all(data, _NODE):
        if _text(node, _OPERATOR) != "Const":
            continue
        value = next((_last(one, _VALUE) for one in _all(node, _ATTRIBUTE) if _text(one, _KEY) == "value"), b"")
        tensor = _last(value, _TENSOR)
        if _number(tensor, _DTYPE) == FLOAT:
            name = _text(node, _NAME)
            found[name] = _floats(tensor, name)
    return found


def _floats(tensor: bytes, name: str) -> Array:
    """Return a tensor, float32; one value may stand for all."""
    shape = [_number(one, _SIZE) for one in _all(_last(tensor, _SHAPE), _DIMENSION)]
    content = _last(tensor, _CONTENT) or b"".join(_all(tensor, _FLOATS))
    if len(content) % 4 or any(size < 0 or size >= _SIGNED for size in shape):
        raise ValueError(f"the constant {name[:80]} is no float32 tensor")
    values = np.frombuffer(content, "<f4")
    if values.size == 1 and prod(shape) <= len(tensor):  # many of one value would be more than the file holds
        return np.full(shape, values[0])
    if values.size != prod(shape):
        raise ValueError(f"the constant {name[:80]} has {values.size} values, not {prod(shape)}")
    return values.reshape(shape)


def _text(message: bytes, field: int) -> str:
    return _last(message, field).decode("utf-8", "replace")


def _number(message: bytes, field: int) -> int:
    return next((value for one, value in _fields(message) if one == field and isinstance(value, int)), 0)


def _last(message: bytes, field: int) -> bytes:
    """Return the last of a message's fields of this number, which counts; empty if there is none."""
    return (_all(message, field) or [b""])[-1]


def _all(message: bytes, field: int) -> list[bytes]:
    return [value for one, value in _fields(message) if one == field and isinstance(value, bytes)]


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield numbers and values of the fields of a message. Raises ValueError where it is none."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            number, place = _varint(message, place)
            yield key >> 3, number
            continue
        if kind == _BYTES:
            size, place = _varint(message, place)
        elif kind in (_FOUR, _EIGHT):
            size = 4 if kind == _FOUR else 8
        else:
            raise ValueError("it is no protobuf message")
        if place + size > len(message):
            raise ValueError("it is cut short, or no protobuf message")
        yield key >> 3, message[place : place + size]
        place += size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """Return a number in seven bits a byte, the lowest first, and where it ends."""
    number = shift = 0
    while place < len(message) and shift < 64:
        byte = message[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
    raise ValueError("it is cut short, or no protobuf message")
