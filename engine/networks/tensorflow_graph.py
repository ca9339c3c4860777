"""Convert ONNX models that are built here to TensorFlow, as a frozen graph or as a SavedModel.

TensorFlow on a CPU computes in NHWC, so the weights of classifiers are converted operator by operator, as in the rules'
own graph: no transpose is left in the graph, and both forms predict the same classes. Transformers keep their layout;
their ids are int32, as in the rules' graph of BERT.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import numpy_helper

from engine.backends.frozen_graph import SAVED_MODEL_FILE, SERVING_TAG, SIGNATURE, saved_model_checksum
from engine.backends.silent_tensorflow import saved_model_pb2, tf
from engine.errors import DataError
from engine.facts import ModelFacts
from engine.networks import tensorflow_transformer
from engine.step import Options, Step

Array = np.ndarray[Any, np.dtype[Any]]
Attributes = Mapping[str, Any]

FROZEN, SAVED = "model.pb", "saved_model"

_DTYPES = {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.UINT8: "uint8", onnx.TensorProto.INT64: "int32"}
"""Of the inputs, by their type in ONNX."""

_PICTURES = 4
"""Axes of an input that is a batch of pictures, NCHW in ONNX."""


class FormatOptions(Options, frozen=True, kw_only=True):
    """The format that is written."""

    form: Literal["frozen-graph", "saved-model"]


def convert(step: Step) -> dict[str, Any]:
    """Write the ONNX model of the dependency `onnx` as `model.pb` (option `form`: frozen-graph) or `saved_model`.

    Inputs and outputs keep their names; images are NHWC, int64 becomes int32. Facts: those of the ONNX model with
    `model`, `format`, `layout` (of images), `sha256`, `outputs`, `input_data_types` (of ids) and
    `weight_transformations` changed. Raises DataError for an operator that engine.networks.convnet and
    engine.networks.bert_graph do not write.
    """
    source, known = step.inputs["onnx"], step.inputs["onnx"].read(ModelFacts)
    model = onnx.load(str(source.folder / known.file))
    graph, frozen = build(model), step.read_options(FormatOptions).form == "frozen-graph"
    path = step.output / (FROZEN if frozen else SAVED)
    (write_frozen if frozen else write_saved)(graph, model, path)
    outputs = [tensor_name(name) if frozen else node_name(name) for name in known.outputs]
    pictures = any(len(one.type.tensor_type.shape.dim) == _PICTURES for one in model.graph.input)
    return {
        **source.facts,
        "model": path.name,
        "format": "tf",
        **({"layout": "NHWC"} if pictures else {"input_data_types": "int32"}),
        "sha256": saved_model_checksum(path),
        "outputs": outputs,
        "weight_transformations": _transformations(known.weight_transformations, pictures=pictures),
    }


def build(model: onnx.ModelProto) -> Any:
    """Return the tf.Graph of an ONNX model, with NHWC images. Raises DataError for an unknown operator."""
    writer = _Writer(model)
    with writer.graph.as_default():
        for node in model.graph.node:
            writer.write(node)
    return writer.graph


def write_frozen(graph: Any, _model: onnx.ModelProto, path: Path) -> None:
    """Write a frozen graph; the same graph always gives the same file."""
    path.write_bytes(graph.as_graph_def().SerializeToString(deterministic=True))


def write_saved(graph: Any, model: onnx.ModelProto, path: Path) -> None:
    """Write a SavedModel with one signature, its inputs and outputs named as in the ONNX model."""
    saved = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add(graph_def=graph.as_graph_def())
    meta.meta_info_def.tags.append(SERVING_TAG)
    meta.meta_info_def.tensorflow_version = tf.__version__
    signature = meta.signature_def[SIGNATURE]
    signature.method_name = "tensorflow/serving/predict"
    for values, named in ((model.graph.input, signature.inputs), (model.graph.output, signature.outputs)):
        for one in values:
            tensor = graph.get_tensor_by_name(tensor_name(one.name))
            info = named[node_name(one.name)]
            info.name, info.dtype = tensor.name, tensor.dtype.as_datatype_enum
            info.tensor_shape.CopyFrom(tensor.shape.as_proto())
    path.mkdir()
    (path / SAVED_MODEL_FILE).write_bytes(saved.SerializeToString(deterministic=True))


def node_name(name: str) -> str:
    """Return the node's name for an ONNX name: TensorFlow's begin with a letter, without `:0`."""
    return name.removesuffix(":0").lstrip("_")


def tensor_name(name: str) -> str:
    """Return TensorFlow's name for the tensor of an ONNX name."""
    return f"{node_name(name)}:0"


