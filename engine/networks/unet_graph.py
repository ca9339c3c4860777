"""Writes a 3-D U-Net as ONNX: that of the rules for KiTS19 (nnU-Net, Isensee et al. 2021), or a smaller one.

Each level has two convolutions of 3x3x3, each followed by an instance normalisation and a ReLU; the first one of a
level halves the resolution. On the way up a transposed convolution of 2x2x2 doubles it, and its result is joined with
that of the same level on the way down. The batch is open, the window is fixed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
import onnx

from engine.networks.convnet import ConvNet, tensor

Array = np.ndarray[Any, np.dtype[Any]]
Weights = Callable[[str, tuple[int, ...]], Array]
"""Name and shape of a tensor → its values, float32."""

INPUT, OUTPUT = "input", "output"
"""The names of the rules' model."""
WINDOW = 128
"""Voxels along each side of the input."""
EPSILON = 1e-5
"""Of the instance normalisation."""


@dataclass(frozen=True)
class UnetConfig:
    """Sizes of the network; the defaults are those of the rules."""

    filters: tuple[int, ...] = (32, 64, 128, 256, 320, 320)
    """Of each level, the finest first; the last one is the bottleneck."""
    classes: int = 3
    halved: bool = False
    """Whether the finest level has half the resolution of the input already; the classes then come from a transposed
    convolution of 2x2x2, in place of a convolution of 1x1x1."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor of weights by its name, in the order in which the graph uses them."""
        found = _level("down0", 1, self.filters[0])
        for number, (above, width) in enumerate(pairwise(self.filters), 1):
            found |= _level(f"down{number}", above, width)
        for number in range(len(self.filters) - 2, -1, -1):
            width, below = self.filters[number : number + 2]
            found |= {f"up{number}.doubled.weight": (below, width, 2, 2, 2), f"up{number}.doubled.bias": (width,)}
            found |= _level(f"up{number}", 2 * width, width)
        first, classes = self.filters[0], self.classes
        head = (first, classes, 2, 2, 2) if self.halved else (classes, first, 1, 1, 1)
        return found | {"classes.weight": head, "classes.bias": (classes,)}

    @property
    def parameters(self) -> int:
        """Elements of all weights."""
        return sum(prod(shape) for shape in self.shapes().values())


def _level(name: str, inputs: int, width: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{name}.{layer}.{part}": shape
        for layer, channels in (("first", inputs), ("second", width))
        for part, shape in (("weight", (width, channels, 3, 3, 3)), ("scale", (width,)), ("shift", (width,)))
    }


def build(form: UnetConfig, weights: Weights, *, name: str) -> onnx.ModelProto:
    """Return the model: `input` float32 [B,1,128,128,128] → `output`, logits float32 [B,classes,128,128,128].

    Weights are asked for one at a time, in the order of `form.shapes()`.
    """
    net = _UNet(form, weights)
    net.classify(net.features())
    side = [WINDOW] * 3
    return net.model(
        name,
        [tensor(INPUT, "float32", ["batch", 1, *side])],
        [tensor(OUTPUT, "float32", ["batch", form.classes, *side])],
    )


class _UNet(ConvNet):
    """The graph under construction."""

    def __init__(self, form: UnetConfig, weights: Weights) -> None:
        super().__init__()
        self._form, self._values, self._shapes = form, weights, form.shapes()

    def features(self) -> str:
        """Add all levels; return the finest features."""
        levels = range(len(self._form.filters))
        x, skipped = INPUT, []
        for number in levels:
            x = self._level(x, f"down{number}", stride=2 if number or self._form.halved else 1)
            skipped.append(x)
        for number in reversed(levels[:-1]):
            doubled = self._doubled(x, f"up{number}.doubled", f"up{number}.doubled")
            x = self.node("Concat", [doubled, skipped[number]], f"up{number}.joined", axis=1)
            x = self._level(x, f"up{number}")
        return x

    def classify(self, x: str) -> None:
        """Add the layer that gives the logits."""
        if self._form.halved:
            self._doubled(x, "classes", OUTPUT)
        else:
            self.node("Conv", [x, *self._trained("classes", "weight", "bias")], OUTPUT, kernel_shape=[1, 1, 1])

    def _level(self, x: str, name: str, *, stride: int = 1) -> str:
        x = self._layer(x, f"{name}.first", stride)
        return self._layer(x, f"{name}.second", 1)

    def _layer(self, x: str, name: str, stride: int) -> str:
        shape = {"kernel_shape": [3] * 3, "pads": [1] * 6, "strides": [stride] * 3}
        x = self.node("Conv", [x, *self._trained(name, "weight")], name, **shape)
        normal = [x, *self._trained(name, "scale", "shift")]
        x = self.node("InstanceNormalization", normal, f"{name}.normal", epsilon=EPSILON)
        return self.node("Relu", [x], f"{name}.relu")

    def _doubled(self, x: str, name: str, output: str) -> str:
        shape = {"kernel_shape": [2] * 3, "strides": [2] * 3}
        return self.node("ConvTranspose", [x, *self._trained(name, "weight", "bias")], output, **shape)

    def _trained(self, name: str, *parts: str) -> list[str]:
        names = [f"{name}.{part}" for part in parts]
        return [self.weight(one, self._values(one, self._shapes[one])) for one in names]
