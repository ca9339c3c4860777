"""A loaded model with its bindings by input shapes: what a program runs."""

from collections import OrderedDict
from typing import Final

from engine.backends.base import Binding, Runner, Shapes, TensorSpec

BINDINGS: Final = 32
"""Kept at most for one graph, the last used ones: a binding owns the memory of its outputs."""


class Graph:
    """One graph of a model. For one thread only."""

    def __init__(self, runner: Runner, bindings: int = BINDINGS) -> None:
        self._runner = runner
        self._most = bindings
        self._bindings: OrderedDict[Shapes, Binding] = OrderedDict()

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The inputs, in the order in which a binding has them."""
        return self._runner.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The outputs, in the order in which a run returns them."""
        return self._runner.outputs

    def bound(self, shapes: Shapes) -> Binding:
        """Return the binding of these shapes (a batch, or a tuple of shapes), made where there is none yet.

        Ask for the largest first. Raises DataError where the model cannot take them.
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
        """Give the model's memory and threads back."""
        self._bindings.clear()
        self._runner.close()
