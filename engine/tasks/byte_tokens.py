"""Tokens of byte-level byte-pair encoding (Radford et al. 2019) → text, by the vocabulary of a tokenizer.json.

A vocabulary writes bytes as letters: those that print as themselves, and the others as letters from 256 on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import DataError
from engine.store.files import read_plain
from engine.text import clean

_PRINT = (*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100))
"""Bytes that are written as themselves."""


class _Model(msgspec.Struct, frozen=True):
    vocab: dict[str, int]


class _Tokenizer(msgspec.Struct, frozen=True):
    model: _Model
    added_tokens: tuple[dict[str, Any], ...] = ()


class ByteTokens:
    """A vocabulary."""

    def __init__(self, words: Mapping[str, int]) -> None:
        fitting = {word: number for word, number in words.items() if all(one in _BYTES for one in word)}
        self._bytes = {number: bytes(_BYTES[one] for one in word) for word, number in fitting.items()}

    def text(self, tokens: Sequence[int]) -> str:
        """Return what tokens say; those that are not in the vocabulary, such as marks of time, say nothing."""
        return b"".join(self._bytes.get(one, b"") for one in tokens).decode("utf-8", "replace")


def read_vocabulary(path: Path) -> ByteTokens:
    """Return the vocabulary of a tokenizer.json. Raises DataError for any other file."""
    try:
        found = msgspec.json.decode(read_plain(path), type=_Tokenizer)
    except OSError as error:
        raise DataError(f"{clean(str(path))} cannot be read: {error.strerror or error}", "fetch it again") from error
    except msgspec.DecodeError as error:
        raise DataError(f"{clean(str(path))} is no tokenizer.json: {error}", "fetch it again") from None
    marks = {str(one.get("content")) for one in found.added_tokens}
    return ByteTokens({word: number for word, number in found.model.vocab.items() if word not in marks})


def _bytes() -> dict[str, int]:
    """Return letter → byte."""
    others = [one for one in range(256) if one not in _PRINT]
    return {**{chr(one): one for one in _PRINT}, **{chr(256 + place): one for place, one in enumerate(others)}}


_BYTES = _bytes()
