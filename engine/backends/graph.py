"""A loaded model with its bindings by input shapes, for use by a program."""

from collections import OrderedDict
from typing import Final

from engine.backends.base import Binding, Runner, Shapes, TensorSpec

BINDINGS: Final = 32
"""Size of the LRU cache of bindings per graph: a binding owns the memory of its outputs."""


class Graph:
    """One graph of a model. Not thread-safe."""

    def __init__(self, runner: Runner, bindings: int = BINDINGS) -> None:
        self._runner = runner
        self._most = bindings
        self._bindings: OrderedDict[Shapes, Binding] = OrderedDict()

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The inputs, in a binding's order."""
        return self._runner.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The outputs, in the order in which a run returns them."""
        return self._runner.outputs

    def bound(self, shapes: Shapes) -> Binding:
        """Return the binding of these shapes (a batch size, or a tuple of shapes), creating it if needed.

        Request the largest first. Raises DataError if the model does not accept them.
        """
        found = self._bindings.get(shapes)
        if found is not None:
            self._bindings.move_to_end(shapes)
            return found
        if len(self._bindings) >= self._most:
            self._bindings.popitem(last=False)
        made = self._bindings[shapes] = self._runner.bind(shapes)
        return made

    def close(self) -> None:
        """Free the model's memory and threads."""
        self._bindings.clear()
        self._runner.close()
