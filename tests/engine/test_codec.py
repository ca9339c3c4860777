"""JSON encoding and decoding: texts of any encoding survive a round trip, and malformed input raises one error."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import codec

TEXTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


class Named(msgspec.Struct, frozen=True, tag="named"):
    """A struct with a text."""

    name: str


@given(VALUES)
def test_any_text_survives(value: Any) -> None:
    assert codec.decode(codec.encode(value), object) == value
    assert codec.decode(codec.encode(value, indent=2), object) == value


def test_a_byte_of_a_path_survives_in_a_struct() -> None:
    data = codec.encode(Named("r\udce9sultats"))
    assert data == b'{"type":"named","name":"r\\udce9sultats"}'
    assert codec.decode(data, Named) == Named("r\udce9sultats")


def test_equal_values_have_equal_text_whatever_their_order() -> None:
    one, other = {"a": "\udce9", "b": 1}, {"b": 1, "a": "\udce9"}
    assert codec.encode(one, order="sorted") == codec.encode(other, order="sorted")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'"\xff"',
        b"\xff\xfe{\x00}\x00",
        b'{"type":"named","name":"\\udce9"',
        b'{"type":"named","name":["\\udce9"]}',
        b"1e400",
    ],
)
def test_rubbish_is_one_error(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        codec.decode(data, Named)


def test_the_file_is_json_for_everybody() -> None:
    assert json.loads(codec.encode({"path": "a\udce9", "plain": "é"})) == {"path": "a\udce9", "plain": "é"}
