"""What a backend is: it loads a model file and runs one batch. It knows no scenario, data set or LoadGen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

Shape = tuple[int, ...]

Shapes = int | tuple[Shape, ...]
"""What a binding is made for: the shape of each input, or the batch alone where that is all a model leaves open."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model."""

    name: str
    shape: tuple[int | None, ...]
    """None where the model leaves a dimension open."""
    dtype: str
    """The numpy name: float32, uint8, int64."""


@dataclass(frozen=True)
class BackendOptions:
    """How a model is loaded."""

    device: str = "cpu"
    intra_op_threads: int = 1
    """Threads that one session uses inside one operator."""
    cores: tuple[int, ...] = ()
    """Cores that the session's threads are pinned to; empty leaves it to the operating system."""
    outputs: tuple[str, ...] = ()
    """Names of the outputs that are wanted, in this order; empty means all."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """The backend's own settings, by its own names."""


class Binding(Protocol):
    """Buffers of certain shapes, bound to the model once so that a run copies nothing twice."""

    inputs: tuple[Array, ...]
    """One array per model input, in the model's order. The caller fills them before `run`: the bindings of a runner
    share their memory, so that what another run left is still in it."""

    def run(self) -> tuple[Array, ...]:
        """Execute the model once. The arrays that come back are valid until the next run of this binding."""


class Runner(Protocol):
    """A loaded model. Not safe for use by two threads at a time; make one for each worker."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def bind(self, shapes: Shapes) -> Binding:
        """Prepare buffers of these shapes. Raises DataError where the model cannot take them."""

    def close(self) -> None:
        """Give memory and threads back."""


class Backend(Protocol):
    """A backend module: one file in engine/backends that has these two functions at its top level."""

    def version(self) -> str:
        """Return the framework's own version."""

    def load(self, model: Path, options: BackendOptions) -> Runner:
        """Load a model file. Raises DataError where the file is not one that this backend can run."""
