"""A program over real samples with the interface of a runner, so that tuning can time it.

Noise is not representative if samples differ in length, or a loop's length depends on its data: then the whole program
is timed on samples of typical cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice

from engine.backends.base import Array, Shapes, TensorSpec
from engine.tasks.programs import Program


class SampledBatch:
    """A batch of samples, answered by a run."""

    inputs: tuple[Array, ...] = ()
    """Nothing to fill: the samples are in the library."""

    def __init__(self, program: Program, indices: Sequence[int]) -> None:
        self._program = program
        self._indices = indices

    def run(self) -> tuple[Array, ...]:
        """Answer the samples."""
        return (self._program.infer(self._indices).data,)


class SampledRunner:
    """A program in place of a model."""

    outputs: tuple[TensorSpec, ...] = ()

    def __init__(self, program: Program, indices: Sequence[int]) -> None:
        """`indices` are loaded samples, those of the most typical cost first."""
        batch: int | None = getattr(program, "batch", None)
        self.inputs: tuple[TensorSpec, ...] = (TensorSpec("samples", (batch,), "int64"),) if batch else ()
        """Indices, for a program with a fixed batch size; empty for a dynamic one."""
        self._program = program
        self._indices = indices

    def bind(self, shapes: Shapes) -> SampledBatch:
        """Return a batch of this size; samples repeat if there are fewer."""
        assert isinstance(shapes, int)
        self._program.prepare(shapes)
        return SampledBatch(self._program, list(islice(cycle(self._indices), shapes)))

    def close(self) -> None:
        """Close the program."""
        self._program.close()
