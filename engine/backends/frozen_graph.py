"""Read a TensorFlow model from disk as one graph of constants, with its inputs and outputs by name.

A frozen graph (TensorFlow 1's .pb) is one already; a SavedModel's variables become constants, because TensorFlow
prepares constant weights for the processor once and variables in each run.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from google.protobuf.message import DecodeError

from engine.backends.base import TensorSpec
from engine.backends.silent_tensorflow import saved_model_pb2, tf
from engine.errors import DataError, nearest
from engine.store.files import digest, sha256_of

SAVED_MODEL_FILE = "saved_model.pb"
SERVING_TAG = "serve"
SIGNATURE = "serving_default"

_FORBIDDEN = frozenset("ReadFile WriteFile MatchingFiles PyFunc PyFuncStateless EagerPyFunc".split())
"""Operators with which a model file could read, write or execute anything on this machine."""

_NO_RESULT = frozenset({"Placeholder", "Const", "NoOp", "Assert"})

_DTYPES = frozenset("float16 float32 float64 bool int8 int16 int32 int64 uint8 uint16 uint32 uint64".split())


Names = Mapping[str, str]


@dataclass(frozen=True)
class GraphTensor:
    """An input or output."""

    spec: TensorSpec
    place: str
    """Its name inside the graph."""


class FrozenGraph:
    """A graph whose weights are constants."""

    def __init__(self, model: Path, definition: Any, inputs: Names | None = None, outputs: Names | None = None) -> None:
        """`inputs` and `outputs`: tensors by their outside names.

        Without `outputs` every result that nothing in the graph uses is one.
        """
        self.model = model
        self._input_names = {place: name for name, place in (inputs or {}).items()}
        self.graph = tf.Graph()
        self.calls: WeakValueDictionary[bytes, Any] = WeakValueDictionary()
        """Sharable callables of this graph, by their settings."""
        with tensorflow_errors(model), self.graph.as_default():
            tf.import_graph_def(definition, name="")
        functions = (node for function in definition.library.function for node in function.node_def)
        self.operators = frozenset(node.op for node in (*definition.node, *functions))
        _refuse_forbidden(model, self.operators)
        self.outputs = self._ends() if outputs is None else tuple(map(self._tensor, outputs, outputs.values()))
        if not self.outputs:
            raise DataError(f"{model}: the graph has no outputs", "give a graph for inference")

    @classmethod
    def read(cls, model: Path) -> "FrozenGraph":
        """Read a frozen graph from a file or a SavedModel from a folder. Raises DataError if it is neither."""
        if model.is_dir():
            return cls(model, *_freeze(model))
        definition = tf.compat.v1.GraphDef()
        try:
            definition.ParseFromString(model.read_bytes())
        except DecodeError:
            definition.Clear()
        if not definition.node:
            raise DataError(f"{model}: the file is not a TensorFlow graph", "give a frozen graph, or export it again")
        return cls(model, definition)

    def output(self, name: str) -> GraphTensor:
        """Return an output by its name, with or without TensorFlow's `:0`. Raises DataError with the nearest name."""
        for one in self.outputs:
            if name in {one.spec.name, one.spec.name.removesuffix(":0"), one.spec.name + ":0"}:
                return one
        place = name if ":" in name else name + ":0"
        try:
            return self._tensor(place, place)
        except (KeyError, ValueError):
            known = [one.spec.name for one in self.outputs]
            raise DataError(f"{self.model}: the model has no output '{name}'", nearest(name, known)) from None

    def inputs_of(self, outputs: Sequence[GraphTensor]) -> tuple[GraphTensor, ...]:
        """Return the placeholders that these outputs depend on, in the order of the graph."""
        seen: set[Any] = set()
        todo = [self.graph.get_tensor_by_name(one.place).op for one in outputs]
        while todo:
            operation = todo.pop()
            if operation not in seen:
                seen.add(operation)
                todo += [tensor.op for tensor in operation.inputs] + list(operation.control_inputs)
        found = [one for one in self.graph.get_operations() if one.type == "Placeholder" and one in seen]
        if not found:
            raise DataError(f"{self.model}: the graph has no inputs", "give a graph whose input is a placeholder")
        places = [f"{one.name}:0" for one in found]
        return tuple(self._tensor(self._input_names.get(place, place), place) for place in places)

    def _ends(self) -> tuple[GraphTensor, ...]:
        ends = [one for one in self.graph.get_operations() if one.type not in _NO_RESULT]
        tensors = [tensor.name for one in ends for tensor in one.outputs if not tensor.consumers()]
        return tuple(self._tensor(name, name) for name in tensors)

    def _tensor(self, name: str, place: str) -> GraphTensor:
        tensor = self.graph.get_tensor_by_name(place)
        dtype = np.dtype(tensor.dtype.as_numpy_dtype).name
        if dtype not in _DTYPES:
            raise DataError(f"{self.model}: '{name}' is a {tensor.dtype.name}", "it must be of numbers")
        sizes = (None,) if tensor.shape.rank is None else tuple(tensor.shape.as_list())
        return GraphTensor(TensorSpec(name, sizes, dtype), place)


