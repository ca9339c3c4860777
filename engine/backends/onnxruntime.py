"""ONNX Runtime as a backend: sessions whose inputs and outputs are bound to numpy memory once (IOBinding).

Bound memory is neither copied nor allocated again in a run; that matters for small models, where `InferenceSession.run`
costs as much as the model. An output whose size the model does not state is allocated in every run, by ONNX Runtime.

`BackendOptions.extra` holds, by ONNX Runtime's own names: attributes of SessionOptions (`enable_cpu_mem_arena: false`),
configuration entries, recognised by their dot (`session.intra_op.allow_spinning: 0`), and `dimension.NAME: 384`, which
fixes a symbolic dimension of the model. Threads spin while they wait for work, ONNX Runtime's default, because a
ResNet-50 on two threads was 5 % slower without; the memory arena and memory patterns made no difference and stay
enabled.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as state

from engine.backends.base import Array, BackendOptions, Shapes, TensorSpec
from engine.backends.buffers import InputBuffers
from engine.errors import DataError, RunError, UsageError, nearest
from engine.store.files import disk_errors

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "dnnl": "DnnlExecutionProvider",
}

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    **{f"tensor({kind}{bits})": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
}

_ENUMS: Mapping[str, Mapping[str, Any]] = {
    "graph_optimization_level": {
        "disable_all": ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
        "basic": ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
        "extended": ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        "all": ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
    },
    "execution_mode": {
        "sequential": ort.ExecutionMode.ORT_SEQUENTIAL,
        "parallel": ort.ExecutionMode.ORT_PARALLEL,
    },
}
_NUMBERS = frozenset({"inter_op_num_threads", "log_severity_level", "log_verbosity_level"})
_SWITCHES = frozenset({"enable_cpu_mem_arena", "enable_mem_pattern", "enable_mem_reuse", "enable_profiling"})
_PATHS = frozenset({"optimized_model_filepath", "profile_file_prefix"})
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_DIMENSION = "dimension."

_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    *(one for one in vars(state).values() if isinstance(one, type) and issubclass(one, Exception)),
)
"""All of ONNX Runtime's exceptions: they have no common base class, and releases differ in them."""


def version() -> str:
    """Return ONNX Runtime's version."""
    return str(ort.__version__)


def load(model: Path, options: BackendOptions) -> "OnnxRunner":
    """Load a model file.

    Raises DataError if the file is not a model that ONNX Runtime can run, has no such output, or the device is not
    available, and UsageError if an option in `extra` is unknown.
    """
    with disk_errors(model):
        if not model.is_file():
            raise DataError(f"{model}: there is no such model file", "give the path of an ONNX file")
    provider = _provider(options.device)
    with _as_data_error(model):
        session = ort.InferenceSession(_Exact(model), _session_options(options), providers=[provider])
    if session.get_providers()[0] != provider:
        raise DataError(
            f"{model}: ONNX Runtime could not use the device '{options.device}' and fell back to the CPU",
            "check the driver and the libraries that this build of ONNX Runtime needs, or choose the device 'cpu'",
        )
    return OnnxRunner(model, session, options.outputs)


class _Exact(os.PathLike[bytes]):
    """A path in bytes: ONNX Runtime's own conversion refuses one that is not UTF-8."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> bytes:
        return os.fsencode(self._path)


class OnnxBinding:
    """Buffers of fixed shapes."""

    def __init__(
        self, session: ort.InferenceSession, inputs: Mapping[str, Array], outputs: Mapping[str, Array]
    ) -> None:
        self.inputs = tuple(inputs.values())
        self._outputs = tuple(outputs.values())
        self._binding = session.io_binding()
        self._session = session
        for name, array in inputs.items():
            self._binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        for name, array in outputs.items():
            self._binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)

    def run(self) -> tuple[Array, ...]:
        """Execute one batch. The arrays are valid until the next run of this binding."""
        try:
            self._session.run_with_iobinding(self._binding)
        except _ERRORS as error:
            raise _failed_run(error) from error
        return self._outputs


class OpenBinding(OnnxBinding):
    """Buffers of fixed input shapes, for outputs whose size is known only after a run."""

    def __init__(self, session: ort.InferenceSession, inputs: Mapping[str, Array], outputs: Sequence[str]) -> None:
        super().__init__(session, inputs, {})
        self._names = outputs

    def run(self) -> tuple[Array, ...]:
        """Execute one batch. The arrays are the caller's own."""
        for name in self._names:  # else the previous run's allocation would be reused as an output of fixed shape
            self._binding.bind_output(name, "cpu")
        super().run()
        return tuple(self._binding.copy_outputs_to_cpu())


