"""A task for tests with ragged samples, two graphs and a loop, like a recurrent decoder.

A sample is a row of numbers of its own length. The graph `step` takes a state and the next number, [B] each, and
returns the next state; `head` doubles a state. The response is the doubled state after each number, as int64: as many
as the sample has numbers, in any batch.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from engine.backends.graph import Graph
from engine.tasks.base import Responses, Samples, TaskOptions

ITEM = 8
"""Bytes of one number of a response."""


class Running:
    """All samples of a batch advance together; one that has ended keeps its state."""

    def __init__(self, graphs: Mapping[str, Graph], samples: Samples) -> None:
        self._step, self._head = graphs["step"], graphs["head"]
        self._samples = samples

    def prepare(self, max_batch: int) -> None:
        """Bind the largest batch first."""
        for graph in (self._step, self._head):
            graph.bound(max_batch)

    def infer(self, indices: Sequence[int]) -> Responses:
        """Step through the longest sample."""
        rows = [self._samples.sample(0, index) for index in indices]
        states = np.zeros(len(rows), np.float32)
        said: list[list[int]] = [[] for _ in rows]
        for time in range(max(map(len, rows))):
            alive = [number for number, row in enumerate(rows) if time < len(row)]
            step, head = self._step.bound(len(alive)), self._head.bound(len(alive))
            step.inputs[0][...] = states[alive]
            step.inputs[1][...] = [rows[number][time] for number in alive]
            states[alive] = head.inputs[0][...] = step.run()[0]
            for number, value in zip(alive, head.run()[0], strict=True):
                said[number].append(int(value))
        return Responses(np.array([*chain.from_iterable(said)], np.int64), [ITEM * len(one) for one in said])

    def close(self) -> None:
        """Close both graphs."""
        self._step.close()
        self._head.close()


class Known(TaskOptions, frozen=True):
    """What the program knows of the model."""

    known: str


OPTIONS = Known


def program(graphs: Mapping[str, Graph], samples: Samples, model: Known) -> Running:
    """Return the program of a session."""
    assert model.known == "option"
    return Running(graphs, samples)