class _Writer:
    """A graph under construction, with its tensors and the constants that become weights, by ONNX name."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = tf.Graph()
        self._weights = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
        self._tensors: dict[str, Any] = {}
        with self.graph.as_default():
            for one in model.graph.input:
                shape = [dim.dim_value or None for dim in one.type.tensor_type.shape.dim]
                if len(shape) == _PICTURES:
                    batch, channels, height, width = shape
                    shape = [batch, height, width, channels]
                dtype = _DTYPES[one.type.tensor_type.elem_type]
                self._tensors[one.name] = tf.compat.v1.placeholder(dtype, shape, name=node_name(one.name))

    def write(self, node: onnx.NodeProto) -> None:
        """Add one operator."""
        if node.op_type not in _OPERATORS:
            raise DataError(
                f"the operator {node.op_type} ('{node.name}') can't be converted to TensorFlow",
                f"supported: {', '.join(sorted(_OPERATORS))}",
            )
        values = [self._tensors[name] if name in self._tensors else self._weights[name] for name in node.input]
        attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
        name = node_name(node.output[0])
        with tf.name_scope(f"{name}/"):
            made = _OPERATORS[node.op_type](name, values, attributes)
        self._tensors |= zip(node.output, made if isinstance(made, list) else [made], strict=True)


def _convolution(name: str, values: Sequence[Any], attributes: Attributes) -> Any:
    """Convert weights [out, in/groups, k, k] to [k, k, in, out], or to [k, k, in, 1] if depthwise."""
    x, weight, bias = values
    channels, groups = x.shape[3], attributes.get("group", 1)
    padding = _padding(x, attributes)
    if not isinstance(padding, str):
        x, padding = tf.pad(x, padding, name="pad"), "VALID"  # as in the rules' graph, where SAME would pad otherwise
    if groups == 1:
        kernel = tf.constant(weight.transpose(2, 3, 1, 0), name="weight")
        y = tf.nn.conv2d(x, kernel, attributes["strides"], padding, name="Conv2D")
    elif groups == channels == weight.shape[0]:
        kernel = tf.constant(weight.transpose(2, 3, 0, 1), name="weight")
        y = tf.nn.depthwise_conv2d(x, kernel, [1, *attributes["strides"], 1], padding, name="depthwise")
    else:
        raise DataError(f"'{name}' convolves {groups} groups of {channels} channels", "1 or one for each channel fit")
    return tf.nn.bias_add(y, tf.constant(bias, name="bias"), name=f"{name}/")


def _padding(x: Any, attributes: Attributes) -> str | list[list[int]]:
    """Return TensorFlow's padding mode, or the sizes [[before, after], ...] by axis if no mode matches."""
    if attributes.get("auto_pad") == b"SAME_UPPER":
        return "SAME"
    top, left, bottom, right = attributes["pads"]
    if not any((top, left, bottom, right)):
        return "VALID"
    sides = zip(x.shape[1:3], attributes["kernel_shape"], attributes["strides"], strict=True)
    same = [max((-(-size // stride) - 1) * stride + kernel - size, 0) for size, kernel, stride in sides]
    if [top, left, bottom, right] == [same[0] // 2, same[1] // 2, -(-same[0] // 2), -(-same[1] // 2)]:
        return "SAME"
    return [[0, 0], [top, bottom], [left, right], [0, 0]]


def _max_pool(name: str, values: Sequence[Any], attributes: Attributes) -> Any:
    padding = _padding(values[0], attributes)
    if not isinstance(padding, str):
        raise DataError(f"'{name}' pads as TensorFlow's pooling cannot", "pad as SAME does, or not at all")
    return tf.nn.max_pool2d(values[0], attributes["kernel_shape"], attributes["strides"], padding, name=f"{name}/")


def _clip(name: str, values: Sequence[Any], _: Attributes) -> Any:
    if [limit.item() for limit in values[1:]] != [0, 6]:
        raise DataError(f"'{name}' clips to other limits than 0 and 6", "write it as a ReLU or ReLU6")
    return tf.nn.relu6(values[0], name=f"{name}/")


def _flatten(name: str, values: Sequence[Any], _: Attributes) -> Any:
    """Flatten a mean over height and width, which is a vector already; other tensors would change their order."""
    if values[0].shape.rank != 2:
        raise DataError(f"'{name}' flattens images, whose order NHWC changes", "take the mean of each channel first")
    return values[0]


def _dense(name: str, values: Sequence[Any], attributes: Attributes) -> Any:
    x, weight, bias = values
    matrix = np.ascontiguousarray(weight.T) if attributes.get("transB") else weight
    y = tf.matmul(x, tf.constant(matrix, name="weight"), name="MatMul")
    return tf.nn.bias_add(y, tf.constant(bias, name="bias"), name=f"{name}/")


_OPERATORS: Mapping[str, Callable[[str, Sequence[Any], Attributes], Any]] = {
    **tensorflow_transformer.OPERATORS,
    "Add": lambda name, values, _: tf.raw_ops.AddV2(x=values[0], y=values[1], name=f"{name}/"),
    "ArgMax": lambda name, values, _: tf.raw_ops.ArgMax(input=values[0], dimension=1, name=f"{name}/"),
    "Clip": _clip,
    "Conv": _convolution,
    "Flatten": _flatten,
    "Gemm": _dense,
    "GlobalAveragePool": lambda name, values, _: tf.reduce_mean(values[0], [1, 2], name=f"{name}/"),
    "MaxPool": _max_pool,
    "Relu": lambda name, values, _: tf.nn.relu(values[0], name=f"{name}/"),
    "Softmax": lambda name, values, _: tf.nn.softmax(values[0], name=f"{name}/"),
}
"""By ONNX operator: (output name, tensors and weights, attributes) → tensor, or a list of several."""


def _transformations(before: str, *, pictures: bool) -> str:
    written = f"written as a TensorFlow graph{' in NHWC' if pictures else ''}"
    return written if before == "none" else f"{before}; {written}"
