"""Convert a TFLite network to nodes of an ONNX graph.

TFLite computes in NHWC. Images are NCHW here, as ONNX runtimes expect, and transposed only where they are flattened.
Constants in float16 become float32, which is what TFLite's own DEQUANTIZE does.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from engine.formats.tflite_file import Network, Operator
from engine.networks.convnet import Array, ConvNet

PADDINGS = {0: None, 1: 0}
"""TFLite's code → ConvNet's padding: SAME and VALID."""
NONE, RELU, RELU6 = 0, 1, 3
"""TFLite's codes of fused activations."""


def write(network: Network, net: ConvNet, picture: str) -> dict[str, str]:
    """Add a network's operators to a graph, whose value `picture` [1,3,H,W] is the network's one input.

    Returns the names of its outputs in the graph by their names in the file; their shape and order of axes are as in
    the file. Raises ValueError for anything that a convolutional network with one input does not have.
    """
    writer = _Writer(network, net, picture)
    for number, operator in enumerate(network.operators):
        writer.add(number, operator)
    try:
        return {network.tensors[one].name: writer.flat(one) for one in network.outputs}
    except KeyError as error:
        raise ValueError(f"no operator makes its output, the tensor {error}") from None


class _Writer:
    """The converted tensors by number: constants, images (NCHW) and others."""

    def __init__(self, network: Network, net: ConvNet, picture: str) -> None:
        self._net, self._tensors = net, network.tensors
        self._constants = {n: one.data for n, one in enumerate(network.tensors) if one.data is not None}
        self._pictures = {_input(network): picture}
        self._others: dict[int, str] = {}
        self._operators: Mapping[str, Callable[[str, Operator], None]] = {
            "Add": self._sum,
            "Concatenation": self._concatenation,
            "Conv2D": self._convolution,
            "Dequantize": self._dequantize,
            "DepthwiseConv2D": self._depthwise,
            "Reshape": self._reshape,
        }

    def add(self, number: int, operator: Operator) -> None:
        """Add an operator. Raises ValueError for an unsupported use."""
        name = f"{operator.kind.lower()}{number}"
        try:
            self._operators[operator.kind](name, operator)
        except KeyError as error:
            raise ValueError(f"its operator {name} takes the tensor {error}, which is not what it should be") from None
        except IndexError:
            raise ValueError(f"its operator {name} has too few tensors, or one of too few dimensions") from None

    def flat(self, number: int) -> str:
        """Return a value that is no image, or an image flattened in TFLite's order."""
        if number in self._others:
            return self._others[number]
        picture = self._pictures[number]
        self._others[number] = self._net.node("Transpose", [picture], f"{picture}.nhwc", perm=[0, 2, 3, 1])
        return self._others[number]

    def _dequantize(self, _: str, operator: Operator) -> None:
        self._constants[operator.outputs[0]] = self._constants[operator.inputs[0]].astype(np.float32)

    def _convolution(self, name: str, operator: Operator) -> None:
        """Convert weights [out, k, k, in] to [out, in, k, k]."""
        weight = self._constants[operator.inputs[1]].transpose(0, 3, 1, 2)
        self._convolve(name, operator, weight, groups=1)

    def _depthwise(self, name: str, operator: Operator) -> None:
        """Convert weights [1, k, k, channels] to [channels, 1, k, k]."""
        weight = self._constants[operator.inputs[1]].transpose(3, 0, 1, 2)
        channels = self._tensors[operator.inputs[0]].shape[3]
        if weight.shape[0] != channels:
            raise ValueError(f"its operator {name} makes {weight.shape[0]} channels of {channels}, one by one")
        self._convolve(name, operator, weight, groups=channels)

    def _convolve(self, name: str, operator: Operator, weight: Array, *, groups: int) -> None:
        options, given = operator.options, operator.inputs[2:]
        if options["dilation_w"] != 1 or options["dilation_h"] != 1 or options["stride_w"] != options["stride_h"]:
            raise ValueError(f"its operator {name} has dilation or two different strides")
        bias = self._constants[given[0]] if given and given[0] >= 0 else np.zeros(weight.shape[0], np.float32)
        padding, stride = PADDINGS[options["padding"]], options["stride_w"]
        made = self._net.convolution(
            self._pictures[operator.inputs[0]], name, weight, bias, stride=stride, groups=groups, padding=padding
        )
        self._pictures[operator.outputs[0]] = self._activated(made, options["activation"])

    def _sum(self, name: str, operator: Operator) -> None:
        one, other = operator.inputs
        if self._tensors[one].shape != self._tensors[other].shape:
            raise ValueError(f"its operator {name} adds tensors of different shapes")
        made = self._net.node("Add", [self._pictures[one], self._pictures[other]], name)
        self._pictures[operator.outputs[0]] = self._activated(made, operator.options["activation"])

    def _activated(self, x: str, code: int) -> str:
        if code == NONE:
            return x
        if code == RELU:
            return self._net.node("Relu", [x], f"{x}.relu")
        if code == RELU6:
            limits = [self._net.weight(name, np.array(value, np.float32)) for name, value in (("zero", 0), ("six", 6))]
            return self._net.node("Clip", [x, *limits], f"{x}.relu6")
        raise ValueError(f"its operator {x} is followed by the activation {code}, which has no form here")

    def _reshape(self, name: str, operator: Operator) -> None:
        shape = np.array(self._tensors[operator.outputs[0]].shape, np.int64)
        inputs = [self.flat(operator.inputs[0]), self._net.weight(f"{name}.shape", shape)]
        self._others[operator.outputs[0]] = self._net.node("Reshape", inputs, name)

    def _concatenation(self, name: str, operator: Operator) -> None:
        values: Sequence[str] = [self.flat(one) for one in operator.inputs]
        if operator.options["activation"] != NONE:
            raise ValueError(f"its operator {name} is followed by an activation")
        self._others[operator.outputs[0]] = self._net.node("Concat", values, name, axis=operator.options["axis"])


def image_shape(network: Network) -> tuple[int, ...]:
    """Return the shape of the one input as in the file: batch, height, width, channels. Raises ValueError."""
    return network.tensors[_input(network)].shape


def _input(network: Network) -> int:
    """Return the number of the one input. Raises ValueError if there are none or several."""
    if len(network.inputs) != 1:
        raise ValueError(f"it has {len(network.inputs)} inputs, not one")
    return network.inputs[0]
