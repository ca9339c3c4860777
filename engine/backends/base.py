"""The interface of a backend: it loads a model file and runs one batch. It knows no scenario, data set or LoadGen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

Shape = tuple[int, ...]

Shapes = int | tuple[Shape, ...]
"""The key of a binding: the shape of each input, or the batch size if no other dimension is symbolic."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model."""

    name: str
    shape: tuple[int | None, ...]
    """None for a symbolic dimension."""
    dtype: str
    """The numpy name: float32, uint8, int64."""


@dataclass(frozen=True)
class BackendOptions:
    """Session options of a model."""

    device: str = "cpu"
    intra_op_threads: int = 1
    """Intra-op threads of one session."""
    cores: tuple[int, ...] = ()
    """Cores that the session's threads are pinned to; empty: no pinning."""
    outputs: tuple[str, ...] = ()
    """Names of the requested outputs, in this order; empty means all."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """The backend's own settings, by its own names."""


class Binding(Protocol):
    """Input and output buffers of fixed shapes, bound to the model once to avoid copies in each run."""

    inputs: tuple[Array, ...]
    """One array per model input, in the model's order. The caller fills them before `run`. The bindings of a runner
    share their memory, so they may contain another run's data."""

    def run(self) -> tuple[Array, ...]:
        """Execute the model once. The returned arrays are valid until the next run of this binding."""


class Runner(Protocol):
    """A loaded model. Not thread-safe; make one for each worker."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def bind(self, shapes: Shapes) -> Binding:
        """Allocate buffers of these shapes. Raises DataError if the model does not accept them."""

    def close(self) -> None:
        """Free memory and threads."""


class Backend(Protocol):
    """A backend module: one file in engine/backends with these two functions at its top level."""

    def version(self) -> str:
        """Return the framework's own version."""

    def load(self, model: Path, options: BackendOptions) -> Runner:
        """Load a model file. Raises DataError if this backend can't run it."""
