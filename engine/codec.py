"""JSON encoding and decoding that keeps texts in any encoding and survives malformed files.

A byte of a path or an argument that is not UTF-8 is a lone surrogate in Python (PEP 383). JSON in UTF-8 can't hold one,
so such a text is written with its escape, `\\udce9`, and read back as it was.
"""

from __future__ import annotations

import json
from typing import Any, Generic, Literal, TypeVar, cast

import msgspec

T = TypeVar("T")

_SURROGATE = b"\\ud"
"""Start of a surrogate's escape: JSON that contains it and that msgspec refuses is parsed again by the slow path."""


def encode(value: Any, *, order: Literal["sorted"] | None = None, indent: int | None = None) -> bytes:
    """Return a value as JSON: on one line, or indented to be read."""
    try:
        data = msgspec.json.encode(value, order=order)
        return data if indent is None else msgspec.json.format(data, indent=indent)
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(value, str_keys=True)
        separators = (",", ":") if indent is None else None
        return json.dumps(plain, sort_keys=order is not None, indent=indent, separators=separators).encode("ascii")


class Decoder(Generic[T]):
    """Decodes JSON to values of one type; made once, it is quicker than `decode`."""

    def __init__(self, type: Any) -> None:  # noqa: A002  (msgspec's own name for it)
        self._type = type
        self._quick: msgspec.json.Decoder[T] = msgspec.json.Decoder(type)

    def decode(self, data: bytes) -> T:
        """Return the value.

        Raises msgspec.DecodeError for malformed input: truncated, in another encoding, nested too deeply.
        """
        try:
            return self._quick.decode(data)
        except RecursionError:
            raise msgspec.DecodeError("the JSON is nested too deeply") from None
        except msgspec.DecodeError:
            if _SURROGATE not in data.lower():
                raise
        try:
            return cast(T, msgspec.convert(json.loads(data), self._type))
        except (ValueError, RecursionError) as error:
            raise msgspec.DecodeError(f"JSON is malformed: {error}") from None


def decode(data: bytes, type: type[T]) -> T:  # noqa: A002
    """Decode JSON to a value of a type. Raises msgspec.DecodeError as `Decoder` does."""
    return Decoder[T](type).decode(data)
