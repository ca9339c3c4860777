"""Read TensorFlow Lite files without TensorFlow: a gigabyte less to download for a file of 10 MB.

A TFLite file is a FlatBuffer. A table begins with the signed offset back to its vtable, which gives for each field its
offset in the table, or 0 for the field's default; a vector begins with its length; offsets of other tables and vectors
are relative and forward. Slots and codes are those of TensorFlow's schema.fbs, version 3. Only the operators of a
convolutional detector are supported.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

IDENTIFIER = b"TFL3"

DTYPES: Mapping[int, np.dtype[Any]] = {0: np.dtype("float32"), 1: np.dtype("float16"), 2: np.dtype("int32")}
"""By TensorType."""


class _Field(NamedTuple):
    slot: int
    code: str
    """Its struct format."""
    default: int = 0


class _Kind(NamedTuple):
    name: str
    fields: Mapping[str, _Field]


_ACTIVATION = "activation"
_KINDS = {
    0: _Kind("Add", {_ACTIVATION: _Field(0, "b")}),
    2: _Kind("Concatenation", {"axis": _Field(0, "i"), _ACTIVATION: _Field(1, "b")}),
    3: _Kind(
        "Conv2D",
        {
            "padding": _Field(0, "b"),
            "stride_w": _Field(1, "i"),
            "stride_h": _Field(2, "i"),
            _ACTIVATION: _Field(3, "b"),
            "dilation_w": _Field(4, "i", 1),
            "dilation_h": _Field(5, "i", 1),
        },
    ),
    4: _Kind(
        "DepthwiseConv2D",
        {
            "padding": _Field(0, "b"),
            "stride_w": _Field(1, "i"),
            "stride_h": _Field(2, "i"),
            "multiplier": _Field(3, "i"),
            _ACTIVATION: _Field(4, "b"),
            "dilation_w": _Field(5, "i", 1),
            "dilation_h": _Field(6, "i", 1),
        },
    ),
    6: _Kind("Dequantize", {}),
    22: _Kind("Reshape", {}),
}
"""By BuiltinOperator: its name here and the fields of its options table."""


@dataclass(frozen=True)
class Tensor:
    """A tensor of the network."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    data: Array | None
    """The content of a constant."""


@dataclass(frozen=True)
class Operator:
    """An operator with the numbers of its tensors; -1 is an omitted optional input."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, int]


@dataclass(frozen=True)
class Network:
    """A network, with its operators in an executable order."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read(data: bytes) -> Network:
    """Read the one network of a file. Raises ValueError with the reason if it is no such file, or is damaged."""
    if data[4:8] != IDENTIFIER:
        raise ValueError("it is no TFLite file")
    try:
        return _network(_Table.root(data))
    except (struct.error, UnicodeDecodeError, OverflowError, IndexError) as error:
        raise ValueError(f"it is damaged ({error})") from error


class _Table:
    """A FlatBuffer table."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data, self._place = data, place
        vtable = place - _number(data, place, "i")
        self._slots = struct.unpack_from(f"<{_number(data, vtable, 'H') // 2 - 2}H", data, vtable + 4)

    @classmethod
    def root(cls, data: bytes) -> "_Table":
        return cls(data, _number(data, 0, "I"))

    def _where(self, slot: int) -> int | None:
        offset = self._slots[slot] if slot < len(self._slots) else 0
        return self._place + offset if offset else None

    def number(self, field: _Field) -> int:
        where = self._where(field.slot)
        return field.default if where is None else _number(self._data, where, field.code)

    def _target(self, slot: int) -> int | None:
        where = self._where(slot)
        return None if where is None else where + _number(self._data, where, "I")

    def table(self, slot: int) -> "_Table | None":
        target = self._target(slot)
        return None if target is None else _Table(self._data, target)

    def tables(self, slot: int) -> list["_Table"]:
        places = self.array(slot, np.dtype("<u4"))
        target = self._target(slot) or 0
        return [_Table(self._data, target + 4 * (number + 1) + int(away)) for number, away in enumerate(places)]

    def array(self, slot: int, dtype: np.dtype[Any]) -> Array:
        target = self._target(slot)
        if target is None:
            return np.zeros(0, dtype)
        return np.frombuffer(self._data, dtype, _number(self._data, target, "I"), target + 4)

    def numbers(self, slot: int) -> tuple[int, ...]:
        return tuple(int(one) for one in self.array(slot, np.dtype("<i4")))

    def text(self, slot: int) -> str:
        return self.array(slot, np.dtype("u1")).tobytes().decode()


def _number(data: bytes, place: int, code: str) -> int:
    if place < 0:  # struct would count a negative offset from the end
        raise IndexError(f"a table at {place}")
    return int(struct.unpack_from(f"<{code}", data, place)[0])


def _network(model: _Table) -> Network:
    graphs = model.tables(2)
    if len(graphs) != 1:
        raise ValueError(f"it holds {len(graphs)} networks, not one")
    graph = graphs[0]
    buffers = [table.array(0, np.dtype("u1")) for table in model.tables(4)]
    kinds = [_kind(table) for table in model.tables(1)]
    network = Network(
        tuple(_tensor(table, buffers) for table in graph.tables(0)),
        tuple(_operator(table, kinds) for table in graph.tables(3)),
        graph.numbers(1),
        graph.numbers(2),
    )
    for number in (*network.inputs, *network.outputs, *_used(network.operators)):
        if not 0 <= number < len(network.tensors):
            raise IndexError(f"it has {len(network.tensors)} tensors, and uses number {number}")
    return network


def _used(operators: Sequence[Operator]) -> Iterator[int]:
    """Yield the tensor numbers that operators read and write, without the -1 of an omitted input."""
    for one in operators:
        yield from (number for number in (*one.inputs, *one.outputs) if number != -1)


def _kind(table: _Table) -> Callable[[], _Kind]:
    """Return a function for the operator kind of a code; unused codes of a file are not looked up."""
    # Codes above 127 are in the second field, which older files don't have.
    code = max(table.number(_Field(0, "b")), table.number(_Field(3, "i")))

    def kind() -> _Kind:
        if code not in _KINDS:
            known = ", ".join(one.name for one in _KINDS.values())
            raise ValueError(f"it has an operator of the code {code}, and only {known} are known")
        return _KINDS[code]

    return kind


def _tensor(table: _Table, buffers: list[Array]) -> Tensor:
    name, shape, type_ = table.text(3), table.numbers(0), table.number(_Field(1, "b"))
    if type_ not in DTYPES:
        raise ValueError(f"its tensor {name} is of the type {type_}, and only float32, float16 and int32 are known")
    held = buffers[table.number(_Field(2, "I"))]
    dtype = DTYPES[type_]
    data = held.view(dtype.newbyteorder("<")).reshape(shape).astype(dtype) if held.size else None
    return Tensor(name, shape, dtype, data)


def _operator(table: _Table, kinds: list[Callable[[], _Kind]]) -> Operator:
    kind = kinds[table.number(_Field(0, "I"))]()
    options = table.table(4)
    values = {name: field.default if options is None else options.number(field) for name, field in kind.fields.items()}
    return Operator(kind.name, table.numbers(1), table.numbers(2), values)
