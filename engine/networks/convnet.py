"""Write convolutional networks as ONNX graphs, with the facts of the model artifact.

Graphs are written node by node rather than exported, so that no training framework is needed and the same weights
always give the same file.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, np.dtype[Any]]

OPSET = 13
IR_VERSION = 8
"""The oldest that the opset allows in practice, so that older runtimes read the file too."""

ELEMENT_TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "uint8": TensorProto.UINT8}


class ConvNet:
    """An ONNX graph under construction. Each method adds an operator and returns its output's name."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: dict[str, onnx.TensorProto] = {}
        self.parameters = 0
        """Elements of all weights so far."""

    def weight(self, name: str, values: Array) -> str:
        """Add an initializer in its own dtype."""
        self._weights[name] = numpy_helper.from_array(np.ascontiguousarray(values).reshape(values.shape), name)
        self.parameters += values.size
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add an operator with one output."""
        self._nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        return output

    def convolution(
        self,
        x: str,
        name: str,
        weight: Array,
        bias: Array,
        *,
        stride: int = 1,
        groups: int = 1,
        padding: int | None = 0,
    ) -> str:
        """Add a square convolution; weight [out, in/groups, k, k], bias [out].

        `padding` applies to every side; None pads as TensorFlow's SAME does, the odd row and column at the end.
        """
        pads = {"auto_pad": "SAME_UPPER"} if padding is None else {"pads": [padding] * 4}
        return self.node(
            "Conv",
            [x, self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", bias)],
            name,
            kernel_shape=list(weight.shape[2:]),
            strides=[stride, stride],
            group=groups,
            **pads,
        )

    def dense(self, x: str, name: str, weight: Array, bias: Array) -> str:
        """Add a fully connected layer; x [N, in], weight [out, in], bias [out]."""
        inputs = [x, self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", bias)]
        return self.node("Gemm", inputs, name, transB=1)

    def pool_to_vector(self, x: str) -> str:
        """Add global average pooling; [N, C, H, W] becomes [N, C]."""
        return self.node("Flatten", [self.node("GlobalAveragePool", [x], f"{x}.mean")], f"{x}.vector")

    def model(
        self, name: str, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """Return the finished model."""
        graph = helper.make_graph(self._nodes, name, list(inputs), list(outputs), list(self._weights.values()))
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="inferdeck")


def tensor(name: str, dtype: str, shape: Sequence[int | str] | None) -> onnx.ValueInfoProto:
    """Return a graph input or output; a name in the shape is a symbolic dimension, None is an unknown shape."""
    return helper.make_tensor_value_info(name, ELEMENT_TYPES[dtype], shape)


def fold_batch_norm(
    weight: Array, gamma: Array, beta: Array, mean: Array, variance: Array, epsilon: float
) -> tuple[Array, Array]:
    """Return float32 weight and bias of the convolution equal to a convolution followed by batch normalisation.

    weight [out, ...] without bias; the other arrays [out]. Computed in float64, rounded once.
    """
    scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    folded = weight.astype(np.float64) * scale.reshape(-1, *[1] * (weight.ndim - 1))
    return folded.astype(np.float32), (beta - mean * scale).astype(np.float32)


def model_facts(
    model: Path, *, outputs: Sequence[str], task_options: Mapping[str, Any], weight_transformations: str
) -> dict[str, Any]:
    """Return the facts of an ONNX model with float32 NCHW images as input.

    `task_options`: what the task needs to interpret the outputs (its `respond`). `weight_transformations`: what was
    done to the published weights, as in the measurements file's field of that name.
    """
    with model.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "model": model.name,
        "format": "onnx",
        "layout": "NCHW",
        "sha256": digest,
        "input_dtype": "float32",
        "outputs": list(outputs),
        "task_options": dict(task_options),
        "starting_weights_filename": model.name,
        "weight_data_types": "fp32",
        "input_data_types": "fp32",
        "retraining": "no",
        "weight_transformations": weight_transformations,
    }
