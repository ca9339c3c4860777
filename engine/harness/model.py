"""The model of a run: its graphs, loaded by a backend, and the task's program that runs them."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from engine.backends.base import Array, BackendOptions
from engine.backends.graph import Graph
from engine.harness.cores import pin
from engine.harness.samples import SampleLibrary
from engine.tasks.base import TaskOptions
from engine.tasks.programs import MODEL, Direct, MakeProgram, MakeSharedProgram, OpenGraphs, Program, SharedProgram


class GraphFile(NamedTuple):
    """A model graph's file and the outputs that are read."""

    path: Path
    outputs: tuple[str, ...]
    """Names of the outputs that the task reads; empty means all."""


class Model(NamedTuple):
    """Everything that defines a program, except samples and session options."""

    backend: ModuleType
    task: ModuleType
    options: TaskOptions
    """What the task needs to know of the model: engine.tasks.base.model_options."""
    graphs: Mapping[str, GraphFile]

    def program(self, library: SampleLibrary, options: BackendOptions) -> Program:
        """Load the graphs and return the task's own program, or `Direct` for a single graph.

        Raises the backend's errors, DataError if the samples do not match.
        """
        loaded = self._loaded(options)
        make: MakeProgram | None = getattr(self.task, "program", None)
        if make is not None:
            return make(loaded, library, self.options)
        return Direct(loaded[MODEL], library, partial(self.task.respond, model=self.options))

    @property
    def is_shared(self) -> bool:
        """Whether all sessions work on a sample together."""
        return hasattr(self.task, "shared_program")

    def shared_program(self, library: SampleLibrary, sessions: Sequence[BackendOptions]) -> SharedProgram:
        """Load the graphs for each of these sessions, on its own thread and cores, and return the task's shared
        program.

        Raises the backend's errors, DataError if the samples do not match.
        """

        def opener(options: BackendOptions) -> OpenGraphs:
            def load() -> Mapping[str, Graph]:
                pin(options.cores)
                return self._loaded(options)

            return load

        make: MakeSharedProgram = self.task.shared_program
        return make([opener(options) for options in sessions], library, self.options)

    def _loaded(self, options: BackendOptions) -> dict[str, Graph]:
        alone: Container[str] = getattr(self.task, "ONE_THREAD", ())
        threads = {name: 1 if name in alone else options.intra_op_threads for name in self.graphs}
        return {
            name: Graph(
                self.backend.load(graph.path, replace(options, outputs=graph.outputs, intra_op_threads=threads[name]))
            )
            for name, graph in self.graphs.items()
        }

    @property
    def pads(self) -> bool:
        """Whether a batch costs as if all its samples had the cost of the most expensive one."""
        return not getattr(self.task, "COST_ADDS_UP", False)

    def costs(self, library: SampleLibrary) -> Array | None:
        """Return the cost of each sample, by the task's function or its length; None if all cost the same."""
        own = getattr(self.task, "cost", None)
        costs: Array | None = own(library, self.options) if own else library.lengths
        return costs


def graph_files(
    model: str | Mapping[str, str], outputs: tuple[str, ...] | Mapping[str, tuple[str, ...]]
) -> dict[str, GraphFile]:
    """Return the graphs of a model by name, with absolute paths; a single file is the graph MODEL."""
    paths = {MODEL: model} if isinstance(model, str) else model
    wanted = outputs if isinstance(outputs, Mapping) else {MODEL: outputs}
    return {name: GraphFile(Path(path).absolute(), wanted.get(name, ())) for name, path in paths.items()}
