"""What a backend is: it loads a model file and runs one batch. It knows no scenario, data set or LoadGen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model."""

    name: str
    shape: tuple[int | None, ...]
    """None where the model leaves a dimension open; the first dimension is the batch."""
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
    """The buffers of one batch size, bound to the model once so that a run copies nothing twice."""

    inputs: tuple[Array, ...]
    """One array per model input, first dimension the batch. The caller fills them before `run`."""

    def run(self) -> tuple[Array, ...]:
        """Execute one batch. The arrays that come back are valid until the next run of this binding."""


class Runner(Protocol):
    """A loaded model. Not safe for use by two threads at a time; make one for each worker."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def bind(self, batch: int) -> Binding:
        """Prepare buffers for a batch of this many samples. Raises DataError where the model cannot take it."""

    def close(self) -> None:
        """Give memory and threads back."""


class Backend(Protocol):
    """A backend module: one file in engine/backends that has these two functions at its top level."""

    def version(self) -> str:
        """Return the framework's own version."""

    def load(self, model: Path, options: BackendOptions) -> Runner:
        """Load a model file. Raises DataError where the file is not one that this backend can run."""
