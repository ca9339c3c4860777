"""A small detector of the generated scenes: its architecture, and the shipped trained model.

It allows object detection on any machine at once: no download, no training, a millisecond per image. Every cell of a
grid predicts a class and the distances of the object's sides from the cell's centre (anchor-free, as in FCOS, Tian et
al. 2019); a class's score is the expected IoU (as in generalized focal loss, Li et al. 2020).
`tools/train_scene_detector.py` trains it.
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
import onnx

from engine.datasets.scene_canvas import SHAPES
from engine.networks.convnet import model_facts, tensor
from engine.networks.shipped import copied
from engine.networks.suppression import Limits, SuppressingNet
from engine.step import Step

Array = np.ndarray[Any, np.dtype[Any]]

IMAGE_SIZE = 128
STRIDE = 8
"""Pixels of a grid cell."""
GRID = IMAGE_SIZE // STRIDE
CLASSES = len(SHAPES)

LEAST_SCORE = 0.05
OVERLAP = 0.6
"""IoU above which the box with the lower score, of two in one class, is suppressed."""
MOST = 100
"""Maximum detections per image."""

FILE = "scenes-net.onnx"
SHA256 = "e2eefb25728d062d66be455cfc916d16a68f8bff3976d93cdbd14676fa210c77"

T = TypeVar("T")


class Operators(Protocol[T]):
    """The network's operators, in the training framework or in ONNX."""

    def layer(self, x: T, name: str, channels: int, *, size: int = 3, stride: int = 1, positive: bool = True) -> T:
        """Return a convolution with SAME padding, then a ReLU if `positive`."""

    def add(self, x: T, y: T, name: str) -> T:
        """Return the sum."""

    def double(self, x: T, name: str) -> T:
        """Return the map upsampled by 2 (nearest neighbour)."""


def network(ops: Operators[T], picture: T) -> tuple[T, T]:
    """Return for each cell the class logits, and the logarithms of the sides' distances in cells.

    The distances are those to the left, upper, right and lower side.
    """
    x = picture
    for number, (channels, stride) in enumerate(((16, 2), (32, 2), (32, 1), (64, 2), (64, 1))):
        x = ops.layer(x, f"stem{number}", channels, stride=stride)
    x = _residual(ops, x, "fine")
    wide = ops.layer(x, "wide", 64, stride=2)
    wide = _residual(ops, wide, "wide0")
    x = ops.layer(ops.add(x, ops.double(wide, "wide.double"), "joined"), "both", 64)
    classes = ops.layer(ops.layer(x, "classes0", 48), "classes", CLASSES, size=1, positive=False)
    sides = ops.layer(ops.layer(x, "sides0", 48), "sides", 4, size=1, positive=False)
    return classes, sides


def _residual(ops: Operators[T], x: T, name: str) -> T:
    inner = ops.layer(x, f"{name}.first", 64)
    return ops.add(x, ops.layer(inner, f"{name}.second", 64), f"{name}.sum")


def shipped(step: Step) -> dict[str, Any]:
    """Write `model.onnx`: input `input` float32 [1,3,128,128] in 0...1; the outputs are those of `build`.

    Raises DataError if the installed file is not the shipped one.
    """
    path = copied(step, FILE, SHA256)
    options = {"image_size": IMAGE_SIZE}
    return model_facts(path, outputs=["boxes", "scores", "labels"], task_options=options, weight_transformations="none")


def build(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Return the model with these weights: `NAME.weight`, `NAME.bias` of each convolution, normalisation folded.

    Outputs in descending order of scores, at most MOST, above LEAST_SCORE: `boxes` float32 [n,4] (xmin, ymin, xmax,
    ymax in 0...128), `scores` float32 [n], `labels` int64 [n] (number of the class).
    """
    ops = _Onnx(weights)
    classes, sides = network(ops, "input")
    ops.detections(ops.corners(sides), ops.likely(classes), Limits(OVERLAP, LEAST_SCORE, MOST))
    outputs = [
        tensor("boxes", "float32", ["n", 4]),
        tensor("scores", "float32", ["n"]),
        tensor("labels", "int64", ["n"]),
    ]
    picture = tensor("input", "float32", [1, 3, IMAGE_SIZE, IMAGE_SIZE])
    return ops.model("scenes-net", [picture], outputs)


class _Onnx(SuppressingNet):
    """The network's operators as nodes of a graph."""

    def __init__(self, weights: Mapping[str, Array]) -> None:
        super().__init__()
        self._trained = weights

    def layer(self, x: str, name: str, channels: int, *, size: int = 3, stride: int = 1, positive: bool = True) -> str:
        weight, bias = self._trained[f"{name}.weight"], self._trained[f"{name}.bias"]
        assert weight.shape[0] == channels
        assert weight.shape[2] == size
        x = self.convolution(x, name, weight, bias, stride=stride, padding=None)
        return self.node("Relu", [x], f"{name}.relu") if positive else x

    def add(self, x: str, y: str, name: str) -> str:
        return self.node("Add", [x, y], name)

    def double(self, x: str, name: str) -> str:
        scales = self.weight(f"{name}.scales", np.array([1, 1, 2, 2], np.float32))
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Resize", [x, "", scales], name, **how)

    def likely(self, classes: str) -> str:
        """Add the scores [1,C,G²] of the logits map [1,C,G,G]."""
        flat = self.node("Reshape", [classes, self.whole("classes.shape", 1, CLASSES, -1)], "logits")
        return self.node("Sigmoid", [flat], "likely")

    def corners(self, sides: str) -> str:
        """Add the corners [1,G²,4] in pixels, clipped to the image, of the distances map [1,4,G,G]."""
        middle = (np.arange(GRID, dtype=np.float32) + 0.5) * STRIDE
        middles = np.stack(np.meshgrid(middle, middle) * 2).reshape(1, 4, -1)
        away = np.array([-STRIDE, -STRIDE, STRIDE, STRIDE], np.float32).reshape(1, 4, 1)
        flat = self.node("Reshape", [sides, self.whole("sides.shape", 1, 4, -1)], "logarithms")
        offsets = self.node("Mul", [self.node("Exp", [flat], "distances"), self.weight("away", away)], "offsets")
        corners = self.node("Add", [offsets, self.weight("middles", middles)], "corners")
        least, greatest = (
            self.weight(name, np.array([side], np.float32)) for name, side in (("least", 0), ("greatest", IMAGE_SIZE))
        )
        within = self.node("Max", [self.node("Min", [corners, greatest], "cut"), least], "within")
        return self.node("Transpose", [within], "candidates", perm=[0, 2, 1])