def saved_model_checksum(model: Path) -> str:
    """Return the SHA-256 of a model file; of a folder, that of its files' names and checksums."""
    if model.is_file():
        return sha256_of(model)
    files = sorted(path for path in model.rglob("*") if path.is_file())
    return digest("".join(f"{sha256_of(path)}  {path.relative_to(model).as_posix()}\n" for path in files))


@contextmanager
def tensorflow_errors(model: Path) -> Iterator[None]:
    """Convert TensorFlow's errors about a model to DataError."""
    try:
        yield
    except (tf.errors.OpError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise DataError(
            f"{model}: TensorFlow {tf.__version__} cannot run this model: {first_line(error)}",
            "use a newer TensorFlow, or export the model with operators that it has",
        ) from error


def first_line(error: Exception) -> str:
    """Return the first line of TensorFlow's message, which continues with the graph."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else getattr(error, "message", error))
    return text.strip().split("\n", 1)[0]


def _freeze(folder: Path) -> tuple[Any, dict[str, str], dict[str, str]]:
    """Return a SavedModel's serving graph with constants for variables, and the tensors of its inputs and outputs."""
    signature = _signature(folder)
    inputs, outputs = (
        {name: info.name for name, info in sorted(side.items())} for side in (signature.inputs, signature.outputs)
    )
    v1 = tf.compat.v1
    with (
        tensorflow_errors(folder),
        v1.Session(graph=tf.Graph(), config=v1.ConfigProto(device_count={"GPU": 0})) as session,
    ):
        v1.saved_model.load(session, [SERVING_TAG], str(folder))
        nodes = [place.partition(":")[0] for place in outputs.values()]
        definition = v1.graph_util.convert_variables_to_constants(session, session.graph_def, nodes)
    return definition, inputs, outputs


def _signature(folder: Path) -> Any:
    """Return the serving signature after checking the operators: loading a SavedModel executes parts of it."""
    saved = saved_model_pb2.SavedModel()
    try:
        saved.ParseFromString((folder / SAVED_MODEL_FILE).read_bytes())
    except (OSError, DecodeError) as error:
        raise DataError(
            f"{folder} is not a SavedModel: {error}", f"give the folder that holds {SAVED_MODEL_FILE}"
        ) from error
    served = [one for one in saved.meta_graphs if SERVING_TAG in one.meta_info_def.tags]
    if not served:
        raise DataError(f"{folder}: the SavedModel has no graph for serving", "export it for serving")
    graph, signatures = served[0].graph_def, served[0].signature_def
    functions = (node for function in graph.library.function for node in function.node_def)
    _refuse_forbidden(folder, {node.op for node in (*graph.node, *functions)})
    usable = {name: one for name, one in signatures.items() if one.inputs and one.outputs}
    if SIGNATURE not in usable and len(usable) != 1:
        raise DataError(
            f"{folder}: the SavedModel has no signature '{SIGNATURE}' but {', '.join(sorted(usable)) or 'none'}",
            "export it with one signature for serving",
        )
    return usable.get(SIGNATURE) or next(iter(usable.values()))


def _refuse_forbidden(model: Path, operators: Iterator[str] | frozenset[str] | set[str]) -> None:
    found = _FORBIDDEN & set(operators)
    if found:
        raise DataError(
            f"{model}: the model wants to use files or run code here ({', '.join(sorted(found))})",
            "give a model that only computes",
        )