class OnnxRunner:
    """A loaded model."""

    def __init__(self, model: Path, session: ort.InferenceSession, wanted: Sequence[str]) -> None:
        available = {value.name: value for value in session.get_outputs()}
        for name in wanted:
            if name not in available:
                raise DataError(f"{model}: the model has no output '{name}'", nearest(name, available))
        chosen = [available[name] for name in wanted] or list(available.values())
        self._session: ort.InferenceSession | None = session
        self.inputs = tuple(_spec(model, value) for value in session.get_inputs())
        self.outputs = tuple(_spec(model, value) for value in chosen)
        self._sizes = _sizes(session.get_inputs(), chosen)
        self._buffers = InputBuffers(
            model, self.inputs, f"fix them with the backend option '{_DIMENSION}NAME', NAME as in the model"
        )

    def bind(self, shapes: Shapes) -> OnnxBinding:
        """Allocate buffers of these shapes. Bind the largest first: the inputs of the others are parts of its own.

        Raises DataError if the model does not accept them, or a symbolic dimension has no given size.
        """
        session = self._session
        if session is None:
            raise ValueError("the runner is closed")
        arrays = self._buffers.of(shapes)
        inputs = {spec.name: array for spec, array in zip(self.inputs, arrays, strict=True)}
        if self._sizes is None:
            return OpenBinding(session, inputs, [spec.name for spec in self.outputs])
        outputs = {
            spec.name: np.zeros([_size(one, arrays) for one in sizes], spec.dtype)
            for spec, sizes in zip(self.outputs, self._sizes, strict=True)
        }
        return OnnxBinding(session, inputs, outputs)

    def close(self) -> None:
        """Free the session's memory and threads, once no binding is left."""
        self._session = None
        self._buffers.clear()


def _provider(device: str) -> str:
    available = [name for name, provider in PROVIDERS.items() if provider in ort.get_available_providers()]
    if device not in available:
        raise DataError(f"this build of ONNX Runtime has no device '{device}'", nearest(device, available))
    return PROVIDERS[device]


def _session_options(options: BackendOptions) -> ort.SessionOptions:
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = options.intra_op_threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3  # errors also raise exceptions; warnings about the graph are not actionable
    pinned = options.cores[1 : options.intra_op_threads]
    if pinned and len(pinned) == options.intra_op_threads - 1:
        # One entry per thread of the pool; the calling thread takes part and is pinned by the caller.
        # ONNX Runtime counts processors from 1.
        cores = ";".join(str(core + 1) for core in pinned)
        settings.add_session_config_entry("session.intra_op_thread_affinities", cores)
    for name, value in options.extra.items():
        _set(settings, name, value)
    return settings


def _set(settings: ort.SessionOptions, name: str, value: str) -> None:
    if name.startswith(_DIMENSION):
        settings.add_free_dimension_override_by_name(name.removeprefix(_DIMENSION), _number(name, value))
    elif "." in name:
        settings.add_session_config_entry(name, value)
    elif name in _ENUMS:
        setattr(settings, name, _choice(name, value, _ENUMS[name]))
    elif name in _NUMBERS:
        setattr(settings, name, _number(name, value))
    elif name in _SWITCHES:
        setattr(settings, name, _choice(name, value, _BOOLEANS))
    elif name in _PATHS:
        setattr(settings, name, value)
    else:
        known = {*_ENUMS, *_NUMBERS, *_SWITCHES, *_PATHS}
        raise UsageError(f"ONNX Runtime's session has no option '{name}'", nearest(name, known))


def _choice(name: str, value: str, allowed: Mapping[str, Any]) -> Any:
    if value.lower() not in allowed:
        raise UsageError(f"ONNX Runtime's option '{name}' cannot be '{value}'", nearest(value, allowed))
    return allowed[value.lower()]


def _number(name: str, value: str) -> int:
    if not value.isdecimal():
        raise UsageError(f"ONNX Runtime's option '{name}' cannot be '{value}'", "give a whole number")
    return int(value)


def _spec(model: Path, value: Any) -> TensorSpec:
    if value.type not in _DTYPES:
        raise DataError(f"{model}: '{value.name}' is a {value.type}", f"its type must be one of {', '.join(_DTYPES)}")
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in value.shape)
    return TensorSpec(value.name, shape, _DTYPES[value.type])


_Size = int | tuple[int, int]
"""A dimension of an output: a number, or a reference to an input's axis (number of the input, number of the axis)."""


def _sizes(inputs: Sequence[Any], outputs: Sequence[Any]) -> list[list[_Size]] | None:
    """Return the dimensions of every output, or None if one is known only after a run: its name is in no input."""
    named = {
        size: (number, axis)
        for number, value in enumerate(inputs)
        for axis, size in enumerate(value.shape)
        if isinstance(size, str)
    }
    if any(not isinstance(size, int) and size not in named for value in outputs for size in value.shape):
        return None
    return [[size if isinstance(size, int) else named[size] for size in value.shape] for value in outputs]


def _size(size: _Size, inputs: Sequence[Array]) -> int:
    return size if isinstance(size, int) else inputs[size[0]].shape[size[1]]


@contextmanager
def _as_data_error(model: Path) -> Iterator[None]:
    try:
        yield
    except (state.InvalidProtobuf, state.NoModel) as error:
        raise DataError(
            f"{model}: the file is not an ONNX model: {_text(error)}", "fetch or export it again"
        ) from error
    except _ERRORS as error:
        raise DataError(
            f"{model}: ONNX Runtime {version()} cannot run this model: {_text(error)}",
            "use a newer ONNX Runtime, or export the model with operators that it has",
        ) from error


def _failed_run(error: Exception) -> RunError:
    return RunError(
        f"ONNX Runtime failed while it ran the model: {_text(error)}",
        "run the model alone with the same batch; out of memory shows here as well",
    )


def _text(error: Exception) -> str:
    """Return the first line of ONNX Runtime's message without the number of its error code."""
    first = str(error).strip().split("\n", 1)[0]
    return first.split(" : ", 2)[-1] if first.startswith("[ONNXRuntimeError]") else first
