"""Writes a small TFLite network, field by field, without TensorFlow."""

from __future__ import annotations

import struct
from collections.abc import Mapping

Table = Mapping[int, "int | bytes | tuple[int, ...] | Table | list[Table]"]
"""By slot: a number of four bytes, the bytes or the numbers of a vector, a table, or a vector of tables."""


def network() -> bytes:
    """Return a network that doubles its picture, and has a constant, as engine.formats.tflite_file reads it."""
    shape, constant = (1, 4, 4, 3), struct.pack("<48f", *range(48))
    tensors: list[Table] = [
        {0: shape, 1: 0, 2: 0, 3: b"input"},
        {0: shape, 1: 0, 2: 1, 3: b"constant"},
        {0: shape, 1: 0, 2: 0, 3: b"sum"},
    ]
    add: Table = {0: 0, 1: (0, 0), 2: (2,), 4: {0: 0}}
    graph: Table = {0: tensors, 1: (0,), 2: (2,), 3: [add]}
    data = bytearray(b"\0\0\0\0TFL3")
    place = _table(data, {0: 3, 1: [{0: 0, 3: 0}], 2: [graph], 4: [{}, {0: constant}]})
    struct.pack_into("<I", data, 0, place)
    return bytes(data)


def _table(data: bytearray, fields: Table) -> int:
    """Append a table and what it refers to; returns its place."""
    slots = max(fields, default=-1) + 1
    places = {slot: 4 + 4 * number for number, slot in enumerate(fields)}
    vtable = len(data)
    data += struct.pack("<HH", 4 + 2 * slots, 4 + 4 * len(fields))
    data += struct.pack(f"<{slots}H", *(places.get(slot, 0) for slot in range(slots)))
    data += b"\0" * (-len(data) % 4)
    table = len(data)
    data += struct.pack("<i", table - vtable) + b"\0" * (4 * len(fields))
    for slot, value in fields.items():
        place = table + places[slot]
        number = value if isinstance(value, int) else _referred(data, value) - place
        struct.pack_into("<i", data, place, number)
    return table


def _referred(data: bytearray, value: bytes | tuple[int, ...] | Table | list[Table]) -> int:
    """Append a table or a vector; returns its place."""
    if isinstance(value, Mapping):
        return _table(data, value)
    data += b"\0" * (-len(data) % 4)
    vector = len(data)
    data += struct.pack("<I", len(value))
    if isinstance(value, bytes):
        data += value
    elif isinstance(value, tuple):
        data += struct.pack(f"<{len(value)}i", *value)
    else:
        data += b"\0" * (4 * len(value))
        for number, one in enumerate(value):
            place = vector + 4 + 4 * number
            struct.pack_into("<I", data, place, _table(data, one) - place)
    return vector
