"""Reads the tensors of a model file of CTranslate2 (`model.bin`) with numpy alone.

The file is a header, then for each tensor its name, shape, type and values, then further names of some tensors. Nothing
in it is code.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import DataError
from engine.store.files import read_plain
from engine.text import clean

Array = np.ndarray[Any, np.dtype[Any]]

VERSION = 6
"""The form of the file; the only one that is read."""
MOST_TENSORS = 100_000
LARGEST = 8 << 30
"""Bytes of a file that is read."""
DTYPES = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
"""By CTranslate2's number of the type."""

_REMEDY = f"give a model.bin of CTranslate2, form {VERSION}"


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def number(self, kind: str) -> int:
        (found,) = struct.unpack_from(f"<{kind}", self.data, self.at)
        self.at += struct.calcsize(f"<{kind}")
        return int(found)

    def text(self) -> str:
        """Return a name: its length with the null byte that ends it, then its bytes."""
        size = self.number("H")
        self.at += size
        return self.data[self.at - size : self.at].rstrip(b"\0").decode("utf-8")

    def tensor(self) -> Array:
        shape = [self.number("I") for _ in range(self.number("B"))]
        dtype, size = np.dtype(DTYPES[self.number("B")]), self.number("I")
        if size != prod(shape) * dtype.itemsize or self.at + size > len(self.data):
            raise ValueError(f"{size} bytes for {shape} of {dtype}")
        self.at += size
        return np.frombuffer(self.data, dtype, prod(shape), self.at - size).reshape(shape)


def read_tensors(path: Path) -> tuple[str, dict[str, Array]]:
    """Return the kind of model (`WhisperSpec`) and its tensors by name. Raises DataError for any other file."""
    try:
        reader = _Reader(read_plain(path, LARGEST))
        if reader.number("I") != VERSION:
            raise DataError(f"{clean(str(path))} is not of CTranslate2's form {VERSION}", _REMEDY)
        kind, _ = reader.text(), reader.number("I")
        return kind, dict(_tensors(reader))
    except OSError as error:
        raise DataError(f"{clean(str(path))} cannot be read: {error.strerror or error}", _REMEDY) from error
    except (ValueError, KeyError, struct.error) as error:
        raise DataError(f"{clean(str(path))} is damaged, or no model of CTranslate2: {error}", _REMEDY) from None


def _tensors(reader: _Reader) -> Iterator[tuple[str, Array]]:
    count = reader.number("I")
    if count > MOST_TENSORS:
        raise ValueError(f"{count} tensors")
    for _ in range(count):
        name = reader.text()
        yield name, reader.tensor()
