"""The program of a segmentation: windows of volumes, shared out to all sessions and blended in their order.

Sessions run batches of windows at the same time, of one volume or of several. What they give is added up in the order
of the windows, whichever session is first, so a response has the same bytes as from one session. At most two batches of
each session wait to be added up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Barrier, local
from typing import Literal, NamedTuple

import numpy as np

from engine.backends.graph import Graph
from engine.errors import DataError, InferdeckError
from engine.tasks.base import Array, Responses, Samples, TaskOptions
from engine.tasks.programs import MODEL, OpenGraphs
from engine.tasks.windows import Blend, Place, count, patch, places, within

WAITING = 2
"""Batches of each session that run or wait to be added up. Outputs of a window of the rules' model are 25 MB."""

_NEEDED = "give a model of one volume, [N,1,D,H,W] or [N,D,H,W,1], with outputs for each of its voxels"


class VolumeOptions(TaskOptions, frozen=True, forbid_unknown_fields=True):
    """How a model takes and gives volumes. The defaults are those of the rules."""

    window: tuple[int, int, int] | None = (128, 128, 128)
    """Voxels of a window; None: the whole volume is one."""
    stride: tuple[int, int, int] = (64, 64, 64)
    """Voxels from one window to the next."""
    channels: Literal["first", "last"] = "first"
    """Where the model has its channels: [N,C,D,H,W] or [N,D,H,W,C]."""
    threshold: float | None = None
    """For a model with one output: above it a voxel is of class 1. None: the class of the greatest output."""


def windows_of(samples: Samples, options: VolumeOptions) -> Array:
    """Return how many windows each sample has, int64 [N]. Raises DataError where samples are not volumes, or one is
    smaller than a window."""
    shapes = samples.shapes
    if shapes is None or shapes.shape[1] != 3:
        raise DataError("the samples are not volumes [D,H,W]", "prepare the data set for this benchmark")
    if options.window is None:
        return np.ones(len(shapes), np.int64)
    found = count(shapes, options.window, options.stride)
    if not found.all():
        small = int(found.argmin())
        what = f"sample {small} has {_by(shapes[small])} voxels, a window {_by(options.window)}"
        raise DataError(what, "prepare the data set for this model: volumes are padded to the size of a window")
    return found


class _Window(NamedTuple):
    sample: int
    """QSL index of its volume."""
    place: Place
    is_last: bool


