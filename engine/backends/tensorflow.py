"""TensorFlow as a backend: a frozen graph or a SavedModel, in sessions with their own threads.

Measured on the CPU (2.21): a session's callable has half the overhead of `Session.run` and an eighth of a
`tf.function`'s, which matters for a small model, and the single-threaded executor keeps one thread to one core where
the default one takes a third more. By default TensorFlow has one thread pool per process, of the size that the first
session requested; TF_OVERRIDE_GLOBAL_THREADPOOL gives each session its own, and a pool inherits the affinity of the
thread that makes it. A session takes about five times the model file; runners of one thread, which compute in their
caller's thread, share one.

`BackendOptions.extra` holds fields of TensorFlow's ConfigProto by their own names, separated by dots:
`graph_options.optimizer_options.global_jit_level: ON_1`.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

from google.protobuf import text_format

from engine.backends.base import Array, BackendOptions, Shapes
from engine.backends.buffers import InputBuffers
from engine.backends.frozen_graph import FrozenGraph, GraphTensor, first_line, tensorflow_errors
from engine.backends.silent_tensorflow import config_pb2, tf
from engine.errors import DataError, RunError, UsageError, nearest

DEVICES = ("cpu",)

_CONTROL_FLOW = frozenset("Switch Merge Enter If StatelessIf While StatelessWhile Case StatelessCase".split())
"""Operators that the single-threaded executor does not support."""

_LOADING = Lock()
_GRAPHS: WeakValueDictionary[tuple[Path, int, int], FrozenGraph] = WeakValueDictionary()
"""By file, time and size: graphs shared by the runners of one model."""


def version() -> str:
    """Return TensorFlow's version."""
    return str(tf.__version__)


def load(model: Path, options: BackendOptions) -> "TensorFlowRunner":
    """Load a frozen graph (a file) or a SavedModel (a folder).

    Raises DataError if it is neither, has no such output or needs an unavailable operator, and UsageError if an option
    in `extra` is unknown.
    """
    if options.device not in DEVICES:
        raise DataError(f"this TensorFlow backend has no device '{options.device}'", nearest(options.device, DEVICES))
    with _LOADING:
        graph = _graph(model)
        outputs = tuple(graph.output(name) for name in options.outputs) or graph.outputs
        inputs = graph.inputs_of(outputs)
        with tensorflow_errors(model):
            call = _call(graph, options, inputs, outputs)
    return TensorFlowRunner(graph, call, inputs, outputs)


class TensorFlowBinding:
    """Input buffers of fixed shapes. TensorFlow allocates the outputs in each run."""

    def __init__(self, call: Any, inputs: tuple[Array, ...]) -> None:
        self.inputs = inputs
        self._call = call

    def run(self) -> tuple[Array, ...]:
        """Execute one batch. The arrays are the caller's own."""
        try:
            return tuple(self._call(*self.inputs))
        except tf.errors.OpError as error:
            raise RunError(
                f"TensorFlow failed while it ran the model: {first_line(error)}",
                "run the model alone with the same batch; out of memory shows here as well",
            ) from error


class TensorFlowRunner:
    """A loaded model."""

    def __init__(
        self, graph: FrozenGraph, call: Any, inputs: Sequence[GraphTensor], outputs: Sequence[GraphTensor]
    ) -> None:
        self._graph: FrozenGraph | None = graph
        self._call = call
        self.inputs = tuple(one.spec for one in inputs)
        self.outputs = tuple(one.spec for one in outputs)
        self._buffers = InputBuffers(graph.model, self.inputs, "export the model with these dimensions fixed")

    def bind(self, shapes: Shapes) -> TensorFlowBinding:
        """Allocate buffers of these shapes. Bind the largest first: the inputs of the others are parts of its own.

        Raises DataError if the model does not accept them, or a symbolic dimension has no given size.
        """
        if self._graph is None:
            raise ValueError("the runner is closed")
        return TensorFlowBinding(self._call, self._buffers.of(shapes))

    def close(self) -> None:
        """Free the session's memory and threads, once no binding and no other runner uses them."""
        self._call = self._graph = None
        self._buffers.clear()


def _graph(model: Path) -> FrozenGraph:
    """Read a model, or return the graph that an open runner has read."""
    if not model.exists():
        raise DataError(f"{model}: there is no such model", "give a frozen graph (.pb) or the folder of a SavedModel")
    seen = model.stat()
    key = (model.absolute(), seen.st_mtime_ns, seen.st_size)
    graph = _GRAPHS.get(key)
    if graph is None:
        graph = _GRAPHS[key] = FrozenGraph.read(model)
    return graph


def _call(
    graph: FrozenGraph, options: BackendOptions, inputs: Sequence[GraphTensor], outputs: Sequence[GraphTensor]
) -> Any:
    """Return a callable that runs the graph in a new session, or in a sharable one of the same settings."""
    serial = not graph.operators & _CONTROL_FLOW
    config = _config(options, serial=serial)
    ends = config_pb2.CallableOptions(feed=[one.place for one in inputs], fetch=[one.place for one in outputs])
    key = config.SerializeToString(deterministic=True) + ends.SerializeToString()
    shared = serial and options.intra_op_threads == 1
    call = graph.calls.get(key) if shared else None
    if call is None:
        with _on(options.cores):
            session = tf.compat.v1.Session(graph=graph.graph, config=config)
        # a private method; the public one looks the tensors up by name in every run
        call = session._make_callable_from_options(ends)
        if shared:
            graph.calls[key] = call
    return call


def _config(options: BackendOptions, *, serial: bool) -> Any:
    config = tf.compat.v1.ConfigProto(
        device_count={"GPU": 0},
        intra_op_parallelism_threads=options.intra_op_threads,
        inter_op_parallelism_threads=-1 if serial else 1,  # -1: in the caller's thread
        use_per_session_threads=True,
    )
    config.experimental.executor_type = "SINGLE_THREADED_EXECUTOR" if serial else ""
    config.experimental.optimize_for_static_graph = True  # with the next, two copies of the weights fewer
    config.experimental.disable_output_partition_graphs = True
    for name, value in options.extra.items():
        *path, field = name.split(".")
        text = f"{field}: {value}"
        for part in reversed(path):
            text = f"{part} {{ {text} }}"
        try:
            text_format.Merge(text, config)
        except text_format.ParseError as error:
            raise UsageError(
                f"TensorFlow's session has no option '{name}' with the value '{value}': {error}",
                "give a field of its ConfigProto, as in 'graph_options.optimizer_options.opt_level'",
            ) from error
    return config


@contextmanager
def _on(cores: tuple[int, ...]) -> Iterator[None]:
    """Pin threads created inside the block to these cores, if the operating system can."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
