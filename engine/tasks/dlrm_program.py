"""The program of a deep learning recommendation model: the rows of all samples of a batch, one after another.

The graph is that of the rules' tb00_40M.onnx, or one without `offsets`: `dense_x` float32 [B,13]; `indices` [26,B]; and
optionally `offsets` [26,B], which are 0 ... B-1 as each bag has one index; the last two int64 or int32. Each of them
may be 26 inputs [B] instead: `indices_0` ... `indices_25`. The output is the probability of a click, float32 [B,1] or
[B].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.backends.base import Array, Shape, TensorSpec
from engine.backends.graph import Graph
from engine.errors import DataError
from engine.tasks.base import Responses, Samples
from engine.tasks.criteo_files import CATEGORICAL, DENSE

PAIR_BYTES = 8
"""Of a response: prediction and label of one pair, two float32."""

Sample = Callable[[int, int], Array]
"""Number of a tensor and QSL index → the rows of the sample."""

_DENSE, _INDICES, _OFFSETS = "dense_x", "indices", "offsets"
_NEEDED = (
    f"give a DLRM with the inputs {_DENSE} [B,{DENSE}], {_INDICES} [{CATEGORICAL},B] and, if it has them, {_OFFSETS}"
)


class Inputs:
    """How rows of samples are put into the inputs of a graph."""

    def __init__(self, specs: Sequence[TensorSpec]) -> None:
        """Raises DataError where they are not those of a DLRM."""
        names = [spec.name for spec in specs]
        self._dense = _place(specs, _DENSE)
        self._indices = _places(specs, _INDICES)
        self._offsets = _places(specs, _OFFSETS) if any(one.startswith(_OFFSETS) for one in names) else []
        self._count = len(names)
        if self._count != 1 + len(self._indices) + len(self._offsets):
            raise DataError(f"the model's inputs are {', '.join(names)}", _NEEDED)

    def shapes(self, rows: int) -> tuple[Shape, ...]:
        """Return the shape of each input for so many rows."""
        found: list[Shape] = [(rows, DENSE)] * self._count
        for places in (self._indices, self._offsets):
            for place in places:
                found[place] = (CATEGORICAL, rows) if len(places) == 1 else (rows,)
        return tuple(found)

    def fill(self, arrays: Sequence[Array], sample: Sample, indices: Sequence[int]) -> None:
        """Copy the rows of samples, one sample after another."""
        dense, tables, start = arrays[self._dense], [arrays[place] for place in self._indices], 0
        for index in indices:
            rows = sample(1, index)
            part = slice(start, start + len(rows))
            dense[part] = sample(0, index)
            if len(tables) == 1:
                tables[0][:, part] = rows.T
            else:
                for column, table in enumerate(tables):
                    table[part] = rows[:, column]
            start = part.stop
        for place in self._offsets:
            arrays[place][...] = np.arange(start)


class Pairs:
    """What one session runs. For one thread only."""

    def __init__(self, graph: Graph, samples: Samples) -> None:
        """Raises DataError where graph or samples are not those of a DLRM."""
        if samples.lengths is None:
            raise DataError("the samples have all one shape", "prepare them as rows of dense features and indices")
        self._graph = graph
        self._inputs = Inputs(graph.inputs)
        self._sample = samples.sample
        self._lengths: list[int] = samples.lengths.tolist()

    def prepare(self, max_batch: int) -> None:
        """Allocate buffers for the largest batch. Raises DataError if the model does not accept it."""
        self._graph.bound(self._inputs.shapes(max_batch * max(self._lengths)))

    def infer(self, indices: Sequence[int]) -> Responses:
        """Return prediction and label of each row of these samples, float32."""
        lengths = [self._lengths[index] for index in indices]
        binding = self._graph.bound(self._inputs.shapes(sum(lengths)))
        self._inputs.fill(binding.inputs, self._sample, indices)
        answer = np.empty((sum(lengths), 2), np.float32)
        answer[:, 0] = binding.run()[0].reshape(-1)
        np.concatenate([self._sample(2, index) for index in indices], out=answer[:, 1])
        return Responses(answer, [PAIR_BYTES * length for length in lengths])

    def close(self) -> None:
        """Close the graph."""
        self._graph.close()


def _place(inputs: Sequence[TensorSpec], name: str) -> int:
    found = [place for place, spec in enumerate(inputs) if spec.name == name]
    if not found:
        raise DataError(f"the model's inputs are {', '.join(spec.name for spec in inputs)}: no {name}", _NEEDED)
    return found[0]


def _places(inputs: Sequence[TensorSpec], name: str) -> list[int]:
    """Return the places of an input, or of CATEGORICAL inputs numbered from 0."""
    if any(spec.name == name for spec in inputs):
        return [_place(inputs, name)]
    return [_place(inputs, f"{name}_{number}") for number in range(CATEGORICAL)]