class Windows:
    """What all sessions run together."""

    unit = "windows"

    def __init__(self, opens: Sequence[OpenGraphs], samples: Samples, options: VolumeOptions) -> None:
        """Load a graph for each session, on the thread that runs it. Raises DataError where samples or graphs do not
        fit."""
        self._options = options
        self._count: list[int] = windows_of(samples, self._options).tolist()
        self._sample = samples.sample
        self._weights = patch(self._options.window) if self._options.window else None
        self._sessions = len(opens)
        self._pool = ThreadPoolExecutor(self._sessions, "session")
        self._own = local()
        everyone = Barrier(self._sessions)

        def load(one: OpenGraphs) -> Graph:
            everyone.wait()  # each thread takes one
            self._own.graph = graph = one()[MODEL]
            return graph

        self._graphs = list(self._pool.map(load, opens))
        self._classes = _classes(self._graphs[0], self._options)
        self._fixed = self._graphs[0].inputs[0].shape[0]
        self._batch = 1
        self.done = 0

    def prepare(self, max_batch: int) -> None:
        """Allocate buffers for batches of so many windows, and run one in each session."""
        self._batch = 1 if self._options.window is None else self._fixed or max_batch
        if self._options.window is not None:
            size, everyone = self._options.window, Barrier(self._sessions)

            def warm_up(_: int) -> None:
                everyone.wait()
                self._outputs(size, [np.zeros(size, np.float32)] * self._batch)

            list(self._pool.map(warm_up, range(self._sessions)))

    def answers(self, indices: Sequence[int]) -> Generator[Responses, None, None]:
        """Yield the classes of each of these volumes, uint8 [D,H,W], in this order."""
        blend: Blend | None = None
        for windows, weighted in self._in_order(indices):
            for window, outputs in zip(windows, weighted, strict=True):
                if blend is None:
                    blend = self._blend(window.sample)
                blend.add(window.place, outputs)
                self.done += 1
                if window.is_last:
                    labels = blend.labels(self._options.threshold)
                    blend = None
                    yield Responses(labels, labels.nbytes)

    def close(self) -> None:
        """Close all graphs and end their threads."""
        self._pool.shutdown()
        for graph in self._graphs:
            graph.close()

    def _blend(self, index: int) -> Blend:
        shape = self._sample(0, index).shape
        weights = self._weights if self._weights is not None else np.ones(shape, np.float32)
        return Blend(shape, self._classes, weights)

    def _in_order(self, indices: Sequence[int]) -> Iterator[tuple[list[_Window], Array]]:
        """Yield the windows of these volumes in order, a batch at a time, with their weighted outputs."""
        windows = self._windows(indices)
        waiting: deque[tuple[list[_Window], Future[Array]]] = deque()
        for size in batch_sizes(sum(self._count[index] for index in indices), self._batch, self._sessions):
            batch = list(islice(windows, size))
            waiting.append((batch, self._pool.submit(self._run, batch)))
            if len(waiting) == WAITING * self._sessions:
                batch, future = waiting.popleft()
                yield batch, future.result()
        while waiting:
            batch, future = waiting.popleft()
            yield batch, future.result()

    def _windows(self, indices: Sequence[int]) -> Iterator[_Window]:
        for index in indices:
            shape = self._sample(0, index).shape
            found = places(shape, self._options.window or shape, self._options.stride)
            for number, place in enumerate(found, start=1):
                yield _Window(index, place, number == len(found))

    def _run(self, batch: Sequence[_Window]) -> Array:
        """Return the weighted outputs of windows, float32 [n, classes, d,h,w]. Runs in a session's thread."""
        volumes = [self._sample(0, window.sample) for window in batch]
        size = self._options.window or volumes[0].shape
        parts = [volume[within(window.place, size)] for volume, window in zip(volumes, batch, strict=True)]
        try:
            outputs = self._outputs(size, parts)
        except InferdeckError as error:
            named = f"sample {', '.join(str(one) for one in dict.fromkeys(window.sample for window in batch))}"
            raise type(error)(f"{named}: {error.what}", error.remedy) from error.__cause__
        # A copy even without weights: the next run of this session writes its outputs into the same memory.
        weighted: Array = outputs.copy() if self._weights is None else outputs * self._weights
        return weighted

    def _outputs(self, size: tuple[int, ...], parts: Sequence[Array]) -> Array:
        """Run the graph of this thread; returns [n, classes, d,h,w], valid until its next run."""
        rows = self._fixed or len(parts)
        first = self._options.channels == "first"
        binding = self._own.graph.bound(((rows, 1, *size) if first else (rows, *size, 1),))
        for row, part in enumerate(parts):
            binding.inputs[0][row].reshape(size)[...] = part
        outputs: Array = binding.run()[0][: len(parts)]
        if not first:
            outputs = np.moveaxis(outputs, -1, 1)
        if outputs.shape[2:] != tuple(size):
            raise DataError(f"the model answers {_by(size)} voxels with {_by(outputs.shape[2:])}", _NEEDED)
        return outputs


def batch_sizes(windows: int, batch: int, sessions: int) -> Iterator[int]:
    """Divide windows into batches, and the last round evenly, so that all sessions end together."""
    while windows > batch * sessions:
        yield batch
        windows -= batch
    even = -(-windows // sessions)
    while windows > 0:
        yield min(even, windows)
        windows -= even


def _classes(graph: Graph, options: VolumeOptions) -> int:
    """Return the outputs of a voxel. Raises DataError where the graph is no model of volumes."""
    axis = 1 if options.channels == "first" else -1
    ins, outs = graph.inputs, graph.outputs
    if len(ins) != 1 or len(ins[0].shape) != 5 or ins[0].shape[axis] != 1 or ins[0].dtype != "float32":
        taken = ", ".join(f"{one.name} {one.dtype}{list(one.shape)}" for one in ins)
        raise DataError(f"the model takes {taken}", _NEEDED)
    classes = outs[0].shape[axis] if len(outs[0].shape) == 5 else None
    if classes is None or outs[0].dtype != "float32" or (options.threshold is not None and classes != 1):
        raise DataError(f"the model gives {outs[0].name} {outs[0].dtype}{list(outs[0].shape)}", _NEEDED)
    return classes


def _by(sizes: Sequence[int]) -> str:
    return " × ".join(str(one) for one in sizes)
