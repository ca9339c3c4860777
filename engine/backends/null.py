"""A backend that computes nothing and returns at once, to measure the harness itself.

The model path is not opened. `BackendOptions.extra` gives the tensors, `name:dtype:sizes` without the batch, several
separated by blanks: `inputs: image:float32:3,224,224`, `outputs: ArgMax:int64: scores:float32:1001`.
"""

from pathlib import Path

import numpy as np

from engine.backends.base import Array, BackendOptions, Shape, Shapes, TensorSpec
from engine.errors import UsageError

DEFAULTS = {"inputs": "input:float32:4", "outputs": "output:int64:"}


def version() -> str:
    """Return a constant version."""
    return "0"


def load(model: Path, options: BackendOptions) -> "NullRunner":
    """Make a runner; the file is ignored. Raises UsageError if a tensor is not `name:dtype:sizes`."""
    del model
    unknown = set(options.extra) - set(DEFAULTS)
    if unknown:
        raise UsageError(f"the null backend has no option '{min(unknown)}'", "it has 'inputs' and 'outputs'")
    texts = {**DEFAULTS, **options.extra}
    outputs = _tensors(texts["outputs"])
    if options.outputs:
        outputs = tuple(spec for spec in outputs if spec.name in options.outputs)
    return NullRunner(_tensors(texts["inputs"]), outputs)


class NullBinding:
    """Unread input buffers and zero outputs."""

    def __init__(self, inputs: tuple[Array, ...], outputs: tuple[Array, ...]) -> None:
        self.inputs = inputs
        self._outputs = outputs

    def run(self) -> tuple[Array, ...]:
        """Return the zeros."""
        return self._outputs


class NullRunner:
    """A model without computation."""

    def __init__(self, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]) -> None:
        self.inputs = inputs
        self.outputs = outputs

    def bind(self, shapes: Shapes) -> NullBinding:
        """Allocate buffers of any shapes; outputs have the batch size of the first input."""
        if isinstance(shapes, int):
            shapes = tuple(_of_batch(spec, shapes) for spec in self.inputs)
        batch = shapes[0][0] if shapes and shapes[0] else 1
        inputs = tuple(np.zeros(shape, spec.dtype) for spec, shape in zip(self.inputs, shapes, strict=True))
        return NullBinding(inputs, tuple(np.zeros(_of_batch(spec, batch), spec.dtype) for spec in self.outputs))

    def close(self) -> None:
        """Do nothing."""


def _of_batch(spec: TensorSpec, batch: int) -> Shape:
    return (batch, *(size or 1 for size in spec.shape[1:]))


def _tensors(text: str) -> tuple[TensorSpec, ...]:
    return tuple(_tensor(word) for word in text.split())


def _tensor(word: str) -> TensorSpec:
    name, colon, rest = word.partition(":")
    dtype, second_colon, sizes = rest.partition(":")
    try:
        shape = tuple(int(size) for size in sizes.split(",") if size)
        np.dtype(dtype)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"'{word}' is not a tensor: {error}", "write name:dtype:sizes, as in x:float32:3,224"
        ) from error
    if not (colon and second_colon):
        raise UsageError(f"'{word}' is not a tensor", "write name:dtype:sizes, as in x:float32:3,224")
    return TensorSpec(name, (None, *shape), dtype)
