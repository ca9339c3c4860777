"""OpenVINO as a backend: the ONNX files of ONNX Runtime, compiled for the processor in fp32 or bf16.

A model compiled for one batch size is 2 to 4 % faster than one with a dynamic batch (ResNet-50, 2026.4), so the first
shapes that are bound, those that matter, get a model of their own; all others share one. Where lengths are dynamic too,
all shapes share one model, and the weights are held once. A session of one thread computes in its caller's thread, on
the cores that this is pinned to. More threads come from a pool that all sessions of the process share, without pinning:
OpenVINO's own pinning puts every session on the same cores.

By default OpenVINO would compute in bf16 if the processor can. Here that must be requested by
`INFERENCE_PRECISION_HINT: bf16` in `BackendOptions.extra`, which holds properties of OpenVINO's CPU device by their own
names. int8 is part of the model and needs no option. Compiled models are not cached on disk, and OpenVINO's telemetry
package is not loaded.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from engine.backends.base import Array, BackendOptions, Shape, Shapes, TensorSpec
from engine.backends.buffers import InputBuffers, aligned
from engine.errors import DataError, RunError, UsageError, nearest

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # the import system's word for "not there"
import openvino as ov  # noqa: E402

DEVICES = {"cpu": "CPU"}

PRECISION = "INFERENCE_PRECISION_HINT"
PRECISIONS = {"f32": "FP32", "bf16": "BF16", "f16": "FP16"}
"""Values of the property → required capability of the processor."""

_DTYPES = frozenset("float16 float32 float64 bool int8 int16 int32 int64 uint8 uint16 uint32 uint64".split())

_CORE = ov.Core()
_LOADING = Lock()
"""OpenVINO's Python package fills tables on first use while it waits for the GIL: two threads that do so at once
deadlock."""


def version() -> str:
    """Return OpenVINO's version without the build number."""
    return str(ov.__version__).partition("-")[0]


def load(model: Path, options: BackendOptions) -> "OpenVinoRunner":
    """Load a model file.

    Raises DataError if the file is not a model that OpenVINO can run, has no such output, or the processor lacks the
    precision, and UsageError if an option in `extra` is unknown.
    """
    if not model.is_file():
        raise DataError(f"{model}: there is no such model file", "give the path of an ONNX file")
    if options.device not in DEVICES:
        raise DataError(f"OpenVINO has no device '{options.device}' here", nearest(options.device, DEVICES))
    device = DEVICES[options.device]
    with _LOADING:
        settings = _settings(device, options)
        with _explained(model, "use a newer OpenVINO, or export the model with operators that it has"):
            graph = _CORE.read_model(str(model))
        return OpenVinoRunner(model, graph, device, settings, options.outputs)


class OpenVinoBinding:
    """Buffers of fixed shapes. An output whose size the model does not state is allocated in each run."""

    def __init__(self, compiled: Any, places: Sequence[int], inputs: tuple[Array, ...]) -> None:
        self.inputs = inputs
        self._request = compiled.create_infer_request()
        self._places = places
        self._outputs: tuple[Array, ...] | None = None
        for place, array in enumerate(inputs):
            self._request.set_input_tensor(place, ov.Tensor(array, shared_memory=True))
        ports = [compiled.outputs[place] for place in places]
        if all(port.partial_shape.is_static for port in ports):
            self._outputs = tuple(aligned(tuple(port.shape), np.dtype(port.element_type.to_dtype())) for port in ports)
            for place, array in zip(places, self._outputs, strict=True):
                self._request.set_output_tensor(place, ov.Tensor(array, shared_memory=True))

    def run(self) -> tuple[Array, ...]:
        """Execute one batch. The arrays are valid until the next run of this binding."""
        try:
            self._request.infer(share_outputs=True)
        except RuntimeError as error:
            raise RunError(
                f"OpenVINO failed while it ran the model: {_text(error)}",
                "run the model alone with the same batch; out of memory shows here as well",
            ) from error
        if self._outputs is not None:
            return self._outputs
        return tuple(self._request.get_output_tensor(place).data for place in self._places)


