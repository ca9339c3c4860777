"""Reads the tensors of a safetensors file with numpy alone: mapped into memory, views of it, however large it is.

The file is the length of its header (8 bytes), the header (JSON: name → type, shape, place), then the values.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

from engine.errors import DataError
from engine.text import clean

Array = np.ndarray[Any, np.dtype[Any]]

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}
LARGEST_HEADER = 100_000_000
METADATA = "__metadata__"

_Count = Annotated[int, msgspec.Meta(ge=0)]


class _Tensor(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[_Count, ...]
    data_offsets: tuple[_Count, _Count]


def read_tensors(path: Path) -> dict[str, Array]:
    """Return the tensors by name. Raises DataError for a damaged file, or one of another form."""
    try:
        data = np.memmap(path, np.uint8, "r")
        size = int.from_bytes(data[:8].tobytes(), "little")
        if len(data) < 8 or size > min(LARGEST_HEADER, len(data) - 8):
            raise ValueError(f"a header of {size} bytes")
        header = msgspec.json.decode(data[8 : 8 + size].tobytes(), type=dict[str, msgspec.Raw])
        found = {name: msgspec.json.decode(raw, type=_Tensor) for name, raw in header.items() if name != METADATA}
        return {name: _tensor(data[8 + size :], one) for name, one in found.items()}
    except OSError as error:
        raise DataError(f"{clean(str(path))} cannot be read: {error.strerror or error}", "fetch it again") from error
    except (ValueError, KeyError, msgspec.DecodeError) as error:
        what = f"{clean(str(path))} is damaged, or no safetensors file: {error}"
        raise DataError(what, "fetch it again") from None


def _tensor(data: Array, one: _Tensor) -> Array:
    start, end = one.data_offsets
    dtype = np.dtype(DTYPES[one.dtype])
    if not start <= end <= len(data) or end - start != prod(one.shape) * dtype.itemsize:
        raise ValueError(f"bytes {start} to {end} for {list(one.shape)} of {one.dtype}")
    return np.frombuffer(data[start:end], dtype).reshape(one.shape)
