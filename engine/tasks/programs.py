"""Programs: how a model's graphs turn samples into responses. Performance and accuracy runs use the same one.

Most tasks collate samples into a batch, run one graph and convert its outputs to responses: `Direct` for samples of one
shape, `Padded` for samples with a length each. A task with a loop or several graphs defines its own in a function
`program` at its top level. One whose samples are many runs of the model each defines `shared_program`, with which all
sessions work on a sample together.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Protocol

from engine.backends.base import Array, Binding, Shape
from engine.backends.graph import Graph
from engine.tasks.base import Responses, Samples

MODEL = "model"
"""Name of the graph of a single-graph model."""


class Program(Protocol):
    """The inference code of one session. Not thread-safe."""

    def prepare(self, max_batch: int) -> None:
        """Allocate buffers for the largest batch. Raises DataError if samples or batch do not match the model."""

    def infer(self, indices: Sequence[int]) -> Responses:
        """Return the responses of these samples (QSL indices), in this order."""

    def close(self) -> None:
        """Free the memory and the threads of all graphs."""


MakeProgram = Callable[[Mapping[str, Graph], Samples, Any], Program]
"""Graphs by name, samples, and the task's OPTIONS."""


class SharedProgram(Protocol):
    """The inference code of all sessions together, for samples that are divided among them. For one calling thread."""

    unit: str
    """What the parts of a sample are called, in the plural."""
    done: int
    """Parts that were run since the start, of all samples: `cost` of the task says how many a sample has."""

    def prepare(self, max_batch: int) -> None:
        """Allocate buffers for the largest batch of parts and warm each session up. Raises DataError if the model does
        not accept it."""

    def answers(self, indices: Sequence[int]) -> Generator[Responses, None, None]:
        """Yield the response of each of these samples (QSL indices), in this order, as soon as it is there."""

    def close(self) -> None:
        """Free the memory and the threads of all sessions."""


OpenGraphs = Callable[[], Mapping[str, Graph]]
"""Loads the graphs of one session, by name, for the thread that calls it."""

MakeSharedProgram = Callable[[Sequence[OpenGraphs], Samples, Any], SharedProgram]
"""What opens the graphs of each session, samples, and the task's OPTIONS."""

Respond = Callable[[Sequence[Array], Sequence[int]], Responses]
"""Outputs of a batch and its QSL indices → responses."""

RespondRagged = Callable[[Sequence[Array], Sequence[int], Sequence[int]], Responses]
"""Outputs of a batch, its QSL indices and the lengths of its samples → responses."""


class _OneGraph:
    """Base of programs with one graph. A model with a fixed batch size always runs with that; its outputs are cut."""

    def __init__(self, graph: Graph, samples: Samples) -> None:
        """Raises DataError if the samples do not match the model."""
        samples.check(graph.inputs)
        self._graph = graph
        self._gather = samples.gather
        self._fixed = graph.inputs[0].shape[0]
        self._of_batch = tuple(spec.shape[:1] in {(None,), (self._fixed,)} for spec in graph.outputs)

    @property
    def batch(self) -> int | None:
        """The model's fixed batch size; None if it is dynamic."""
        return self._fixed

    def close(self) -> None:
        """Close the graph."""
        self._graph.close()

    def _batch(self, count: int) -> int:
        """Return the batch size to run for a number of samples."""
        return count if self._fixed is None or count > self._fixed else self._fixed

    def _cut(self, outputs: Sequence[Array], count: int) -> Sequence[Array]:
        """Drop the rows past `count` if the batch size is fixed: they are from an earlier batch."""
        if self._fixed is None or self._fixed == count:
            return outputs
        return [array[:count] if cut else array for array, cut in zip(outputs, self._of_batch, strict=True)]


class Direct(_OneGraph):
    """Samples of one shape: gather, run, respond."""

    def __init__(self, graph: Graph, samples: Samples, respond: Respond) -> None:
        """Raises DataError if the samples do not match the model."""
        super().__init__(graph, samples)
        self._respond = respond
        self._bindings: dict[int, Binding] = {}
        """By the number of samples: on the path of every query."""

    def prepare(self, max_batch: int) -> None:
        """Allocate buffers for the largest batch. Raises DataError if the model does not accept it."""
        self._bound(max_batch)

    def infer(self, indices: Sequence[int]) -> Responses:
        """Return the responses of these samples."""
        count = len(indices)
        binding = self._bindings.get(count) or self._bound(count)
        self._gather(indices, binding.inputs)
        outputs: Sequence[Array] = binding.run()
        return self._respond(outputs if self._fixed is None else self._cut(outputs, count), indices)

    def close(self) -> None:
        """Close the graph."""
        self._bindings.clear()
        super().close()

    def _bound(self, count: int) -> Binding:
        self._bindings[count] = self._graph.bound(self._batch(count))
        return self._bindings[count]


class Padded(_OneGraph):
    """Samples of different lengths: a batch is padded to its longest sample, rounded up to a multiple of the bucket.

    Inputs are [batch, length, ...], padded with zeros. A fixed length or batch size of the model takes precedence.
    """

    def __init__(self, graph: Graph, samples: Samples, respond: RespondRagged, bucket: int = 1) -> None:
        """Raises DataError if the samples do not match the model, ValueError if all have one shape."""
        super().__init__(graph, samples)
        if samples.lengths is None:
            raise ValueError("samples of one shape need no padding")
        self._respond = respond
        self._bucket = bucket
        self._lengths: list[int] = samples.lengths.tolist()
        self._longest = max(self._lengths)

    def prepare(self, max_batch: int) -> None:
        """Allocate buffers for the largest batch of the longest samples. Raises DataError if it is too large."""
        self._graph.bound(self._shapes(max_batch, self._longest))

    def infer(self, indices: Sequence[int]) -> Responses:
        """Return the responses of these samples, each by its own length."""
        count, lengths = len(indices), [self._lengths[index] for index in indices]
        binding = self._graph.bound(self._shapes(count, max(lengths)))
        self._gather(indices, binding.inputs)
        return self._respond(self._cut(binding.run(), count), indices, lengths)

    def _shapes(self, count: int, longest: int) -> tuple[Shape, ...]:
        batch = self._batch(count)
        length = -(-longest // self._bucket) * self._bucket
        return tuple(
            (batch, *(length if size is None else size for size in spec.shape[1:])) for spec in self._graph.inputs
        )
