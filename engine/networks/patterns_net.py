"""A tiny classifier of the generated patterns: its architecture, and the shipped trained model.

It allows a whole measurement on any machine at once: no download, no training, a fraction of a millisecond per image.
`tools/train_tiny_classifier.py` trains it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from engine.networks.convnet import ConvNet, model_facts, tensor
from engine.networks.shipped import copied
from engine.step import Step

Array = np.ndarray[Any, np.dtype[Any]]

IMAGE_SIZE = 64
CLASSES = 50
LAYERS = ((16, 2), (32, 2), (48, 2), (56, 1))
"""Channels and stride of the 3x3 convolutions, each followed by a ReLU."""

FILE = "patterns-net.onnx"
SHA256 = "8dfbe07695da3a0c09b11e614886b6eb45d36fdcbc895ce707877b23c4ecf72e"


def shipped(step: Step) -> dict[str, Any]:
    """Write `model.onnx`: input `input` float32 [N,3,64,64] in 0...1, output `scores` float32 [N,50], N symbolic.

    Raises DataError if the installed file is not the shipped one.
    """
    path = copied(step, FILE, SHA256)
    return model_facts(path, outputs=["scores"], task_options={"label_offset": 0}, weight_transformations="none")


def build(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Return the model with these weights: `conv0.weight`, `conv0.bias`, ... (normalisation folded), `scores.*`."""
    net, x = ConvNet(), "input"
    for number, (_, stride) in enumerate(LAYERS):
        name = f"conv{number}"
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        x = net.node("Relu", [net.convolution(x, name, weight, bias, stride=stride, padding=1)], f"{name}.relu")
    net.dense(net.pool_to_vector(x), "scores", weights["scores.weight"], weights["scores.bias"])
    picture = tensor("input", "float32", ["N", 3, IMAGE_SIZE, IMAGE_SIZE])
    return net.model("patterns-net", [picture], [tensor("scores", "float32", ["N", CLASSES])])