class OpenVinoRunner:
    """A loaded model."""

    def __init__(
        self, model: Path, graph: Any, device: str, settings: Mapping[str, str], wanted: Sequence[str]
    ) -> None:
        ports = graph.outputs
        self._places = [_place(model, ports, name) for name in wanted] or list(range(len(ports)))
        chosen = [ports[place] for place in self._places]
        self._model = model
        self._graph = graph
        self._device = device
        self._settings = settings
        names = wanted or [port.get_any_name() for port in chosen]
        self.inputs = tuple(_spec(model, port.get_any_name(), port) for port in graph.inputs)
        self.outputs = tuple(_spec(model, name, port) for name, port in zip(names, chosen, strict=True))
        self._buffers = InputBuffers(model, self.inputs, "export the model with these dimensions fixed")
        self._own: tuple[list[Shape], Any] | None = None
        """The shapes that were bound first, and the model compiled for them; None where lengths are open."""
        self._open = any(size is None for spec in self.inputs for size in spec.shape[1:])
        """Whether another dimension than the batch is open."""
        self._any: Any = None
        """The model compiled for dynamic shapes, once others are bound."""

    def bind(self, shapes: Shapes) -> OpenVinoBinding:
        """Allocate buffers of these shapes. Bind the largest first: the inputs of the others are parts of its own.

        Raises DataError if the model does not accept them, or a symbolic dimension has no given size.
        """
        if self._graph is None:
            raise ValueError("the runner is closed")
        inputs = self._buffers.of(shapes)
        with _LOADING, _explained(self._model, "use a newer OpenVINO, or a smaller batch where the memory ran out"):
            return OpenVinoBinding(self._compiled(inputs), self._places, inputs)

    def close(self) -> None:
        """Free memory and threads, once no binding is left."""
        self._graph = self._own = self._any = None
        self._buffers.clear()

    def _compiled(self, inputs: Sequence[Array]) -> Any:
        shapes = [array.shape for array in inputs]
        if self._own is None and not self._open:
            graph = self._graph.clone()
            graph.reshape({place: list(shape) for place, shape in enumerate(shapes)})
            self._own = shapes, _CORE.compile_model(graph, self._device, self._settings)
        if self._own is not None and self._own[0] == shapes:
            return self._own[1]
        if self._any is None:
            self._any = _CORE.compile_model(self._graph, self._device, self._settings)
        return self._any


def _settings(device: str, options: BackendOptions) -> dict[str, str]:
    known = set(_CORE.get_property(device, "SUPPORTED_PROPERTIES"))
    for name in options.extra:
        if name not in known:
            raise UsageError(f"OpenVINO's {device} has no property '{name}'", nearest(name, known))
    precision = options.extra.get(PRECISION, "f32")
    if precision not in PRECISIONS:
        raise UsageError(f"OpenVINO's property {PRECISION} cannot be '{precision}'", nearest(precision, PRECISIONS))
    if PRECISIONS[precision] not in _CORE.get_property(device, "OPTIMIZATION_CAPABILITIES"):
        raise DataError(f"OpenVINO cannot compute in {precision} on this processor", "choose f32")
    return {
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(options.intra_op_threads),
        "ENABLE_CPU_PINNING": "NO",
        **options.extra,
        PRECISION: precision,
    }


def _place(model: Path, ports: Sequence[Any], wanted: str) -> int:
    for place, port in enumerate(ports):
        if wanted in port.names:
            return place
    raise DataError(
        f"{model}: the model has no output '{wanted}'", nearest(wanted, [name for port in ports for name in port.names])
    )


def _spec(model: Path, name: str, port: Any) -> TensorSpec:
    kind = str(port.element_type.to_dtype()) if port.element_type.is_static() else "of no fixed type"
    if kind not in _DTYPES:
        raise DataError(f"{model}: '{name}' is {kind}", f"its type must be one of {', '.join(sorted(_DTYPES))}")
    sizes = port.partial_shape
    if sizes.rank.is_dynamic:
        return TensorSpec(name, (None,), kind)
    return TensorSpec(name, tuple(None if size.is_dynamic else size.get_length() for size in sizes), kind)


@contextmanager
def _explained(model: Path, remedy: str) -> Iterator[None]:
    """Convert OpenVINO's errors about a model, which have no class of their own, to DataError."""
    try:
        yield
    except RuntimeError as error:
        raise DataError(f"{model}: OpenVINO {version()} cannot run this model: {_text(error)}", remedy) from error


def _text(error: RuntimeError) -> str:
    """Return the last line of OpenVINO's message, which begins with source locations."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    message = [line for line in lines if not line.startswith("Exception from")]
    return (message or lines or ["it does not say why"])[-1]
