"""Input buffers of a loaded model: one block of memory per input, as large as the largest requested shape.

The bindings of all shapes share it. A block is aligned for vector instructions, because frameworks copy unaligned
inputs before they compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from engine.backends.base import Array, Shape, Shapes, TensorSpec
from engine.errors import DataError

ALIGNMENT = 64
"""Bytes: a cache line, and the widest vector register."""


class InputBuffers:
    """The buffers of one runner."""

    def __init__(self, model: Path, specs: Sequence[TensorSpec], remedy: str) -> None:
        """`remedy`: how the user can fix a symbolic dimension of the model."""
        self._model = model
        self._specs = specs
        self._remedy = remedy
        self._blocks: dict[str, Array] = {}

    def of(self, shapes: Shapes) -> tuple[Array, ...]:
        """Return one array per input. Request the largest first: the arrays of the others are parts of its blocks.

        Raises DataError if the model has other fixed dimensions, or a symbolic one has no given size.
        """
        if isinstance(shapes, int):
            shapes = tuple(self._of_batch(spec, shapes) for spec in self._specs)
        return tuple(self._buffer(spec, shape) for spec, shape in zip(self._specs, shapes, strict=True))

    def clear(self) -> None:
        """Free the memory once no binding is left."""
        self._blocks.clear()

    def _of_batch(self, spec: TensorSpec, batch: int) -> Shape:
        """Return the shape of an input for a batch size."""
        if not spec.shape:
            return ()
        sizes = tuple(size for size in spec.shape[1:] if size is not None)
        if len(sizes) < len(spec.shape) - 1:
            raise DataError(
                f"{self._model}: input '{spec.name}' leaves dimensions other than the batch open: {spec.shape}",
                self._remedy,
            )
        return (batch, *sizes)

    def _buffer(self, spec: TensorSpec, shape: Shape) -> Array:
        if len(shape) != len(spec.shape) or any(
            want not in {None, have} for want, have in zip(spec.shape[1:], shape[1:], strict=True)
        ):
            raise DataError(
                f"{self._model}: input '{spec.name}' is made for {list(spec.shape)}, not {list(shape)}",
                "prepare the samples for this model, or export it with these dimensions open",
            )
        if shape and spec.shape[0] not in {None, shape[0]}:
            raise DataError(
                f"{self._model}: input '{spec.name}' is made for batches of {spec.shape[0]}, not {shape[0]}",
                f"set the batch to {spec.shape[0]}, or export the model with an open batch dimension",
            )
        size, block = prod(shape), self._blocks.get(spec.name)
        if block is None or block.size < size:
            block = self._blocks[spec.name] = aligned((size,), np.dtype(spec.dtype))
        return block[:size].reshape(shape)


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return a zeroed array aligned to ALIGNMENT."""
    size = prod(shape) * dtype.itemsize
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)
