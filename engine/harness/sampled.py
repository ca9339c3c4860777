"""A program over real samples in the form of a runner, so that tuning can time it.

Noise is no fair input where samples differ in length, or a loop ends by what it computes: what is timed there is the
whole program on samples of typical cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice

import numpy as np

from engine.backends.base import Array, Shapes, TensorSpec
from engine.tasks.programs import Program


class SampledBatch:
    """So many samples, which a run answers."""

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
        """Indices, of the one batch that the program takes; none where it takes any."""
        self._program = program
        self._indices = indices

    def bind(self, shapes: Shapes) -> SampledBatch:
        """Return a batch of so many samples; they repeat where there are fewer."""
        assert isinstance(shapes, int)
        self._program.prepare(shapes)
        return SampledBatch(self._program, list(islice(cycle(self._indices), shapes)))

    def close(self) -> None:
        """Close the program."""
        self._program.close()


def typical(costs: Array | None, count: int, most: int) -> list[int]:
    """Return at most `most` of the QSL indices 0...`count` - 1, those whose cost is nearest to the mean first."""
    if costs is None:
        return list(range(min(count, most)))
    nearest: list[int] = np.argsort(np.abs(costs - costs.mean()), kind="stable")[:most].tolist()
    return nearest
