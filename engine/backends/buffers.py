"""Input buffers of a loaded model: one per input, as long as the largest batch, shared by the bindings of all sizes.

They begin where vector instructions want them to, because frameworks copy what lies elsewhere before they compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.base import Array, TensorSpec
from engine.errors import DataError

ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector register."""


class InputBuffers:
    """The buffers of one runner."""

    def __init__(self, model: Path, specs: Sequence[TensorSpec], remedy: str) -> None:
        """`remedy` tells a person how to fix a dimension that the model leaves open."""
        self._model = model
        self._specs = specs
        self._remedy = remedy
        self._largest: dict[str, Array] = {}

    def of(self, batch: int) -> tuple[Array, ...]:
        """Return one array per input. Bind the largest batch first: the arrays of the others are parts of its own.

        Raises DataError where the model is made for another batch or leaves a dimension open that is not the batch.
        """
        return tuple(self._buffer(spec, batch) for spec in self._specs)

    def clear(self) -> None:
        """Let the memory go once no binding is left."""
        self._largest.clear()

    def _buffer(self, spec: TensorSpec, batch: int) -> Array:
        if not spec.shape:
            return np.zeros((), spec.dtype)
        fixed = spec.shape[0]
        if fixed not in {None, batch}:
            raise DataError(
                f"{self._model}: input '{spec.name}' is made for batches of {fixed}, not {batch}",
                f"set the batch to {fixed}, or export the model with an open batch dimension",
            )
        sizes = [size for size in spec.shape[1:] if size is not None]
        if len(sizes) < len(spec.shape[1:]):
            raise DataError(
                f"{self._model}: input '{spec.name}' leaves dimensions other than the batch open: {spec.shape}",
                self._remedy,
            )
        buffer = self._largest.get(spec.name)
        if buffer is None or len(buffer) < batch:
            buffer = self._largest[spec.name] = aligned((batch, *sizes), np.dtype(spec.dtype))
        return buffer[:batch]


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return zeros that begin at a multiple of ALIGNMENT."""
    size = int(np.prod(shape)) * dtype.itemsize
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)
