"""TensorFlow's forms of the operators that engine.networks.bert_graph writes, at opset 11.

Sizes are int64 and taken from the tensors when the graph runs, so that batch and length stay open.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from engine.backends.silent_tensorflow import tf
from engine.errors import DataError

Attributes = Mapping[str, Any]

_CASTS = {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.INT64: "int64", onnx.TensorProto.INT32: "int32"}


def _product(name: str, values: Sequence[Any], _: Attributes) -> Any:
    """Multiply two activations, or one by a matrix of weights: the latter as one product of all its rows."""
    x, y = values
    if not isinstance(y, np.ndarray):
        return tf.matmul(x, y, name=f"{name}/")
    rows = tf.matmul(tf.reshape(x, [-1, y.shape[0]]), tf.constant(y, name="weight"))
    sizes = tf.concat([tf.shape(x, out_type=tf.int64)[:-1], [y.shape[1]]], 0)
    return tf.reshape(rows, sizes, name=f"{name}/")


def _reshape(name: str, values: Sequence[Any], _: Attributes) -> Any:
    """A size of 0 is the input's own."""
    x, sizes = values
    own = tf.shape(x, out_type=tf.int64)
    return tf.reshape(
        x, tf.stack([own[axis] if size == 0 else size for axis, size in enumerate(sizes.tolist())]), name=f"{name}/"
    )


def _mean(name: str, values: Sequence[Any], attributes: Attributes) -> Any:
    keep = bool(attributes.get("keepdims", 1))
    return tf.reduce_mean(values[0], attributes["axes"], keepdims=keep, name=f"{name}/")


def _first(name: str, values: Sequence[Any], _: Attributes) -> Any:
    """Cut the first axis to a length that another tensor has, from its begin."""
    x, begin, end, *axes = values
    if [each.tolist() for each in (begin, *axes)] != [[0], [0]]:
        raise DataError(f"'{name}' cuts another axis than the first, or not from its begin", "write it so")
    return tf.strided_slice(x, begin, end, name=f"{name}/")


def _gather(name: str, values: Sequence[Any], attributes: Attributes) -> Any:
    return tf.gather(*values, axis=attributes.get("axis", 0), name=f"{name}/")


def _unsqueeze(name: str, values: Sequence[Any], attributes: Attributes) -> Any:
    (axis,) = attributes["axes"]
    return tf.expand_dims(values[0], axis, name=f"{name}/")


def _split(name: str, values: Sequence[Any], attributes: Attributes) -> Any:
    return tf.split(values[0], attributes["split"], attributes["axis"], name=f"{name}/")


OPERATORS: Mapping[str, Callable[[str, Sequence[Any], Attributes], Any]] = {
    "Cast": lambda name, values, attributes: tf.cast(values[0], _CASTS[attributes["to"]], name=f"{name}/"),
    "Div": lambda name, values, _: tf.raw_ops.RealDiv(x=values[0], y=values[1], name=f"{name}/"),
    "Erf": lambda name, values, _: tf.math.erf(values[0], name=f"{name}/"),
    "Gather": _gather,
    "MatMul": _product,
    "Mul": lambda name, values, _: tf.multiply(*values, name=f"{name}/"),
    "Pow": lambda name, values, _: tf.pow(*values, name=f"{name}/"),
    "ReduceMean": _mean,
    "Reshape": _reshape,
    "Shape": lambda name, values, _: tf.shape(values[0], out_type=tf.int64, name=f"{name}/"),
    "Slice": _first,
    "Split": _split,
    "Sqrt": lambda name, values, _: tf.sqrt(values[0], name=f"{name}/"),
    "Squeeze": lambda name, values, attributes: tf.squeeze(values[0], attributes["axes"], name=f"{name}/"),
    "Sub": lambda name, values, _: tf.subtract(*values, name=f"{name}/"),
    "Transpose": lambda name, values, attributes: tf.transpose(values[0], attributes["perm"], name=f"{name}/"),
    "Unsqueeze": _unsqueeze,
}
"""By ONNX operator: (name of the result, tensors and weights, attributes) → tensor, or a list of several."""
