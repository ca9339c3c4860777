"""Convert the published PyTorch weights of EfficientNet-Lite0 to an ONNX model.

Lite0 is the smallest real ImageNet classifier in a package index, so a first measurement uses it. Architecture:
EfficientNet without squeeze-and-excitation and with ReLU6 in place of swish (the `lite` variant of the TensorFlow TPU
repository); padding is TensorFlow's SAME and batch normalisation uses epsilon 1e-3.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from engine.errors import DataError
from engine.formats.torch_pickle import read_state_dict
from engine.networks.convnet import ConvNet, fold_batch_norm, model_facts, tensor
from engine.step import Options, Step

Array = np.ndarray[Any, np.dtype[Any]]

EPSILON = 1e-3
IMAGE_SIZE = 224
CLASSES = 1000
BLOCK_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Not deducible from the weights. Seven stages of 1, 2, 2, 3, 3, 4 and 1 blocks."""


class WeightsOptions(Options, frozen=True, kw_only=True):
    """The file of the weights."""

    weights_file: str


def convert(step: Step) -> dict[str, Any]:
    """Write `model.onnx` from the state dict `weights_file` in the folder of the dependency `weights`.

    Input `input` float32 [N,3,224,224], output `logits` float32 [N,1000], N symbolic. Raises DataError if the file is
    not the state dict of an EfficientNet-Lite0.
    """
    source = step.inputs["weights"].folder / step.read_options(WeightsOptions).weights_file
    try:
        model = build(read_state_dict(source))
    except KeyError as error:
        raise DataError(
            f"{source}: no EfficientNet-Lite0: it has no tensor {error}", "give the Lite0 weights"
        ) from error
    except ValueError as error:
        raise DataError(f"{source}: no EfficientNet-Lite0: {error}", "give the Lite0 weights") from error
    path = step.output / "model.onnx"
    onnx.save(model, path)
    return model_facts(
        path,
        outputs=["logits"],
        task_options={"label_offset": 0},
        weight_transformations="PyTorch weights written as ONNX, batch normalisation folded into the convolutions",
    )


def build(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Return the ONNX model of a state dict. Raises KeyError or ValueError if it is of another network."""
    net = _Lite0(weights)
    x = net.unit("input", "_conv_stem", "_bn0", stride=2)
    for number, stride in enumerate(BLOCK_STRIDES):
        x = net.block(x, f"_blocks.{number}.", stride)
    x = net.pool_to_vector(net.unit(x, "_conv_head", "_bn1"))
    if weights["_fc.weight"].shape[0] != CLASSES:
        raise ValueError(f"it has {weights['_fc.weight'].shape[0]} classes, not {CLASSES}")
    net.dense(x, "logits", weights["_fc.weight"], weights["_fc.bias"])
    image = tensor("input", "float32", ["N", 3, IMAGE_SIZE, IMAGE_SIZE])
    return net.model("efficientnet-lite0", [image], [tensor("logits", "float32", ["N", CLASSES])])


class _Lite0(ConvNet):
    """The two building blocks, with the state dict's names."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        super().__init__()
        self._source = weights
        self._limits = [self.weight("zero", np.array(0, np.float32)), self.weight("six", np.array(6, np.float32))]

    def unit(self, x: str, convolution: str, norm: str, *, stride: int = 1, relu6: bool = True) -> str:
        """Add convolution, batch normalisation (folded) and ReLU6."""
        kernel = self._source[f"{convolution}.weight"]
        gamma, beta, mean, variance = (
            self._source[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        weight, bias = fold_batch_norm(kernel, gamma, beta, mean, variance, EPSILON)
        groups = kernel.shape[0] if "depthwise" in convolution else 1
        x = self.convolution(x, convolution, weight, bias, stride=stride, groups=groups, padding=None)
        return self.node("Clip", [x, *self._limits], f"{convolution}.relu6") if relu6 else x

    def block(self, x: str, prefix: str, stride: int) -> str:
        """Add an inverted residual: expand (except in the first block), depthwise, project without activation."""
        depthwise, project = f"{prefix}_depthwise_conv", f"{prefix}_project_conv"
        shortcut, channels = x, self._source[f"{depthwise}.weight"].shape[0]
        if f"{prefix}_expand_conv.weight" in self._source:
            channels = self._source[f"{prefix}_expand_conv.weight"].shape[1]
            x = self.unit(x, f"{prefix}_expand_conv", f"{prefix}_bn0")
        x = self.unit(x, depthwise, f"{prefix}_bn1", stride=stride)
        x = self.unit(x, project, f"{prefix}_bn2", relu6=False)
        if stride == 1 and channels == self._source[f"{project}.weight"].shape[0]:
            x = self.node("Add", [x, shortcut], f"{prefix}sum")
        return x
