"""The program of a deep learning recommendation model: the rows of all samples of a batch, one after another.

The graph is that of the rules' tb00_40M.onnx, or one without `offsets`: `dense_x` float32 [B,13]; `indices` [26,B]; and
optionally `offsets` [26,B], which are 0 ... B-1 as each bag has one index; the last two int64 or int32. Each of them
may be 26 inputs [B] instead: `indices_0` ... `indices_25`. The output is the probability of a click, float32 [B,1] or
[B].
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.backends.base import Array, Binding, Shape, TensorSpec
from engine.backends.graph import Graph
from engine.errors import DataError
from engine.tasks.base import Responses, Samples
from engine.tasks.criteo_files import CATEGORICAL, DENSE

PAIR_BYTES = 8
"""Of a response: prediction and label of one pair, two float32."""

_DENSE, _INDICES, _OFFSETS = "dense_x", "indices", "offsets"
_NEEDED = (
    f"give a DLRM with the inputs {_DENSE} [B,{DENSE}], {_INDICES} [{CATEGORICAL},B] and, if it has them, {_OFFSETS}"
)


class Pairs:
    """What one session runs. For one thread only."""

    def __init__(self, graph: Graph, samples: Samples) -> None:
        """Raises DataError where graph or samples are not those of a DLRM."""
        if samples.lengths is None:
            raise DataError("the samples have all one shape", "prepare them as rows of dense features and indices")
        names = [spec.name for spec in graph.inputs]
        self._graph = graph
        self._dense = _place(graph.inputs, _DENSE)
        self._indices = _places(graph.inputs, _INDICES)
        self._offsets = _places(graph.inputs, _OFFSETS) if any(one.startswith(_OFFSETS) for one in names) else []
        if len(names) != 1 + len(self._indices) + len(self._offsets):
            raise DataError(f"the model's inputs are {', '.join(names)}", _NEEDED)
        self._sample = samples.sample
        self._lengths: list[int] = samples.lengths.tolist()

    def prepare(self, max_batch: int) -> None:
        """Allocate buffers for the largest batch. Raises DataError if the model does not accept it."""
        self._bound(max_batch * max(self._lengths))

    def infer(self, indices: Sequence[int]) -> Responses:
        """Return prediction and label of each row of these samples, float32."""
        lengths = [self._lengths[index] for index in indices]
        total = sum(lengths)
        binding = self._bound(total)
        answer = np.empty((total, 2), np.float32)
        self._fill(binding, indices, answer[:, 1])
        answer[:, 0] = binding.run()[0].reshape(-1)
        return Responses(answer, [PAIR_BYTES * length for length in lengths])

    def close(self) -> None:
        """Close the graph."""
        self._graph.close()

    def _fill(self, binding: Binding, indices: Sequence[int], labels: Array) -> None:
        """Copy the rows of samples into the inputs, and their labels."""
        dense = binding.inputs[self._dense]
        tables = [binding.inputs[place] for place in self._indices]
        start = 0
        for index in indices:
            rows = self._sample(1, index)
            end = start + len(rows)
            dense[start:end] = self._sample(0, index)
            labels[start:end] = self._sample(2, index)
            if len(tables) == 1:
                tables[0][:, start:end] = rows.T
            else:
                for column, table in enumerate(tables):
                    table[start:end] = rows[:, column]
            start = end
        for place in self._offsets:
            binding.inputs[place][...] = np.arange(start)

    def _bound(self, total: int) -> Binding:
        shapes: list[Shape] = [(total, DENSE)] * len(self._graph.inputs)
        for places in (self._indices, self._offsets):
            for place in places:
                shapes[place] = (CATEGORICAL, total) if len(places) == 1 else (total,)
        return self._graph.bound(tuple(shapes))


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
