"""Constants of frozen TensorFlow graphs, in messages that are encoded here by the rules of protobuf."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.formats.tensorflow_constants import read

FLOAT, INT32 = 1, 3


def varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def part(field: int, content: bytes | int) -> bytes:
    """A field of a message: a number, or anything with a length."""
    if isinstance(content, int):
        return varint(field << 3) + varint(content)
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(shape: tuple[int, ...], content: bytes, *, dtype: int = FLOAT, packed: bool = False) -> bytes:
    sizes = b"".join(part(2, part(1, size)) for size in shape)
    return part(1, dtype) + part(2, sizes) + part(5 if packed else 4, content)


def constant(name: str, value: bytes, operator: str = "Const") -> bytes:
    attributes = part(5, part(1, b"dtype") + part(2, part(6, FLOAT))) + part(
        5, part(1, b"value") + part(2, part(8, value))
    )
    return part(1, part(1, name.encode()) + part(2, operator.encode()) + attributes)


def test_float_constants_are_read_by_their_names() -> None:
    values = np.arange(6, dtype="<f4")
    graph = constant("a/kernel", tensor((2, 3), values.tobytes()))
    graph += constant("bias", tensor((6,), values.tobytes(), packed=True))
    graph += constant("axis", tensor((1,), b"\0\0\0\0", dtype=INT32)) + constant("x", b"", "Placeholder")
    found = read(graph + part(4, b"versions"))
    assert found.keys() == {"a/kernel", "bias"}
    np.testing.assert_array_equal(found["a/kernel"], values.reshape(2, 3))
    np.testing.assert_array_equal(found["bias"], values)


def test_one_value_stands_for_all() -> None:
    one = np.float32(2.5).tobytes()
    np.testing.assert_array_equal(read(constant("b", tensor((4,), one, packed=True)))["b"], [2.5] * 4)
    assert read(constant("b", tensor((), one)))["b"].shape == ()


@pytest.mark.parametrize(
    "value",
    [
        tensor((2, 3), bytes(20)),
        tensor((2,), bytes(7)),
        tensor((1 << 40,), bytes(4), packed=True),
        tensor(((1 << 64) - 1,), bytes(4)),
    ],
    ids=["too few", "no whole number", "more than it holds", "negative"],
)
def test_a_tensor_that_does_not_fit_its_shape_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="the constant odd"):
        read(constant("odd", value))


def test_a_file_that_is_cut_short_is_refused() -> None:
    graph = constant("a", tensor((3,), bytes(12)))
    for length in range(1, len(graph)):
        with pytest.raises(ValueError, match="cut short"):
            read(graph[:length])


@given(st.binary(max_size=200))
def test_anything_else_is_no_graph_or_has_no_constants(data: bytes) -> None:
    with suppress(ValueError):
        assert all(isinstance(values, np.ndarray) for values in read(data).values())


def test_tensorflow_reads_the_same() -> None:
    tf = pytest.importorskip("tensorflow")
    graph = tf.Graph()
    with graph.as_default():
        tf.constant(np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 3, 4), name="k/kernel")
        tf.constant(np.full((5,), 0.5, np.float32), name="same")
        tf.constant([1, 2], name="whole")
    found = read(graph.as_graph_def().SerializeToString())
    assert found.keys() == {"k/kernel", "same"}
    np.testing.assert_array_equal(found["k/kernel"], np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 3, 4))
    np.testing.assert_array_equal(found["same"], np.full(5, 0.5, np.float32))
